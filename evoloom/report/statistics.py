"""Comparing samples of seeds. x is ours, y the other; effects are positive where x is the better sample.

"Better" is greater; for a quantity to be minimised negate both samples first (`oriented`). Tests come from scipy; what
is here fixes the choices that papers leave open, and what happens on samples that have no spread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from evoloom.core.errors import UsageError

Sample = Sequence[float] | np.ndarray


class Summary(NamedTuple):
    """A sample in the numbers that a table prints."""

    n: int
    median: float
    q25: float
    q75: float
    mean: float
    low: float
    high: float


def sample(x: Sample, least: int = 1) -> np.ndarray:
    """x as a 1-d float array; refuses NaN (a failed seed must be given a value by the caller, not dropped here)."""
    a = np.asarray(x, float).reshape(-1)
    if len(a) < least:
        raise UsageError(f"this statistic needs at least {least} value(s) per sample, got {len(a)}")
    if np.isnan(a).any():
        raise UsageError("a sample holds NaN; decide first what a seed without a value counts as")
    return a


def oriented(x: Sample, minimize: bool) -> np.ndarray:
    """Native values so that greater is better."""
    return -np.asarray(x, float) if minimize else np.asarray(x, float)


def quantile(x: Sample, q: float) -> float:
    """Linear interpolation between order statistics (Hyndman and Fan type 7) that lets infinite values stand."""
    a = np.sort(sample(x))
    at = q * (len(a) - 1)
    i = math.floor(at)
    low, high = a[i], a[min(i + 1, len(a) - 1)]
    return float(low if at == i or low == high or low == -np.inf else low + (at - i) * (high - low))


def summary(x: Sample) -> Summary:
    """Median, quartiles, mean, extremes."""
    a = sample(x)
    return Summary(
        len(a), quantile(a, 0.5), quantile(a, 0.25), quantile(a, 0.75), float(a.mean()), float(a.min()), float(a.max())
    )


def a12(x: Sample, y: Sample) -> float:
    """P(X > Y) + P(X = Y) / 2 (Vargha and Delaney 2000). 0.5: no difference; 0.56, 0.64, 0.71: small, medium, large."""
    a, b = sample(x), np.sort(sample(y))
    below, upto = np.searchsorted(b, a, "left"), np.searchsorted(b, a, "right")
    return float((below + upto).sum() / (2 * len(a) * len(b)))


def mann_whitney(x: Sample, y: Sample, alternative: str = "two-sided") -> float:
    """p of the rank-sum test: exact for small samples without ties, else normal with tie correction.

    alternative "greater": x tends to be greater. 1.0 where all values are equal (scipy would divide by zero).
    """
    from scipy.stats import mannwhitneyu

    a, b = sample(x), sample(y)
    if np.unique(np.r_[a, b]).size == 1:
        return 1.0
    # Ranks first: the test depends on order only, and infinite values (seeds that found nothing) must not reach scipy.
    ranks = np.unique(np.r_[a, b], return_inverse=True)[1].astype(float)
    _, p = mannwhitneyu(ranks[: len(a)], ranks[len(a) :], alternative=alternative)
    return float(p)


def wilcoxon(x: Sample, y: Sample, alternative: str = "two-sided") -> float:
    """p of the signed-rank test for pairs (same seed, same instance). 1.0 where every pair is equal."""
    from scipy.stats import wilcoxon as signed_rank

    a, b = sample(x), sample(y)
    if len(a) != len(b):
        raise UsageError(f"a paired test needs equally long samples, got {len(a)} and {len(b)}")
    if (a == b).all():
        return 1.0
    _, p = signed_rank(a - b, alternative=alternative)
    return float(p)  # type: ignore[arg-type]


def holm(p: Sequence[float]) -> list[float]:
    """p-values corrected for their number (Holm 1979): step-down, controls the family-wise error, assumes nothing."""
    order = sorted(range(len(p)), key=lambda i: p[i])
    out, running = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(p) - rank) * p[i]))
        out[i] = running
    return out


def median_difference(x: Sample, y: Sample) -> float:
    """median(x) - median(y); 0 where both are the same infinity (both found nothing)."""
    a, b = quantile(x, 0.5), quantile(y, 0.5)
    return 0.0 if a == b else a - b


def mean_difference(x: Sample, y: Sample) -> float:
    """mean(x) - mean(y); 0 where both are the same infinity."""
    a, b = float(sample(x).mean()), float(sample(y).mean())
    return 0.0 if a == b else a - b


def bootstrap(
    statistic: Callable[..., float],
    *samples: Sample,
    paired: bool = False,
    level: float = 0.95,
    method: str = "percentile",
    n_resamples: int = 4000,
    seed: int = 0,
) -> tuple[float, float]:
    """Confidence interval of `statistic(*samples)` by resampling seeds with replacement.

    method "percentile" or "bca" (Efron 1987: bias-corrected, accelerated). Percentile is the default because the
    jackknife inside BCa is inconsistent for medians. A statistic without spread gives the interval (value, value).
    paired: rows are resampled together.
    """
    if method not in ("percentile", "bca"):
        raise UsageError(f"bootstrap method must be 'percentile' or 'bca', got {method!r}")
    data = [sample(s) for s in samples]
    if paired and len({len(s) for s in data}) > 1:
        raise UsageError(f"a paired bootstrap needs equally long samples, got {[len(s) for s in data]}")
    value = statistic(*data)
    rng = np.random.default_rng(seed)
    draws = np.array([statistic(*resampled(data, rng, paired)) for _ in range(n_resamples)])
    if (draws == draws[0]).all():
        return (float(draws[0]), float(draws[0]))
    tail = (1 - level) / 2
    tails = (tail, 1 - tail) if method == "percentile" else bca_tails(statistic, data, value, draws, tail, paired)
    return quantile(draws, tails[0]), quantile(draws, tails[1])


def resampled(data: Sequence[np.ndarray], rng: np.random.Generator, paired: bool) -> list[np.ndarray]:
    """One bootstrap draw of every sample."""
    if paired:
        rows = rng.integers(0, len(data[0]), len(data[0]))
        return [s[rows] for s in data]
    return [s[rng.integers(0, len(s), len(s))] for s in data]


def bca_tails(
    statistic: Callable[..., float],
    data: Sequence[np.ndarray],
    value: float,
    draws: np.ndarray,
    tail: float,
    paired: bool,
) -> tuple[float, float]:
    """The quantiles of the draws that bound the BCa interval: Efron 1987, equations 2.3 and 6.6."""
    from scipy.stats import norm

    share = np.clip((np.mean(draws < value) + np.mean(draws <= value)) / 2, 1 / len(draws), 1 - 1 / len(draws))
    bias = norm.ppf(share)
    influence = jackknife(statistic, data, paired)
    spread = (influence**2).sum()
    acceleration = (influence**3).sum() / (6 * spread**1.5) if spread > 0 else 0.0

    def corrected(q: float) -> float:
        z = bias + norm.ppf(q)
        return float(norm.cdf(bias + z / (1 - acceleration * z)))

    return corrected(tail), corrected(1 - tail)


def jackknife(statistic: Callable[..., float], data: Sequence[np.ndarray], paired: bool) -> np.ndarray:
    """Influence of leaving each observation out, scaled by its sample's size; all samples in one array."""
    parts: list[Any] = []
    for k in range(1 if paired else len(data)):
        n = len(data[k])
        left_out = np.array(
            [
                statistic(*[np.delete(s, i) if paired or j == k else s for j, s in enumerate(data)])
                for i in range(n if n > 1 else 0)
            ]
        )
        parts.append((left_out.mean() - left_out) * (n - 1) / n if len(left_out) else np.zeros(1))
    return np.concatenate(parts)


def equivalent(x: Sample, y: Sample, margin: float) -> float:
    """p of two one-sided Welch t-tests (TOST, Schuirmann 1987): small means |mean(x) - mean(y)| < margin is shown."""
    from scipy.stats import ttest_ind

    if not margin > 0:
        raise UsageError(f"an equivalence margin must be positive, got {margin!r}")
    a, b = sample(x, 2), sample(y, 2)
    if np.ptp(a) == 0 and np.ptp(b) == 0:
        return 0.0 if abs(a[0] - b[0]) < margin else 1.0
    _, above = ttest_ind(a + margin, b, equal_var=False, alternative="greater")
    _, below = ttest_ind(a - margin, b, equal_var=False, alternative="less")
    return max(float(above), float(below))  # type: ignore[arg-type]
