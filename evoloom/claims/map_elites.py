"""Claim of MAP-Elites: it illuminates a space that a search for the best leaves dark."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoloom.claims import Claim, claim

BUDGET, DIM, BINS = 10_000, 10, 32


def illuminated(system: str) -> Any:
    """Arm: QD-score (share of the best possible) of everything that a system judged, put into one grid of 32 x 32.

    Every arm is measured the same way, whatever its own archive keeps: global reliability of Mouret & Clune, the mean
    over all cells of value / best possible value, where a cell's best possible value is that of the function with the
    first two coordinates in the cell's middle and the others at the optimum, and an empty cell counts 0.
    """

    def arm(seed: int, scale: float) -> float:
        from evoloom import api
        from evoloom.problems.functions import Rastrigin

        class Watched(Rastrigin):
            """Remembers the smallest loss per cell of what it judged."""

            def __init__(self) -> None:
                super().__init__(dim=DIM)
                self.low = np.full((BINS, BINS), np.inf)

            def evaluate(self, job: Any) -> Any:
                e = super().evaluate(job)
                low, high = self.space.low[0], self.space.high[0]
                i, j = np.clip(((np.asarray(e.measures) - low) / (high - low) * BINS).astype(int), 0, BINS - 1).T
                np.minimum.at(self.low, (i, j), np.asarray(e.fitness))
                return e

        problem = Watched()
        problem.target = None
        settings = {"shape": [BINS, BINS]} if system == "map-elites" else {}
        api.run(problem, system, evaluations=max(1, int(BUDGET * scale)), seed=seed, settings=settings)
        worst = float(problem.f(np.full((1, DIM), problem.space.high[0]))[0])
        middle = problem.space.low[0] + (np.arange(BINS) + 0.5) * (problem.space.high[0] - problem.space.low[0]) / BINS
        cells = np.zeros((BINS * BINS, DIM))
        cells[:, 0], cells[:, 1] = np.repeat(middle, BINS), np.tile(middle, BINS)
        possible = worst - problem.f(cells).reshape(BINS, BINS)
        reached = np.where(np.isinf(problem.low), 0.0, worst - problem.low)
        return float(np.mean(np.clip(reached, 0.0, None) / possible))

    return arm


@claim("map-elites")
def illuminates() -> Claim:
    return Claim(
        says="MAP-Elites fills more of the space with better solutions than a search for the single best or random "
        "sampling (arXiv:1504.04909, figures 2 and 3: global reliability)",
        arms={
            "map-elites": illuminated("map-elites"),
            "genetic search for the best": illuminated("regularized-evolution"),
            "hill climbing": illuminated("hill-climb"),
            "random search": illuminated("random-search"),
        },
        against="random search",
        threshold=0.0,
        evidence="searched here",
        differs=f"Rastrigin's function in {DIM} dimensions with the first two as measures, {BUDGET:,} evaluations, "
        "instead of retina networks and soft robots; how it stands against the other arms is told by their medians",
    )
