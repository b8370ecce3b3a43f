"""Claims: a paper's effect as an experiment that anyone can run again. One flat file per system.

A claim is *arms x seeds -> numbers -> one statistic -> one threshold*. Arms are settings of runs or functions of a
seed; the first arm is the system's own. Everything is fixed before looking: the statistic, the threshold, the number
of seeds. The rule is the same for all: a claim holds when the whole 95 % interval of the effect lies on the good side
of its threshold. What does not hold is stored and printed as such; a claim that was changed after its run is stale.

    @claim("map-elites")
    def map_elites() -> Claim:
        return Claim(
            says="MAP-Elites finds better solutions than random search at equal evaluations (Mouret and Clune 2015).",
            evidence="searched here",
            arms={
                "map-elites": Arm("arm", "map-elites", evaluations=5000),
                "random": Arm("arm", "random-search", evaluations=5000),
            },
            against="random",
            threshold=0.0,
        )

`evoloom verify map-elites` runs it, stores `evidence/map-elites.json`, and exits with 5 when it does not hold.
"""

from evoloom.claims._claim import Arm, Claim, claim

__all__ = ["Arm", "Claim", "claim"]
