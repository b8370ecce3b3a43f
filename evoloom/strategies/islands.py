"""islands: n copies of a strategy that evolve alone, exchange migrants now and then, and are re-founded when weak.

Clocks count evaluations told (rows that were really judged), never wall time, so that a schedule depends on the seed
alone. The problem's start genomes are judged once and adopted by every island; islands then sample for themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np

from evoloom.core import ops
from evoloom.core.contracts import (
    Added,
    Operator,
    Problem,
    Proposals,
    Room,
    Scope,
    Status,
    Strategy,
    Told,
    Verdict,
    View,
)
from evoloom.core.errors import CompositionError, UsageError
from evoloom.core.rng import Rng
from evoloom.core.value import fork
from evoloom.strategies.migration import Migrate, Topology, emigrants, ring
from evoloom.strategies.nesting import mark, unwrap, whole_told, wrap
from evoloom.strategies.starts import Startless, Starts, begin, next_starts, starts_told

OWN = ("island", "epoch")
EVERYONE = -1  # the island of start genomes
STARTS = 1 << 30  # a stream that no island has


class Archipelago(NamedTuple):
    """State. `answers[i]`: (id, fitness) pairs of island i's answer, as far as they were ever told."""

    islands: list[Any]
    fresh: list[Any]  # islands before their first ask: what a reset begins with; empty without resets
    epochs: list[int]
    answers: list[tuple[tuple[int, Any], ...]]
    starts: Starts
    turn: int = 0
    told: int = 0  # evaluations
    migrated: int = 0  # `told` at the last migration
    reset: int = 0  # `told` at the last reset


class Islands:
    """See `islands`."""

    def __init__(
        self,
        strategy: Strategy,
        n_islands: int,
        migrate_every: int | None,
        migrate: Migrate,
        topology: Topology,
        reset_every: int | None,
        reset_rate: float,
    ):
        if n_islands < 1:
            raise UsageError(f"n_islands must be at least 1, got {n_islands!r}")
        for name, x in (("migrate_every", migrate_every), ("reset_every", reset_every)):
            if x is not None and x < 1:
                raise UsageError(f"{name} must be a positive number of evaluations or None, got {x!r}")
        if not 0.0 < reset_rate < 1.0:
            raise UsageError(f"reset_rate must lie between 0 and 1, got {reset_rate!r}")
        self.inner, self.n = strategy, n_islands
        self.migrate_every, self.migrate, self.topology = migrate_every, migrate, topology
        self.reset_every, self.n_reset = reset_every, int(n_islands * reset_rate)
        self.operators: Mapping[str, Operator] = strategy.operators
        self.needs: frozenset[str] = frozenset(strategy.needs)
        self.wants: frozenset[str] = frozenset(strategy.wants)
        self.repeats: str = strategy.repeats

    def init(self, problem: Problem, rng: Rng) -> Archipelago:
        if self.reset_every and problem.n_objectives > 1:
            raise CompositionError(
                f"problem '{problem.name}' has {problem.n_objectives} objectives: islands cannot be ranked, so none is "
                "the weaker half. Use reset_every=None."
            )
        starts = begin(problem, rng.fold(STARTS), 0, None)
        startless: Any = Startless(problem) if starts.pending else problem
        states = [self.inner.init(startless, rng.fold(i)) for i in range(self.n)]
        fresh = [fork(s) for s in states] if self.reset_every else []
        return Archipelago(states, fresh, [0] * self.n, [()] * self.n, starts)

    def ask(self, state: Archipelago, rng: Rng, room: Room, view: View) -> tuple[Proposals | None, Archipelago]:
        """The start genomes first; then islands in turn. An island that has nothing now loses its turn to the next."""
        if state.starts.pending:
            if room.rows() < 1:
                return None, state
            genomes, starts = next_starts(state.starts, False, room.rows(), None, rng)
            proposals = wrap(Proposals(list(genomes or ())), island=EVERYONE, epoch=0)
            return proposals, state._replace(starts=starts)
        if state.starts.told < state.starts.asked:
            return None, state
        for k in range(self.n):
            i = (state.turn + k) % self.n
            proposals, inner = self.inner.ask(state.islands[i], rng.fold(i), room, view)
            if proposals is not None:
                state.islands[i] = inner
                turn = (i + 1) % self.n
                return wrap(proposals, island=i, epoch=state.epochs[i]), state._replace(turn=turn)
        return None, state

    def tell(self, state: Archipelago, rng: Rng, told: Told, view: View) -> tuple[Archipelago, Added]:
        """To the island that asked. Children asked before their island was re-founded are offered to the new one
        (`adopt`) where they were judged as a whole, and dropped where they were not."""
        i, epoch = mark(told, "island"), mark(told, "epoch")
        inner = unwrap(told, *OWN)
        if i == EVERYONE:
            added = self._found(state, inner, view)
            state = state._replace(starts=starts_told(state.starts, told.evaluation.n))
        elif epoch == state.epochs[i]:
            state.islands[i], added = self.inner.tell(state.islands[i], rng.fold(i), inner, view)
            self._note(state, i, view, again=told.proposals.known is not None)
        else:
            added = _strangers(told)
            if told.proposals.scope is None:
                self._adopt(state, i, inner, view)
        unpaid = np.isin(told.evaluation.verdict, (Verdict.UNMADE, Verdict.REPEAT))
        state = state._replace(told=state.told + int((~unpaid).sum()))
        if self.migrate_every and self.n > 1 and state.told - state.migrated >= self.migrate_every:
            state = self._exchange(state, view)._replace(migrated=state.told)
        if self.reset_every and self.n_reset and state.told - state.reset >= self.reset_every:
            state = self._refound(state, rng.fold(STARTS), view)._replace(reset=state.told)
        return state, added

    def adopt(self, state: Archipelago, told: Told, view: View) -> Archipelago:
        """By every island."""
        for i in range(self.n):
            self._adopt(state, i, told, view)
        return state

    def best(self, state: Archipelago) -> tuple[Sequence[int], Scope]:
        """The best of all islands' answers, best first; the joint front for several objectives."""
        scope = self.inner.best(state.islands[0])[1]
        pairs = {id: fitness for answer in state.answers for id, fitness in answer}
        if not pairs:
            return [], scope
        ids = np.array(sorted(pairs))
        fitness = np.array([pairs[i] for i in ids.tolist()], dtype=np.float64)
        if fitness.ndim > 1:
            return ids[ops.pareto_rank(fitness, np.ones(len(ids), bool)) == 0].tolist(), scope
        return ids[ops.order(-fitness)].tolist(), scope

    def kept(self, state: Archipelago) -> list[int]:
        """What all islands keep: the answer, then everybody's second, third, ..."""
        tiers = zip_longest(*(self._kept(s) for s in state.islands))
        rest = (id for tier in tiers for id in tier if id is not None)
        return list(dict.fromkeys((*self.best(state)[0], *rest)))

    def stats(self, state: Archipelago) -> Mapping[str, Any]:
        """Over the islands: the highest of each `best`, the sum of each count, the mean of everything else."""
        each = [self.inner.stats(s) for s in state.islands]
        joint = {k: _joint(k, [s[k] for s in each]) for k in each[0]}
        return {**joint, "islands": self.n, "resets": sum(state.epochs)}

    def _kept(self, inner: Any) -> Sequence[int]:
        kept = getattr(self.inner, "kept", None)
        return kept(inner) if kept else self.inner.best(inner)[0]

    def _note(self, state: Archipelago, i: int, view: View, again: bool = False) -> None:
        """Fitness of the island's answer; looked up only where its ids changed, or were judged again."""
        ids, scope = self.inner.best(state.islands[i])
        if not again and [id for id, _ in state.answers[i]] == list(ids):
            return
        pairs = []
        for id in ids:
            j = view.record(id).of(scope)
            if j is not None and j.fitness is not None:
                pairs.append((int(id), j.fitness))
        state.answers[i] = tuple(pairs)

    def _adopt(self, state: Archipelago, i: int, told: Told, view: View) -> None:
        state.islands[i] = self.inner.adopt(state.islands[i], told, view)
        self._note(state, i, view)

    def _found(self, state: Archipelago, told: Told, view: View) -> Added:
        for i in range(self.n):
            self._adopt(state, i, told, view)
        added = _strangers(told)
        added.status[told.evaluation.valid] = Status.NEW
        return added

    def _exchange(self, state: Archipelago, view: View) -> Archipelago:
        """All leave before any arrives, so that the order of the islands does not matter."""
        leaving = [whole_told(view, self.migrate(self._kept(s))) for s in state.islands]
        for i, told in enumerate(leaving):
            if told is not None:
                for to in self.topology(i, self.n):
                    self._adopt(state, to, told, view)
        return state

    def _refound(self, state: Archipelago, rng: Rng, view: View) -> Archipelago:
        """The weaker half begins again, each with the best of a random island of the stronger half.

        FunSearch (Romera-Paredes et al., Nature 625, 2024, Methods, "Evolution"): islands ranked by their best program,
        ties broken at random; founders drawn uniformly among the surviving islands.
        """
        g = rng.generator()
        strength = np.array([max((f for _, f in a), default=-np.inf) for a in state.answers], dtype=np.float64)
        ranked = ops.order(strength, g.random(self.n))
        weak, strong = ranked[: self.n_reset], ranked[self.n_reset :]
        for i in weak.tolist():
            founder = state.answers[int(g.choice(strong))]
            state.islands[i] = fork(state.fresh[i])
            state.epochs[i] += 1
            state.answers[i] = ()
            told = whole_told(view, [id for id, _ in founder[:1]])
            if told is not None:
                self._adopt(state, i, told, view)
        return state


def _joint(name: str, xs: Sequence[Any]) -> Any:
    if name.startswith("best"):
        return max((x for x in xs if x == x), default=float("nan"))
    return sum(xs) if isinstance(xs[0], int) else float(np.mean(xs))


def _strangers(told: Told) -> Added:
    """The answer for rows that no archive answered for."""
    added = Added.none(told.evaluation.n)
    added.status[told.evaluation.valid] = Status.REJECTED
    return added


def islands(
    strategy: Strategy,
    n_islands: int,
    *,
    migrate_every: int | None = None,
    migrate: Migrate | None = None,
    topology: Topology = ring,
    reset_every: int | None = None,
    reset_rate: float = 0.5,
) -> Islands:
    """n copies of a whole strategy that take turns.

    Args:
        strategy: any strategy; also islands.
        migrate_every: evaluations told (over all islands) between migrations; None = never.
        migrate: which of the kept travel; default `emigrants(1)`: the best.
        topology: where they go: `ring`, `two_way_ring`, `complete`, or (island, n) -> islands.
        reset_every: evaluations told between resets; None = never. One objective only.
        reset_rate: share of islands re-founded by a reset (rounded down): FunSearch's weaker half.

    Aux columns of every batch: `island` (-1 for the problem's starts) and `epoch` (resets of that island so far).
    """
    return Islands(strategy, n_islands, migrate_every, migrate or emigrants(), topology, reset_every, reset_rate)
