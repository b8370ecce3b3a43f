"""Cheap stages first: a candidate that fails an early gate is not judged any further."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from evoloom.core.contracts import (
    Columns,
    Evaluation,
    Job,
    Notes,
    Problem,
    Scope,
    Verdict,
    failed,
    rows_of,
    stack,
)  # fmt: skip
from evoloom.core.errors import UsageError
from evoloom.evaluate.wrapper import Wrapper

Gate = float | Callable[[Evaluation], np.ndarray]


class Cascade(Wrapper):
    """Stage 0, 1, ... of the inner problem under the scopes `{"stage": k}`, the last under its whole scope.

    The inner problem must know these scopes and price them. `gates[k]` decides who passes stage k: a native fitness to
    be reached, or a function `(Evaluation of stage k) -> (n,) bool`. Who does not pass gets the verdict WRONG and its
    stage's fitness in the notes: a fitness of stage k is not comparable with a whole one.
    """

    def __init__(self, inner: Problem, gates: Sequence[Gate]):
        if not gates:
            raise UsageError("a cascade needs at least one gate: gates=[...], one per stage before the whole judgement")
        super().__init__(inner)
        if inner.n_objectives > 1 and not all(callable(g) for g in gates):
            raise UsageError("with several objectives a gate must be a function of the stage's evaluation")
        self.gates = tuple(gates)

    def price(self, scope: Scope) -> float:
        """At most all stages together."""
        if scope is not None:
            return self.inner.price(scope)
        return sum(self.inner.price({"stage": k}) for k in range(len(self.gates))) + self.inner.price(None)

    def settings(self) -> Any:
        shown = [g if isinstance(g, (int, float)) else getattr(g, "__name__", "gate") for g in self.gates]
        return {"cascade": shown, "of": self.inner.settings()}

    def evaluate(self, job: Job) -> Evaluation:
        if job.scope is not None:
            return self.inner.evaluate(job)
        n = len(job.genomes)
        rows: list[Evaluation | None] = [None] * n
        spent = np.zeros(n)
        left = np.arange(n)
        for k, gate in enumerate(self.gates):
            if not len(left):
                break
            scope = {"stage": k}
            stage = self.inner.evaluate(part(job, left, scope))
            spent[left] += costs(stage, self.inner.price(scope))
            passed = stage.valid & self._passes(gate, stage)
            for i in np.flatnonzero(~passed):
                rows[left[i]] = self._stopped(rows_of(stage, [i]), k)
            left = left[passed]
        if len(left):
            whole = self.inner.evaluate(part(job, left, None))
            spent[left] += costs(whole, self.inner.price(None))
            for i, row in enumerate(left):
                rows[row] = rows_of(whole, [i])
        return stack([r._replace(cost=None) for r in rows if r is not None])._replace(cost=spent)

    def _passes(self, gate: Gate, stage: Evaluation) -> np.ndarray:
        if callable(gate):
            return np.asarray(gate(stage), dtype=bool)
        fitness = np.asarray(stage.fitness, dtype=float)
        return fitness <= gate if np.all(self.minimize) else fitness >= gate

    def _stopped(self, stage: Evaluation, k: int) -> Evaluation:
        """The row of a candidate that stays at stage k."""
        verdict = Verdict(int(stage.verdict[0]))
        note = stage.notes[0] if stage.notes else None
        if verdict == Verdict.OK:
            verdict = Verdict.WRONG
            gate = self.gates[k]
            asks = "" if callable(gate) else f", and {gate} is asked"
            said = f"stopped at stage {k + 1} of {len(self.gates)} with {np.asarray(stage.fitness)[0]}{asks}"
            note = Notes(f"{said}\n{note.text}" if note and note.text else said, note.artifacts if note else {})
        columns: Columns = self.columns
        return failed(1, verdict, columns, self.n_objectives, notes=[note])


def part(job: Job, rows: np.ndarray, scope: Scope) -> Job:
    """The job of some rows under another scope."""
    rngs = [job.rngs[i] for i in rows] if job.rngs else ()
    return job._replace(genomes=[job.genomes[i] for i in rows], scope=scope, rngs=rngs)


def costs(evaluation: Evaluation, price: float) -> np.ndarray:
    """(n,) budget used; a problem that does not say used its price."""
    return np.full(evaluation.n, price) if evaluation.cost is None else np.asarray(evaluation.cost, dtype=float)
