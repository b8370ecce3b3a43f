"""Selects against their closed forms: probabilities exactly, draws by chi-square at fixed seeds."""

import numpy as np
import pytest
from scipy.stats import chisquare

from evoloom import archives, select
from evoloom.core.contracts import Evaluation
from evoloom.core.errors import CompositionError, UsageError
from evoloom.core.rng import root
from evoloom.testing.archives import Offering

ONE = Offering()
F = np.array([0.9, 0.1, 0.5, 0.5, -0.3, 0.8])


def kept(factory, fitness=F, **columns):
    n = len(fitness)
    a = factory(ONE)
    return a.insert(np.arange(10, 10 + n), Evaluation(np.asarray(fitness), np.zeros(n, np.int8), **columns))[0]


def agrees(pick, archive, p, n=40_000, arity=1, seed=7):
    drawn = pick(archive, root(seed), n, arity)
    assert drawn.shape == (n, arity)
    for j in range(arity):
        count = np.bincount(drawn[:, j], minlength=len(archive.ids))
        assert count[p == 0].sum() == 0
        assert chisquare(count[p > 0], n * p[p > 0]).pvalue > 1e-3


def softmax(x):
    return np.exp(x - np.max(x)) / np.exp(x - np.max(x)).sum()


def over(archive, p):
    """p, by fitness order F, spread over the slots."""
    out = np.zeros(len(archive.ids))
    for i, x in enumerate(p):
        out[archive.ids == 10 + i] = x
    return out


@pytest.mark.parametrize(
    ("pick", "p"),
    [
        (select.uniform(), np.full(6, 1 / 6)),
        (select.rank(), (w := 1 / (np.array([1, 5, 3, 4, 6, 2]) + 6)) / w.sum()),
        (select.rank(1.5), (1.5 - np.array([0, 4, 2, 3, 5, 1]) / 5) / 6),
        (select.rank(2), (2 - 2 * np.array([0, 4, 2, 3, 5, 1]) / 5) / 6),
        (select.proportional(0.5), softmax(F / 0.5)),
        (select.proportional(0.5, "std"), softmax(F / 0.5 / F.std())),
        (select.proportional(2.0, "mad"), softmax(F / 2.0 / np.median(abs(F - np.median(F))))),
        (select.few_children(), (w := 1 / (1 + np.exp(-10 * (F - 0.5)))) / w.sum()),
    ],
    ids=["uniform", "rank", "rank-1.5", "rank-2", "proportional", "std", "mad", "few_children"],
)
def test_weighted_selects(pick, p):
    a = kept(archives.population(9))
    p = over(a, p)
    np.testing.assert_allclose(pick.probabilities(a), p, rtol=1e-12)
    agrees(pick, a, p, arity=2)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_tournament(k):
    f = np.array([3.0, 1.0, 4.0, 1.5, 9.0])
    a = kept(archives.population(8), f)
    below = np.argsort(np.argsort(f))
    agrees(select.tournament(k), a, over(a, ((below + 1) ** k - below**k) / 5**k))


def test_children_damp_a_parent():
    a = kept(archives.everything())
    child = Evaluation(np.array([-9.0]), np.zeros(1, np.int8))
    for i in range(4):
        a, _ = a.insert(np.array([20 + i]), child, None, {"parents": np.array([10])})
    members = a.filled
    f, children = a.fitness[members], a.column("children")[members]
    w = 1 / (1 + np.exp(-10 * (f - 0.5))) / (1 + children)
    assert children.tolist() == [4] + [0] * 9
    np.testing.assert_allclose(select.few_children().probabilities(a)[members], w / w.sum(), rtol=1e-9)
    # ShinkaEvolve's form: centre and unit from the archive
    mad = np.median(abs(f - np.median(f)))
    w = 1 / (1 + np.exp(-10 * (f - np.median(f)) / mad)) / (1 + children)
    np.testing.assert_allclose(select.few_children(10, "median", "mad").probabilities(a)[members], w / w.sum())


def test_few_children_works_far_below_the_centre():
    a = kept(archives.population(9), F - 1000)
    assert select.few_children().probabilities(a).argmax() == np.flatnonzero(a.ids == 10)[0]


def clustered(sizes, scores, lengths):
    """Clusters of the given sizes; lengths in order of entry."""
    case = np.repeat(scores, sizes)
    n = len(case)
    e = Evaluation(case, np.zeros(n, np.int8), cases=np.repeat(case[:, None], 4, axis=1),
                   signals={"size": np.asarray(lengths, float)})  # fmt: skip
    return archives.clusters()(ONE).insert(np.arange(n), e)[0]


def funsearch(sizes, scores, lengths, t0=0.1, period=30_000):
    """The published rule, cluster by cluster."""
    t = t0 * (1 - (sum(sizes) % period) / period)
    out, at = [], 0
    for n, chance in zip(sizes, softmax(np.array(scores) / t)):
        mine = np.array(lengths[at : at + n], float)
        out += (chance * softmax(-(mine - mine.min()) / (mine.max() + 1e-6))).tolist()
        at += n
    return np.array(out)


SIZES, SCORES, LENGTHS = [3, 1, 2], [-4.1, -4.0, -3.9], [100, 400, 150, 30, 20, 200]


def test_cluster_softmax_is_funsearchs():
    a = clustered(SIZES, SCORES, LENGTHS)
    p = funsearch(SIZES, SCORES, LENGTHS)
    np.testing.assert_allclose(select.cluster_softmax().probabilities(a)[:6], p, rtol=1e-12)
    agrees(select.cluster_softmax(), a, over(a.replace(ids=a.ids + 10), p), arity=2)


@pytest.mark.parametrize("period", [4, 6, 7])
def test_cluster_temperature_falls_and_jumps_back(period):
    a = clustered(SIZES, SCORES, LENGTHS)
    p = funsearch(SIZES, SCORES, LENGTHS, 0.3, period)
    np.testing.assert_allclose(select.cluster_softmax(0.3, period).probabilities(a)[:6], p, rtol=1e-9)


def test_cluster_softmax_in_units_of_spread_ignores_the_fitness_unit():
    a, b = clustered(SIZES, SCORES, LENGTHS), clustered(SIZES, np.array(SCORES) * 1e6, LENGTHS)
    pick = select.cluster_softmax(scale="std")
    np.testing.assert_allclose(pick.probabilities(a), pick.probabilities(b), rtol=1e-6)


def test_cases_front_counts_wins():
    cases = np.array([[1, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 3]], float)
    a = kept(archives.cases(), np.array([0.1, 0.2, 0.3]), cases=cases)
    agrees(select.cases_front(), a, over(a, [0.5, 0.25, 0.25]))


def test_curiosity():
    a = kept(archives.best(6))
    np.testing.assert_allclose(select.curiosity().probabilities(a), over(a, np.full(6, 1 / 6)))  # no credit yet
    worse = Evaluation(np.array([-9.0]), np.zeros(1, np.int8))
    a, _ = a.insert(np.array([30]), worse, None, {"parents": np.array([12])})  # 12 falls to -0.5
    np.testing.assert_allclose(select.curiosity().probabilities(a), over(a, [0.2, 0.2, 0, 0.2, 0.2, 0.2]))


def test_novelty():
    m = np.array([[-1.0, 0], [0, 0], [0.9, 0]])
    a = kept(archives.novelty(0.1, k=1), np.zeros(3), measures=m)
    agrees(select.novelty(), a, over(a, np.array([0.5, 0.45, 0.45]) / 1.4))
    lone = kept(archives.novelty(0.1), np.zeros(1), measures=m[:1])
    assert select.novelty()(lone, root(0), 2, 2).tolist() == [[0, 0], [0, 0]]


def test_crowding_prefers_the_ends_of_a_front():
    f = np.array([[0.0, 1.0], [0.5, 0.5], [0.52, 0.48], [1.0, 0.0]])
    a = archives.pareto()(Offering(n_objectives=2)).insert(np.arange(10, 14), Evaluation(f, np.zeros(4, np.int8)))[0]
    # crowding: inf, 1.04, 1.0, inf; of two ends the first drawn wins, which is a fair coin
    agrees(select.crowding(2), a, over(a, np.array([6, 3, 1, 6]) / 16))


def test_mix():
    a = kept(archives.population(9))
    pick = select.mix([(3, select.tournament(2)), (1, select.uniform())])
    assert pick.needs == {"fitness"}
    a2 = kept(archives.population(9), np.arange(6.0))
    below = np.arange(6)
    agrees(pick, a2, over(a2, 0.75 * ((below + 1) ** 2 - below**2) / 36 + 0.25 / 6))
    assert (select.mix([(1.0, select.uniform())])(a, root(1), 3, 2)).shape == (3, 2)


@pytest.mark.parametrize("pick", [select.uniform(), select.tournament(), select.rank()])
def test_the_same_rng_draws_the_same_parents(pick):
    a = kept(archives.population(9))
    assert np.array_equal(pick(a, root(5), 50, 3), pick(a, root(5), 50, 3))
    assert not np.array_equal(pick(a, root(5), 50, 3), pick(a, root(6), 50, 3))


def test_an_empty_archive_is_an_error():
    for pick in (select.uniform(), select.tournament()):
        with pytest.raises(ValueError, match="empty archive"):
            pick(archives.best(3)(ONE), root(0), 1)


def test_fits_lists_both_sides():
    with pytest.raises(CompositionError, match=r"cluster_softmax.*'cluster'.*population archives have.*'fitness'"):
        select.fits(select.cluster_softmax(), archives.aging(5)(ONE))
    with pytest.raises(CompositionError, match="novelty"):
        select.fits(select.mix([(1, select.novelty())]), archives.grid(5)(ONE))
    select.fits(select.cluster_softmax(), archives.clusters()(ONE))
    select.fits(select.few_children(), archives.everything()(ONE))
    select.fits(select.crowding(), archives.pareto()(Offering(n_objectives=2)))
    select.fits(select.novelty(), archives.novelty()(ONE))


@pytest.mark.parametrize(
    "make",
    [
        lambda: select.tournament(0),
        lambda: select.rank(3.0),
        lambda: select.proportional(0.0),
        lambda: select.cluster_softmax(0.0),
        lambda: select.cluster_softmax(period=0),
        lambda: select.mix([]),
        lambda: select.mix([(-1, select.uniform())]),
    ],
)
def test_bad_options(make):
    with pytest.raises(UsageError):
        make()


def test_a_draw_never_takes_a_weight_of_zero():
    from evoloom.select.weighted import draw

    class Ends:
        def uniform(self, shape):
            return np.array([0.0, 1.0 - 2**-53, 0.5]).reshape(shape)

    assert draw(np.array([0.0, 1.0, 0.0, 1.0, 0.0]), Ends(), (3,)).tolist() == [1, 3, 3]
    assert draw(np.array([0.0, 0.1, 0.0]), Ends(), (3,)).tolist() == [1, 1, 1]
