"""Whether a problem offers what an archive needs: asked before a run, with both lists in the answer."""

from __future__ import annotations

from evoloom.core.contracts import Problem
from evoloom.core.errors import CompositionError


def require(archive: str, problem: Problem, needs: frozenset[str], many: bool | None = False) -> None:
    """Refuse an archive that a problem cannot feed.

    many: the archive takes several objectives (True), one (False), or either (None).

    Raises:
        CompositionError: a column is missing, or the number of objectives does not fit; both lists are in the text.
    """
    offered = problem.columns.offered
    if missing := needs - offered:
        raise CompositionError(
            f"archive '{archive}' needs {_listed(needs)}; problem '{problem.name}' offers {_listed(offered)}. "
            f"Missing: {_listed(missing)}. Declare it in the problem's `columns`, or choose another archive."
        )
    if many is not None and many != (problem.n_objectives > 1):
        wants, instead = ("several objectives", "best or population") if many else ("one objective", "pareto")
        raise CompositionError(
            f"archive '{archive}' needs {wants}; problem '{problem.name}' has {problem.n_objectives}. Use {instead}."
        )


def _listed(names: frozenset[str]) -> str:
    return "{" + ", ".join(sorted(names)) + "}"
