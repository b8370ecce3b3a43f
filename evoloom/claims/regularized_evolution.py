"""Claims of regularized evolution: better than random search, and aging does not cost anything."""

from __future__ import annotations

from typing import Any

from evoloom.claims import Arm, Claim, claim

BUDGET = 1000


def not_aging(seed: int, scale: float) -> float:
    """The same with the worst leaving instead of the oldest (the paper's non-regularized arm)."""
    from evoloom import api
    from evoloom.archives.population import population
    from evoloom.problems.bin_packing import BinPacking
    from evoloom.select import tournament
    from evoloom.strategies import evolve
    from evoloom.vary.defaults import variation

    problem = BinPacking()
    vary: Any = variation(problem)
    strategy = evolve(
        population(100), tournament(25), vary, problem.space.sample, n_start=100, batch=4, repeats="reuse"
    )
    held = api.run(problem, strategy, evaluations=max(1, int(BUDGET * scale)), seed=seed).best
    return float("nan") if held is None or held.held_out is None else held.held_out["fitness"]


@claim("regularized-evolution")
def beats_random_search() -> Claim:
    return Claim(
        says="Evolution finds better architectures than random search at an equal number of trained models "
        "(arXiv:1802.01548, figure 3)",
        arms={
            "regularized-evolution": Arm(
                "bin-packing", "regularized-evolution", evaluations=BUDGET, measure="held_out"
            ),
            "random search": Arm("bin-packing", "random-search", evaluations=BUDGET, measure="held_out"),
        },
        against="random search",
        threshold=0.0,
        minimize=True,
        evidence="searched here",
        differs="bin-packing programs instead of image classifiers",
    )


@claim("regularized-evolution", "aging")
def aging_helps() -> Claim:
    return Claim(
        says="Letting the oldest die is better than letting the worst die (arXiv:1802.01548, section 6 and appendix)",
        arms={
            "regularized-evolution": Arm(
                "bin-packing", "regularized-evolution", evaluations=BUDGET, measure="held_out"
            ),
            "worst leaves": not_aging,
        },
        against="worst leaves",
        threshold=0.0,
        minimize=True,
        evidence="searched here",
        differs="bin-packing programs; judging is exact here, and the paper argues that aging helps against luck",
    )
