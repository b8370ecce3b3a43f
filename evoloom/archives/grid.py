"""A grid over the measures, one elite per cell (MAP-Elites)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from evoloom.archives.cells import Cells, ranges
from evoloom.archives.table import blank
from evoloom.core.contracts import Array, Problem
from evoloom.core.errors import CompositionError, UsageError
from evoloom.core.value import static, value


@value
class Grid(Cells):
    """Cells by comparison with stored edges, not by arithmetic: the same cell on every backend.

    A measure on an inner edge belongs to the cell above it; the upper end of a range belongs to the last cell. Slots
    are cells in C order.
    """

    edges: tuple[Array, ...]  # per axis (cells - 1,) inner edges, ascending
    shape: tuple[int, ...] = static()

    @classmethod
    def empty(
        cls, shape: Sequence[int], low: Array, high: Array, *, qd_offset: float = 0.0, signals: tuple[str, ...] = ()
    ) -> Grid:
        """shape: (k,) cells per axis; low, high: (k,)."""
        low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
        edges = tuple(np.linspace(lo, hi, cells + 1)[1:-1] for lo, hi, cells in zip(low, high, shape))
        fields = blank(int(np.prod(shape)), {"measures": (len(shape),)}, signals)
        return cls(
            **fields, low=low, high=high, outside=np.int64(0), qd_offset=qd_offset, edges=edges, shape=tuple(shape)
        )

    def cell(self, measures: Array) -> Array:
        index = np.searchsorted(self.edges[0], measures[:, 0], side="right")
        for j in range(1, len(self.shape)):
            index = index * self.shape[j] + np.searchsorted(self.edges[j], measures[:, j], side="right")
        return index


def grid(
    shape: int | Sequence[int] = 20, *, qd_offset: float = 0.0, signals: tuple[str, ...] = ()
) -> Callable[[Problem], Grid]:
    """shape: cells per measure, one number for all or one per measure. qd_offset: fitness that is worth nothing."""
    return partial(_make, shape=shape, qd_offset=qd_offset, signals=tuple(signals))


def _make(problem: Problem, *, shape: int | Sequence[int], qd_offset: float, signals: tuple[str, ...]) -> Grid:
    low, high = ranges("grid", problem, signals)
    full = (shape,) * len(low) if isinstance(shape, int) else tuple(shape)
    if len(full) != len(low):
        raise CompositionError(
            f"archive 'grid' has {len(full)} axes, shape={full}; problem '{problem.name}' has {len(low)} measures, "
            f"{', '.join(a.name for a in problem.columns.measures)}. Give one number of cells per measure."
        )
    if any(int(c) != c or c < 1 for c in full) or np.prod([float(c) for c in full]) > 2**27:
        raise UsageError(f"archive 'grid' needs positive cells per axis and at most 2**27 in all, got shape={full}")
    return Grid.empty(tuple(int(c) for c in full), low, high, qd_offset=qd_offset, signals=signals)
