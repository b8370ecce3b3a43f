"""Hill climbing: one current candidate, steps to children that are not worse."""

from __future__ import annotations

from evoloom.core.contracts import Problem, Strategy
from evoloom.core.registry import system
from evoloom.strategies.baselines import hill_climb as strategy
from evoloom.vary.defaults import variation


@system(
    "hill-climb",
    paper="Forrest & Mitchell, Relative Building-Block Fitness and the Building-Block Hypothesis, FOGA 2",
    year=1993,
)
def hill_climb(problem: Problem, *, patience: int | None = None, batch: int = 8) -> Strategy:
    """Random-mutation hill climbing: a child replaces the current candidate unless it is worse.

    Equal children are accepted (Forrest & Mitchell's RMHC), which lets programs drift over plateaus. `patience`:
    children in vain before the climb begins again from a fresh start; None never restarts. Differs from the paper in
    that several children may be in flight: the best of a batch is compared.
    """
    return strategy(variation(problem), problem.space.sample, patience=patience, batch=batch)
