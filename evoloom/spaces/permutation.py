"""Permutations of 0 .. n-1: tours, schedules, assignments."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Any

import numpy as np

from evoloom.core.errors import UsageError
from evoloom.core.rng import Rng


class Permutation:
    """Genomes are int64 arrays (n,) that hold every number from 0 to n - 1 once.

    Raises:
        UsageError: n is below 1.
    """

    def __init__(self, n: int):
        if n < 1:
            raise UsageError(f"a permutation needs at least one item, got n={n!r}")
        self.n = int(n)

    def sample(self, rng: Rng, n: int) -> list[np.ndarray]:
        """n genomes, uniform over all orders."""
        return list(rng.generator().permuted(np.tile(np.arange(self.n), (n, 1)), axis=1))

    def check(self, genome: Any) -> str | None:
        if not isinstance(genome, np.ndarray):
            return f"expected an order of {self.n} items (numpy array), got {type(genome).__name__}"
        if genome.shape != (self.n,):
            return f"expected {self.n} items, got shape {genome.shape}"
        if genome.dtype != np.int64:
            return f"expected items of type int64, got {genome.dtype}"
        if genome.min() < 0 or genome.max() >= self.n:
            return f"items must lie in 0 .. {self.n - 1}, got {genome.min()} .. {genome.max()}"
        counts = np.bincount(genome, minlength=self.n)
        if (counts == 1).all():
            return None
        return f"item {int(counts.argmax())} stands {int(counts.max())} times, item {int(counts.argmin())} is missing"

    def encode(self, genome: np.ndarray) -> list[int]:
        return genome.tolist()

    def decode(self, data: Sequence[int]) -> np.ndarray:
        return np.array(data, dtype=np.int64)

    def key(self, genome: np.ndarray) -> bytes:
        return hashlib.blake2b(genome.tobytes(), digest_size=16).digest()

    def distance(self, a: np.ndarray, b: np.ndarray) -> float:
        """Kendall's tau distance: the share of pairs of items that the two place in opposite order, 0 to 1."""
        place = np.empty(self.n, dtype=np.int64)
        place[a] = np.arange(self.n)
        seen: list[int] = []
        opposite = 0
        for k, p in enumerate(place[b].tolist()):
            opposite += k - bisect_left(seen, p)
            insort(seen, p)
        return opposite / max(1, self.n * (self.n - 1) // 2)
