"""The rule that all tessellated archives share: one elite per cell, strictly better replaces (MAP-Elites).

Mouret and Clune 2015, Illuminating search spaces by mapping elites. A tessellation says which cell a row of measures
falls into; measures outside their range fall into the nearest border cell and are counted. A cell is a slot, so a
batch leaves the same members, in the same slots, as its rows one by one.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from evoloom.archives.fitting import require
from evoloom.archives.table import Batch, Placed, Table, answer
from evoloom.core.contracts import Array, Problem
from evoloom.core.errors import CompositionError
from evoloom.core.ops import segment_best
from evoloom.core.value import static, value


@value
class Cells(Table):
    """One elite per cell. Final subclasses define `cell`."""

    low: Array  # (k,) ranges of the measures
    high: Array
    outside: Array  # () int64: admitted rows with a measure outside its range
    qd_offset: float = static()

    reads: ClassVar[frozenset[str]] = frozenset({"fitness", "measures"})

    def cell(self, measures: Array) -> Array:
        """(n, k) finite or nan -> (n,) cell of every row, any valid cell where a measure is nan."""
        raise NotImplementedError(f"{type(self).__name__} must define cell(measures)")

    def place(self, batch: Batch) -> Placed:
        measures = batch.values["measures"]
        inside = ((measures >= self.low) & (measures <= self.high)).all(axis=1)
        cell = self.cell(measures)
        f = np.where(batch.ok, batch.fitness, -np.inf)
        held = self.fitness[cell]
        fresh = held == -np.inf
        won = f > held
        stays = won & first_best(np.where(won, f, -np.inf), cell, len(self.ids))
        gain = f - np.where(fresh, 0.0, held)
        table = self
        if not inside.all():
            table = self.replace(outside=self.outside + np.count_nonzero(batch.ok & ~inside))  # type: ignore[attr-defined]
        return Placed(table, answer(batch.ok, won, fresh, gain, np.where(stays, cell, -1)))

    def stats(self) -> dict[str, Any]:
        """Adds `coverage` (share of cells filled), `qd_score` (sum of fitness above `qd_offset`), `outside`."""
        f = self.fitness[self.filled]
        qd = float((f - self.qd_offset).sum())
        return super().stats() | {"coverage": len(f) / len(self.ids), "qd_score": qd, "outside": int(self.outside)}


def first_best(score: Array, seg: Array, n: int) -> Array:
    """(b,) bool: whether a row is the best of its segment, ties to the lowest row; -inf never is.

    The same choice as `segment_best`, but its cost does not grow with the number of segments.
    """
    if len(score) == 1:
        return score > -np.inf
    if n > 4 * len(score):
        seg = np.unique(seg, return_inverse=True)[1]
        n = len(score)
    return segment_best(score, seg, n)[seg] == np.arange(len(score))


def ranges(archive: str, problem: Problem, signals: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(low, high) of the problem's measures, each (k,).

    Raises:
        CompositionError: no measures, several objectives, or a range that cannot be cut.
    """
    require(archive, problem, Cells.reads | frozenset(signals))
    low = np.array([a.low for a in problem.columns.measures], dtype=np.float64)
    high = np.array([a.high for a in problem.columns.measures], dtype=np.float64)
    for axis in problem.columns.measures:
        if not (np.isfinite([axis.low, axis.high]).all() and axis.low < axis.high):
            raise CompositionError(
                f"archive '{archive}' cuts every measure's range into cells; measure '{axis.name}' of problem "
                f"'{problem.name}' has the range {axis.low} to {axis.high}. Declare finite bounds with low < high."
            )
    return low, high
