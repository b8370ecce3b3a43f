"""A front per case: whoever is best on at least one case stays, however poor on the others.

Agrawal et al. 2025, GEPA: Reflective prompt evolution, section 3 and algorithm 2. A batch leaves the same members as
its rows one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np

from evoloom.archives.fitting import require
from evoloom.archives.table import Batch, Placed, Table, answer, blank
from evoloom.core.contracts import Added, Array, Problem
from evoloom.core.value import static, value


@value
class Cases(Table):
    """`ties`: on each case "all" that share the best value hold it (GEPA), or only the "first" to reach it.

    Statuses: IMPROVED where a row beats the best of some case, by the mean over all cases of how much; NEW with gain 0
    where it only ties; NEW with its fitness in an empty archive. Column "wins" counts the cases that a member holds,
    after members all of whose cases others hold too were set aside, the least fit first: those have 0 wins.
    """

    top_case: Array  # (c,) best value per case, -inf before the first row
    ties: Literal["all", "first"] = static()

    reads: ClassVar[frozenset[str]] = frozenset({"fitness", "cases"})

    @classmethod
    def empty(cls, n_cases: int, ties: Literal["all", "first"] = "all", signals: tuple[str, ...] = ()) -> Cases:
        fields = blank(64, {"cases": (n_cases,), "wins": ()}, signals)
        return cls(**fields, top_case=np.full(n_cases, -np.inf), ties=ties)

    def without(self, slots: Array) -> Cases:
        """Members that had already left for a beaten case do not come back when that case is judged lower again."""
        table = super().without(slots)
        top = table.columns["cases"][table.filled].max(axis=0, initial=-np.inf)
        return table.replace(top_case=top)

    def place(self, batch: Batch) -> Placed:
        x = np.where(batch.ok[:, None], batch.values["cases"], -np.inf)
        raises = x > self.top_case
        shares = (x == self.top_case) & batch.ok[:, None]
        beats = raises.any(axis=1)
        won = beats | (shares.any(axis=1) if self.ties == "all" else False)
        slot = np.full(batch.n, -1)
        if not won.any():
            return Placed(self, answer(batch.ok, won, won, np.zeros(batch.n), slot), {"wins": np.zeros(batch.n)})
        table, slot, wins = self._refronted(batch, np.flatnonzero(won), slot)
        return Placed(table, self._answer(batch, x, beats, won, slot), {"wins": wins})

    def _answer(self, batch: Batch, x: Array, beats: Array, won: Array, slot: Array) -> Added:
        if not self.filled.any():
            return answer(batch.ok, won, won, batch.fitness, slot)
        gain = np.maximum(np.where(won[:, None], x, -np.inf) - self.top_case, 0.0).mean(axis=1)
        return answer(batch.ok, won, ~beats, gain, slot)

    def _refronted(self, batch: Batch, rows: Array, slot: Array) -> tuple[Cases, Array, Array]:
        """Who holds which case among members and `rows`; losers leave, holders among the rows get slots."""
        members = np.flatnonzero(self.filled)
        both = {name: np.concatenate([self.columns[name][members], batch.values[name][rows]])
                for name in ("cases", "fitness", "entered")}  # fmt: skip
        top = both["cases"].max(axis=0)
        holds = both["cases"] == top
        if self.ties == "first":
            first = np.where(holds, both["entered"][:, None], np.iinfo(np.int64).max).argmin(axis=0)
            holds &= np.arange(len(holds))[:, None] == first
        wins = wins_after_pruning(holds, both["fitness"], both["entered"])
        stays = holds.any(axis=1)
        table = super().without(members[~stays[: len(members)]]).replace(top_case=top)
        table.columns["wins"][members] = np.where(stays[: len(members)], wins[: len(members)], np.nan)
        enters = rows[stays[len(members) :]]
        table, slot[enters] = table.grown(len(enters))
        out = np.zeros(batch.n)
        out[rows] = wins[len(members) :]
        return table, slot, out

    def stats(self) -> dict[str, Any]:
        """Adds `best_of_cases`: the mean of the best value of every case, which a perfect ensemble would reach."""
        top = self.top_case.mean()
        return super().stats() | {"best_of_cases": float(top) if np.isfinite(top) else float("nan")}


def wins_after_pruning(holds: Array, fitness: Array, entered: Array) -> Array:
    """Cases held per candidate, 0 for those that are not needed: all their cases are held by others that remain.

    Candidates are tried from the least fit up, older ones first among equals, each once: taking one away can only make
    the others more needed. holds: (p, c) bool, fitness, entered: (p,) -> (p,) float.
    """
    held = holds.sum(axis=0)
    wins = holds.sum(axis=1).astype(np.float64)
    for i in np.lexsort((entered, fitness)):
        if wins[i] and (held[holds[i]] > 1).all():
            held = held - holds[i]
            wins[i] = 0.0
    return wins


def cases(*, ties: Literal["all", "first"] = "all", signals: tuple[str, ...] = ()) -> Callable[[Problem], Cases]:
    """Who is best on which case."""
    return partial(_make, ties=ties, signals=tuple(signals))


def _make(problem: Problem, *, ties: Literal["all", "first"], signals: tuple[str, ...]) -> Cases:
    require("cases", problem, Cases.reads | frozenset(signals))
    return Cases.empty(len(problem.columns.cases), ties, signals)
