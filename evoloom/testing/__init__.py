"""Contract suites for authors of parts: one call per kind, run on ours and on a plug-in's alike.

    check_space(space)               sample, check, encode, key, distance
    check_archive(factory)           insert, in batches, with ties, failures and repeats
    check_problem(problem)           judgements are functions of the genome
    check_strategy(make, problem)    ask, tell, adopt, in any window, order and state

A check is a plain function that raises `ContractError` with the part, the rule and what was seen, so it works under any
test runner. `drive` runs a strategy without the loop; `toys` has the smallest parts of every kind.
"""

from evoloom.testing.archives import check_archive
from evoloom.testing.drive import Plan, drive
from evoloom.testing.problems import check_problem
from evoloom.testing.spaces import check_space
from evoloom.testing.strategies import check_strategy

__all__ = ["Plan", "check_archive", "check_problem", "check_space", "check_strategy", "drive"]
