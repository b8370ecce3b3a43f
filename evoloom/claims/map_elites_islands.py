"""Claim of islands of MAP-Elites grids."""

from __future__ import annotations

from evoloom.claims import Arm, Claim, claim

BUDGET = 1500


@claim("map-elites-islands")
def islands_help() -> Claim:
    return Claim(
        says="Several islands with migration keep a program search from converging too early (OpenEvolve's "
        "documentation, after AlphaEvolve)",
        arms={
            "map-elites-islands": Arm("bin-packing", "map-elites-islands", evaluations=BUDGET, measure="held_out"),
            "one grid": Arm(
                "bin-packing", "map-elites-islands", evaluations=BUDGET, settings={"n_islands": 1}, measure="held_out"
            ),
        },
        against="one grid",
        threshold=0.0,
        minimize=True,
        evidence="searched here",
        differs="typed edits instead of a language model; the source publishes no figure for this effect",
    )
