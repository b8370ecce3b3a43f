"""Selects for spread: novel members, members whose children got in, winners of cases, and mixtures of selects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evoloom.core.contracts import Array, Select
from evoloom.core.errors import UsageError
from evoloom.core.rng import Rng
from evoloom.select.weighted import Weighted


def novelty() -> Weighted:
    """In proportion to novelty (Conti et al. 2018, Improving exploration in evolution strategies, equation 2)."""
    return Weighted("novelty", frozenset({"novelty"}), _novelty)


def curiosity() -> Weighted:
    """In proportion to curiosity above the lowest (Cully and Demiris 2018, section III-B; 0 counts as present).

    Curiosity rises where the strategy says who the parents are (`aux["parents"]` of an insert); before that: uniform.
    """
    return Weighted("curiosity", frozenset({"curiosity"}), _curiosity)


def cases_front() -> Weighted:
    """In proportion to the number of cases that a member holds (Agrawal et al. 2025, GEPA, algorithm 2)."""
    return Weighted("cases_front", frozenset({"wins"}), _wins)


@dataclass(frozen=True)
class Mix:
    """Every row by one of several selects, drawn with fixed shares."""

    parts: tuple[Select, ...]
    shares: tuple[float, ...]
    name: str = "mix"

    @property
    def needs(self) -> frozenset[str]:
        return frozenset().union(*(s.needs for s in self.parts))

    def __call__(self, archive: Any, rng: Rng, n: int, arity: int = 1) -> Array:
        """(n, arity) slots; the parents of one row come from the same select."""
        which = np.searchsorted(np.cumsum(self.shares), rng.fold(0).uniform((n,)), side="right")
        which = np.minimum(which, len(self.parts) - 1)
        out = np.empty((n, arity), np.int64)
        for i, part in enumerate(self.parts):
            rows = np.flatnonzero(which == i)
            if len(rows):
                out[rows] = part(archive, rng.fold(1 + i), len(rows), arity)
        return out


def mix(parts: Sequence[tuple[float, Select]]) -> Mix:
    """`mix([(0.7, tournament(3)), (0.3, uniform())])`; shares are scaled to a sum of 1."""
    shares = np.array([share for share, _ in parts], dtype=float)
    if not len(shares) or (shares < 0).any() or not shares.sum() > 0:
        raise UsageError(f"select 'mix' needs shares that are not negative and not all 0, got {shares.tolist()}")
    return Mix(tuple(part for _, part in parts), tuple((shares / shares.sum()).tolist()))


def _novelty(archive: Any, rows: Array) -> Array:
    x = archive.column("novelty")[rows]
    return np.where(np.isfinite(x), x, 1.0)  # infinite for a lone member only


def _curiosity(archive: Any, rows: Array) -> Array:
    x = archive.column("curiosity")[rows]
    return x - min(0.0, x.min())


def _wins(archive: Any, rows: Array) -> Array:
    return archive.column("wins")[rows]
