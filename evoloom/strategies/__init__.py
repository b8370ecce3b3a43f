"""Strategies: keep and vary behind `ask` and `tell`. The algebra of this folder:

    keep(archive, proposer)            -> strategy    children of the proposer are offered to the archive
    breed(select, vary, sample)        -> proposer    choose parents, make children
    portfolio({name: proposer, ...})   -> proposer    a bandit chooses who proposes; all share one archive
    generations(whole)                 -> proposer    a method that thinks in whole generations: cma_es
    islands(strategy, n)               -> strategy    n copies that seldom speak
    evolve(archive, select, vary)      =  keep(archive, breed(select, vary))
    random_search(sample)              =  keep(best(1), Sampling(sample))
    hill_climb(vary)                   =  keep(best(1), Climb(vary))

A proposer has a memory but no archive, so several can share one; a strategy is what the loop knows. Both are
configuration: everything that changes is in the state that they are handed and hand back. Combinators add columns to
a batch's aux (`island`, `arm`, `generation`) and take them off again at the tell; see `nesting`.
"""

from evoloom.strategies.baselines import hill_climb, random_search
from evoloom.strategies.breed import breed, evolve
from evoloom.strategies.cma import cma_es
from evoloom.strategies.generations import generations
from evoloom.strategies.islands import islands
from evoloom.strategies.keep import keep
from evoloom.strategies.migration import complete, emigrants, ring, two_way_ring
from evoloom.strategies.portfolio import portfolio

__all__ = [
    "breed",
    "cma_es",
    "complete",
    "emigrants",
    "evolve",
    "generations",
    "hill_climb",
    "islands",
    "keep",
    "portfolio",
    "random_search",
    "ring",
    "two_way_ring",
]
