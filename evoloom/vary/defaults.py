"""The variation a problem gets when a system does not say: by the kind of its space, or by the problem itself.

Published systems differ in what they keep and whom they select; their variation belongs to the genome. So one name,
FunSearch or MAP-Elites, runs on programs, vectors and permutations alike. A problem that knows better defines
`operators()`.
"""

from __future__ import annotations

from collections.abc import Mapping

from evoloom.core.contracts import Problem, Vary
from evoloom.core.errors import CompositionError
from evoloom.spaces.permutation import Permutation
from evoloom.spaces.program import ProgramSpace
from evoloom.spaces.vector import Box


def operators(problem: Problem) -> Mapping[str, Vary]:
    """Named operators for the problem's genomes.

    Raises:
        CompositionError: nothing here varies such genomes, and the problem brings no operators of its own.
    """
    own = getattr(problem, "operators", None)
    if own is not None:
        return own()
    space = problem.space
    if isinstance(space, ProgramSpace):
        from evoloom.vary.source import source_edits

        return source_edits(space)
    if isinstance(space, Box):
        from evoloom.vary import vector

        spread = (space.high - space.low).astype(float)
        return {
            "iso_line": vector.iso_line(space, 0.01 * spread, 0.2),
            "gaussian": vector.gaussian(space, 0.1 * spread, rate=min(1.0, 2.0 / space.dim)),
        }
    if isinstance(space, Permutation):
        from evoloom.vary import permutation

        made = (permutation.swap(), permutation.insert(), permutation.reverse(), permutation.ox())
        return {v.name: v for v in made}
    raise CompositionError(
        f"no operators vary genomes of {type(space).__name__} (problem '{problem.name}'). Give the problem a method "
        "`operators()` that returns {name: operator}."
    )


def variation(problem: Problem) -> Vary:
    """One operator that draws among `operators(problem)`."""
    from evoloom.vary.source import mixture, source_mixture

    if getattr(problem, "operators", None) is None and isinstance(problem.space, ProgramSpace):
        return source_mixture(problem.space)
    named = operators(problem)
    return next(iter(named.values())) if len(named) == 1 else mixture(named)
