"""Sequences of item sizes: generated from seeds, or the user's own, and the grid that their sizes lie on.

The two generated families are those of Romera-Paredes et al., "Mathematical discoveries from program search with large
language models" (FunSearch), Nature 625 (2024), Methods, "Bin packing": Weibull(shape 3, scale 45) in whole
numbers clipped to 1..100 with capacity 100, and the uniform sizes 20..100 with capacity 150 of Beasley's OR-Library
(u120 ... u1000). Whole numbers are floors: the mean of the published instances is 39.75; floors have 39.7 in
expectation, rounding would give 40.2, 4.6 standard errors away.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from evoloom.core.errors import UsageError, near
from evoloom.core.rng import Rng


class Family(NamedTuple):
    """A distribution of sizes and how its instances usually are."""

    capacity: float
    n_items: int
    n_instances: int


FAMILIES = {"weibull": Family(100.0, 5000, 5), "or": Family(150.0, 500, 20)}
MAX_LEVELS = 4096  # steps of a grid; beyond, a table costs more than asking for every item


class Instance(NamedTuple):
    name: str
    items: np.ndarray  # (n,) float64 sizes, in order of arrival
    capacity: float

    @property
    def bound(self) -> int:
        """L1 lower bound on the number of bins: ceil(sum / capacity)."""
        return math.ceil(float(self.items.sum()) / self.capacity - 1e-9)

    def excess(self, used: float) -> float:
        """Bins used beyond the lower bound, in per cent of it."""
        return 100.0 * (used - self.bound) / self.bound


class Grid(NamedTuple):
    """Sizes and capacity are whole multiples of `unit / scale`; so are residuals, and their arithmetic is exact."""

    top: int  # the capacity, in steps
    unit: float
    scale: int

    def steps(self, sizes: np.ndarray) -> np.ndarray:
        """sizes: (n,) -> (n,) float64 whole numbers."""
        return np.rint(sizes * (self.scale / self.unit))

    def sizes(self, steps: np.ndarray) -> np.ndarray:
        """Inverse of `steps`, with the value that the decimal literal has."""
        return steps * self.unit / self.scale

    def size(self, steps: float) -> float:
        return steps * self.unit / self.scale


def grid_of(sizes: np.ndarray, capacity: float) -> Grid | None:
    """The coarsest decimal grid that sizes and capacity lie on, None where it needs more than MAX_LEVELS steps."""
    values = np.append(sizes, capacity)
    for scale in (1, 10, 100, 1000, 10000):
        scaled = values * scale
        whole = np.rint(scaled)
        if np.all(np.abs(scaled - whole) <= 1e-9 * np.abs(scaled)) and whole.min() >= 1:
            step = int(np.gcd.reduce(whole.astype(np.int64)))
            top = int(whole[-1]) // step
            return Grid(top, step, scale) if top <= MAX_LEVELS else None
    return None


def draw(dataset: str, n_items: int, capacity: float, rng: Rng) -> np.ndarray:
    """(n_items,) sizes of a family; `capacity` other than the family's own cuts off what does not fit."""
    generator = rng.generator()
    if dataset == "weibull":
        sizes = np.floor(45.0 * generator.weibull(3.0, n_items))
        return np.clip(sizes, 1.0, min(100.0, math.floor(capacity)))
    return np.minimum(generator.integers(20, 101, n_items), math.floor(capacity)).astype(np.float64)


def generate(dataset: str, part: str, n_instances: int, n_items: int, capacity: float, rng: Rng) -> list[Instance]:
    """Instances of a family; `part` ("train", "held-out", ...) names the stream of random numbers."""
    if dataset not in FAMILIES:
        raise UsageError(f"bin-packing has no dataset '{dataset}'.{near(dataset, FAMILIES)}")
    rng = rng.fold(part)
    return [
        Instance(f"{part}-{i}", draw(dataset, n_items, capacity, rng.fold(i)), capacity) for i in range(n_instances)
    ]


def round_up(instance: Instance, grid: Grid) -> Instance:
    """Sizes rounded up to steps of the grid: what fits then fits in truth, and a table is small enough."""
    steps = np.ceil(instance.items * (grid.scale / grid.unit) - 1e-9)
    return instance._replace(items=grid.sizes(np.clip(steps, 1, grid.top)))


def split(sizes: np.ndarray, capacity: float, n_instances: int) -> tuple[list[Instance], list[Instance]]:
    """One sequence cut in its order of arrival: the first two thirds to train, in equal pieces, the rest held out.

    A piece has at least 50 items; with fewer than 150 in all the pieces are fewer.

    Raises:
        UsageError: fewer than 30 sizes.
    """
    if len(sizes) < 30:
        raise UsageError(
            f"expected at least 30 item sizes, got {len(sizes)}: two thirds train, the rest is held out, and shorter "
            "parts say nothing about a heuristic. Give a longer sequence."
        )
    cut = 2 * len(sizes) // 3
    pieces = max(1, min(n_instances, cut // 50))
    train = [Instance(f"train-{i}", p, capacity) for i, p in enumerate(np.array_split(sizes[:cut], pieces))]
    return train, [Instance("held-out-0", sizes[cut:], capacity)]
