"""Random search: the baseline that everything must beat."""

from __future__ import annotations

from evoloom.core.contracts import Problem, Strategy
from evoloom.core.registry import system
from evoloom.strategies.baselines import random_search as strategy


@system("random-search", paper="Bergstra & Bengio, Random Search for Hyper-Parameter Optimization, JMLR 13", year=2012)
def random_search(problem: Problem, *, batch: int = 64) -> Strategy:
    """Independent samples of the space; the best is kept.

    The problem's start genomes are judged too, so that the baseline never returns less than what a user began with.
    """
    return strategy(problem.space.sample, batch=batch)
