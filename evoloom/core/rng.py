"""Randomness as a value: the same `Rng` draws the same numbers, always. One seed, named streams, no global generator.

A stream is a path of integers below the run's seed. The loop hands every call its own stream,
`root(seed).fold(t).fold(stage)`, so that nothing random is part of a strategy's state, resuming needs only `t`, and no
worker count can change a draw. SFC64 because it draws normals 1.3 to 1.6 times faster than Philox and one generator
per path is as safe here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Protocol

import numpy as np

# Stages of the loop: the last step of a stream's path.
INIT, ASK, MAKE, JUDGE, TELL, HELD_OUT = range(6)


class Rng(Protocol):
    """What parts may rely on. `xp` names the backend that everything built from this rng will use."""

    @property
    def xp(self) -> ModuleType: ...
    def fold(self, i: int | str) -> Rng: ...
    def split(self, n: int) -> Sequence[Rng]: ...
    def normal(self, shape: Any, dtype: Any = None) -> Any: ...
    def uniform(self, shape: Any, dtype: Any = None) -> Any: ...
    def integers(self, low: int, high: int, shape: Any = ()) -> Any: ...
    def generator(self) -> np.random.Generator: ...


class NumpyRng:
    """Path of unsigned 32-bit words -> a NumPy generator per draw (about 15 us)."""

    __slots__ = ("path",)
    xp: ModuleType = np

    def __init__(self, *path: int):
        self.path = path

    def fold(self, i: int | str) -> NumpyRng:
        """The sub-stream named by a non-negative integer or a string."""
        if isinstance(i, str):
            i = int.from_bytes(hashlib.blake2b(i.encode(), digest_size=4).digest(), "little")
        return NumpyRng(*self.path, int(i))

    def split(self, n: int) -> list[NumpyRng]:
        return [self.fold(i) for i in range(n)]

    def generator(self) -> np.random.Generator:
        """A host generator at the start of this stream. Call it once per use: two calls give the same numbers."""
        # The length is mixed in because SeedSequence ignores trailing zero words: (1,) and (1, 0) would be equal.
        return np.random.Generator(np.random.SFC64(np.random.SeedSequence((len(self.path), *self.path))))

    def normal(self, shape: Any, dtype: Any = None) -> np.ndarray:
        return self.generator().standard_normal(shape, dtype=np.dtype(dtype or np.float64).type)

    def uniform(self, shape: Any, dtype: Any = None) -> np.ndarray:
        return self.generator().random(shape, dtype=np.dtype(dtype or np.float64).type)

    def integers(self, low: int, high: int, shape: Any = ()) -> Any:
        return self.generator().integers(low, high, size=shape)

    def __repr__(self) -> str:
        return f"NumpyRng{self.path}"


def root(seed: int) -> NumpyRng:
    """The root stream of a run.

    Raises:
        ValueError: `seed` is negative or not an integer.
    """
    if int(seed) != seed or seed < 0:
        raise ValueError(f"seed must be a non-negative integer, got {seed!r}")
    seed = int(seed)
    words = []
    while True:
        words.append(seed & 0xFFFFFFFF)
        seed >>= 32
        if not seed:
            return NumpyRng(*words)
