"""Tournaments: a few members are drawn, and the best of them, in some column, becomes a parent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evoloom.core.contracts import Array
from evoloom.core.errors import UsageError
from evoloom.core.rng import Rng
from evoloom.select.weighted import members


@dataclass(frozen=True)
class Tournament:
    """The best of `k` members drawn uniformly, with replacement; ties to the first drawn. `by`: the column compared."""

    k: int
    by: str = "fitness"

    @property
    def name(self) -> str:
        return f"tournament({self.k}, {self.by})"

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.by})

    def __call__(self, archive: Any, rng: Rng, n: int, arity: int = 1) -> Array:
        """(n, arity) slots."""
        rows = members(archive)
        drawn = rows[rng.integers(0, len(rows), (n, arity, self.k))]
        best = archive.column(self.by)[drawn].argmax(axis=2)
        return np.take_along_axis(drawn, best[:, :, None], axis=2)[:, :, 0]


def tournament(k: int = 2, by: str = "fitness") -> Tournament:
    """The best of k."""
    if k < 1:
        raise UsageError(f"select 'tournament' needs k >= 1, got {k!r}")
    return Tournament(int(k), by)


def crowding(k: int = 2) -> Tournament:
    """The least crowded of k on a front: the crowded tournament of NSGA-II (Deb et al. 2002, section III-B) where all
    members have rank 0."""
    return tournament(k, "crowding")
