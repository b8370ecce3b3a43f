"""Systems: published methods by name, each a sentence in the vocabulary of parts.

A system is `(problem, *, options) -> Strategy`. Its docstring says what the paper does, where this differs and why; the
paper's claim stands in `evoloom.claims` under the same name. Systems never import each other: what two of them share is
a part. `evoloom.systems.funsearch(problem)` is the same function that the name "funsearch" finds.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class Systems(ModuleType):
    """This package: an attribute that is not private is the registered system, also after its module was imported."""

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_"):
            return super().__getattribute__(name)
        from evoloom.core import registry
        from evoloom.core.errors import UsageError

        try:
            return registry.get("system", name.replace("_", "-")).make
        except UsageError as e:
            raise AttributeError(str(e)) from None

    def __dir__(self) -> list[str]:
        from evoloom.core import registry

        return [n.replace("-", "_") for n in registry.names("system")]


sys.modules[__name__].__class__ = Systems
