"""Toy parts for tests of parts: a problem that fails on purpose, the smallest archive, select and vary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from evoloom.core.budget import Cost
from evoloom.core.contracts import Added, Draft, Evaluation, Job, NotMade, Problem, Record, Status, Verdict
from evoloom.core.rng import Rng
from evoloom.core.value import value
from evoloom.spaces.vector import Box


class Sphere(Problem):
    """Minimise |x|^2 over [-5, 5]^dim; the optimum is 0.

    Args:
        dim: dimensions.
        starts: number of start genomes.
        broken: share of genomes, chosen by their content, whose judgement is ERROR.
    """

    name = "toy-sphere"
    minimize = True

    def __init__(self, dim: int = 3, starts: int = 0, broken: float = 0.0):
        self.space = Box(-5.0, 5.0, dim)
        self.starts, self.broken = starts, broken

    def start(self, rng: Rng) -> Sequence[np.ndarray]:
        return self.space.sample(rng, self.starts) if self.starts else ()

    def evaluate(self, job: Job) -> Evaluation:
        x = np.stack(job.genomes)
        bad = np.abs(np.modf(x[:, 0] * 997.0)[0]) < self.broken
        verdict = np.where(bad, Verdict.ERROR, Verdict.OK).astype(np.int8)
        return Evaluation(np.where(bad, np.nan, (x * x).sum(1)), verdict)


@value
class Top:
    """The k best by fitness, in no order; ties are refused. An empty slot has id -1 and fitness -inf."""

    ids: Any
    fitness: Any
    needs: frozenset[str] = frozenset()

    @property
    def filled(self) -> Any:
        return self.ids >= 0

    def insert(self, ids: Any, evaluation: Evaluation, column: Any, aux: Mapping[str, Any]) -> tuple[Top, Added]:
        added = Added.none(evaluation.n)
        for row in np.flatnonzero(evaluation.valid):
            f = float(evaluation.fitness[row])
            again = np.flatnonzero(self.ids == ids[row])
            slot = int(again[0]) if len(again) else int(self.fitness.argmin())
            if not len(again) and not f > self.fitness[slot]:
                added.status[row] = Status.REJECTED
                continue
            new = self.ids[slot] < 0
            added.status[row] = Status.NEW if new else Status.IMPROVED
            added.gain[row], added.slot[row] = (f if new else f - self.fitness[slot]), slot
            self.ids[slot], self.fitness[slot] = ids[row], f
        return self, added

    def column(self, name: str) -> Any:
        columns = {"id": self.ids, "fitness": self.fitness}
        if name not in columns:
            raise KeyError(f"no column '{name}'; there are: {', '.join(columns)}")
        return columns[name]

    def stats(self) -> dict[str, Any]:
        return {"size": int(self.filled.sum())}


def top(k: int) -> Callable[[Problem], Top]:
    return lambda problem: Top(np.full(k, -1, np.int64), np.full(k, -np.inf))


class Tournament:
    """The best of `size` uniform draws."""

    needs = frozenset({"fitness"})

    def __init__(self, size: int = 3):
        self.size = size

    def __call__(self, archive: Any, rng: Rng, n: int, arity: int = 1) -> np.ndarray:
        slots = np.flatnonzero(archive.filled)
        draws = slots[rng.generator().integers(0, len(slots), (n, arity, self.size))]
        best = archive.fitness[draws].argmax(-1)
        return np.take_along_axis(draws, best[..., None], -1)[..., 0]


class Step:
    """x + sigma * normal, clipped to [-5, 5]. Refuses the share `fails` of its calls; may have a price."""

    arity = 1

    def __init__(
        self,
        sigma: float = 0.3,
        name: str = "step",
        draft: bool = False,
        fails: float = 0.0,
        price: Cost | None = None,
    ):
        self.sigma, self.name, self.draft, self.fails, self.price = sigma, name, draft, fails, price

    def __call__(self, rng: Rng, sources: Sequence[Record], draft: Draft) -> np.ndarray:
        g = rng.generator()
        if g.random() < self.fails:
            raise NotMade("no luck this time")
        x = sources[0].genome
        return np.clip(x + self.sigma * g.standard_normal(len(x)), -5.0, 5.0)
