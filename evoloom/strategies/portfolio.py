"""portfolio: a bandit over proposers that share one archive, earning by improvement per cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from evoloom.core.budget import Cost
from evoloom.core.contracts import Added, Archive, Operator, Problem, Proposals, Proposer, Room, Told, View
from evoloom.core.errors import UsageError
from evoloom.core.rng import Rng
from evoloom.strategies.credit import Window, bounds, values
from evoloom.strategies.nesting import mark, union, unwrap, wrap
from evoloom.strategies.starts import Sample, Startless, Starts, begin, next_starts, starts_told

NOBODY = -1  # the arm of start genomes
DRAW, STARTS = 1 << 30, (1 << 30) + 1  # streams that no arm has


class Mixed(NamedTuple):
    """State."""

    arms: list[Any]
    starts: Starts
    window: Window
    in_flight: list[int]  # children per arm that were asked and not told
    values: list[float]


class Portfolio:
    """See `portfolio`."""

    def __init__(
        self,
        proposers: Mapping[str, Proposer],
        sample: Sample | None,
        n_start: int,
        batch: int,
        window: int,
        explore: float,
        worth: Cost,
    ):
        if not proposers:
            raise UsageError("a portfolio needs at least one proposer")
        for name, x in (("window", window), ("batch", batch)):
            if x < 1:
                raise UsageError(f"{name} must be at least 1, got {x!r}")
        if explore < 0:
            raise UsageError(f"explore must not be negative, got {explore!r}")
        self.names, self.proposers = list(proposers), list(proposers.values())
        self.sample, self.n_start, self.batch = sample, n_start, batch
        self.n_window, self.explore, self.worth = window, explore, worth
        self.operators: Mapping[str, Operator] = union(proposers)
        self.needs: frozenset[str] = frozenset().union(*(p.needs for p in self.proposers))
        self.wants: frozenset[str] = frozenset().union(*(p.wants for p in self.proposers))

    def init(self, problem: Problem, archive: Archive, rng: Rng) -> Mixed:
        starts = begin(problem, rng.fold(STARTS), self.n_start, self.sample)
        own: Any = Startless(problem) if starts.pending or self.sample else problem
        n = len(self.proposers)
        arms = [p.init(own, archive, rng.fold(i)) for i, p in enumerate(self.proposers)]
        return Mixed(arms, starts, Window.empty(), [0] * n, [0.0] * n)

    def ask(self, state: Mixed, archive: Archive, rng: Rng, room: Room, view: View) -> tuple[Proposals | None, Mixed]:
        """One arm's batch: the drawn arm's, or of the next best that has something to propose."""
        if room.now < 1:
            return None, state
        if state.starts.pending or self.sample is not None:
            n, filled = min(self.batch, room.rows()), bool(archive.filled.any())
            if n < 1:
                return None, state
            fresh, starts = next_starts(state.starts, filled, n, self.sample, rng.fold(STARTS))
            if fresh is None:
                return None, state
            if len(fresh):
                return wrap(Proposals(list(fresh)), arm=NOBODY), state._replace(starts=starts)
        for i in self._order(state, rng, room):
            proposals, inner = self.proposers[i].ask(state.arms[i], archive, rng.fold(i), room, view)
            if proposals is not None:
                state.arms[i] = inner
                state.in_flight[i] += proposals.n
                return wrap(proposals, arm=i), state
        return None, state

    def tell(self, state: Mixed, archive: Archive, rng: Rng, told: Told, added: Added, view: View) -> Mixed:
        i = mark(told, "arm")
        if i == NOBODY:
            return state._replace(starts=starts_told(state.starts, told.evaluation.n))
        inner = unwrap(told, "arm")
        state.arms[i] = self.proposers[i].tell(state.arms[i], archive, rng.fold(i), inner, added, view)
        state.in_flight[i] -= told.evaluation.n
        window = state.window.moved(i, told, added, self.worth, self.n_window)
        return state._replace(window=window, values=values(window, len(self.proposers)))

    def stats(self, state: Mixed) -> Mapping[str, Any]:
        """Share of the window and value of every arm."""
        counts = state.window.counts(len(self.names))
        shares = (counts / max(1, counts.sum())).tolist()
        named = zip(self.names, shares, state.values)
        return {k: x for name, share, v in named for k, x in ((f"{name}_share", share), (f"{name}_value", v))}

    def _order(self, state: Mixed, rng: Rng, room: Room) -> list[int]:
        """Arms that can be paid, most promising first, ties at random."""
        counts = state.window.counts(len(self.names)).tolist()
        counts = [told + out for told, out in zip(counts, state.in_flight)]
        score = bounds(state.values, counts, self.explore)
        tie = rng.fold(DRAW).uniform((len(score),)).tolist()
        paid = [i for i, p in enumerate(self.proposers) if self._affords(room, p)]
        return sorted(paid, key=lambda i: (-score[i], tie[i]))

    def _affords(self, room: Room, proposer: Proposer) -> bool:
        """One child by any of its operators; arms that only sample have none."""
        names = [k for k in proposer.operators if k in room.prices]
        free = len(names) < len(proposer.operators) or not names
        return free or any(room.affords(1, operator=k) for k in names)


def portfolio(
    proposers: Mapping[str, Proposer],
    *,
    sample: Sample | None = None,
    n_start: int = 0,
    batch: int = 1,
    window: int = 200,
    explore: float = 0.5,
    worth: Cost = Cost(evaluations=1.0),
) -> Portfolio:
    """A proposer that lets the arm propose whose children lately improved the archive most per cost (see `credit`).

    Every batch is one arm's, with the aux column `arm` (-1 for starts) beside the arm's own. Arms are counted at the
    ask and earn at the tell. An arm whose operators the budget no longer covers is not drawn; the others go on.

    Args:
        proposers: the arms by name.
        sample, n_start, batch: how the search begins, as in `breed`; the arms never see the problem's starts.
        window: children that credit is computed from. Longer where improvements are rare.
        explore: width of the confidence bounds; at 0.5 an arm that earns nothing keeps about 2 % of the draws.
        worth: how many evaluations one unit of each resource counts. Seconds are no resource here: a bandit that is fed
            by wall time gives another run each time.
    """
    return Portfolio(proposers, sample, n_start, batch, window, explore, worth)
