"""Honest baselines of the same parts: what a system must beat at an equal budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from evoloom.core.contracts import Added, Archive, Operator, Problem, Proposals, Room, Told, Vary, View
from evoloom.core.errors import UsageError
from evoloom.core.rng import Rng
from evoloom.strategies.keep import Factory, Keep, keep
from evoloom.strategies.making import affordable, children
from evoloom.strategies.nesting import mark, wrap
from evoloom.strategies.starts import Sample, Starts, begin, next_starts, starts_told

VARY, SAMPLE = range(2)  # streams of one ask


class Drawn(NamedTuple):
    """State: start genomes still to be asked."""

    pending: tuple[Any, ...]


class Sampling:
    """The problem's starts, then independent samples for ever."""

    operators: Mapping[str, Operator] = {}
    needs: frozenset[str] = frozenset()
    wants: frozenset[str] = frozenset()

    def __init__(self, sample: Sample, batch: int = 1):
        if batch < 1:
            raise UsageError(f"batch must be at least 1, got {batch!r}")
        self.sample, self.batch = sample, batch

    def init(self, problem: Problem, archive: Archive, rng: Rng) -> Drawn:
        return Drawn(tuple(problem.start(rng)))

    def ask(self, state: Drawn, archive: Archive, rng: Rng, room: Room, view: View) -> tuple[Proposals | None, Drawn]:
        n = min(self.batch, room.rows())
        if n < 1:
            return None, state
        if state.pending:
            return Proposals(list(state.pending[:n])), Drawn(state.pending[n:])
        return Proposals(list(self.sample(rng, n)), operators=["sample"] * n), state

    def tell(self, state: Drawn, archive: Archive, rng: Rng, told: Told, added: Added, view: View) -> Drawn:
        return state


class Climbing(NamedTuple):
    """State. Children of an earlier climb (epoch) are kept by the archive but never stepped to."""

    starts: Starts
    current: tuple[int, float] | None = None  # id, fitness
    epoch: int = 0
    idle: int = 0  # children told since the last strict improvement


class Climb:
    """Steps to the best child that is at least as good as the current one; begins again after `patience` in vain."""

    needs: frozenset[str] = frozenset()

    def __init__(self, vary: Vary, sample: Sample | None, batch: int, patience: int | None, tries: int):
        for name, x in (("batch", batch), ("patience", patience), ("tries", tries)):
            if x is not None and x < 1:
                raise UsageError(f"{name} must be at least 1, got {x!r}")
        self.vary, self.sample, self.batch, self.patience, self.tries = vary, sample, batch, patience, tries
        self.operators: Mapping[str, Operator] = {vary.name: vary}
        self.wants: frozenset[str] = frozenset(getattr(vary, "wants", ()))

    def init(self, problem: Problem, archive: Archive, rng: Rng) -> Climbing:
        return Climbing(begin(problem, rng, 0, self.sample))

    def ask(
        self, state: Climbing, archive: Archive, rng: Rng, room: Room, view: View
    ) -> tuple[Proposals | None, Climbing]:
        n = min(self.batch, room.rows())
        if n < 1:
            return None, state
        found = state.current is not None
        fresh, starts = next_starts(state.starts, found, n, self.sample, rng.fold(SAMPLE))
        if fresh is None:
            return None, state
        if len(fresh):
            return wrap(Proposals(list(fresh)), epoch=state.epoch), state._replace(starts=starts)
        n = affordable(room, n, self.vary.name)
        if n < 1 or state.current is None:
            return None, state
        parents = (state.current[0],) * self.vary.arity
        batch = children(self.vary, [parents] * n, lambda rng: parents, rng.fold(VARY), view, self.tries)
        return wrap(batch, epoch=state.epoch), state

    def tell(self, state: Climbing, archive: Archive, rng: Rng, told: Told, added: Added, view: View) -> Climbing:
        if mark(told, "epoch") != state.epoch:
            return state
        e = told.evaluation
        if not told.proposals.parents:
            state = state._replace(starts=starts_told(state.starts, e.n))
        fitness = np.where(e.valid, np.asarray(e.fitness, dtype=np.float64), -np.inf)
        row = int(fitness.argmax())
        best, now = float(fitness[row]), -np.inf if state.current is None else state.current[1]
        idle = 0 if best > now else state.idle + e.n
        if best >= now and best > -np.inf:
            state = state._replace(current=(int(told.ids[row]), best))
        if self.patience is not None and self.sample is not None and idle >= self.patience:
            return Climbing(Starts((), 0, 1), None, state.epoch + 1)
        return state._replace(idle=idle)

    def stats(self, state: Climbing) -> Mapping[str, Any]:
        return {"restarts": state.epoch, "idle": state.idle}


def _best_one() -> Factory:
    from evoloom.archives import best

    return best(1)


def random_search(sample: Sample, *, batch: int = 1, archive: Factory | None = None) -> Keep:
    """Independent samples; the archive (default: the single best) remembers the answer."""
    return keep(archive or _best_one(), Sampling(sample, batch))


def hill_climb(
    vary: Vary,
    sample: Sample | None = None,
    *,
    patience: int | None = None,
    batch: int = 1,
    tries: int = 3,
    archive: Factory | None = None,
) -> Keep:
    """(1+1) search: a child that is at least as good replaces its parent; equal ones too, so that plateaus are crossed.

    Args:
        sample: where to begin if the problem has no starts, and after `patience`.
        patience: children without a strict improvement before it begins again at a sample; None = never.
        batch: children per ask: (1 + batch).
    """
    return keep(archive or _best_one(), Climb(vary, sample, batch, patience, tries))
