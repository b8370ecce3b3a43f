"""How combinators put their own columns into a batch's aux, at any depth: islands of portfolios, islands of islands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from evoloom.core.budget import Cost
from evoloom.core.contracts import Evaluation, Operator, Proposals, Told, Verdict, View
from evoloom.core.errors import CompositionError

INNER = "inner."


def wrap(proposals: Proposals, **own: int) -> Proposals:
    """The batch with the combinator's columns; inner columns of the same name move one level down (`inner.island`)."""
    n = proposals.n
    below = {_down(k) if _base(k) in own else k: v for k, v in proposals.aux.items()}
    return proposals._replace(aux={**below, **{k: np.full(n, v, np.int64) for k, v in own.items()}})


def unwrap(told: Told, *own: str) -> Told:
    """The batch as the inner part proposed it."""
    aux = {k: v for k, v in told.proposals.aux.items() if k not in own}
    aux = {k.removeprefix(INNER) if _base(k) in own else k: v for k, v in aux.items()}
    return told._replace(proposals=told.proposals._replace(aux=aux))


def mark(told: Told, name: str) -> int:
    """The value of one's own column in a batch: the same in every row."""
    return int(told.proposals.aux[name][0])


def _base(key: str) -> str:
    return key.rsplit(".", 1)[-1]


def _down(key: str) -> str:
    return INNER + key


def union(parts: Mapping[str, Any]) -> dict[str, Operator]:
    """All operators of several parts by name.

    Raises:
        CompositionError: two parts call different operators by one name.
    """
    operators: dict[str, Operator] = {}
    owner: dict[str, str] = {}
    for part, x in parts.items():
        for name, operator in x.operators.items():
            if operators.setdefault(name, operator) is not operator:
                raise CompositionError(
                    f"'{owner[name]}' and '{part}' both have an operator called '{name}'. Operators are named in the "
                    "ledger: give one of them another name."
                )
            owner.setdefault(name, part)
    return operators


def whole_told(view: View, ids: Sequence[int]) -> Told | None:
    """Known candidates as a batch that a strategy can adopt: their latest whole judgements, None when there is none."""
    records = [view.record(i) for i in ids]
    pairs = [(r, j) for r in records if (j := r.of()) is not None and j.verdict == Verdict.OK]
    if not pairs:
        return None
    first = pairs[0][1]

    def column(get: Callable[[Any], Any], there: Any) -> Any:
        return None if there is None else np.array([get(j) for _, j in pairs], dtype=np.float64)

    evaluation = Evaluation(
        np.array([j.fitness for _, j in pairs], dtype=np.float64),
        np.full(len(pairs), Verdict.OK, np.int8),
        column(lambda j: j.measures, first.measures),
        column(lambda j: j.cases, first.cases),
        {k: np.array([j.signals[k] for _, j in pairs], dtype=np.float64) for k in first.signals},
        notes=[j.notes for _, j in pairs] if any(j.notes for _, j in pairs) else (),
    )
    n = len(pairs)
    proposals = Proposals([r.genome for r, _ in pairs], [r.parents for r, _ in pairs])
    return Told(proposals, np.array([r.id for r, _ in pairs], np.int64), evaluation, [Cost()] * n, [None] * n)
