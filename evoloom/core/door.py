"""The one door between judging and everything else: native becomes higher-is-better, non-finite becomes a verdict.

Behind the door no archive, strategy or report tests for NaN or asks which way is up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evoloom.core.contracts import Evaluation, Problem, Scope, Verdict
from evoloom.core.errors import ContractError


def signs(problem: Problem) -> np.ndarray | float:
    """+1 per objective that is maximised, -1 per one that is minimised: (m,), or a number where there is one."""
    if problem.n_objectives == 1:
        return -1.0 if np.all(problem.minimize) else 1.0
    down = np.broadcast_to(np.asarray(problem.minimize, dtype=bool), (problem.n_objectives,))
    return np.where(down, -1.0, 1.0)


def native(problem: Problem, fitness: Any) -> Any:
    """The value people see, from a higher-is-better one (None stays None)."""
    if fitness is None:
        return None
    value = np.asarray(fitness, dtype=float) * signs(problem)
    return float(value) if value.ndim == 0 else tuple(float(v) for v in value)


def _column(problem: Problem, name: str, x: Any, shape: tuple[int, ...]) -> np.ndarray:
    if x is None:
        raise ContractError(f"problem '{problem.name}' declares {name} but its evaluate() returned none")
    try:
        x = np.array(x, dtype=np.float64)
    except (TypeError, ValueError) as e:
        raise ContractError(f"problem '{problem.name}': {name} must be numbers of shape {shape}: {e}") from None
    if x.shape != shape:
        raise ContractError(
            f"problem '{problem.name}': {name} must have shape {shape} (one row per genome), got {x.shape}"
        )
    return x


def admit(evaluation: Evaluation, problem: Problem, n: int, scope: Scope = None) -> Evaluation:
    """Checked copy of what a problem returned for n genomes, in float64, higher is better.

    Raises:
        ContractError: a shape is wrong or a declared column is missing: the evaluator is broken, not a candidate.
    """
    verdict = np.array(evaluation.verdict, dtype=np.int8)
    if verdict.shape != (n,):
        raise ContractError(f"problem '{problem.name}': verdict must have shape ({n},), got {verdict.shape}")
    m = problem.n_objectives
    fitness = _column(problem, "fitness", evaluation.fitness, (n,) if m == 1 else (n, m)) * signs(problem)
    columns = problem.columns
    measures = cases = None
    if columns.measures:
        measures = _column(problem, "measures", evaluation.measures, (n, len(columns.measures)))
    if columns.cases:
        width = len(scope) if isinstance(scope, list) else len(columns.cases)
        cases = _column(problem, "cases", evaluation.cases, (n, width))
        if m == 1:
            cases = cases * signs(problem)
    signals: Mapping[str, np.ndarray] = {
        k: _column(problem, f"signal '{k}'", evaluation.signals.get(k), (n,)) for k in columns.signals
    }
    finite = np.isfinite(fitness) if m == 1 else np.isfinite(fitness).all(1)
    if measures is not None:
        finite &= np.isfinite(measures).all(1)
    verdict[(verdict == Verdict.OK) & ~finite] = Verdict.NONFINITE
    bad = verdict != Verdict.OK
    fitness[bad] = np.nan
    if measures is not None:
        measures[bad] = np.nan
    if cases is not None:
        cases[bad] = np.nan
    cost = None if evaluation.cost is None else _column(problem, "cost", evaluation.cost, (n,))
    notes = list(evaluation.notes)
    if notes and len(notes) != n:
        raise ContractError(
            f"problem '{problem.name}': notes must be empty or one per genome, got {len(notes)} for {n}"
        )
    return Evaluation(fitness, verdict, measures, cases, signals, cost, evaluation.traces, notes)
