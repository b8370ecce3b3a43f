"""Rows to an `Evaluation`: what problems that judge one candidate at a time share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from evoloom.core.contracts import Columns, Evaluation, Failed, Notes, Verdict


class Row(NamedTuple):
    """One judgement, native fitness. The defaults are those of a row without an answer."""

    fitness: float = math.nan
    verdict: Verdict = Verdict.OK
    measures: Sequence[float] | None = None
    cases: Sequence[float] | None = None
    signals: Mapping[str, float] = {}
    notes: Notes | None = None


def failed(verdict: Verdict, why: str) -> Row:
    """A row for a candidate that has no fitness."""
    return Row(verdict=verdict, notes=Notes(why))


def judge_each(genomes: Iterable[Any], judge: Callable[[Any], Row], columns: Columns) -> Evaluation:
    """`judge` applied to every genome; `Failed` becomes its verdict. Other exceptions pass: they are the judge's."""
    rows = []
    for genome in genomes:
        try:
            rows.append(judge(genome))
        except Failed as e:
            rows.append(failed(e.verdict, e.why))
    return stack(rows, columns)


def stack(rows: Sequence[Row], columns: Columns) -> Evaluation:
    """Rows as columns; every declared column is there, nan where a row lacks it."""

    def table(values: Iterable[Sequence[float] | None], width: int) -> np.ndarray | None:
        empty = [math.nan] * width
        return np.array([empty if v is None else v for v in values], dtype=float).reshape(-1, width) if width else None

    return Evaluation(
        fitness=np.array([r.fitness for r in rows], dtype=float),
        verdict=np.array([r.verdict for r in rows], dtype=np.int8),
        measures=table((r.measures for r in rows), len(columns.measures)),
        cases=table((r.cases for r in rows), len(columns.cases)),
        signals={k: np.array([r.signals.get(k, math.nan) for r in rows], dtype=float) for k in columns.signals},
        notes=[r.notes for r in rows],
    )


def number_array(value: Any, shape: tuple[int | None, ...], what: str) -> np.ndarray:
    """What a candidate returned, as a float64 array of the shape (None: any length).

    Raises:
        Failed: OUTPUT for another type or shape; NONFINITE for NaN or an infinity.
    """
    wanted = "(" + ", ".join("any" if d is None else str(d) for d in shape) + ("," if len(shape) == 1 else "") + ")"
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{type(value).__name__} of {array.dtype}")
        array = array.astype(np.float64)
    except (TypeError, ValueError) as e:
        raise Failed(Verdict.OUTPUT, f"{what} must be numbers of shape {wanted}, got {e}") from None
    if array.ndim != len(shape) or any(d is not None and d != have for d, have in zip(shape, array.shape)):
        raise Failed(Verdict.OUTPUT, f"{what} must have shape {wanted}, got {array.shape}")
    if not np.isfinite(array).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise Failed(Verdict.NONFINITE, f"{what} holds {array[at]} at {list(at)}")
    return array
