"""Variation of vectors in a box: gaussian, iso + line, simulated binary, polynomial, uniform crossover.

Every operator is a rule on arrays, (generator, parents (n, arity, d)) -> children (n, d), so that a whole batch costs
one pass; `Vector` lends it bounds, integer rounding and the form of a Vary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from evoloom.core.contracts import Draft, Record
from evoloom.core.errors import UsageError
from evoloom.core.rng import Rng
from evoloom.spaces.vector import Box

Rule = Callable[[np.random.Generator, np.ndarray], np.ndarray]
BOUNDS = ("reflect", "clip")


class Vector:
    """A Vary over a box.

    Children outside the box are mirrored at the bound that they crossed (`reflect`: no mass piles up there) or moved
    onto it (`clip`: optima on the boundary are met exactly). Integer boxes round to the nearest integer first.
    """

    draft = False

    def __init__(self, name: str, arity: int, space: Box, rule: Rule, bounds: str = "reflect"):
        if bounds not in BOUNDS:
            raise UsageError(f"bounds must be 'reflect' or 'clip', got {bounds!r}")
        self.name, self.arity, self.space, self.rule, self.bounds = name, arity, space, rule, bounds
        self._low, self._high = space.low.astype(float), space.high.astype(float)

    def __call__(self, rng: Rng, sources: Sequence[Record], draft: Draft) -> np.ndarray:
        return self.many(rng, [sources])[0]

    def many(self, rng: Rng, sources: Sequence[Sequence[Record]]) -> list[np.ndarray]:
        """One child per row of parents' records."""
        parents = np.array([[r.genome for r in row[: self.arity]] for row in sources], dtype=np.float64)
        return list(self.bounded(self.rule(rng.generator(), parents)))

    def bounded(self, x: np.ndarray) -> np.ndarray:
        """Children as genomes. x: (n, d) float64 -> (n, d) of the space's dtype, inside the box."""
        low, high = self._low, self._high
        integer = self.space.dtype.kind == "i"
        if self.bounds == "reflect":
            edge = 0.5 if integer else 0.0  # integers own the half unit around them, the ends too
            x = reflected(x, low - edge, high + edge)
        if integer:
            x = np.rint(x)
        x = np.minimum(np.maximum(x, low), high)
        if self.space.dtype == np.float64:
            return x
        return np.clip(x.astype(self.space.dtype), self.space.low, self.space.high)  # float32 may round past the end


def reflected(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """x folded into [low, high] as by mirrors at both ends; values inside keep every bit."""
    outside = (x < low) | (x > high)
    if not outside.any():
        return x
    width = np.where(high > low, high - low, 1.0)
    t = np.mod(x - low, 2.0 * width)
    folded = np.where(high > low, low + width - np.abs(t - width), low)
    return np.where(outside, folded, x)


def _rate(rate: float | None, default: float) -> float:
    rate = default if rate is None else rate
    if not 0.0 < rate <= 1.0:
        raise UsageError(f"rate must be above 0 and at most 1, got {rate!r}")
    return rate


def _chosen(g: np.random.Generator, shape: tuple[int, int], rate: float) -> np.ndarray:
    """Each coordinate with probability `rate`, at least one per row. -> (n, d) bool"""
    if rate >= 1.0:
        return np.ones(shape, bool)
    mask = g.random(shape) < rate
    none = np.flatnonzero(~mask.any(1))
    mask[none, g.integers(0, shape[1], len(none))] = True
    return mask


def gaussian(space: Box, sigma: Any, *, rate: float = 1.0, bounds: str = "reflect") -> Vector:
    """x + sigma * normal in each coordinate with probability `rate` (at least one).

    Args:
        sigma: standard deviation in the units of the genome; a number, or one per coordinate.
    """
    if np.any(np.asarray(sigma) <= 0):
        raise UsageError(f"sigma must be positive, got {sigma!r}")
    rate = _rate(rate, 1.0)

    def rule(g: np.random.Generator, parents: np.ndarray) -> np.ndarray:
        x = parents[:, 0]
        step = sigma * g.standard_normal(x.shape)
        return x + np.where(_chosen(g, x.shape, rate), step, 0.0)

    return Vector("gaussian", 1, space, rule, bounds)


def iso_line(space: Box, iso: Any = 0.01, line: float = 0.2, *, bounds: str = "clip") -> Vector:
    """x1 + iso * normal(d) + line * normal(1) * (x2 - x1): one draw along the line per child.

    Vassiliades and Mouret, "Discovering the elite hypervolume by leveraging interspecies correlation", GECCO 2018,
    eq. 2. `iso` is in units of the genome, `line` a fraction of the parents' distance; the paper clips.
    """

    def rule(g: np.random.Generator, parents: np.ndarray) -> np.ndarray:
        a, b = parents[:, 0], parents[:, 1]
        return a + iso * g.standard_normal(a.shape) + line * g.standard_normal((len(a), 1)) * (b - a)

    return Vector("iso_line", 2, space, rule, bounds)


def sbx(space: Box, eta: float = 15.0, *, rate: float = 0.5) -> Vector:
    """Simulated binary crossover, bounded; one child.

    Deb and Agrawal, "Simulated binary crossover for continuous search space", Complex Systems 9 (1995); bounds as in
    Deb's NSGA-II code (the spread is cut where it would leave the box). A coordinate is crossed with probability
    `rate` and takes one of the two symmetric results at random; the others are the first parent's.
    """
    rate, low, high = _rate(rate, 0.5), space.low.astype(float), space.high.astype(float)

    def rule(g: np.random.Generator, parents: np.ndarray) -> np.ndarray:
        a, b = parents.min(1), parents.max(1)
        gap = b - a
        upper = g.random(a.shape) < 0.5
        room = np.where(upper, high - b, a - low)
        with np.errstate(divide="ignore", invalid="ignore"):
            alpha = 2.0 - (1.0 + 2.0 * room / gap) ** -(eta + 1.0)
        u = g.random(a.shape) * alpha
        beta = np.where(u <= 1.0, u, 1.0 / np.maximum(2.0 - u, 1e-300)) ** (1.0 / (eta + 1.0))
        child = 0.5 * ((a + b) + np.where(upper, beta, -beta) * gap)
        crossed = (g.random(a.shape) < rate) & (gap > 1e-14)
        return np.where(crossed, child, parents[:, 0])

    return Vector("sbx", 2, space, rule, "clip")


def polynomial(space: Box, eta: float = 20.0, *, rate: float | None = None) -> Vector:
    """Polynomial mutation, bounded: steps in units of the box, cut where they would leave it.

    Deb and Goyal, "A combined genetic adaptive search (GeneAS) for engineering design" (1996), in the form of Deb's
    NSGA-II code. `rate` per coordinate defaults to 1 / d; at least one coordinate changes.
    """
    rate = _rate(rate, 1.0 / space.dim)
    low, high = space.low.astype(float), space.high.astype(float)
    width = np.where(high > low, high - low, 1.0)

    def rule(g: np.random.Generator, parents: np.ndarray) -> np.ndarray:
        x = parents[:, 0]
        u = g.random(x.shape)
        down = u < 0.5
        u = np.where(down, u, 1.0 - u)
        edge = 1.0 - np.where(down, x - low, high - x) / width
        delta = 1.0 - (2.0 * u + (1.0 - 2.0 * u) * edge ** (eta + 1.0)) ** (1.0 / (eta + 1.0))
        step = np.where(down, -delta, delta) * width
        return x + np.where(_chosen(g, x.shape, rate), step, 0.0)

    return Vector("polynomial", 1, space, rule, "clip")


def uniform(space: Box, *, rate: float = 0.5) -> Vector:
    """Uniform crossover: each coordinate from the second parent with probability `rate`, else from the first.

    Syswerda, "Uniform crossover in genetic algorithms", ICGA 1989.
    """
    rate = _rate(rate, 0.5)

    def rule(g: np.random.Generator, parents: np.ndarray) -> np.ndarray:
        return np.where(g.random(parents[:, 0].shape) < rate, parents[:, 1], parents[:, 0])

    return Vector("uniform", 2, space, rule, "clip")
