"""What archives refuse, count, credit and carry."""

from typing import NamedTuple

import numpy as np
import pytest

from evoloom import archives
from evoloom.archives.grid import Grid
from evoloom.archives.table import locate
from evoloom.core.contracts import Archive, Axis, Columns, Evaluation, Problem, Status, Verdict
from evoloom.core.errors import CompositionError, ContractError, UsageError
from evoloom.core.value import fork
from evoloom.testing.archives import Offering, rows

ONE = Offering()


def judged(fitness, verdict=None, **columns):
    f = np.array(fitness, dtype=float)
    return Evaluation(f, np.zeros(len(f), np.int8) if verdict is None else np.array(verdict, np.int8), **columns)


@pytest.mark.parametrize(
    ("factory", "offers", "text"),
    [
        (archives.grid(5), Columns(cases=("a",)), r"needs \{fitness, measures\}.*offers \{cases, fitness, id\}"),
        (archives.cases(), Columns(), "Missing: {cases}"),
        (archives.clusters(), Columns(), "Missing: {size}"),
        (archives.best(signals=("regret",)), Columns(signals=("size",)), "Missing: {regret}"),
        (archives.pareto(), Columns(), "several objectives.*has 1"),
        (archives.grid((5, 5)), Columns(measures=(Axis("x", 0, 1),)), "2 axes.*1 measures, x"),
        (archives.cvt(5), Columns(measures=(Axis("x", 0, np.inf),)), "'x'.*finite bounds"),
        (archives.novelty(), Columns(measures=(Axis("x", 1, 1),)), "low < high"),
    ],
)
def test_archives_refuse_problems_that_cannot_feed_them(factory, offers, text):
    problem = Problem()
    problem.columns = offers
    with pytest.raises(CompositionError, match=text):
        factory(problem)


def test_one_objective_archives_refuse_many():
    for factory in (archives.best(), archives.grid(3), archives.cases(), archives.clusters()):
        with pytest.raises(CompositionError, match="Use pareto"):
            factory(Offering(n_objectives=2))


@pytest.mark.parametrize(
    "factory",
    [archives.population(0), archives.population(2.5), archives.grid(0), archives.grid((2**14, 2**14)),
     archives.cvt(0), archives.cvt(9, samples=5), archives.novelty(-1.0), archives.novelty(k=0), archives.pareto(0)],
)  # fmt: skip
def test_bad_options(factory):
    problem = Offering(n_objectives=2) if "pareto" in factory.func.__module__ else ONE
    with pytest.raises(UsageError):
        factory(problem)


def test_archives_are_archives():
    assert isinstance(archives.grid(3)(ONE), Archive)


def test_refusals_are_counted_by_reason():
    a = archives.grid(4)(ONE)
    m = np.zeros((6, 2))
    m[5, 1] = np.inf
    v = [Verdict.TIMEOUT, Verdict.TIMEOUT, Verdict.WRONG, Verdict.OK, Verdict.OK, Verdict.OK]
    a, added = a.insert(np.arange(6), judged([np.nan, 1.0, 1.0, np.nan, 0.5, 0.7], v, measures=m))
    stats = a.stats()
    assert {k: x for k, x in stats.items() if k.startswith("refused") and x} == {
        "refused": 5, "refused_timeout": 2, "refused_wrong": 1, "refused_nonfinite": 2}  # fmt: skip
    assert added.status.tolist() == [-1, -1, -1, -1, 2, -1]
    assert (stats["filled"], stats["best"], stats["coverage"]) == (1, 0.5, 1 / 16)


def test_best_of_an_empty_archive_is_nan_not_a_number_that_looks_real():
    assert np.isnan(archives.best()(ONE).stats()["best"])
    assert np.isnan(archives.pareto()(Offering(2)).stats()["best_1"])


def test_measures_outside_their_range_are_clipped_and_counted():
    for factory in (archives.grid(4), archives.cvt(16)):
        a, added = factory(ONE).insert(np.arange(3), judged([1, 2, 3], measures=np.array([[5.0, -5], [1, -1], [0, 0]])))
        assert a.stats()["outside"] == 1
        assert added.slot[0] == -1
        assert added.status.tolist() == [2, 2, 2]
        assert added.slot[1] == a.cell(np.array([[9.0, -9.0]]))[0]


def test_an_edge_belongs_to_the_cell_above_and_the_upper_end_to_the_last():
    a = Grid.empty((4,), [0.0], [1.0])
    assert a.cell(np.array([[0.0], [0.25], [0.2499], [0.75], [1.0], [-1.0], [2.0]])).tolist() == [0, 1, 0, 3, 3, 0, 3]


def test_missing_columns_and_scoped_rows_are_errors():
    with pytest.raises(ContractError, match="needs 'measures'"):
        archives.grid(3)(ONE).insert(np.arange(1), judged([1.0]))
    with pytest.raises(ContractError, match="whole judgements"):
        archives.cases()(ONE).insert(np.arange(1), judged([1.0], cases=np.zeros((1, 2))))


def test_unknown_column_lists_those_present():
    with pytest.raises(UsageError, match="no column 'size', only children, curiosity, entered, fitness, id"):
        archives.best()(ONE).column("size")
    a, _ = archives.best(signals=("size",))(ONE).insert(np.arange(1), judged([1.0], signals={"size": np.array([7.0])}))
    assert a.column("size").tolist() == [7.0]


def test_parents_are_credited_once_per_child():
    a, _ = archives.best(2)(ONE).insert(np.arange(2), judged([5.0, 6.0]))
    parents = np.array([[0, 1], [0, 0], [1, 7], [-1, -1]])
    # children: valid and rejected, valid and rejected, failed, no parent
    a, _ = a.insert(np.arange(2, 6), judged([1.0, 2.0, np.nan, 1.0], [0, 0, 3, 0]), None, {"parents": parents})
    at = locate(a.ids, np.array([0, 1]))
    assert a.column("children")[at].tolist() == [2, 1]
    assert a.column("curiosity")[at].tolist() == [-1.0, -1.0]
    a, _ = a.insert(np.array([6]), judged([7.0]), None, {"parents": np.array([1])})
    assert a.column("curiosity")[locate(a.ids, np.array([1, 6]))].tolist() == [0.0, 0.0]
    assert a.column("children")[locate(a.ids, np.array([1, 6]))].tolist() == [2, 0]


def test_a_judgement_again_replaces_the_old_one_and_keeps_age_and_credit():
    a, _ = archives.aging(3)(ONE).insert(np.arange(3), judged([1.0, 2.0, 3.0]))
    a, _ = a.insert(np.array([3]), judged([0.0], [Verdict.ERROR]), None, {"parents": np.array([0])})
    a, _ = a.insert(np.array([4]), judged([1.5]), None, {"parents": np.array([1])})  # 0 leaves by age
    a, added = a.insert(np.array([1, 2]), judged([0.5, 4.0]))
    assert added.status.tolist() == [Status.REJECTED, Status.IMPROVED]
    assert added.gain.tolist() == [0.0, 1.0]
    at = locate(a.ids, np.array([1, 2, 4]))
    assert a.fitness[at].tolist() == [0.5, 4.0, 1.5]
    assert a.column("children")[at].tolist() == [1, 0, 0]
    a, _ = a.insert(np.array([5]), judged([9.0]))
    assert set(a.ids.tolist()) == {2, 4, 5}  # 1 was still the oldest


def test_an_elite_judged_lower_gives_way():
    a, _ = archives.grid(2)(ONE).insert(np.arange(1), judged([5.0], measures=np.zeros((1, 2))))
    a, added = a.insert(np.array([0, 1]), judged([1.0, 2.0], measures=np.zeros((2, 2))))
    assert a.ids[a.filled].tolist() == [1]
    assert added.status.tolist() == [Status.REJECTED, Status.NEW]
    assert added.slot.tolist()[0] == -1


def test_the_last_of_equal_ids_in_a_batch_counts():
    a, added = archives.best(2)(ONE).insert(np.array([4, 4]), judged([9.0, 1.0]))
    assert a.top(2).tolist() == [4]
    assert a.fitness.max() == 1.0
    assert added.slot[0] == -1


def test_a_failed_second_judgement_leaves_the_first():
    a, _ = archives.best()(ONE).insert(np.array([0]), judged([9.0]))
    a, added = a.insert(np.array([0]), judged([np.nan], [Verdict.TIMEOUT]))
    assert (a.top().tolist(), a.fitness[0], added.status[0]) == ([0], 9.0, Status.REFUSED)


class Weights(NamedTuple):
    w: np.ndarray
    b: list


def test_a_stacked_column_follows_its_rows():
    a = archives.best(2)(ONE)
    for first in (0, 3):
        ids = np.arange(first, first + 3)
        column = Weights(np.stack([ids, ids], axis=1).astype(np.float32), [ids * 10])
        a, _ = a.insert(ids, judged(np.sin(ids)), column)
        assert a.stacked.w[:, 1].tolist() == a.ids.tolist()
        assert a.stacked.b[0].tolist() == (a.ids * 10).tolist()
    with pytest.raises(ContractError, match="stacked column"):
        a.insert(np.array([9]), judged([99.0]))


def test_growth_keeps_rows_and_columns():
    a = archives.everything(signals=("size",))(ONE)
    for i in range(0, 500, 50):
        e = rows(ONE, np.random.default_rng(i), 50, bad=0.0)
        a, _ = a.insert(np.arange(i, i + 50), e, np.arange(i, i + 50))
    assert a.n == 500
    assert np.array_equal(a.ids[:500], a.stacked[:500])
    assert a.entries == 500


def test_clusters_elect_a_new_head_when_the_founder_moves_away():
    def one(i, case, size):
        return np.array([i]), judged([1.0], cases=np.full((1, 4), case), signals={"size": np.array([size])})

    a = archives.clusters()(ONE)
    for args in ((0, 0.5, 3.0), (1, 0.5, 9.0), (2, 0.5, 5.0)):
        a, _ = a.insert(*one(*args))
    a, _ = a.insert(*one(0, 0.25, 3.0))
    head = a.heads[np.flatnonzero(a.column("length")[a.heads] == 9.0)[0]]
    assert (a.column("shortest")[head], a.column("longest")[head]) == (5.0, 9.0)
    assert a.stats()["clusters"] == 2
    a, added = a.insert(*one(3, -0.0, 1.0))
    a, again = a.insert(*one(4, 0.0, 1.0))
    assert (added.status[0], again.status[0], again.slot[0] >= 0) == (Status.NEW, Status.REJECTED, True)


def test_an_unstructured_archive_replaces_the_nearest_when_fitter():
    a, _ = archives.unstructured(0.2)(ONE).insert(np.arange(2), judged([1, 1], measures=np.array([[0.0, 0], [0.9, 0]])))
    a, added = a.insert(np.array([2, 3]), judged([2, 0.5], measures=np.array([[0.1, 0], [0.8, 0]])))
    assert added.status.tolist() == [Status.IMPROVED, Status.REJECTED]
    assert added.gain.tolist() == [1.0, 0.0]
    assert set(a.ids[a.filled].tolist()) == {1, 2}
    assert a.column("novelty")[a.filled] == pytest.approx([0.4, 0.4])


def test_near_twins_in_one_batch_do_not_both_enter():
    _, added = archives.novelty(0.2, k=1)(ONE).insert(
        np.arange(2), judged([1, 1], measures=np.array([[0, 0], [0, 0.01]]))
    )
    assert added.status.tolist() == [Status.NEW, Status.NEW]
    assert (added.slot >= 0).tolist() == [True, False]
    assert added.gain.tolist() == [0.2, 0.2]  # nothing was inside: the threshold


def test_forks_share_a_tessellation_but_no_arrays():
    a = archives.cvt(8)(ONE)
    b = fork(a)
    assert b.centroids is a.centroids
    assert not np.shares_memory(a.ids, b.ids)
    assert "Centroids(shape=(8, 2))" in repr(a)
