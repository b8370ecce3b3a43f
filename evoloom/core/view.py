"""The run's memory as strategies may see it: asked and told facts only, never a result that came early."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evoloom.core.contracts import Draft, Evaluation, Judgement, Proposals, Record, Scope, Verdict


class Memory:
    """A `View`, with the loop's side: `asked` and `told` enter facts; `seen` finds content that was judged before."""

    def __init__(self) -> None:
        self.genomes: dict[int, Any] = {}
        self._parents: dict[int, tuple[int, ...]] = {}
        self._operator: dict[int, str | None] = {}
        self._children: dict[int, list[int]] = {}
        self._judgements: dict[int, tuple[Judgement, ...]] = {}
        self.seen: dict[bytes, int] = {}

    def record(self, id: int) -> Record:
        """Raises KeyError for an id that was never asked."""
        id = int(id)
        return Record(
            id,
            self.genomes.get(id),
            self._parents[id],
            self._operator[id],
            self._judgements.get(id, ()),
        )

    def children(self, id: int) -> Sequence[int]:
        return self._children.get(int(id), ())

    def operator(self, id: int) -> str | None:
        return self._operator[int(id)]

    def asked(self, ids: Sequence[int], proposals: Proposals) -> None:
        known = proposals.known or [None] * proposals.n
        for row, id in enumerate(ids):
            if known[row] is not None:
                continue
            genome = proposals.genomes[row]
            parents = tuple(int(p) for p in proposals.parents[row]) if len(proposals.parents) else ()
            self._parents[id] = parents
            if isinstance(genome, Draft):
                self._operator[id] = genome.operator
            elif len(proposals.operators):
                self._operator[id] = proposals.operators[row]
            else:
                self._operator[id] = "vary" if parents else "start"
            for p in dict.fromkeys(parents):
                self._children.setdefault(p, []).append(id)

    def told(self, ids: Sequence[int], genomes: Sequence[Any], evaluation: Evaluation, scope: Scope) -> None:
        for row, id in enumerate(ids):
            if genomes[row] is not None:
                self.genomes[id] = genomes[row]
            if evaluation.verdict[row] not in (Verdict.UNMADE, Verdict.REPEAT):
                self._judgements[id] = (*self._judgements.get(id, ()), judgement(evaluation, row, scope))

    def copied(self, id: int, original: int) -> None:
        """A repeat whose judgement is reused carries the original's judgements."""
        self._judgements[id] = self._judgements.get(original, ())


def judgement(e: Evaluation, row: int, scope: Scope) -> Judgement:
    """One row as a record keeps it."""
    fitness: Any = None
    if e.verdict[row] == Verdict.OK:
        fitness = float(e.fitness[row]) if e.fitness.ndim == 1 else tuple(e.fitness[row].tolist())
    return Judgement(
        scope,
        fitness,
        Verdict(int(e.verdict[row])),
        None if e.measures is None else tuple(e.measures[row].tolist()),
        None if e.cases is None else tuple(e.cases[row].tolist()),
        {k: float(v[row]) for k, v in e.signals.items()},
        e.notes[row] if e.notes else None,
    )
