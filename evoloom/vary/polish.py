"""Numbers of good programs, tuned between structural steps: memetic search (Moscato 1989) as a proposer.

A (1+1)-ES with the 1/5 rule (Rechenberg 1973; step sizes as in Kern et al. 2004, section 2) over the numeric literals
of one elite's regions, for a bounded number of judgements; then of another elite. It owns no archive: its children
enter the one that it shares with the proposers of structure, and a better child is what the next ones start from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from evoloom.core.contracts import (
    Added,
    Archive,
    Draft,
    NotMade,
    Operator,
    Problem,
    Proposals,
    Record,
    Room,
    Select,
    Told,
    View,
)
from evoloom.core.errors import CompositionError, UsageError
from evoloom.core.rng import Rng
from evoloom.spaces.program import ProgramSpace
from evoloom.spaces.source_grow import Gen

GROW = 1.5  # of the step size at a success; GROW ** -0.25 at a failure holds one success in five steady
SMALLEST = 1e-4  # relative step size at which a program counts as tuned
REMEMBERED = 10_000  # programs that are not tuned again


class Polishing(NamedTuple):
    """State. `id` < 0: no program is being tuned."""

    id: int = -1
    fitness: float = 0.0
    sigma: float = 0.0  # step size, relative to each number's magnitude
    left: int = 0  # judgements that may still be asked for this program
    first: int = -1  # id of the program that tuning began with; names the episode
    done: tuple[int, ...] = ()  # ids that were tuned, or came out of it


class Polish:
    """See `polish`."""

    def __init__(self, space: ProgramSpace, select: Select, steps: int, batch: int, sigma: float):
        if steps < 1 or batch < 1 or not 0 < sigma <= 10:
            raise UsageError(
                f"polish: steps and batch must be at least 1 and sigma in (0, 10], got {steps}, {batch}, {sigma}"
            )
        self.space, self.select, self.steps, self.batch, self.sigma = space, select, steps, batch, sigma
        self.operators: Mapping[str, Operator] = {"polish": self}
        self.needs: frozenset[str] = frozenset(select.needs)
        self.wants: frozenset[str] = frozenset()

    def __call__(self, rng: Rng, sources: Sequence[Record], draft: Draft) -> str:
        """One step by itself: the operator under its name in the ledger."""
        child = stepped(self.space, sources[0].genome, self.sigma, rng.generator())
        if child is None:
            raise NotMade("polish: the program has no numbers to change")
        return child

    def init(self, problem: Problem, archive: Archive, rng: Rng) -> Polishing:
        if problem.n_objectives != 1:
            raise CompositionError(
                f"polish compares one fitness, and problem '{problem.name}' has {problem.n_objectives} objectives"
            )
        return Polishing()

    def ask(
        self, state: Polishing, archive: Archive, rng: Rng, room: Room, view: View
    ) -> tuple[Proposals | None, Polishing]:
        if state.left < 1:
            begun = self._next(state, archive, rng.fold(0), view)
            if begun is None:
                return None, state
            now = begun
        else:
            now = state
        n = min(self.batch, room.rows(), now.left)
        if n < 1:
            return None, state
        parent = view.record(now.id).genome
        gen = rng.fold(1).generator()
        made = [stepped(self.space, parent, now.sigma, gen) for _ in range(n)]
        children = [c for c in made if c is not None]
        if not children:
            return None, state
        proposals = Proposals(
            children,
            [(now.id,)] * len(children),
            aux={"polish": np.full(len(children), now.first)},
            operators=["polish"] * len(children),
        )
        return proposals, now._replace(left=now.left - len(children))

    def tell(self, state: Polishing, archive: Archive, rng: Rng, told: Told, added: Added, view: View) -> Polishing:
        fitness, valid = np.asarray(told.evaluation.fitness), told.evaluation.valid
        episodes = told.proposals.aux.get("polish", np.full(told.evaluation.n, -1))
        for row in range(told.evaluation.n):
            if int(episodes[row]) != state.first:
                continue  # asked for a program that is tuned by now
            f = float(fitness[row]) if valid[row] else -np.inf
            if f > state.fitness:
                state = state._replace(id=int(told.ids[row]), fitness=f, sigma=min(state.sigma * GROW, 10.0))
            elif f == state.fitness:  # drift along a plateau
                state = state._replace(id=int(told.ids[row]))
            else:
                state = state._replace(sigma=state.sigma * GROW**-0.25)
        return state._replace(left=0) if state.sigma < SMALLEST else state

    def _next(self, state: Polishing, archive: Archive, rng: Rng, view: View) -> Polishing | None:
        """The state in which another program is about to be tuned; None where none has numbers left to tune."""
        if not np.asarray(archive.filled).any():
            return None
        ended = (i for i in (state.first, state.id) if i >= 0 and i not in state.done)
        done = (state.done + tuple(dict.fromkeys(ended)))[-REMEMBERED:]
        slots = np.asarray(self.select(archive, rng, 8, 1))[:, 0]
        for i in np.asarray(archive.ids)[slots].tolist():
            if i < 0 or i in done:
                continue
            record = view.record(i)
            numbers = self.space.constants(record.genome)
            if record.fitness is not None and any(real for _, real in numbers):
                return Polishing(i, float(record.fitness), self.sigma, self.steps, i, done)
        return None


def stepped(space: ProgramSpace, genome: str, sigma: float, gen: Gen) -> str | None:
    """The program with some of its numbers moved by normal steps of relative size sigma; None if none moved.

    Half of the numbers move, at least one; a number that must stay whole moves by one.
    """
    numbers = space.constants(genome)
    key = space.key(genome)
    for _ in range(4 if numbers else 0):
        moves = gen.random(len(numbers)) < 0.5
        moves[int(gen.random() * len(numbers))] = True
        steps = gen.standard_normal(len(numbers))
        values = [_moved(x, real, sigma * z) if go else x for (x, real), go, z in zip(numbers, moves, steps)]
        child = space.with_constants(genome, values)
        if space.key(child) != key:
            return child
    return None


def _moved(x: float | int, real: bool, step: float) -> float | int:
    if not real:
        return max(0, int(x) + (1 if step > 0 else -1)) if abs(step) > 0.3 else x
    return float(f"{x + step * (abs(x) or 1.0):.6g}")


def polish(space: ProgramSpace, select: Select, *, steps: int = 40, batch: int = 1, sigma: float = 0.3) -> Polish:
    """A proposer that tunes the numbers of one program after another.

    Args:
        space: of the programs.
        select: draws programs to tune; those that were tuned, or came out of it, are passed over.
        steps: judgements per program.
        batch: most rows of one ask.
        sigma: first step size, relative to a number's magnitude.
    """
    return Polish(space, select, steps, batch, sigma)
