"""Array primitives: the few verbs in which every archive rule is written, once, for NumPy and for JAX.

Choosing (compare, gather, scatter, order) agrees bit for bit between backends; arithmetic does not (fused
multiply-add), so no rule here depends on it. `xp_of` finds the backend from the arrays; the JAX bodies live in their
own module, are imported only when a JAX array is met, and make the same choices.

Segments are integers; a segment outside `0 <= s < n` drops its row. Ties always go to the first row.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

Array = Any


def xp_of(*arrays: Array) -> ModuleType:
    """`numpy` for host arrays. Other array types have no bodies yet."""
    for a in arrays:
        if a is not None and not isinstance(a, (np.ndarray, np.generic, bool, int, float, list, tuple)):
            raise TypeError(f"no array primitives for {type(a).__module__}.{type(a).__name__}: pass NumPy arrays")
    return np


def put(col: Array, index: Array, rows: Array) -> Array:
    """`col` with `rows[i]` at `index[i]`; indices outside the column are dropped, those inside must be unique.

    Takes ownership of `col` (NumPy writes in place). col: (slots, ...), index: (n,), rows: (n, ...) or a scalar.
    """
    index = np.asarray(index)
    ok = (index >= 0) & (index < len(col))
    if ok.all():
        col[index] = rows
    else:
        rows = np.asarray(rows)
        col[index[ok]] = rows[ok] if rows.ndim and len(rows) == len(index) else rows
    return col


def _segment(at: Any, x: Array, seg: Array, n: int, fill: Any) -> Array:
    x, seg = np.asarray(x), np.asarray(seg)
    out = np.full((n + 1, *x.shape[1:]), fill, dtype=x.dtype)
    at(out, np.where((seg < 0) | (seg >= n), n, seg), x)
    return out[:n]


def segment_max(x: Array, seg: Array, n: int, fill: Any) -> Array:
    """Largest `x` per segment, `fill` where a segment is empty. x: (b, ...), seg: (b,) -> (n, ...)."""
    return _segment(np.maximum.at, x, seg, n, fill)


def segment_min(x: Array, seg: Array, n: int, fill: Any) -> Array:
    """Smallest `x` per segment, `fill` where a segment is empty. x: (b, ...), seg: (b,) -> (n, ...)."""
    return _segment(np.minimum.at, x, seg, n, fill)


def segment_sum(x: Array, seg: Array, n: int) -> Array:
    """Sum of `x` per segment. x: (b, ...), seg: (b,) -> (n, ...)."""
    return _segment(np.add.at, x, seg, n, 0)


def segment_best(score: Array, seg: Array, n: int) -> Array:
    """Row of the highest score per segment, ties to the lowest row, `b` where a segment is empty.

    score: (b,), -inf for rows that must not win; seg: (b,) -> (n,) int.
    """
    xp = xp_of(score, seg)
    b = len(score)
    high = segment_max(score, seg, n, -xp.inf)
    inside = (seg >= 0) & (seg < n)
    best = high[xp.where(inside, seg, 0)]
    rows = xp.where(inside & (score == best) & (score > -xp.inf), xp.arange(b), b)
    return segment_min(rows, seg, n, b)


def order(*keys: Array) -> Array:
    """Stable order by several keys, the most important first, ascending. keys: (b,) each -> (b,) int."""
    return np.lexsort(tuple(reversed(keys)))


def rank_in_segment(seg: Array, n: int, *keys: Array) -> Array:
    """Position of every row inside its own segment when sorted by `keys` (stable). seg: (b,) -> (b,) int."""
    xp = xp_of(seg, *keys)
    b = len(seg)
    by = order(seg, *keys)
    place = put(xp.empty(b, dtype=by.dtype), by, xp.arange(b))
    inside = (seg >= 0) & (seg < n)
    start = segment_min(xp.where(inside, place, b), seg, n, b)
    return place - start[xp.where(inside, seg, 0)]


def pareto_rank(f: Array, valid: Array) -> Array:
    """Non-dominated rank (0 is best), objectives maximised; invalid rows get `b`. f: (b, m), valid: (b,) -> (b,)."""
    import moocore

    f, valid = np.asarray(f, dtype=np.float64), np.asarray(valid, dtype=bool)
    out = np.full(len(f), len(f), dtype=np.int64)
    if valid.any():
        out[valid] = moocore.pareto_rank(f[valid], maximise=True)
    return out


def pick(mask: Array, rng: Any, n: int) -> Array:
    """`n` rows drawn uniformly, with replacement, among those where `mask` is true. mask: (b,) -> (n,) int.

    Raises:
        ValueError: no row is true.
    """
    rows = np.flatnonzero(mask)
    if not len(rows):
        raise ValueError("cannot pick from an empty archive: nothing valid has been judged yet")
    return rows[rng.integers(0, len(rows), (n,))]


def distances(a: Array, b: Array) -> Array:
    """Squared Euclidean distances. a: (n, d), b: (m, d) -> (n, m), never negative."""
    xp = xp_of(a, b)
    d = (a * a).sum(1)[:, None] - 2.0 * (a @ b.T) + (b * b).sum(1)[None, :]
    return xp.maximum(d, 0.0)
