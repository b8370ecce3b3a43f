"""Claims of FunSearch on online bin packing."""

from __future__ import annotations

from evoloom.claims import Arm, Claim, claim

BUDGET = 1500
BEST_FIT = "Best-Fit"


def best_fit(seed: int, scale: float) -> float:
    """Best-Fit's excess on the held-out instances: the program that every run begins with."""
    from evoloom import api
    from evoloom.problems.bin_packing.heuristics import BEST_FIT as source

    held = api.judge("bin-packing", source, held_out=True).held_out
    assert held is not None
    return held["fitness"]


@claim("funsearch")
def beats_best_fit() -> Claim:
    return Claim(
        says="Evolved heuristics waste far fewer bins than Best-Fit on Weibull instances (Nature 625, Table 1: "
        "3.98 % against 0.68 % excess at 5,000 items)",
        arms={
            "funsearch": Arm("bin-packing", "funsearch", evaluations=BUDGET, measure="held_out"),
            BEST_FIT: best_fit,
        },
        against=BEST_FIT,
        threshold=2.0,
        minimize=True,
        evidence="searched here",
        differs=f"typed edits instead of a language model; {BUDGET:,} evaluations instead of about a million; the "
        "threshold asks for 2 percentage points of the paper's 3.3",
    )


@claim("funsearch", "evolution")
def needs_evolution() -> Claim:
    return Claim(
        says="Without the evolving database, drawing programs independently does far worse (Nature 625, ablations)",
        arms={
            "funsearch": Arm("bin-packing", "funsearch", evaluations=BUDGET, measure="held_out"),
            "random programs": Arm("bin-packing", "random-search", evaluations=BUDGET, measure="held_out"),
            "hill climbing": Arm("bin-packing", "hill-climb", evaluations=BUDGET, measure="held_out"),
        },
        against="random programs",
        threshold=0.0,
        minimize=True,
        evidence="searched here",
        differs="random typed programs instead of samples of a language model; hill climbing is shown beside them",
    )
