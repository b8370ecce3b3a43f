"""Statistics against definitions, scipy and published tables."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evoloom.core.errors import UsageError
from evoloom.report import statistics as s

values = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=12)


@given(values, values)
def test_a12_is_its_definition(x, y):
    wins = sum((a > b) + 0.5 * (a == b) for a, b in product(x, y))
    assert s.a12(x, y) == pytest.approx(wins / (len(x) * len(y)), abs=1e-12)
    assert s.a12(x, y) + s.a12(y, x) == pytest.approx(1)


def test_a12_orders_infinite_values():
    assert s.a12([math.inf, 1], [-math.inf, 0]) == 1.0


@given(values, st.floats(0, 1))
def test_quantile_is_numpys(x, q):
    assert s.quantile(x, q) == pytest.approx(float(np.quantile(x, q)), abs=1e-9)


def test_quantile_keeps_infinity_out_of_the_median():
    assert s.quantile([1, 2, math.inf], 0.5) == 2
    assert s.quantile([-math.inf, -math.inf, 1], 0.5) == -math.inf
    assert (s.quantile([-math.inf, 1], 0.5), s.quantile([1, math.inf], 0.5)) == (-math.inf, math.inf)


def test_summary():
    assert s.summary([4, 1, 3, 2]) == (4, 2.5, 1.75, 3.25, 2.5, 1, 4)


def test_mann_whitney_exact_without_ties():
    # All 5 of x above all 5 of y: one of C(10, 5) = 252 orders.
    assert s.mann_whitney([6, 7, 8, 9, 10], [1, 2, 3, 4, 5], "greater") == pytest.approx(1 / 252)
    assert s.mann_whitney([6, 7, 8, 9, 10], [1, 2, 3, 4, 5]) == pytest.approx(2 / 252)


def test_mann_whitney_is_scipys_and_bears_infinity_and_no_spread():
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 6, 15).astype(float), rng.integers(1, 8, 12).astype(float)
    assert s.mann_whitney(x, y) == pytest.approx(stats.mannwhitneyu(x, y).pvalue)
    assert s.mann_whitney([math.inf] * 4, [1, 2, 3, 4], "greater") == s.mann_whitney([9] * 4, [1, 2, 3, 4], "greater")
    assert s.mann_whitney([2, 2], [2, 2]) == 1.0
    assert s.mann_whitney([-math.inf] * 3, [-math.inf] * 3) == 1.0


def test_wilcoxon():
    # Five positive differences of different size: p = 2 / 2**5.
    assert s.wilcoxon([2, 4, 6, 8, 10], [1, 2, 3, 4, 5]) == pytest.approx(2 / 32)
    assert s.wilcoxon([1, 2], [1, 2]) == 1.0
    with pytest.raises(UsageError, match="equally long"):
        s.wilcoxon([1, 2], [1])


def test_holm_worked_example():
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, made monotone.
    assert s.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert s.holm([]) == []
    assert s.holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_raw_and_bonferroni(p):
    for raw, corrected in zip(p, s.holm(p)):
        assert raw <= corrected <= min(1, raw * len(p)) + 1e-12


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_bootstrap_agrees_with_scipy(method):
    x = np.random.default_rng(3).exponential(size=30)
    lo, hi = s.bootstrap(np.mean, x, method=method, n_resamples=4000)
    peer = stats.bootstrap(
        (x,), np.mean, method=method, n_resamples=20000, rng=np.random.default_rng(5)
    ).confidence_interval
    assert (lo, hi) == pytest.approx((peer.low, peer.high), abs=0.03)


def test_bca_of_two_samples_agrees_with_scipy():
    rng = np.random.default_rng(4)
    x, y = rng.exponential(2, 25), rng.exponential(1, 20)
    lo, hi = s.bootstrap(s.mean_difference, x, y, method="bca", n_resamples=4000)
    peer = stats.bootstrap(
        (x, y), lambda a, b, axis: a.mean(axis) - b.mean(axis), n_resamples=20000, rng=np.random.default_rng(5)
    )
    assert (lo, hi) == pytest.approx(tuple(peer.confidence_interval), abs=0.08)


def test_bootstrap_is_seeded_paired_and_bears_no_spread():
    x, y = [1.0, 5.0, 9.0, 2.0], [0.0, 4.0, 8.0, 1.0]
    assert s.bootstrap(s.mean_difference, x, y, paired=True, n_resamples=200) == (1.0, 1.0)  # every pair differs by 1
    assert s.bootstrap(s.mean_difference, x, y, n_resamples=200) == s.bootstrap(
        s.mean_difference, x, y, n_resamples=200
    )
    assert s.bootstrap(s.median_difference, [3, 3], [1, 1]) == (2.0, 2.0)
    with pytest.raises(UsageError, match="percentile"):
        s.bootstrap(np.mean, x, method="basic")


def test_equivalence_is_two_one_sided_tests():
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 1, 60), rng.normal(0.05, 1, 60)
    d, se = x.mean() - y.mean(), math.sqrt(x.var(ddof=1) / 60 + y.var(ddof=1) / 60)
    welch = se**4 / ((x.var(ddof=1) / 60) ** 2 / 59 + (y.var(ddof=1) / 60) ** 2 / 59)
    expected = max(stats.t.sf((d + 0.5) / se, welch), stats.t.cdf((d - 0.5) / se, welch))
    assert s.equivalent(x, y, 0.5) == pytest.approx(expected)
    assert s.equivalent(x, y + 3, 0.5) > 0.99
    assert s.equivalent([1, 1], [1, 1], 0.1) == 0.0
    with pytest.raises(UsageError, match="positive"):
        s.equivalent(x, y, 0)


def test_nan_is_refused():
    with pytest.raises(UsageError, match="NaN"):
        s.a12([1, math.nan], [1])
