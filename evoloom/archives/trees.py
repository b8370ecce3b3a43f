"""Nested containers of arrays: what a stacked column is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def map_leaves(fn: Any, tree: Any, *others: Any) -> Any:
    """`fn` over the arrays of nested dicts, lists, tuples and NamedTuples of equal structure."""
    if isinstance(tree, Mapping):
        return {k: map_leaves(fn, v, *(o[k] for o in others)) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        parts = [map_leaves(fn, *xs) for xs in zip(tree, *others, strict=True)]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return fn(np.asarray(tree), *(np.asarray(o) for o in others))
