"""breed: select parents, vary them. The proposer of most systems, without any memory but how it began."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from evoloom.core.contracts import Added, Archive, Operator, Problem, Proposals, Room, Select, Told, Vary, View
from evoloom.core.errors import CompositionError, UsageError
from evoloom.core.rng import Rng
from evoloom.select.weighted import fits
from evoloom.strategies.keep import Factory, Keep, keep
from evoloom.strategies.making import affordable, children
from evoloom.strategies.starts import Sample, Startless, Starts, begin, next_starts, starts_told

SELECT, VARY, SAMPLE = range(3)  # streams of one ask


class Bred(NamedTuple):
    """State."""

    starts: Starts


class Breed:
    """See `breed`."""

    def __init__(self, select: Select, vary: Vary, sample: Sample | None, batch: int, n_start: int, tries: int):
        for name, x, least in (("batch", batch, 1), ("n_start", n_start, 0), ("tries", tries, 1)):
            if x < least:
                raise UsageError(f"{name} must be at least {least}, got {x!r}")
        self.select, self.vary, self.sample = select, vary, sample
        self.batch, self.n_start, self.tries = batch, n_start, tries
        self.operators: Mapping[str, Operator] = {vary.name: vary}
        self.needs: frozenset[str] = frozenset(getattr(vary, "needs", ()))
        self.wants: frozenset[str] = frozenset(getattr(vary, "wants", ()))

    def init(self, problem: Problem, archive: Archive, rng: Rng) -> Bred:
        if hasattr(archive, "names"):
            fits(self.select, archive)
        else:
            for name in self.select.needs:
                archive.column(name)  # its error lists the columns that are there
        starts = begin(problem, rng, self.n_start, self.sample)
        if self.sample is None and not starts.pending and not isinstance(problem, Startless):
            raise CompositionError(
                f"there is nothing to begin with: problem '{problem.name}' has no start genomes and this strategy has "
                "no sample. Pass sample=problem.space.sample, or define start() in the problem."
            )
        return Bred(starts)

    def ask(self, state: Bred, archive: Archive, rng: Rng, room: Room, view: View) -> tuple[Proposals | None, Bred]:
        n = min(self.batch, room.rows())
        if n < 1:
            return None, state
        fresh, starts = next_starts(state.starts, bool(archive.filled.any()), n, self.sample, rng.fold(SAMPLE))
        if fresh is None:
            return None, state
        if len(fresh):
            return Proposals(list(fresh)), Bred(starts)
        n = affordable(room, n, self.vary.name)
        if n < 1:
            return None, state
        parents = self._parents(archive, rng.fold(SELECT), n)

        def others(rng: Rng) -> tuple[int, ...]:
            return self._parents(archive, rng, 1)[0]

        return children(self.vary, parents, others, rng.fold(VARY), view, self.tries), state

    def tell(self, state: Bred, archive: Archive, rng: Rng, told: Told, added: Added, view: View) -> Bred:
        return state if told.proposals.parents else Bred(starts_told(state.starts, told.evaluation.n))

    def _parents(self, archive: Archive, rng: Rng, n: int) -> list[tuple[int, ...]]:
        slots = self.select(archive, rng, n, self.vary.arity)
        return [tuple(row) for row in np.asarray(archive.ids)[slots].tolist()]


def breed(
    select: Select, vary: Vary, sample: Sample | None = None, *, batch: int = 1, n_start: int = 0, tries: int = 3
) -> Breed:
    """A proposer: the problem's starts once, samples until the archive holds something, then select and vary.

    Args:
        select: chooses parents among the archive's slots; the columns that it needs are checked at init.
        vary: makes a child of them: outside, as a draft, where `vary.draft`; else inside the ask, by
            `vary.many(rng, [records of the parents per child])` where it has one (a whole batch at once).
        sample: `(rng, n) -> genomes`, for problems without starts and for runs in which all starts failed.
        batch: most rows of one ask.
        n_start: parentless genomes to ask (starts included) before breeding begins.
        tries: choices of parents for a child that the operator refuses, before it is left as a draft.
    """
    return Breed(select, vary, sample, batch, n_start, tries)


def evolve(
    archive: Factory,
    select: Select,
    vary: Vary,
    sample: Sample | None = None,
    *,
    batch: int = 1,
    n_start: int = 0,
    tries: int = 3,
    repeats: str = "refuse",
) -> Keep:
    """`keep(archive, breed(select, vary, sample))`: genetic algorithms, MAP-Elites, one island of FunSearch."""
    return keep(archive, breed(select, vary, sample, batch=batch, n_start=n_start, tries=tries), repeats=repeats)
