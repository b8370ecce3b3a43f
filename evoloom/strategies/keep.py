"""keep: an archive and a proposer make a strategy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from evoloom.core import ops
from evoloom.core.contracts import (
    Added,
    Archive,
    Evaluation,
    Operator,
    Problem,
    Proposals,
    Proposer,
    Room,
    Scope,
    Told,
    Verdict,
    View,
)
from evoloom.core.errors import CompositionError, UsageError
from evoloom.core.rng import Rng

Factory = Callable[[Problem], Any]  # -> an empty Archive


class Kept(NamedTuple):
    """State. The champion is the best whole judgement ever told: an archive that forgets must not lose the answer."""

    archive: Any
    proposer: Any
    champion: tuple[int, float] | None = None  # id, fitness; None for several objectives


class Keep:
    """See `keep`."""

    def __init__(self, archive: Factory, proposer: Proposer, repeats: str):
        if repeats not in ("refuse", "reuse", "judge"):
            raise UsageError(f"repeats must be 'refuse', 'reuse' or 'judge', got {repeats!r}")
        self.factory, self.proposer, self.repeats = archive, proposer, repeats
        self.operators: Mapping[str, Operator] = proposer.operators
        self.needs: frozenset[str] = frozenset(getattr(archive, "needs", ())) | frozenset(proposer.needs)
        self.wants: frozenset[str] = frozenset(proposer.wants)

    def init(self, problem: Problem, rng: Rng) -> Kept:
        archive = self.factory(problem)
        lacking = (frozenset(archive.needs) | self.needs) - problem.columns.offered
        if lacking:
            raise CompositionError(
                f"{type(archive).__name__} with {type(self.proposer).__name__} needs {', '.join(sorted(lacking))}, but "
                f"problem '{problem.name}' offers only {', '.join(sorted(problem.columns.offered))}. "
                "Choose another archive or selection, or a problem that declares these columns."
            )
        return Kept(archive, self.proposer.init(problem, archive, rng))

    def ask(self, state: Kept, rng: Rng, room: Room, view: View) -> tuple[Proposals | None, Kept]:
        proposals, proposer = self.proposer.ask(state.proposer, state.archive, rng, room, view)
        return (None, state) if proposals is None else (proposals, state._replace(proposer=proposer))

    def tell(self, state: Kept, rng: Rng, told: Told, view: View) -> tuple[Kept, Added]:
        """Whole judgements are inserted; partial ones go to the proposer alone, with an empty answer."""
        state, added = self._insert(state, told, _with_parents(told.proposals))
        return state._replace(proposer=self.proposer.tell(state.proposer, state.archive, rng, told, added, view)), added

    def adopt(self, state: Kept, told: Told, view: View) -> Kept:
        return self._insert(state, told, told.proposals.aux)[0]  # no credit: its parents earned it elsewhere

    def best(self, state: Kept) -> tuple[Sequence[int], Scope]:
        """The best kept id, or the champion where the archive has lost it; all of the front for several objectives."""
        ids, fitness = _filled(state.archive)
        if fitness.ndim > 1:
            return [int(i) for i in ids[ops.pareto_rank(fitness, np.ones(len(ids), bool)) == 0]], None
        if not len(ids):
            return ([] if state.champion is None else [state.champion[0]]), None
        top = np.flatnonzero(fitness == fitness.max())
        first = top[np.argmin(ids[top])]
        if state.champion is not None and state.champion[1] > fitness[first]:
            return [state.champion[0]], None
        return [int(ids[first])], None

    def kept(self, state: Kept) -> list[int]:
        """Every kept id, best first (several objectives: by front). Optional for strategies: islands read it."""
        ids, fitness = _filled(state.archive)
        rank = -fitness if fitness.ndim == 1 else ops.pareto_rank(fitness, np.ones(len(ids), bool))
        return [int(i) for i in ids[ops.order(rank, ids)]]

    def stats(self, state: Kept) -> Mapping[str, Any]:
        more = getattr(self.proposer, "stats", None)
        return {**state.archive.stats(), **(more(state.proposer) if more else {})}

    def _insert(self, state: Kept, told: Told, aux: Mapping[str, Any]) -> tuple[Kept, Added]:
        if told.proposals.scope is not None:
            return state, Added.none(told.evaluation.n)
        archive, added = state.archive.insert(told.ids, told.evaluation, None, aux)
        return Kept(archive, state.proposer, _champion(state.champion, told.ids, told.evaluation)), added


def _with_parents(proposals: Proposals) -> Mapping[str, Any]:
    """aux with the column `parents`, (n, arity) ids padded with -1: archives credit them for their children."""
    if not proposals.parents or "parents" in proposals.aux:
        return proposals.aux
    rows = proposals.parents
    width = max(1, max(map(len, rows)))
    ids = rows if min(map(len, rows)) == width else [(*row, *(-1,) * (width - len(row))) for row in rows]
    return {**proposals.aux, "parents": np.array(ids, np.int64)}


def _filled(archive: Archive) -> tuple[np.ndarray, np.ndarray]:
    """ids (k,) and fitness (k,) or (k, m) of the slots in use."""
    rows = np.asarray(archive.filled)
    return np.asarray(archive.ids)[rows], np.asarray(archive.column("fitness"))[rows]


def _champion(champion: tuple[int, float] | None, ids: Any, evaluation: Evaluation) -> tuple[int, float] | None:
    if np.ndim(evaluation.fitness) > 1:
        return champion
    # Plain numbers: most batches have one row, where array calls would cost more than the search itself.
    rows = zip(np.asarray(ids).tolist(), np.asarray(evaluation.fitness).tolist(), evaluation.verdict.tolist())
    judged = {id: fitness for id, fitness, verdict in rows if verdict == Verdict.OK}
    if champion is not None and champion[0] in judged:
        champion = (champion[0], judged[champion[0]])  # judged once more: the latest judgement counts
    for id, fitness in judged.items():
        if champion is None or fitness > champion[1]:
            champion = (id, fitness)
    return champion


def keep(archive: Factory, proposer: Proposer, *, repeats: str = "refuse") -> Keep:
    """A strategy: children of `proposer` are offered to the archive that `archive(problem)` makes.

    The proposer hears what became of them (`Added`). State: `Kept(archive, proposer, champion)`.

    Raises:
        CompositionError: at init, when the archive needs columns that the problem does not declare.
    """
    return Keep(archive, proposer, repeats)
