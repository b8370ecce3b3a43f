"""A population: the k best, or the k youngest, or all.

    best(k=1)                          the k best
    population(size)                   truncation: the worst leaves
    aging(size)                        the oldest leaves (Real et al. 2019, Regularized Evolution, algorithm 1)
    everything()                       nobody leaves (the archive of the Darwin Goedel Machine)

Each is a total order of candidates cut after `size`, so a batch leaves the same members as its rows one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np

from evoloom.archives.fitting import require
from evoloom.archives.table import Batch, Placed, Table, answer, blank
from evoloom.core.contracts import Problem
from evoloom.core.errors import UsageError
from evoloom.core.ops import order
from evoloom.core.value import static, value

Leaves = Literal["worst", "oldest", "nobody"]
Ties = Literal["first", "last"]


@value
class Population(Table):
    """`leaves`: who goes when the population is full. `ties`: who stays among equally fit, "first" or "last" to enter.

    Statuses: with "worst", NEW while there is room, else IMPROVED by the distance to the worst inside. Otherwise
    nothing has to be beaten, so every valid row is NEW.
    """

    leaves: Leaves = static()
    ties: Ties = static()

    @classmethod
    def empty(
        cls,
        size: int,
        leaves: Leaves = "worst",
        ties: Ties = "first",
        signals: tuple[str, ...] = (),
    ) -> Population:
        return cls(**blank(size, signals=signals), leaves=leaves, ties=ties)

    def place(self, batch: Batch) -> Placed:
        f = np.where(batch.ok, batch.fitness, -np.inf)
        slot = np.full(batch.n, -1)
        if self.leaves == "nobody":
            table, slot[batch.ok] = self.grown(int(batch.ok.sum()))
            return Placed(table, answer(batch.ok, batch.ok, batch.ok, f, slot))
        bar = self.fitness.min() if self.leaves == "worst" else -np.inf  # -inf while a slot is free
        won = batch.ok & ((f >= bar) if self.ties == "last" else (f > bar))
        rows = np.flatnonzero(won)
        if len(rows):
            slots = self._at_risk(len(rows))
            stays = np.zeros(len(slots) + len(rows), bool)
            stays[self._ranked(slots, rows, batch)[: len(slots)]] = True
            slot[rows[stays[len(slots) :]]] = slots[~stays[: len(slots)]]
        fresh = np.full(batch.n, bar == -np.inf)
        gain = f - bar if np.isfinite(bar) else f
        return Placed(self, answer(batch.ok, won, fresh, gain, slot))

    def _at_risk(self, m: int) -> np.ndarray:
        """Slots that m entrants could take: the m lowest and those level with them; empty ones are lowest."""
        key = self.fitness if self.leaves == "worst" else self.columns["entered"]
        if m >= len(key):
            return np.arange(len(key))
        level = key.min() if m == 1 else np.partition(key, m - 1)[m - 1]
        return np.flatnonzero(key <= level)

    def _ranked(self, slots: np.ndarray, rows: np.ndarray, batch: Batch) -> np.ndarray:
        """Slots, then rows, in the order in which they deserve to stay."""
        entered = np.concatenate([self.columns["entered"][slots], batch.values["entered"][rows]])
        if self.leaves == "oldest":
            return order(-entered)  # empty slots hold -1: they are the first to go
        f = np.concatenate([self.fitness[slots], batch.fitness[rows]])
        return order(-f, entered if self.ties == "first" else -entered)


def best(k: int = 1, *, ties: Ties = "first", signals: tuple[str, ...] = ()) -> Callable[[Problem], Population]:
    """The k best. ties="last" lets an equal child take its parent's place (neutral drift)."""
    return partial(_make, name="best", size=k, leaves="worst", ties=ties, signals=tuple(signals))


def population(size: int, *, ties: Ties = "first", signals: tuple[str, ...] = ()) -> Callable[[Problem], Population]:
    """Truncation: when full, the worst leaves."""
    return partial(_make, name="population", size=size, leaves="worst", ties=ties, signals=tuple(signals))


def aging(size: int, *, signals: tuple[str, ...] = ()) -> Callable[[Problem], Population]:
    """When full, the oldest leaves, however good it is."""
    return partial(_make, name="aging", size=size, leaves="oldest", signals=tuple(signals))


def everything(*, signals: tuple[str, ...] = ()) -> Callable[[Problem], Population]:
    """Every valid candidate, for ever."""
    return partial(_make, name="everything", size=64, leaves="nobody", signals=tuple(signals))


def _make(problem: Problem, *, name: str, size: int, leaves: Leaves, ties: Ties = "first",
          signals: tuple[str, ...] = ()) -> Population:  # fmt: skip
    if int(size) != size or size < 1:
        raise UsageError(f"archive '{name}' needs a positive whole size, got {size!r}")
    require(name, problem, Population.reads | frozenset(signals))
    return Population.empty(int(size), leaves, ties, signals)
