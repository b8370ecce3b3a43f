"""A front: the candidates that no other one beats in every objective, with an optional capacity.

Unbounded, a batch leaves the same members as its rows one by one; of equal objective vectors the first stays. With a
capacity the least crowded stay (Deb et al. 2002, NSGA-II, section III-B, taken one at a time so that distances stay
true), and truncation comes once per batch, so that batches and single rows may keep different members.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np

from evoloom.archives.fitting import require
from evoloom.archives.table import Batch, Placed, Table, answer, blank
from evoloom.core.contracts import Array, Problem
from evoloom.core.errors import UsageError
from evoloom.core.value import static, value

BLOCK = 256  # rows compared with all members at once


@value
class Pareto(Table):
    """Statuses: IMPROVED where a row dominates a member, NEW where it only stands beside them.

    The gain is the additive epsilon indicator: how much every member would have to rise, in all objectives, so that one
    of them covers the row; 0 in an empty archive.
    """

    capacity: int | None = static()

    reads: ClassVar[frozenset[str]] = frozenset({"fitness"})

    @classmethod
    def empty(cls, n_objectives: int, capacity: int | None = None, signals: tuple[str, ...] = ()) -> Pareto:
        fields = blank(64 if capacity is None else capacity, {"fitness": (n_objectives,)}, signals)
        return cls(**fields, capacity=capacity)

    @property
    def names(self) -> frozenset[str]:
        return super().names | {"crowding"}

    def column(self, name: str) -> Array:
        """Adds "crowding": (slots,) crowding distance inside the front, inf at its ends."""
        if name != "crowding":
            return super().column(name)
        out = np.zeros(len(self.ids))
        members = self._by_entry()
        out[members] = crowding(self.fitness[members])
        return out

    def place(self, batch: Batch) -> Placed:
        members = np.flatnonzero(self.filled)
        rows = np.flatnonzero(batch.ok)
        f = batch.fitness[rows]
        covered, beats, gain = _against(f, self.fitness[members])
        enters = np.flatnonzero(~covered)
        enters = enters[_first_undominated(f[enters])]
        table = self.without(members[beats[enters].any(axis=0)])
        if self.capacity is not None:
            table, enters = table._truncated(f, enters, batch.values["entered"][rows])
        slot = np.full(batch.n, -1)
        table, free = table.grown(len(enters))
        slot[rows[enters]] = free
        won, fresh, gains = np.zeros((2, batch.n), bool)[0], np.ones(batch.n, bool), np.zeros(batch.n)
        won[rows], fresh[rows], gains[rows] = ~covered, ~beats.any(axis=1), gain
        return Placed(table, answer(batch.ok, won, fresh, gains, slot))

    def _by_entry(self) -> Array:
        """Slots of the members, oldest first: crowding of tied values must not depend on slots."""
        members = np.flatnonzero(self.filled)
        return members[np.argsort(self.columns["entered"][members])]

    def _truncated(self, f: Array, enters: Array, entered: Array) -> tuple[Pareto, Array]:
        """Drop the most crowded of members and entrants, of equally crowded ones the newest, down to the capacity."""
        members = self._by_entry()
        pool = np.concatenate([self.fitness[members], f[enters]])
        age = np.concatenate([self.columns["entered"][members], entered[enters]])
        keep = np.arange(len(pool))
        while len(keep) > self.capacity:  # type: ignore[operator]
            keep = np.delete(keep, np.lexsort((-age[keep], crowding(pool[keep])))[0])
        stays = np.zeros(len(pool), bool)
        stays[keep] = True
        return self.without(members[~stays[: len(members)]]), enters[stays[len(members) :]]

    def stats(self) -> dict[str, Any]:
        """Adds `front`, its size; best_j is the best of objective j."""
        return super().stats() | {"front": self.n}


def crowding(f: Array) -> Array:
    """Crowding distance of every point of a front. f: (n, m) -> (n,).

    The sum over objectives of the gap between a point's neighbours, in units of its range; inf for the first
    and last of any objective.
    """
    n, m = f.shape
    out = np.zeros(n)
    for j in range(m if n else 0):
        by = np.argsort(f[:, j], kind="stable")
        x = f[by, j]
        if n > 2 and x[-1] > x[0]:
            out[by[1:-1]] += (x[2:] - x[:-2]) / (x[-1] - x[0])
        out[by[[0, -1]]] = np.inf
    return out


def _against(f: Array, members: Array) -> tuple[Array, Array, Array]:
    """Rows against members, both (., m): covered (n,) by an equal or better one; beats (n, members); epsilon (n,)."""
    n = len(f)
    beats, gain = np.zeros((n, len(members)), bool), np.zeros(n)
    for i in range(0, n if len(members) else 0, BLOCK):
        diff = f[i : i + BLOCK, None, :] - members[None]  # exact in sign
        gain[i : i + BLOCK] = diff.max(axis=2).min(axis=1)
        beats[i : i + BLOCK] = (diff >= 0).all(axis=2) & (diff > 0).any(axis=2)
    return (gain <= 0) if len(members) else np.zeros(n, bool), beats, gain


def _first_undominated(f: Array) -> Array:
    """(n, m) -> (n,) bool: dominated by no row, and the first of its equals."""
    n = len(f)
    out = np.ones(n, bool)
    for i in range(0, n if n > 1 else 0, BLOCK):
        mine = f[i : i + BLOCK, None, :]
        above = (f[None] >= mine).all(axis=2)
        equal = above & (f[None] <= mine).all(axis=2)
        earlier = np.arange(n)[None] < np.arange(i, min(i + BLOCK, n))[:, None]
        out[i : i + BLOCK] = ~(above & (~equal | earlier)).any(axis=1)
    return out


def pareto(capacity: int | None = None, *, signals: tuple[str, ...] = ()) -> Callable[[Problem], Pareto]:
    """capacity: most members, None = as many as are not dominated."""
    return partial(_make, capacity=capacity, signals=tuple(signals))


def _make(problem: Problem, *, capacity: int | None, signals: tuple[str, ...]) -> Pareto:
    if capacity is not None and capacity < 1:
        raise UsageError(f"archive 'pareto' needs a capacity of at least 1, or None for no limit, got {capacity!r}")
    require("pareto", problem, Pareto.reads | frozenset(signals), many=True)
    return Pareto.empty(problem.n_objectives, capacity, signals)
