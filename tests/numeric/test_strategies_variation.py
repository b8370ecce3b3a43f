"""SBX and polynomial mutation against the closed forms of their distributions (Kolmogorov-Smirnov)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from evoloom.core.contracts import Record
from evoloom.core.rng import root
from evoloom.spaces.vector import Box
from evoloom.vary.vector import polynomial, sbx

N = 20_000


def children(operator, *parents, seed=7):
    records = [Record(i, np.array([float(x)])) for i, x in enumerate(parents)]
    return np.stack(operator.many(root(seed), [records] * N))[:, 0]


@pytest.mark.parametrize("eta", [1.0, 5.0, 20.0])
def test_sbx_spread_far_from_bounds(eta):
    """Deb and Agrawal 1995: P(beta <= b) = b^(eta+1) / 2 below 1 and 1 - b^-(eta+1) / 2 above."""
    x = children(sbx(Box(-1e9, 1e9, 1), eta, rate=1.0), 1.0, 3.0)
    beta = np.abs(x - 2.0)

    def cdf(b):
        b = np.maximum(np.asarray(b), 1e-12)
        return np.where(b <= 1, 0.5 * b ** (eta + 1), 1 - 0.5 * b ** -(eta + 1))

    assert stats.kstest(beta, cdf).pvalue > 1e-3
    assert (x > 2).mean() == pytest.approx(0.5, abs=0.02)
    assert x.mean() == pytest.approx(2.0, abs=0.05)  # the parents' mean is kept


def test_sbx_near_a_bound_is_the_spread_cut_and_rescaled():
    """The lower child may use beta up to 1 + 2 * (x1 - low) / (x2 - x1); its distribution is conditioned on that."""
    eta, low, a, b = 2.0, 0.0, 0.1, 1.1
    x = children(sbx(Box(low, 1e9, 1), eta, rate=1.0), b, a)
    lower = x[x < 0.6]
    most = 1 + 2 * (a - low) / (b - a)
    total = 1 - 0.5 * most ** -(eta + 1)

    def cdf(beta):
        beta = np.maximum(np.asarray(beta), 1e-12)
        return np.clip(np.where(beta <= 1, 0.5 * beta ** (eta + 1), 1 - 0.5 * beta ** -(eta + 1)) / total, 0, 1)

    assert lower.min() >= low
    assert stats.kstest((0.6 - lower) / 0.5, cdf).pvalue > 1e-3


@pytest.mark.parametrize("x0", [0.5, 0.05, 1.0])
def test_polynomial_steps(x0):
    """With d = distance to the bound: P(step <= -t) = ((1-t)^(eta+1) - (1-d)^(eta+1)) / (2 (1 - (1-d)^(eta+1)))."""
    eta = 10.0
    step = children(polynomial(Box(0, 1, 1), eta, rate=1.0), x0) - x0

    def tail(t, d):
        edge = (1 - d) ** (eta + 1)
        return ((1 - np.minimum(t, d)) ** (eta + 1) - edge) / (2 * (1 - edge)) if d > 0 else np.full(np.shape(t), 0.5)

    def cdf(s):
        s = np.asarray(s)
        return np.where(s < 0, tail(np.abs(s), x0), 1 - tail(np.abs(s), 1 - x0))

    if x0 == 1.0:
        assert (step <= 0).all()
        step = step[step < 0]
        assert len(step) == pytest.approx(N / 2, rel=0.05)
        assert stats.kstest(-step, lambda t: 1 - 2 * tail(np.asarray(t), 1.0)).pvalue > 1e-3
    else:
        assert stats.kstest(step, cdf).pvalue > 1e-3


def test_polynomial_changes_one_of_d_coordinates_on_average():
    space = Box(0, 1, 8)
    rows = np.stack(polynomial(space).many(root(3), [[Record(0, np.full(8, 0.5))]] * 20_000))
    moved = (rows != 0.5).sum(1)
    assert moved.min() == 1
    assert moved.mean() == pytest.approx(1 + (7 / 8) ** 8, abs=0.03)  # rows without a draw get one
