"""An archive without cells: a candidate enters where the measures are far from all that is inside.

    novelty(threshold, k)          novelty alone decides (Lehman and Stanley 2011, Abandoning objectives)
    unstructured(threshold, k)     and a fitter candidate replaces its nearest neighbour (Cully et al. 2015, Robots that
                                   can adapt like animals; Cully and Demiris 2018, section III-A)

Novelty is the mean distance to the k nearest members, or to all where there are fewer. Rows of a batch are placed one
after the other, so a batch leaves the same members as its rows one by one; statuses are judged against the archive
before the batch. Host only: the archive grows by doubling.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np

from evoloom.archives.cells import ranges
from evoloom.archives.table import Batch, Placed, Table, answer, blank
from evoloom.core.contracts import Array, Problem
from evoloom.core.errors import UsageError
from evoloom.core.value import static, value


@value
class Unstructured(Table):
    """Distances are Euclidean in measures scaled by their ranges: a threshold of 0.05 is 5 % of an axis.

    Gain: in `novelty` archives the novelty, the threshold where nothing was inside; else as fitness archives have it.
    """

    low: Array  # (k,) ranges of the measures
    high: Array
    threshold: float = static()
    compete: bool = static()

    reads: ClassVar[frozenset[str]] = frozenset({"fitness", "measures"})

    @classmethod
    def empty(
        cls, low: Array, high: Array, threshold: float, k: int, compete: bool, signals: tuple[str, ...] = ()
    ) -> Unstructured:
        low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
        fields = blank(64, {"measures": low.shape, "near": (k,)}, signals)
        return cls(**fields, low=low, high=high, threshold=threshold, compete=compete)

    @property
    def names(self) -> frozenset[str]:
        return super().names | {"novelty"}

    def column(self, name: str) -> Array:
        """Adds "novelty": (slots,) mean distance to the k nearest other members, inf for a lone one."""
        return mean_finite(self.columns["near"]) if name == "novelty" else super().column(name)

    def place(self, batch: Batch) -> Placed:
        k = self.columns["near"].shape[1]
        rows = np.flatnonzero(batch.ok)
        x, f = batch.values["measures"][rows], batch.fitness[rows]
        table, free = self.grown(len(rows))
        columns, held = table.columns, table.fitness.copy()  # fitness as if every kept row were written already
        d = table._distances(x)
        before = mean_finite(smallest(d, k))
        nearest = d.argmin(axis=1)
        novel = before >= self.threshold
        rival = np.where(novel, -np.inf, held[nearest])
        won = novel | (self.compete & (f > rival))
        owner = np.full(len(held), -1)  # row that a slot was given to in this batch
        for i in range(len(rows)):
            new = mean_finite(smallest(d[i], k)) >= self.threshold
            if new:
                s, free = free[0], free[1:]
            elif self.compete and f[i] > held[s := d[i].argmin()]:
                pass
            else:
                continue
            table._move(s, x[i])
            held[s], owner[s] = f[i], i
            d[:, s] = _distance(x, x[i], self.low, self.high)
        slot, at = np.full(batch.n, -1), np.flatnonzero(owner >= 0)
        slot[rows[owner[at]]] = at
        own = {"near": np.full((batch.n, k), np.inf)}
        own["near"][rows[owner[at]]] = columns["near"][at]
        gain = np.where(novel, f, f - rival) if self.compete else np.where(np.isfinite(before), before, self.threshold)
        won, novel, gain = (_spread(v, rows, batch.n) for v in (won, novel, gain))
        return Placed(table, answer(batch.ok, won, novel, gain, slot), own)

    def without(self, slots: Array) -> Unstructured:
        near = self.columns["near"]
        for s in np.atleast_1d(slots):
            lost = self._distances(self.columns["measures"][s])
            table = super().without(np.array([s]))
            table._renew(np.flatnonzero((lost <= near[:, -1]) & np.isfinite(lost)))
        return self

    def _move(self, s: int, x: Array) -> None:
        """Put measures x into slot s, new or not, and renew the k nearest of everyone whom that concerns."""
        measures, near = self.columns["measures"], self.columns["near"]
        lost = self._distances(measures[s])  # inf all over where the slot was empty
        measures[s] = x
        d = self._distances(x)
        stale = (lost <= near[:, -1]) & np.isfinite(lost)
        stale[s] = True
        closer = (d < near[:, -1]) & ~stale
        near[closer, -1] = d[closer]
        near[closer] = np.sort(near[closer], axis=1)
        self._renew(np.flatnonzero(stale))

    def _renew(self, slots: Array) -> None:
        """The k nearest of some members from scratch."""
        near = self.columns["near"]
        for s in slots:
            d = self._distances(self.columns["measures"][s])
            d[s] = np.inf
            near[s] = smallest(d, near.shape[1])

    def _distances(self, x: Array) -> Array:
        """(..., k) -> (..., slots), inf to and from empty slots."""
        return _distance(x[..., None, :], self.columns["measures"], self.low, self.high)

    def stats(self) -> dict[str, Any]:
        """Adds `novelty`: mean novelty of the members, nan with fewer than two."""
        near = self.column("novelty")[self.filled]
        return super().stats() | {"novelty": float(near.mean()) if len(near) > 1 else float("nan")}


def _distance(a: Array, b: Array, low: Array, high: Array) -> Array:
    total: Any = 0.0
    for j in range(len(low)):
        total = total + np.square((a[..., j] - b[..., j]) / (high[j] - low[j]))
    return np.where(np.isnan(total), np.inf, np.sqrt(total))


def _spread(x: Array, rows: Array, n: int) -> Array:
    """Values of some rows among n, zeros elsewhere."""
    out = np.zeros(n, x.dtype)
    out[rows] = x
    return out


def smallest(d: Array, k: int) -> Array:
    """The k smallest along the last axis, ascending, inf where there are fewer. (..., n) -> (..., k)."""
    if d.shape[-1] < k:
        d = np.concatenate([d, np.full((*d.shape[:-1], k - d.shape[-1]), np.inf)], axis=-1)
    return np.sort(np.partition(d, k - 1, axis=-1)[..., :k], axis=-1)


def mean_finite(d: Array) -> Array:
    """Mean of the finite values along the last axis, inf where there are none."""
    finite = np.isfinite(d)
    n = finite.sum(axis=-1)
    return np.where(n > 0, np.where(finite, d, 0.0).sum(axis=-1) / np.maximum(n, 1), np.inf)


def novelty(
    threshold: float = 0.05, k: int = 15, *, signals: tuple[str, ...] = ()
) -> Callable[[Problem], Unstructured]:
    """Novelty decides, fitness does not. threshold: least novelty to enter; k: neighbours that are averaged."""
    return partial(_make, name="novelty", threshold=threshold, k=k, compete=False, signals=tuple(signals))


def unstructured(
    threshold: float = 0.05, k: int = 1, *, signals: tuple[str, ...] = ()
) -> Callable[[Problem], Unstructured]:
    """Like `novelty`, and what is not novel replaces its nearest neighbour where it is strictly fitter."""
    return partial(_make, name="unstructured", threshold=threshold, k=k, compete=True, signals=tuple(signals))


def _make(
    problem: Problem, *, name: str, threshold: float, k: int, compete: bool, signals: tuple[str, ...]
) -> Unstructured:
    low, high = ranges(name, problem, signals)
    if not threshold > 0 or k < 1:
        raise UsageError(f"archive '{name}' needs threshold > 0 and k >= 1, got threshold={threshold}, k={k}")
    return Unstructured.empty(low, high, float(threshold), int(k), compete, signals)
