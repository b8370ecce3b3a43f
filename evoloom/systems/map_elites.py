"""MAP-Elites: the best candidate for every combination of measures."""

from __future__ import annotations

from evoloom.archives.cvt import cvt
from evoloom.archives.grid import grid
from evoloom.core.contracts import Problem, Strategy
from evoloom.core.errors import UsageError
from evoloom.core.registry import system
from evoloom.select import uniform
from evoloom.strategies import keep
from evoloom.strategies.defaults import proposer


@system("map-elites", paper="Mouret & Clune, Illuminating search spaces by mapping elites, arXiv:1504.04909", year=2015)
def map_elites(
    problem: Problem,
    *,
    shape: tuple[int, ...] | None = None,
    cells: int = 1000,
    n_start: int = 100,
    polished: bool = True,
    batch: int = 64,
) -> Strategy:
    """A grid over the problem's measures keeps one elite per cell; parents are drawn uniformly from the elites.

    shape: cells per measure; by default about `cells` in all, as a grid up to three measures and as a centroidal
    Voronoi tessellation beyond (Vassiliades et al. 2018). Differs: variation is the problem's own (iso+line for
    vectors, typed edits for programs) where the paper leaves it to the domain.
    """
    if cells < 1:
        raise UsageError(f"cells must be at least 1, got {cells}")
    k = max(1, len(problem.columns.measures))
    if shape is not None:
        archive = grid(tuple(shape))
    elif k <= 3:
        archive = grid((max(2, round(cells ** (1 / k))),) * k)
    else:
        archive = cvt(cells)
    return keep(archive, proposer(problem, uniform(), n_start=n_start, batch=batch, polished=polished))
