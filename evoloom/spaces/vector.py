"""Vectors of numbers in a box."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from evoloom.core.errors import UsageError
from evoloom.core.rng import Rng


class Box:
    """Genomes are arrays (d,) with low <= x <= high, both ends included; float or integer by `dtype`.

    Args:
        low, high: numbers, or one per dimension; finite.
        dim: number of dimensions; needed where low and high are both plain numbers.
        dtype: float64, float32 or an integer type.

    Raises:
        UsageError: the bounds are not finite, cross, or do not agree with `dim`.
    """

    def __init__(self, low: Any, high: Any, dim: int | None = None, dtype: Any = np.float64):
        self.dtype = np.dtype(dtype)
        if self.dtype.kind not in "fi":
            raise UsageError(f"dtype of a Box must be a float or integer type, got {self.dtype}")
        if dim is None and np.ndim(low) == 0 and np.ndim(high) == 0:
            raise UsageError("Box needs the number of dimensions: Box(-5, 5, dim=10), or one bound per dimension")
        try:
            bounds = np.broadcast_arrays(np.asarray(low, float), np.asarray(high, float), np.empty(dim or 1))
        except ValueError:
            raise UsageError(
                f"bounds of shapes {np.shape(low)} and {np.shape(high)} do not agree with dim={dim}: give numbers, or "
                "one per dimension"
            ) from None
        lows, highs = bounds[0], bounds[1]
        if lows.ndim != 1 or (dim is not None and len(lows) != dim) or not len(lows):
            raise UsageError(f"bounds must be vectors of length {dim or 'at least 1'}, got shape {lows.shape}")
        with np.errstate(over="ignore", invalid="ignore"):
            finite = np.isfinite(highs - lows).all()
        if not finite:
            raise UsageError("bounds of a Box and its width must be finite: search methods sample and scale by them")
        if (lows > highs).any():
            at = int(np.flatnonzero(lows > highs)[0])
            raise UsageError(f"low is above high in dimension {at}: {lows[at]} > {highs[at]}")
        self.low, self.high = lows.astype(self.dtype), highs.astype(self.dtype)

    @property
    def dim(self) -> int:
        return len(self.low)

    def sample(self, rng: Rng, n: int) -> list[np.ndarray]:
        """n genomes, uniform over the box."""
        if self.dtype.kind == "i":
            rows = rng.generator().integers(self.low, self.high, size=(n, self.dim), dtype=self.dtype, endpoint=True)
        else:
            u = rng.uniform((n, self.dim), self.dtype)
            rows = np.minimum(self.low + u * (self.high - self.low), self.high)  # the product may round up past high
        return list(rows)

    def check(self, genome: Any) -> str | None:
        if not isinstance(genome, np.ndarray):
            return f"expected a vector of {self.dim} numbers (numpy array), got {type(genome).__name__}"
        if genome.shape != (self.dim,):
            return f"expected {self.dim} numbers, got shape {genome.shape}"
        if genome.dtype != self.dtype:
            return f"expected numbers of type {self.dtype}, got {genome.dtype}"
        inside = (genome >= self.low) & (genome <= self.high)
        if inside.all():
            return None
        at = int(np.flatnonzero(~inside)[0])
        if not np.isfinite(genome[at]):
            return f"number {at} is {genome[at]}"
        return f"number {at} is {genome[at]}, outside [{self.low[at]}, {self.high[at]}]"

    def encode(self, genome: np.ndarray) -> list[float]:
        """Python numbers; JSON's shortest decimal form gives the same bits back."""
        return genome.tolist()

    def decode(self, data: Sequence[float]) -> np.ndarray:
        return np.array(data, dtype=self.dtype)

    def key(self, genome: np.ndarray) -> bytes:
        plain = genome + 0 if self.dtype.kind == "i" else genome + self.dtype.type(0.0)  # -0.0 equals 0.0
        return hashlib.blake2b(plain.tobytes(), digest_size=16).digest()

    def distance(self, a: np.ndarray, b: np.ndarray) -> float:
        """Euclidean."""
        gap = np.abs(np.asarray(a, float) - np.asarray(b, float))
        scale = gap.max()  # squares of large numbers would overflow, of small ones vanish
        return float(scale * np.linalg.norm(gap / scale)) if scale > 0 else 0.0
