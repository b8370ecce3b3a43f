"""The proposer that systems share: select and vary, and for programs their numbers polished in between."""

from __future__ import annotations

from evoloom.core.contracts import Problem, Proposer, Select
from evoloom.select import tournament
from evoloom.spaces.program import ProgramSpace
from evoloom.strategies.breed import breed
from evoloom.strategies.portfolio import portfolio
from evoloom.vary.defaults import variation
from evoloom.vary.polish import polish


def proposer(problem: Problem, select: Select, *, n_start: int = 0, batch: int = 1, polished: bool = True) -> Proposer:
    """`breed` with the problem's variation; for programs a bandit between edits and a polish of constants.

    polished: give the polish arm a chance. It is drawn as often as it earns improvements per judgement, and tunes good
    programs only (tournaments of 16), whatever `select` is.
    """
    sample = problem.space.sample
    edits = breed(select, variation(problem), sample, n_start=n_start, batch=batch)
    if not polished or not isinstance(problem.space, ProgramSpace):
        return edits
    arms = {
        "edit": breed(select, variation(problem), sample, batch=batch),
        "polish": polish(problem.space, tournament(16), batch=batch),
    }
    return portfolio(arms, sample=sample, n_start=n_start, batch=batch)
