"""Problems around problems: what they ask the inner problem, and what they answer."""

from __future__ import annotations

import numpy as np
import pytest

from evoloom.core.contracts import Columns, Evaluation, Job, Limits, Notes, Problem, Verdict
from evoloom.core.errors import CompositionError, UsageError
from evoloom.core.rng import root
from evoloom.evaluate.trusted import TrustedBox
from evoloom.evaluate.wrappers import cached, cascade, repeated


class Inner(Problem):
    """Fitness of an integer g: g itself; stage k tells g // 10**k; odd negatives are errors. Counts what it judges."""

    name = "inner"
    columns = Columns(signals=("twice",))
    default_system = "hill-climb"
    noise = 0.0

    def __init__(self, minimize=False):
        self.minimize = minimize
        self.asked = []

    def key(self, genome):
        return None if genome is None else str(genome).encode()

    def price(self, scope):
        return 1.0 if scope is None else 0.1 * (scope["stage"] + 1)

    def evaluate(self, job):
        self.asked.append((list(job.genomes), job.scope))
        g = np.array(job.genomes, dtype=float)
        verdict = np.where((g < 0) & (g % 2 == 1), Verdict.ERROR, Verdict.OK).astype(np.int8)
        f = g if job.scope is None else g // 10 ** (2 - job.scope["stage"])
        if self.noise:
            f = f + self.noise * np.array([r.normal(()) for r in job.rngs])
        f = np.where(verdict == Verdict.OK, f, np.nan)
        return Evaluation(f, verdict, signals={"twice": 2 * f}, notes=[Notes(f"g={x}") for x in job.genomes])

    def held_out(self, genome, box=None):
        return Evaluation(np.array([genome + 0.5]), np.zeros(1, np.int8))

    def show(self, genome):
        return f"<{genome}>"

    def settings(self):
        return {"a": 1}


def rngs(n):
    return [root(0).fold(i) for i in range(n)]


@pytest.mark.parametrize("make", [lambda p: cascade(p, [1.0]), cached, lambda p: repeated(p, 2)])
def test_wrappers_forward_the_rest(make):
    inner = Inner()
    outer = make(inner)
    assert (outer.name, outer.show(3), outer.key(3), outer.default_system) == ("inner", "<3>", b"3", "hill-climb")
    assert outer.held_out(3).fitness[0] == 3.5
    with pytest.raises(AttributeError):
        _ = outer.no_such_extra


@pytest.mark.parametrize("make", [lambda p: cascade(p, [1.0]), cached, lambda p: repeated(p, 2)])
def test_wrappers_keep_everything_a_problem_declares(make):
    inner = Inner(minimize=True)
    inner.default_system, inner.default_settings, inner.reduce_tests, inner.target = "es", {"n": 3}, 7, 2.5
    inner.limits, inner.modules, inner.untrusted, inner.unit = Limits(seconds=3), ("math",), True, "m"
    outer = make(inner)
    for name in set(Problem.__annotations__) - {"columns"}:  # repeats add a column
        assert getattr(outer, name) == getattr(inner, name), name
    assert set(outer.columns.signals) >= set(inner.columns.signals)


def test_cascade_asks_cheap_stages_first():
    inner = Inner()
    outer = cascade(inner, [1.0, 5.0])
    assert outer.price(None) == pytest.approx(1.3)
    got = outer.evaluate(Job([250, 7, 120, -3, 45, 999], rngs=rngs(6)))
    assert [(sorted(g), s) for g, s in inner.asked] == [
        ([-3, 7, 45, 120, 250, 999], {"stage": 0}), ([120, 250, 999], {"stage": 1}), ([120, 250, 999], None)
    ]  # fmt: skip
    assert got.verdict.tolist() == [0, Verdict.WRONG, 0, Verdict.ERROR, Verdict.WRONG, 0]
    np.testing.assert_array_equal(got.fitness, [250, np.nan, 120, np.nan, np.nan, 999])
    np.testing.assert_array_equal(got.signals["twice"], [500, np.nan, 240, np.nan, np.nan, 1998])
    np.testing.assert_allclose(got.cost, [1.3, 0.1, 1.3, 0.1, 0.1, 1.3])
    assert got.notes[1].text == "stopped at stage 1 of 2 with 0.0, and 1.0 is asked\ng=7"
    assert got.notes[0].text == "g=250"


def test_cascade_gates_follow_the_direction_or_a_function():
    assert cascade(Inner(True), [1.0]).evaluate(Job([250, 45])).verdict.tolist() == [Verdict.WRONG, Verdict.OK]
    outer = cascade(Inner(), [lambda e: e.signals["twice"] < 4])
    assert outer.evaluate(Job([250, 145])).verdict.tolist() == [Verdict.WRONG, Verdict.OK]


def test_cascade_passes_a_named_scope_on_and_stops_when_none_is_left():
    inner = Inner()
    outer = cascade(inner, [5.0])
    assert outer.evaluate(Job([45], scope={"stage": 1})).fitness.tolist() == [4]
    assert outer.evaluate(Job([1, 2])).verdict.tolist() == [Verdict.WRONG] * 2
    assert len(inner.asked) == 2
    with pytest.raises(UsageError):
        cascade(inner, [])


def test_cached_judges_equal_content_once():
    inner = Inner()
    outer = cached(inner)
    first = outer.evaluate(Job([3, 4, 3], rngs=rngs(3)))
    again = outer.evaluate(Job([4, 5, 3], rngs=rngs(3)))
    outer.evaluate(Job([4], scope={"stage": 0}))
    assert [g for g, _ in inner.asked] == [[3, 4], [5], [4]]
    assert first.fitness.tolist() == [3, 4, 3]
    assert again.fitness.tolist() == [4, 5, 3]
    assert again.notes[2].text == "g=3"
    assert outer.hits == 3


def test_cached_by_behaviour():
    inner = Inner()
    outer = cached(inner, probe=lambda g, job: None if g < 0 else [abs(g) % 10])
    got = outer.evaluate(Job([13, 23, 14, -3, -3, 33]))
    assert inner.asked == [([13, 14, -3], None)]
    assert got.fitness.tolist()[:3] == [13, 13, 14]
    assert got.verdict.tolist() == [0, 0, 0, Verdict.ERROR, Verdict.ERROR, 0]
    outer.evaluate(Job([23, 43]))
    assert len(inner.asked) == 1


def test_cached_takes_its_probe_from_a_method_of_that_meaning_only():
    class Probing(Inner):
        probe = "something else of that name"

    assert cached(Probing()).evaluate(Job([13, 23])).fitness.tolist() == [13, 23]

    class Functional(Inner):
        def functional_probe(self, genome, job):
            return genome % 10

    assert cached(Functional()).evaluate(Job([13, 23])).fitness.tolist() == [13, 13]


def test_a_cached_bin_packing_runs():
    from evoloom.problems.bin_packing import BinPacking

    inner = BinPacking(n_instances=1, n_items=20)
    outer = cached(inner)
    assert outer.default_system == inner.default_system
    e = outer.evaluate(Job([inner.start(root(0))[0]] * 2, box=TrustedBox()))
    assert e.verdict.tolist() == [Verdict.OK] * 2
    assert outer.hits == 1


def test_cached_forgets_the_oldest_and_never_what_has_no_key_or_an_opponent():
    inner = Inner()
    outer = cached(inner, size=2)
    for g in (1, 2, 1, 3, 2):
        outer.evaluate(Job([g]))
    assert [g for g, _ in inner.asked] == [[1], [2], [3], [2]]
    outer.evaluate(Job([2], given="opponent"))
    assert len(inner.asked) == 5


def test_repeated_gives_mean_and_standard_error():
    inner = Inner()
    inner.noise = 2.0
    outer = repeated(inner, 400)
    assert outer.price(None) == 400
    assert outer.columns.signals == ("twice", "standard_error")
    got = outer.evaluate(Job([10, -3, 20], rngs=rngs(3)))
    assert got.verdict.tolist() == [0, Verdict.ERROR, 0]
    assert np.isnan(got.fitness[1])
    for i, mean in ((0, 10), (2, 20)):
        assert abs(got.fitness[i] - mean) < 5 * 2 / 20
        assert 0.08 < got.signals["standard_error"][i] < 0.12  # 2 / sqrt(400) = 0.1
        assert got.signals["twice"][i] == pytest.approx(2 * got.fitness[i])
    np.testing.assert_array_equal(got.fitness, outer.evaluate(Job([10, -3, 20], rngs=rngs(3))).fitness)
    assert got.cost.tolist() == [400.0] * 3


def test_repeated_is_as_valid_as_its_worst_repeat():
    class Flaky(Inner):
        def evaluate(self, job):
            e = super().evaluate(job)
            if len(self.asked) == 2:
                e.verdict[0] = Verdict.TIMEOUT
                e.fitness[0] = np.nan
            return e

    got = repeated(Flaky(), 3).evaluate(Job([1, 2]))
    assert got.verdict.tolist() == [Verdict.TIMEOUT, Verdict.OK]
    assert got.fitness[1] == 2
    assert got.signals["standard_error"][1] == 0
    with pytest.raises(UsageError):
        repeated(Inner(), 1)
    with pytest.raises(CompositionError):
        repeated(repeated(Inner(), 2), 2)
