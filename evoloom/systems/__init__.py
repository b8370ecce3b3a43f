"""Systems: published methods by name, each a sentence in the vocabulary of parts.

A system is `(problem, *, options) -> Strategy`. Its docstring says what the paper does, where this differs and why; the
paper's claim stands in `evoloom.claims` under the same name. Systems never import each other: what two of them share is
a part. `evoloom.systems.funsearch(problem)` is the same function that the name "funsearch" finds.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    from evoloom.core import registry
    from evoloom.core.errors import UsageError

    if name.startswith("__"):
        raise AttributeError(name)
    try:
        return registry.get("system", name.replace("_", "-")).make
    except UsageError as e:
        raise AttributeError(str(e)) from None


def __dir__() -> list[str]:
    from evoloom.core import registry

    return [n.replace("-", "_") for n in registry.names("system")]
