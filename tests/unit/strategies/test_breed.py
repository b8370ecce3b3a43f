"""keep, breed, evolve on a tiny archive of our own."""

from __future__ import annotations

import numpy as np
import pytest

from evoloom.core import rng as streams
from evoloom.core.budget import Cost
from evoloom.core.contracts import Draft, NotMade, Room
from evoloom.core.errors import CompositionError, UsageError
from evoloom.strategies import breed, evolve, keep
from evoloom.testing.drive import Plan, drive
from evoloom.testing.toys import Sphere, Step, Top, Tournament, top


def searcher(**options):
    return lambda p: evolve(top(20), Tournament(), Step(), p.space.sample, **options)


def test_it_descends_far_below_random_sampling():
    d = drive(searcher(n_start=10), Sphere(3), Plan(evaluations=400))
    best = d.memory.record(d.strategy.best(d.state)[0][0]).fitness
    assert best == max(t.evaluation.fitness.max() for t in d.told)
    assert best > -0.05  # the best of 400 uniform samples is near -0.7


def test_starts_come_first_and_only_once():
    d = drive(searcher(batch=2, n_start=7), Sphere(3, starts=3), Plan(evaluations=40))
    parentless = [i for t in d.told if not t.proposals.parents for i in t.ids]
    assert parentless == list(range(7))
    expected = Sphere(3, starts=3).start(streams.root(1).fold(streams.INIT))
    assert np.array_equal([d.memory.record(i).genome for i in range(3)], expected)


def test_an_empty_archive_waits_for_a_start_in_flight():
    d = drive(searcher(), Sphere(3, starts=1), Plan(evaluations=30, window=8))
    assert [bool(t.proposals.parents) for t in d.told] == [False] + [True] * 29


def test_failed_starts_are_followed_by_samples():
    class Picky(Sphere):
        def evaluate(self, job):
            e = super().evaluate(job)
            bad = np.array([np.abs(g).max() > 3 for g in job.genomes])
            return e._replace(fitness=np.where(bad, np.nan, e.fitness), verdict=np.where(bad, 3, 0).astype(np.int8))

        def start(self, rng):
            return [np.full(3, 5.0)]

    d = drive(searcher(), Picky(3), Plan(evaluations=60))
    assert sum(not t.proposals.parents for t in d.told) > 1
    assert d.strategy.best(d.state)[0]


def test_without_sample_or_start_it_is_refused_with_the_remedy():
    with pytest.raises(CompositionError, match=r"sample=problem\.space\.sample"):
        drive(lambda p: evolve(top(3), Tournament(), Step()), Sphere(3))


def test_without_sample_it_ends_when_all_starts_fail():
    d = drive(lambda p: evolve(top(3), Tournament(), Step()), Sphere(3, starts=2), Plan(spoil=True))
    assert len(d.told) == 2
    assert d.strategy.best(d.state) == ([], None)


def test_unknown_columns_are_refused_at_init():
    def cells(problem):
        return top(3)(problem).replace(needs=frozenset({"measures"}))

    with pytest.raises(CompositionError, match="measures"):
        drive(lambda p: evolve(cells, Tournament(), Step()), Sphere(3))
    select = Tournament()
    select.needs = frozenset({"novelty"})
    with pytest.raises(KeyError, match="novelty"):
        drive(lambda p: evolve(top(3), select, Step(), p.space.sample), Sphere(3))


def test_drafts_carry_the_operator_and_its_parents():
    d = drive(lambda p: evolve(top(5), Tournament(), Step(draft=True), p.space.sample), Sphere(3), Plan(evaluations=20))
    bred = [t for t in d.told if t.proposals.parents]
    assert bred
    assert all(t.proposals.genomes[0].operator == "step" for t in bred)
    assert all(len(t.proposals.parents[0]) == 1 for t in bred)


def test_a_refused_child_is_tried_again_and_then_left_as_a_draft():
    calls = []

    class Never(Step):
        def __call__(self, rng, sources, draft):
            calls.append(sources[0].id)
            raise NotMade("never")

    d = drive(searcher(n_start=5), Sphere(3), Plan(evaluations=5))
    strategy = evolve(top(5), Tournament(1), Never(), Sphere(3).space.sample, tries=4)
    proposals, _ = strategy.ask(d.state, streams.root(3), Room(1, Cost(10.0)), d.memory)
    assert len(calls) == 4
    assert isinstance(proposals.genomes[0], Draft)
    assert proposals.parents[0] == (calls[-1],)


def test_many_makes_the_whole_batch_at_once():
    class Batch(Step):
        calls = 0

        def many(self, rng, sources):
            Batch.calls += 1
            return [np.clip(s[0].genome + 0.1 * z, -5, 5) for s, z in zip(sources, rng.normal((len(sources), 3)))]

    d = drive(lambda p: evolve(top(5), Tournament(), Batch(), p.space.sample, batch=6), Sphere(3), Plan(window=6))
    assert Batch.calls == sum(bool(t.proposals.parents) for t in d.told)


def test_the_champion_outlives_an_archive_that_forgets():
    class Last(Top):
        def insert(self, ids, evaluation, column, aux):
            self.fitness[:] = -np.inf
            self.ids[:] = -1
            return super().insert(ids, evaluation, column, aux)

    def last(problem):
        return Last(np.array([-1]), np.array([-np.inf]))

    d = drive(lambda p: keep(last, breed(Tournament(1), Step(2.0), p.space.sample)), Sphere(3))
    best = max(float(t.evaluation.fitness.max()) for t in d.told)
    assert d.memory.record(d.strategy.best(d.state)[0][0]).fitness == best
    assert d.state.archive.fitness[0] < best


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"n_start": -1}, {"tries": 0}, {"repeats": "maybe"}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        evolve(top(3), Tournament(), Step(), **wrong)
