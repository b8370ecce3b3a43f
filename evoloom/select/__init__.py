"""Who reproduces.

A select is a function of numbers: `(archive, rng, n, arity=1) -> (n, arity)` slots. It names the archive columns that
it reads in `needs`; `fits(select, archive)` refuses a pair that does not match, before the run. Most selects are rows
of one table: a weight per member, and draws in proportion (`Weighted`):

    uniform         1                                       rank              1 / (rank + n), or linear
    proportional    exp(fitness / T)                        few_children      sigmoid(fitness) / (1 + children)
    cluster_softmax softmax over clusters x short programs  cases_front       cases won
    novelty         novelty                                 curiosity         how often children got in

The rest compare what they draw: `tournament`, `crowding`; `mix` chooses among selects.
"""

from evoloom.select.clusters import cluster_softmax
from evoloom.select.diversity import cases_front, curiosity, mix, novelty
from evoloom.select.fitness import few_children, proportional, rank
from evoloom.select.tournament import crowding, tournament
from evoloom.select.uniform import uniform
from evoloom.select.weighted import Weighted, fits

__all__ = [
    "Weighted", "cases_front", "cluster_softmax", "crowding", "curiosity", "few_children", "fits", "mix", "novelty",
    "proportional", "rank", "tournament", "uniform",
]  # fmt: skip
