"""islands: turns, starts, migration, resets, stale children, nesting."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from evoloom.archives import population
from evoloom.core.contracts import Status
from evoloom.core.errors import CompositionError, UsageError
from evoloom.core.rng import root
from evoloom.select import tournament
from evoloom.strategies import complete, emigrants, evolve, islands, ring, two_way_ring
from evoloom.strategies.islands import Archipelago
from evoloom.strategies.starts import Starts
from evoloom.testing.drive import Plan, drive
from evoloom.testing.toys import Sphere, Step


def archipelago(n=4, size=8, sample=True, **options):
    def make(p):
        return islands(
            evolve(population(size), tournament(2), Step(), p.space.sample if sample else None), n, **options
        )

    return make


def owners(d):
    """Island of every id."""
    return {int(i): int(t.proposals.aux["island"][r]) for t in d.told for r, i in enumerate(t.ids)}


def test_islands_take_turns_and_do_not_mix():
    d = drive(archipelago(), Sphere(3), Plan(evaluations=80, window=1))
    owner = owners(d)
    assert set(Counter(owner.values()).values()) == {20}
    for t in d.told:
        for row, parents in enumerate(t.proposals.parents):
            assert {owner[p] for p in parents} == {owner[int(t.ids[row])]}


def test_starts_are_judged_once_and_seed_every_island():
    d = drive(archipelago(sample=False), Sphere(3, starts=2), Plan(evaluations=40))
    owner = owners(d)
    assert [i for i, o in owner.items() if o == -1] == [0, 1]
    assert all(t.proposals.parents for t in d.told[1:])
    for state in d.state.islands:
        assert state.archive.n > 2
    first = {o: next(t for t in d.told if int(t.proposals.aux["island"][0]) == o) for o in range(4)}
    assert all(set(t.proposals.parents[0]) <= {0, 1} for t in first.values())


def test_migration_carries_the_best_around_the_ring():
    d = drive(archipelago(3, size=20, migrate_every=30), Sphere(3), Plan(evaluations=30, window=1))
    owner = owners(d)
    for i, state in enumerate(d.state.islands):
        foreign = {int(x) for x in state.archive.ids if x >= 0 and owner[int(x)] != i}
        source = (i - 1) % 3
        best = max((x for x in owner if owner[x] == source), key=lambda x: d.memory.record(x).fitness)
        assert foreign == {best}


def test_topologies():
    assert ring(3, 4) == (0,)
    assert two_way_ring(0, 4) == (1, 3)
    assert two_way_ring(0, 2) == (1,)
    assert complete(1, 3) == (0, 2)
    assert emigrants(2)([5, 6, 7]) == [5, 6]
    assert emigrants(rate=0.5)(list(range(10))) == [0, 1, 2, 3, 4]


def test_a_reset_refounds_the_weaker_half_with_a_survivor():
    d = drive(archipelago(4, reset_every=60), Sphere(3), Plan(evaluations=60, window=1))
    owner = owners(d)
    best = {i: max(d.memory.record(x).fitness for x, o in owner.items() if o == i) for i in range(4)}
    weak = sorted(best, key=best.__getitem__)[:2]
    for i, state in enumerate(d.state.islands):
        ids = [int(x) for x in state.archive.ids if x >= 0]
        assert d.state.epochs[i] == (1 if i in weak else 0)
        if i in weak:
            assert len(ids) == 1
            founder = owner[ids[0]]
            assert founder not in weak
            assert d.memory.record(ids[0]).fitness == best[founder]
        else:
            assert len(ids) == 8


def test_children_asked_before_a_reset_are_offered_to_the_new_island():
    adopted = []

    def make(p):
        strategy = archipelago(2, size=30, reset_every=20)(p)
        adopt = strategy.inner.adopt

        def watched(state, told, view):
            adopted.append(int(told.ids[0]))
            return adopt(state, told, view)

        strategy.inner.adopt = watched
        return strategy

    d = drive(make, Sphere(3), Plan(evaluations=200, window=16, chunk=1))
    resets = d.strategy.stats(d.state)["resets"]
    assert resets == sum(d.state.epochs) == 10
    # Of the 15 children in flight at a reset, the seven or eight of the re-founded island come too late (none is in
    # flight at the last reset). Each reset also adopts its founder.
    assert resets + 7 * (resets - 1) <= len(adopted) <= resets + 8 * (resets - 1)
    inside = {int(x) for state in d.state.islands for x in state.archive.ids}
    assert inside & set(adopted)


def test_stale_partial_judgements_are_dropped():
    problem = Sphere(3)
    strategy = archipelago(2)(problem)
    d = drive(archipelago(2, reset_every=10), problem, Plan(evaluations=40))
    told = d.told[-1]
    aux = {**told.proposals.aux, "epoch": np.array([-1])}
    before = [s.archive.ids.copy() for s in d.state.islands]
    partial = told._replace(proposals=told.proposals._replace(aux=aux, scope=[0]), ids=np.array([999]))
    state, added = strategy.tell(d.state, root(0), partial, d.memory)
    assert added.status.tolist() == [Status.REJECTED]
    assert all(np.array_equal(a, s.archive.ids) for a, s in zip(before, state.islands))


def test_which_islands_are_reset_is_random_among_ties_and_founders_among_survivors():
    """Four islands, two of them equally weak, one weakest, one best: n_reset = 2."""
    strategy = archipelago(4, reset_every=1)(Sphere(3))
    d = drive(archipelago(4), Sphere(3), Plan(evaluations=8, window=1))
    ids = [int(s.archive.top()[0]) for s in d.state.islands]
    answers = [((ids[0], -2.0),), ((ids[1], -2.0),), ((ids[2], -9.0),), ((ids[3], -1.0),)]
    reset, founders = Counter(), Counter()
    for k in range(400):
        fresh = [strategy.inner.init(Sphere(3), root(1)) for _ in range(4)]
        state = Archipelago(list(d.state.islands), fresh, [0] * 4, list(answers), Starts((), 0, 1))
        state = strategy._refound(state, root(k), d.memory)
        assert state.epochs[2] == 1
        assert state.epochs[3] == 0
        reset.update(i for i in (0, 1) if state.epochs[i])
        survivors = {ids[i] for i in range(4) if not state.epochs[i]}
        founder = int(state.islands[2].archive.top()[0])
        assert founder in survivors
        founders[founder == ids[3]] += 1
    assert reset[0] + reset[1] == 400
    assert 150 < reset[0] < 250  # a fair coin, five standard deviations
    assert 150 < founders[True] < 250


def test_islands_of_islands_keep_their_columns_apart():
    def make(p):
        return islands(archipelago(2, migrate_every=8)(p), 3, migrate_every=20, reset_every=30)

    d = drive(make, Sphere(3, starts=1), Plan(evaluations=120))
    bred = [t for t in d.told if t.proposals.aux["island"][0] >= 0]
    pairs = {(int(t.proposals.aux["island"][0]), int(t.proposals.aux["inner.island"][0])) for t in bred}
    assert pairs == {(i, j) for i in range(3) for j in range(2)}
    best = max(float(t.evaluation.fitness.max()) for t in d.told)
    assert d.memory.record(d.strategy.best(d.state)[0][0]).fitness == best


def test_answers_are_ranked_over_all_islands():
    d = drive(archipelago(), Sphere(3), Plan(evaluations=80))
    fitness = [d.memory.record(i).fitness for i in d.strategy.best(d.state)[0]]
    assert fitness == sorted(fitness, reverse=True)
    assert fitness[0] == max(float(t.evaluation.fitness.max()) for t in d.told)


def test_resets_need_one_objective():
    class Two(Sphere):
        n_objectives = 2

    with pytest.raises(CompositionError, match="ranked"):
        archipelago(2, reset_every=5)(Two()).init(Two(), root(0))


@pytest.mark.parametrize("wrong", [{"n": 0}, {"migrate_every": 0}, {"reset_every": -1}, {"reset_rate": 1.0}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        archipelago(**wrong)(Sphere())
