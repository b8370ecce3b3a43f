"""Cells of equal size in any number of measures: a centroidal Voronoi tessellation (CVT-MAP-Elites).

Vassiliades, Chatzilygeroudis, Mouret 2018, Using centroidal Voronoi tessellations to scale up MAP-Elites: centroids are
the k-means of uniform samples of the measure space; a row belongs to the nearest centroid.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from evoloom.archives.cells import Cells, ranges
from evoloom.archives.table import blank
from evoloom.core.contracts import Array, Problem
from evoloom.core.errors import UsageError
from evoloom.core.rng import root
from evoloom.core.value import static, value


class Centroids:
    """Points in the unit cube and their KD-tree: configuration, shared by all copies of an archive."""

    __slots__ = ("points", "tree")

    def __init__(self, points: np.ndarray):
        from scipy.spatial import KDTree

        self.points = np.asarray(points, dtype=np.float64)
        self.tree = KDTree(self.points)

    def nearest(self, x: np.ndarray) -> np.ndarray:
        """(n, k) finite -> (n,) int."""
        return np.asarray(self.tree.query(x)[1])

    def __deepcopy__(self, memo: Any) -> Centroids:
        return self

    def __reduce__(self) -> Any:
        return Centroids, (self.points,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Centroids) and np.array_equal(self.points, other.points)

    def __hash__(self) -> int:
        return hash((self.points.shape, self.points[:8].tobytes()))

    def __repr__(self) -> str:
        return f"Centroids(shape={self.points.shape})"


@value
class Cvt(Cells):
    """Slots are centroids. Measures are clipped to their ranges, then scaled to the unit cube, before the look-up."""

    centroids: Centroids = static()

    @classmethod
    def empty(
        cls, points: Array, low: Array, high: Array, *, qd_offset: float = 0.0, signals: tuple[str, ...] = ()
    ) -> Cvt:
        """points: (cells, k) in the unit cube; low, high: (k,)."""
        centroids = points if isinstance(points, Centroids) else Centroids(points)
        cells, k = centroids.points.shape
        fields = blank(cells, {"measures": (k,)}, signals)
        return cls(**fields, low=np.asarray(low, np.float64), high=np.asarray(high, np.float64), outside=np.int64(0),
                   qd_offset=qd_offset, centroids=centroids)  # fmt: skip

    def cell(self, measures: Array) -> Array:
        x = (measures - self.low) / (self.high - self.low)
        x[~np.isfinite(x)] = 0.0  # rows that are refused anyway
        return self.centroids.nearest(np.clip(x, 0.0, 1.0, out=x))


def cvt(
    cells: int = 1000, *, samples: int | None = None, seed: int = 0, rounds: int = 20, qd_offset: float = 0.0,
    signals: tuple[str, ...] = (),
) -> Callable[[Problem], Cvt]:  # fmt: skip
    """cells: number of centroids. samples: uniform points for k-means, default 20 per cell. rounds: Lloyd steps."""
    return partial(_make, cells=cells, samples=samples, seed=seed, rounds=rounds, qd_offset=qd_offset,
                   signals=tuple(signals))  # fmt: skip


def _make(problem: Problem, *, cells: int, samples: int | None, seed: int, rounds: int, qd_offset: float,
          signals: tuple[str, ...]) -> Cvt:  # fmt: skip
    low, high = ranges("cvt", problem, signals)
    samples = 20 * cells if samples is None else samples
    if cells < 1 or samples < cells:
        raise UsageError(f"archive 'cvt' needs cells >= 1 and samples >= cells, got cells={cells}, samples={samples}")
    return Cvt.empty(kmeans(cells, len(low), samples, seed, rounds), low, high, qd_offset=qd_offset, signals=signals)  # type: ignore[arg-type]


@functools.lru_cache(maxsize=16)
def kmeans(cells: int, k: int, samples: int, seed: int, rounds: int) -> Centroids:
    """Lloyd's algorithm on uniform samples of the unit cube, started at the first `cells` of them.

    The same arguments give the same centroids. A centroid that loses all its samples stays where it is.
    """
    x = root(seed).fold("cvt").uniform((samples, k))
    centroids = Centroids(x[:cells].copy())
    for _ in range(rounds):
        near = centroids.nearest(x)
        count = np.bincount(near, minlength=cells)
        total = np.stack([np.bincount(near, weights=x[:, j], minlength=cells) for j in range(k)], axis=1)
        points = np.where(count[:, None] > 0, total / np.maximum(count, 1)[:, None], centroids.points)
        if np.array_equal(points, centroids.points):
            break
        centroids = Centroids(points)
    return centroids
