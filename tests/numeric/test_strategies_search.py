"""CMA-ES against the bare package, (1+1) search against its closed form."""

from __future__ import annotations

import numpy as np
import pytest
from cmaes import CMA
from scipy.stats import binom

from evoloom.archives import best
from evoloom.core import rng as streams
from evoloom.core.contracts import Evaluation, Verdict
from evoloom.core.value import fork
from evoloom.strategies import cma_es, hill_climb, keep
from evoloom.strategies.cma import seed_of
from evoloom.testing.drive import Plan, drive
from evoloom.testing.toys import Sphere, Step

LOW, WIDTH = -5.0, 10.0


class Ellipsoid(Sphere):
    """Ill-conditioned, optimum off the centre; near the upper bound, so that points are drawn again and clipped."""

    weights = 10.0 ** np.linspace(0, 4, 4)

    def evaluate(self, job):
        x = np.stack(job.genomes) - 4.5
        bad = np.array([abs(np.modf(g[0] * 997)[0]) < self.broken for g in job.genomes])
        return Evaluation(
            np.where(bad, np.nan, (self.weights * x * x).sum(1)), np.where(bad, Verdict.ERROR, 0).astype(np.int8)
        )


@pytest.mark.parametrize("plan", [Plan(evaluations=480), Plan(evaluations=480, window=3, chunk=2, shuffle=True)])
@pytest.mark.parametrize("broken", [0.0, 0.3])
def test_cma_equals_the_bare_package(plan, broken):
    """Same first mean, same seed per generation: the same points to the last bit, in any window and any order."""
    problem = Ellipsoid(4, broken=broken)
    d = drive(lambda p: keep(best(1), cma_es(0.3)), problem, plan)
    first = keep(best(1), cma_es(0.3)).init(problem, streams.root(plan.seed).fold(streams.INIT))
    es = CMA(
        mean=first.proposer.inner.attributes["_mean"].copy(), sigma=0.3, bounds=np.tile([0.0, 1.0], (4, 1)), seed=9
    )
    rows = {}
    begun = {}  # generation -> batch whose ask sampled it
    for batch, t in enumerate(sorted(d.told, key=lambda t: t.ids[0])):
        for r, m in enumerate(t.proposals.aux["member"]):
            generation = int(t.proposals.aux["generation"][r])
            rows[generation, int(m)] = (t.proposals.genomes[r], t.evaluation.fitness[r])
            begun.setdefault(generation, batch)
    for generation in range(480 // es.population_size):
        es.reseed_rng(seed_of(streams.root(plan.seed).fold(begun[generation]).fold(streams.ASK)))
        points = [es.ask() for _ in range(es.population_size)]
        solutions = []
        for m, u in enumerate(points):
            genome, fitness = rows[generation, m]
            assert np.array_equal(genome, np.clip(LOW + u * WIDTH, LOW, LOW + WIDTH))
            solutions.append((u, -fitness))
        worst = max((v for _, v in solutions if v == v), default=None)
        if worst is None:
            continue
        solutions.sort(key=lambda s: np.isnan(s[1]))  # stable: failed rows behind all others
        es.tell([(u, worst if np.isnan(v) else v) for u, v in solutions])
        assert not es.should_stop()  # also makes the covariance symmetric, as ours does after every generation
    end = d.state.proposer.inner.attributes
    for name in ("_mean", "_C", "_p_sigma", "_pc"):
        assert np.array_equal(end[name], vars(es)[name]), name
    assert end["_sigma"] == vars(es)["_sigma"]


def test_cma_solves_what_random_search_cannot():
    d = drive(lambda p: keep(best(1), cma_es()), Ellipsoid(4), Plan(evaluations=2000))
    assert d.memory.record(d.strategy.best(d.state)[0][0]).fitness > -1e-8


def test_cma_restarts_with_twice_the_population():
    d = drive(lambda p: keep(best(1), cma_es(), repeats="judge"), Sphere(2), Plan(evaluations=6000))
    inner = d.state.proposer.inner
    assert inner.restarts >= 2
    assert inner.attributes["_popsize"] == 6 * 2**inner.restarts


def test_a_copy_of_the_state_draws_the_same_points():
    """The package's own pickling loses its generator and the last bits of its covariance."""
    d = drive(lambda p: keep(best(1), cma_es()), Sphere(5), Plan(evaluations=200))
    a, b = d.state.proposer.inner, fork(d.state.proposer.inner)
    assert a.attributes.keys() == b.attributes.keys()
    assert "_rng" not in a.attributes
    assert all(np.array_equal(a.attributes[k], b.attributes[k]) for k in a.attributes if k != "_bounds")


def hitting_time(n):
    """Expected evaluations and their standard deviation, (1+1) EA with rate 1/n on OneMax from a uniform start: the
    exact Markov chain over the number of ones."""
    flip = np.zeros((n + 1, n + 1))
    for k in range(n + 1):
        gained, lost = binom.pmf(range(n + 1), n - k, 1 / n), binom.pmf(range(n + 1), k, 1 / n)
        for up, down in np.ndindex(n - k + 1, k + 1):
            j = k + up - down
            flip[k, max(j, k)] += gained[up] * lost[down]  # worse children are not stepped to
    q = np.eye(n) - flip[:n, :n]
    mean = np.append(np.linalg.solve(q, np.ones(n)), 0.0)
    second = np.append(np.linalg.solve(q, 2 * mean[:n] - 1), 0.0)
    start = binom.pmf(range(n + 1), n, 0.5)
    m = start @ mean
    return 1 + m, np.sqrt(start @ second - m * m)


def test_one_plus_one_climbs_onemax_in_the_expected_time():
    n, runs, most = 5, 40, 90

    class OneMax(Sphere):
        minimize = False

        def evaluate(self, job):
            x = np.stack(job.genomes)
            return Evaluation((x > 0).sum(1).astype(float), np.zeros(len(x), np.int8))

    class Flip(Step):
        def __call__(self, rng, sources, draft):
            x = sources[0].genome
            return np.where(rng.uniform((n,)) < 1 / n, -x, x)

    def judged(p):
        strategy = hill_climb(Flip(), p.space.sample)
        strategy.repeats = "judge"
        return strategy

    times = []
    for seed in range(runs):
        d = drive(judged, OneMax(n), Plan(evaluations=most, window=1, seed=seed))
        f = [float(t.evaluation.fitness[0]) for t in d.told]
        times.append(f.index(n) + 1 if n in f else most)
    mean, deviation = hitting_time(n)
    assert abs(np.mean(times) - mean) < 4 * deviation / runs**0.5
    assert 0.5 < np.std(times) / deviation < 1.6
