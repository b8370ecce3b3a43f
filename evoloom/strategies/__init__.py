"""Strategies: keep and vary behind `ask` and `tell`. The algebra of this folder:

    keep(archive, proposer)            -> strategy    children of the proposer are offered to the archive
    breed(select, vary, sample)        -> proposer    choose parents, make children
    portfolio({name: proposer, ...})   -> proposer    a bandit chooses who proposes; all share one archive
    generations(whole)                 -> proposer    a method that thinks in whole generations (CMA-ES)
    islands(strategy, n)               -> strategy    n copies that seldom speak
    evolve(archive, select, vary)      =  keep(archive, breed(select, vary))

A proposer has a memory but no archive, so several can share one; a strategy is what the loop knows. Both are
configuration: everything that changes is in the state that they are handed and hand back.
"""

from evoloom.strategies.breed import breed, evolve
from evoloom.strategies.keep import keep

__all__ = ["breed", "evolve", "keep"]
