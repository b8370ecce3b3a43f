"""Claim of random search: it beats a grid where few dimensions matter."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoloom.claims import Claim, claim

DIM, PER_AXIS = 5, 3
TRIALS = PER_AXIS**DIM


def low_effective(seed: int) -> Any:
    """A loss over [0, 1]^5 of which one coordinate, drawn by the seed, carries 99 %."""
    from evoloom.core.contracts import Evaluation, Problem, Verdict
    from evoloom.core.rng import root
    from evoloom.spaces.vector import Box

    g = root(seed).fold("low effective dimension").generator()
    weights = np.full(DIM, 0.01 / (DIM - 1))
    weights[int(g.integers(DIM))] = 0.99
    optimum = g.random(DIM)

    class LowEffective(Problem):
        name = "low-effective-dimension"
        space = Box(0.0, 1.0, dim=DIM)
        minimize = True

        def evaluate(self, job: Any) -> Evaluation:
            x = np.stack(job.genomes)
            return Evaluation(((x - optimum) ** 2) @ weights, np.full(len(x), Verdict.OK, np.int8))

    return LowEffective()


def random_arm(seed: int, scale: float) -> float:
    from evoloom import api

    best = api.run(low_effective(seed), "random-search", evaluations=TRIALS, seed=seed).best
    return float("nan") if best is None else float(best.native)


def grid_arm(seed: int, scale: float) -> float:
    """All combinations of three values per coordinate, the middles of thirds."""
    from evoloom.core.contracts import Job

    axes = np.meshgrid(*[(np.arange(PER_AXIS) + 0.5) / PER_AXIS] * DIM)
    points = np.stack([a.ravel() for a in axes], 1)
    return float(np.min(low_effective(seed).evaluate(Job(list(points))).fitness))


@claim("random-search")
def beats_a_grid() -> Claim:
    return Claim(
        says="Random trials are more efficient than a grid when only a few hyper-parameters matter (JMLR 13, 2012, "
        "figure 1 and section 3)",
        arms={"random search": random_arm, "grid search": grid_arm},
        against="grid search",
        threshold=0.0,
        minimize=True,
        paired=True,
        seeds=30,
        evidence="searched here",
        differs=f"a quadratic with one important coordinate of {DIM}, {TRIALS} trials each, instead of neural networks",
    )
