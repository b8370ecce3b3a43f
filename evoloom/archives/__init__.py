"""Keep: which candidates survive, and where.

An archive is a table of numbers (`table.Table`) and a rule that says who stays in which slot. A rule never sees a
genome, so the same archive keeps programs, vectors and prompts. Rules differ in who competes with whom:

    best, population          with everybody, by fitness
    aging                     with everybody, by age
    everything                with nobody
    grid, cvt                 with those in the same cell of measures
    unstructured, novelty     with the nearest neighbours in measures
    pareto                    with everybody, in all objectives at once
    cases                     with everybody, on each case apart
    clusters                  with nobody; those who behave alike share a cluster

Each name is a factory: options in, a callable out that turns a problem into an empty archive, or refuses it with what
it needs and what the problem offers. `archive, added = archive.insert(ids, evaluation)`; the old value is gone then.
"""

from evoloom.archives.cases import cases
from evoloom.archives.clusters import clusters
from evoloom.archives.cvt import cvt
from evoloom.archives.grid import grid
from evoloom.archives.pareto import pareto
from evoloom.archives.population import aging, best, everything, population
from evoloom.archives.table import Batch, Placed, Table
from evoloom.archives.unstructured import novelty, unstructured

__all__ = [
    "Batch", "Placed", "Table", "aging", "best", "cases", "clusters", "cvt", "everything", "grid", "novelty", "pareto",
    "population", "unstructured",
]  # fmt: skip
