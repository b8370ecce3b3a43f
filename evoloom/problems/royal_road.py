"""Royal road: bit strings whose fitness comes in whole blocks (Forrest & Mitchell 1993)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evoloom.core.contracts import Axis, Columns, Draft, Evaluation, Job, NotMade, Problem, Record, Vary, Verdict
from evoloom.core.errors import UsageError
from evoloom.core.registry import problem
from evoloom.core.rng import Rng
from evoloom.spaces.vector import Box
from evoloom.vary import vector


class Flip:
    """Flip exactly one bit, drawn uniformly: the mutation of random-mutation hill climbing."""

    name, arity, draft = "flip", 1, False

    def __call__(self, rng: Rng, sources: Sequence[Record], draft: Draft | None = None) -> np.ndarray:
        bits = np.array(sources[0].genome)
        i = int(rng.integers(0, len(bits)))
        bits[i] = 1 - bits[i]
        return bits


class Cross:
    """Uniform crossover, then each bit flipped with probability 1 / n: the genetic algorithm's child."""

    name, arity, draft = "cross", 2, False

    def __init__(self, space: Box):
        self.mix = vector.uniform(space)

    def __call__(self, rng: Rng, sources: Sequence[Record], draft: Draft | None = None) -> np.ndarray:
        if len(sources) < 2:
            raise NotMade("crossover needs two parents")
        bits = np.array(self.mix(rng.fold(0), sources, draft or Draft(self.name)))
        flips = rng.fold(1).uniform(bits.shape) < 1.0 / len(bits)
        return np.where(flips, 1 - bits, bits)


@problem("royal-road")
class RoyalRoad(Problem):
    """Bits in blocks: a block counts only when all its bits are one. The function R1 of Forrest & Mitchell.

    Args:
        blocks: number of blocks. block: bits per block. fitness = bits in complete blocks; optimum = all.
    """

    default_system = "hill-climb"

    def __init__(self, *, blocks: int = 8, block: int = 8):
        if blocks < 1 or block < 1:
            raise UsageError(f"royal-road needs at least one block of one bit, got blocks={blocks}, block={block}")
        self.name, self.blocks, self.block = "royal-road", blocks, block
        self.space = Box(0, 1, dim=blocks * block, dtype=np.int64)
        self.target = float(blocks * block)
        self.columns = Columns((Axis("ones", 0.0, float(blocks * block)),), tuple(f"block {i}" for i in range(blocks)))

    def evaluate(self, job: Job) -> Evaluation:
        bits = np.asarray(job.genomes).reshape(len(job.genomes), self.blocks, self.block)
        whole = bits.all(2)
        n = len(bits)
        ones = bits.sum((1, 2)).astype(float)[:, None]
        return Evaluation(self.block * whole.sum(1), np.full(n, Verdict.OK, np.int8), ones, whole * float(self.block))

    def operators(self) -> Mapping[str, Vary]:
        return {"flip": Flip()}

    def key(self, genome: Any) -> None:
        """Bit strings are not remembered: the published counts include judging the same string again."""
        return None

    def settings(self) -> dict[str, int]:
        return {"blocks": self.blocks, "block": self.block}
