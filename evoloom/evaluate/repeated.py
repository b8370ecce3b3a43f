"""A noisy judgement, several times: the mean counts, its standard error is told."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoloom.core.contracts import Evaluation, Job, Problem, Scope, Verdict
from evoloom.core.errors import CompositionError, UsageError
from evoloom.evaluate.cascade import costs
from evoloom.evaluate.wrapper import Wrapper


class Repeated(Wrapper):
    """n judgements per candidate, each with its own random stream `rng.fold(r)`.

    Fitness, measures, cases and signals are means; the signal `standard_error` is the sample standard deviation of the
    fitness over sqrt(n) (of the first objective, where there are several). A candidate is as valid as its worst
    repeat: the first that is not OK gives the verdict.
    """

    def __init__(self, inner: Problem, n: int):
        if n < 2:
            raise UsageError(f"repeats must be at least 2 to have a standard error, got {n}")
        if "standard_error" in inner.columns.signals:
            raise CompositionError(f"problem '{inner.name}' has a signal 'standard_error' already: repeat it once only")
        super().__init__(inner)
        self.n = n
        self.columns = inner.columns._replace(signals=(*inner.columns.signals, "standard_error"), traces=False)

    def price(self, scope: Scope) -> float:
        return self.n * self.inner.price(scope)

    def settings(self) -> Any:
        return {"repeats": self.n, "of": self.inner.settings()}

    def evaluate(self, job: Job) -> Evaluation:
        runs = [
            self.inner.evaluate(job._replace(rngs=[rng.fold(r) for rng in job.rngs] if job.rngs else ()))
            for r in range(self.n)
        ]
        verdicts = np.stack([np.asarray(e.verdict) for e in runs])  # (repeats, rows)
        bad = verdicts != Verdict.OK
        first = bad.argmax(axis=0)  # the first bad repeat, 0 where all are good
        fitness = np.stack([np.asarray(e.fitness, dtype=float) for e in runs])
        one = fitness if fitness.ndim == 2 else fitness[:, :, 0]
        error = one.std(axis=0, ddof=1) / np.sqrt(self.n)
        price = self.inner.price(job.scope)
        return Evaluation(
            fitness=fitness.mean(axis=0),
            verdict=verdicts[first, np.arange(verdicts.shape[1])].astype(np.int8),
            measures=_mean([e.measures for e in runs]),
            cases=_mean([e.cases for e in runs]),
            signals={
                **{k: _mean([e.signals[k] for e in runs]) for k in self.inner.columns.signals},
                "standard_error": error,
            },
            cost=np.sum([costs(e, price) for e in runs], axis=0),
            notes=[runs[r].notes[i] if runs[r].notes else None for i, r in enumerate(first)],
        )


def _mean(columns: list[Any]) -> Any:
    return None if any(c is None for c in columns) else np.mean([np.asarray(c, dtype=float) for c in columns], axis=0)
