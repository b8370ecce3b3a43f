"""Best-so-far curves. A curve is a staircase: at x[i] the best becomes y[i] and stays so until x[i + 1]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from evoloom.report.statistics import quantile


class Curve(NamedTuple):
    """x (n,) ascending: evaluations or seconds; y (n,): native fitness of the best from there on."""

    x: np.ndarray
    y: np.ndarray


class Band(NamedTuple):
    """Quantiles over seeds on a common axis, each (n,); nan where a seed has nothing valid yet."""

    x: np.ndarray
    low: np.ndarray
    mid: np.ndarray
    high: np.ndarray


def best_so_far(points: Iterable[tuple[float, float]], minimize: bool, end: float | None = None) -> Curve:
    """The improvements among (x, native fitness) points, in the order of x; `end` prolongs the last step."""
    xs: list[float] = []
    ys: list[float] = []
    for x, y in sorted(points, key=lambda p: p[0]):
        if y == y and (not ys or (y < ys[-1] if minimize else y > ys[-1])):
            xs.append(float(x))
            ys.append(float(y))
    if ys and end is not None and end > xs[-1]:
        xs.append(float(end))
        ys.append(ys[-1])
    return Curve(np.array(xs), np.array(ys))


def at(curve: Curve, axis: np.ndarray) -> np.ndarray:
    """The staircase's value at every axis point, shape of axis; nan before its first step."""
    step = np.searchsorted(curve.x, axis, "right") - 1
    return np.where(step >= 0, np.r_[curve.y, np.nan][np.maximum(step, -1)], np.nan)


def band(
    curves: Sequence[Curve], n: int = 200, log: bool = False, quantiles: Sequence[float] = (0.25, 0.5, 0.75)
) -> Band:
    """Quantiles of several seeds on a common axis of n points from the earliest step to the latest end.

    Curves that end early keep their last value: a finished run does not get worse. nan where any seed has no value yet.
    """
    full = [c for c in curves if len(c.x)]
    if not full:
        nothing = np.zeros(0)
        return Band(nothing, nothing, nothing, nothing)
    first, last = min(c.x[0] for c in full), max(c.x[-1] for c in full)
    axis = np.geomspace(max(first, 1e-9), max(last, first, 1e-9), n) if log else np.linspace(first, last, n)
    axis[0], axis[-1] = first, last  # rounding must not lose the ends
    values = np.stack([at(c, axis) for c in curves])  # (seeds, n)
    rows = [[np.nan if np.isnan(column).any() else quantile(column, q) for column in values.T] for q in quantiles]
    return Band(axis, *(np.array(r) for r in rows))


def corners(curve: Curve) -> list[tuple[float, float]]:
    """The staircase as a polyline for drawing."""
    line: list[tuple[float, float]] = []
    for i, (x, y) in enumerate(zip(curve.x.tolist(), curve.y.tolist())):
        if i:
            line.append((x, line[-1][1]))
        if not i or y != line[-1][1]:
            line.append((x, y))
    return line
