"""`@value`: a frozen dataclass that array code can treat as a tree of arrays.

Archives, rngs and states are values: fields hold arrays (leaves) or, marked with `static()`, counts, names and
shapes. The class is entered in a list here; the JAX bodies register that list as pytrees when they are imported, so
that nothing in a NumPy run imports JAX.

Ownership passes: `archive, added = archive.insert(...)` may change the old arrays in place, so the caller never touches
the old value again. `fork(x)` makes a copy that is safe to keep.
"""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")
VALUES: list[type] = []  # every @value class, in order of definition; read by the JAX bodies


def static(**kwargs: Any) -> Any:
    """A field that is configuration, not data: hashable, never a leaf."""
    return dataclasses.field(metadata={"static": True}, **kwargs)


@dataclass_transform(frozen_default=True, field_specifiers=(static, dataclasses.field))
def value(cls: type[T]) -> type[T]:
    """Frozen dataclass without `__eq__` (comparing arrays is ambiguous), with `replace(**changes)`."""
    cls = dataclasses.dataclass(frozen=True, eq=False)(cls)
    cls.replace = _replace  # type: ignore[attr-defined]
    VALUES.append(cls)
    return cls


def _replace(self: T, **changes: Any) -> T:
    """A copy with some fields changed: ten times faster than `dataclasses.replace`; archives do it at every insert."""
    if not changes.keys() <= self.__dict__.keys():
        raise TypeError(f"{type(self).__name__} has no field {sorted(changes.keys() - self.__dict__.keys())}")
    new = object.__new__(type(self))
    new.__dict__.update(self.__dict__, **changes)
    return new


def fork(x: T) -> T:
    """An independent exact copy of a state or archive."""
    return copy.deepcopy(x)
