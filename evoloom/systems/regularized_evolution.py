"""Regularized evolution: tournament selection, and the oldest dies."""

from __future__ import annotations

from evoloom.archives.population import aging
from evoloom.core.contracts import Problem, Strategy
from evoloom.core.registry import system
from evoloom.select import tournament
from evoloom.strategies import keep
from evoloom.strategies.defaults import proposer


@system(
    "regularized-evolution",
    paper="Real et al., Regularized Evolution for Image Classifier Architecture Search, arXiv:1802.01548",
    year=2019,
)
def regularized_evolution(
    problem: Problem,
    *,
    population: int = 100,
    tournament_size: int = 25,
    n_start: int | None = None,
    polished: bool = False,
    batch: int = 4,
) -> Strategy:
    """Aging evolution: the best of a random sample is mutated, the child enters, the oldest leaves.

    Constants: P = 100, S = 25 (the paper's main runs). Differs: programs are varied by typed edits, crossover among
    them, where the paper mutates cells only; repeated content is judged from memory for free, and enters as the
    paper's would. The population begins with the problem's start genomes and `n_start` - default: `population` -
    random ones.
    """
    founders = population if n_start is None else n_start
    breeder = proposer(problem, tournament(tournament_size), n_start=founders, batch=batch, polished=polished)
    return keep(aging(population), breeder, repeats="reuse")
