"""Names for parts. Ours and a user's come in by the same doors: a decorator, or an entry point that names a module.

    @system("my-method", paper="...")
    def my_method(problem, *, n_islands: int = 4) -> Strategy: ...

Entry-point groups `evoloom.systems`, `evoloom.problems` and `evoloom.claims` hold modules; a package stands for all of
its modules. They are imported at the first look-up of their kind, never at `import evoloom`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any, NamedTuple

from evoloom.core.errors import UsageError, near

KINDS = ("system", "problem", "claim")


class Entry(NamedTuple):
    """One registered name. `make` is the decorated callable; its keyword-only parameters are the options."""

    kind: str
    name: str
    make: Callable[..., Any]
    facts: Mapping[str, Any]

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return (inspect.getdoc(self.make) or "").split("\n", 1)[0]

    @property
    def options(self) -> dict[str, inspect.Parameter]:
        """Keyword-only parameters, annotations resolved: what `--set NAME=VALUE` may set."""
        make = self.make.__init__ if inspect.isclass(self.make) else self.make
        parameters = inspect.signature(make, eval_str=True).parameters
        return {k: p for k, p in parameters.items() if p.kind is p.KEYWORD_ONLY}


_entries: dict[str, dict[str, Entry]] = {kind: {} for kind in KINDS}
_loaded: set[str] = set()


def register(kind: str, name: str, **facts: Any) -> Callable[[Any], Any]:
    """Decorator that enters a callable under a name. The same object may be entered twice (module reloads)."""

    def enter(make: Any) -> Any:
        old = _entries[kind].get(name)
        if old is not None and (old.make.__module__, old.make.__qualname__) != (make.__module__, make.__qualname__):
            raise UsageError(
                f"two {kind}s are called '{name}': {old.make.__module__}.{old.make.__qualname__} and "
                f"{make.__module__}.{make.__qualname__}. Rename one of them."
            )
        _entries[kind][name] = Entry(kind, name, make, facts)
        return make

    return enter


def system(name: str, *, paper: str, year: int | None = None, **facts: Any) -> Callable[[Any], Any]:
    """Register `(problem, *, options) -> Strategy` as a published method."""
    return register("system", name, paper=paper, year=year, **facts)


def problem(name: str, **facts: Any) -> Callable[[Any], Any]:
    """Register `(*, options) -> Problem`."""
    return register("problem", name, **facts)


def load(kind: str) -> None:
    """Import every module that the entry points of a kind name."""
    if kind in _loaded:
        return
    _loaded.add(kind)
    for point in sorted(entry_points(group=f"evoloom.{kind}s"), key=lambda p: (p.value, p.name)):
        module = importlib.import_module(point.value)
        for sub in pkgutil.iter_modules(getattr(module, "__path__", []), module.__name__ + "."):
            importlib.import_module(sub.name)


def get(kind: str, name: str) -> Entry:
    """The entry of a name.

    Raises:
        UsageError: nothing of that kind has the name; near matches are listed.
    """
    load(kind)
    try:
        return _entries[kind][name]
    except KeyError:
        raise UsageError(f"no {kind} is called '{name}'.{near(name, _entries[kind])}") from None


def names(kind: str) -> list[str]:
    load(kind)
    return sorted(_entries[kind])


def entries(kind: str) -> list[Entry]:
    load(kind)
    return [_entries[kind][k] for k in sorted(_entries[kind])]
