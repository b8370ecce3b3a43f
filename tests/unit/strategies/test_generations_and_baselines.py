"""generations: partial and shuffled generations; baselines: random search, hill climbing."""

from __future__ import annotations

import numpy as np
import pytest

from evoloom.archives import best
from evoloom.core import rng as streams
from evoloom.core.budget import Cost
from evoloom.core.contracts import Draft, Proposals, Room, Verdict
from evoloom.core.errors import CompositionError, ContractError, UsageError
from evoloom.core.view import Memory
from evoloom.spaces.permutation import Permutation
from evoloom.spaces.vector import Box
from evoloom.strategies import cma_es, generations, hill_climb, keep, random_search
from evoloom.testing.drive import Plan, drive
from evoloom.testing.toys import Sphere, Step


class Five:
    """Generations of five samples; remembers the first number of each genome and what it was told."""

    operators, needs, wants = {}, frozenset(), frozenset()

    def init(self, problem, archive, rng):
        return []

    def sample(self, state, archive, rng, room, view):
        if room.rows() < 1:
            return None, state
        rows = Box(-5, 5, 3).sample(rng, 5)
        aux = {"first": np.array([x[0] for x in rows])}
        return Proposals(rows, aux=aux), state

    def update(self, state, archive, rng, told, added, view):
        x = np.stack(told.proposals.genomes)
        assert np.array_equal(told.proposals.aux["first"], x[:, 0])
        assert np.allclose(told.evaluation.fitness, -(x**2).sum(1))
        assert [view.record(int(i)).genome[0] for i in told.ids] == x[:, 0].tolist()
        assert len(added.status) == len(told.make_cost) == len(told.why) == 5
        return [*state, tuple(x[:, 0].tolist())]


@pytest.mark.parametrize("plan", [Plan(evaluations=23, window=3, chunk=2), Plan(evaluations=23, shuffle=True, chunk=1)])
def test_a_generation_is_collected_in_its_own_order(plan):
    d = drive(lambda p: keep(best(1), generations(Five())), Sphere(3), plan)
    told = {}
    for t in d.told:
        for g, m, f in zip(t.proposals.aux["generation"], t.proposals.aux["member"], t.proposals.aux["first"]):
            told[int(g), int(m)] = float(f)
    expected = [tuple(told[g, m] for m in range(5)) for g in range(4)]
    assert d.state.proposer.inner == expected
    assert d.spent == 23  # the budget is met exactly; the unfinished generation updates nothing
    assert d.state.proposer.asked == 3
    assert d.strategy.stats(d.state)["generations"] == 4


def test_a_whole_that_ignores_its_room_is_named():
    class Greedy(Five):
        def sample(self, state, archive, rng, room, view):
            return Proposals(Box(-5, 5, 3).sample(rng, 5)), state

    strategy = keep(best(1), generations(Greedy()))
    state = strategy.init(Sphere(3), streams.root(0))
    with pytest.raises(ContractError, match=r"Greedy\.sample"):
        strategy.ask(state, streams.root(1), Room(0, Cost(9.0)), Memory())


@pytest.mark.parametrize("space", [Permutation(4), Box(0, 9, 3, "i8"), Box([0, 1], [1, 1])])
def test_cma_names_the_spaces_it_cannot_search(space):
    problem = Sphere(3)
    problem.space = space
    with pytest.raises(CompositionError, match="CMA-ES needs"):
        keep(best(1), cma_es()).init(problem, streams.root(0))


def test_cma_begins_at_a_start_genome():
    problem = Sphere(4, starts=1)
    strategy = keep(best(1), cma_es())
    rng = streams.root(3)
    state = strategy.init(problem, rng)
    start = problem.start(rng.fold(0))[0]
    attributes = state.proposer.inner.attributes
    assert np.allclose(-5 + 10 * attributes["_mean"], start)


@pytest.mark.parametrize("wrong", [{"sigma": 0.0}, {"population": 1}, {"restart_factor": 0.5}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        cma_es(**wrong)
    with pytest.raises(UsageError, match="patience"):
        hill_climb(Step(), patience=0)
    with pytest.raises(UsageError, match="batch"):
        random_search(lambda rng, n: [], batch=0)


def test_random_search_asks_the_starts_and_then_independent_samples():
    d = drive(lambda p: random_search(p.space.sample, batch=7), Sphere(3, starts=2), Plan(evaluations=300))
    x = np.stack([g for t in d.told[1:] for g in t.proposals.genomes])
    assert len(d.told[0].ids) == 2
    assert not any(t.proposals.parents for t in d.told)
    assert np.abs(x.mean(0)).max() < 5 * 2.9 / 298**0.5
    assert len(np.unique(x[:, 0])) == len(x)


def test_hill_climbing_steps_to_children_that_are_at_least_as_good():
    d = drive(lambda p: hill_climb(Step(), p.space.sample), Sphere(3), Plan(evaluations=120, window=1))
    current, now = None, -np.inf
    for t in d.told:
        if current is not None:
            assert t.proposals.parents[0] == (current,)
        f = float(t.evaluation.fitness[0])
        if f >= now:
            current, now = int(t.ids[0]), f
    assert d.state.proposer.current == (current, now)


def test_hill_climbing_crosses_plateaus():
    class Steps(Sphere):
        def evaluate(self, job):
            e = super().evaluate(job)
            return e._replace(fitness=np.floor(e.fitness / 20))

    d = drive(lambda p: hill_climb(Step(0.5), p.space.sample), Steps(3), Plan(evaluations=60, window=1))
    moved = [t.proposals.parents[0] for t in d.told[1:]]
    assert len(set(moved)) > 30


def test_hill_climbing_begins_again_after_patience_and_keeps_the_best():
    d = drive(lambda p: hill_climb(Step(50.0), p.space.sample, patience=10), Sphere(3), Plan(evaluations=200, window=4))
    samples = [t for t in d.told if not t.proposals.parents]
    assert len(samples) == d.state.proposer.epoch + (d.state.proposer.current is not None or 1)
    assert d.state.proposer.epoch >= 5
    best_ever = max(float(t.evaluation.fitness[0]) for t in d.told)
    assert d.memory.record(d.strategy.best(d.state)[0][0]).fitness == best_ever
    assert d.state.proposer.current is None or d.state.proposer.current[1] <= best_ever


def test_hill_climbing_leaves_a_child_that_cannot_be_made_as_a_failure_on_record():
    never = Step(fails=1.0)
    d = drive(lambda p: hill_climb(never, p.space.sample, patience=5), Sphere(3), Plan(evaluations=8, window=1))
    bred = [t for t in d.told if t.proposals.parents]
    assert bred
    for t in bred:
        assert isinstance(t.proposals.genomes[0], Draft)
        assert t.evaluation.verdict[0] == Verdict.UNMADE
        assert t.why == ["no luck this time"]
