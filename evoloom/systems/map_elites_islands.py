"""Islands of MAP-Elites grids: the published structure of OpenEvolve."""

from __future__ import annotations

from evoloom.archives.grid import grid
from evoloom.core.contracts import Problem, Strategy
from evoloom.core.registry import system
from evoloom.select import mix, proportional, tournament, uniform
from evoloom.strategies import islands, keep
from evoloom.strategies.defaults import proposer
from evoloom.strategies.migration import emigrants


@system(
    "map-elites-islands",
    paper="Sharma, OpenEvolve: an open-source evolutionary coding agent (software)",
    year=2025,
)
def map_elites_islands(
    problem: Problem,
    *,
    n_islands: int = 5,
    bins: int = 10,
    migrate_every: int = 250,
    n_migrants: int = 3,
    explore_rate: float = 0.2,
    exploit_rate: float = 0.7,
    n_start: int = 100,
    polished: bool = True,
    batch: int = 4,
) -> Strategy:
    """Five islands, each a grid of ten bins per measure; elites travel round a ring.

    A parent is drawn uniformly from the island with `explore_rate`, by tournament of four among its elites with
    `exploit_rate`, else in proportion to fitness: the published 0.2 / 0.7 / 0.1. Differs: the grid cuts the problem's
    own measures instead of code length and edit distance to the rest; tournaments stand for drawing from the 100 best;
    elites travel to the next island only, where OpenEvolve sends a tenth to both neighbours; migration is counted in
    evaluations (50 generations of 5 islands); typed edits and a polish of constants instead of a language model, random
    programs beside the start because edits bring no diversity of their own.
    """
    rest = 1.0 - explore_rate - exploit_rate
    select = mix(
        [(explore_rate, uniform()), (exploit_rate, tournament(4)), (max(0.0, rest), proportional(scale="std"))]
    )
    shape = (bins,) * max(1, len(problem.columns.measures))
    one = keep(
        grid(shape), proposer(problem, select, n_start=n_start // max(1, n_islands), batch=batch, polished=polished)
    )
    return islands(one, n_islands, migrate_every=migrate_every, migrate=emigrants(n_migrants))
