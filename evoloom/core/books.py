"""What a run has seen so far, in numbers: verdicts, operators, the best, and how long nothing has worked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from evoloom.core.contracts import Added, Status, Told, Verdict
from evoloom.core.flights import Flight
from evoloom.core.result import Operators
from evoloom.core.view import Memory


class Books:
    """Counts for reports and for the stop conditions that look at outcomes. Filled from told batches only."""

    def __init__(self) -> None:
        self.verdicts: Counter[str] = Counter()
        self.operators: dict[str, Operators] = {}
        self.running: tuple[float, int] | None = None  # best fitness under scope None, and its id
        self.failures = 0  # children in a row that could not be made or judged
        self.why_invalid = ""  # of the first that was not valid

    def enter(self, flight: Flight, told: Told, added: Added, again: Mapping[int, int], memory: Memory) -> bool:
        """One told batch; `again` are the rows that repeat earlier content. Whether the best got better."""
        improved, known = False, told.proposals.known
        for row, id in enumerate(flight.ids):
            verdict = Verdict(int(told.evaluation.verdict[row]))
            self.verdicts[verdict.name.lower()] += 1
            if verdict != Verdict.REPEAT:
                self._outcome(told, row, id, verdict)
            if not (known and known[row] is not None):
                status = int(added.status[row])
                self._operator(memory.operator(id) or "?", verdict, status, flight.make_cost[row].usd)
            if verdict == Verdict.OK and row not in again:
                improved |= self._best(told, row, id)
        return improved

    def _outcome(self, told: Told, row: int, id: int, verdict: Verdict) -> None:
        if verdict == Verdict.OK:
            self.failures = 0
            return
        self.failures += 1
        if not self.why_invalid:
            note = told.evaluation.notes[row] if told.evaluation.notes else None
            said = told.why[row] or (note.text if note else "")
            self.why_invalid = f"{verdict.name.lower()} (candidate {id}): {said}".rstrip(": ")

    def _operator(self, name: str, verdict: Verdict, status: int, usd: float) -> None:
        o = self.operators.get(name, Operators())
        self.operators[name] = Operators(
            o.proposed + 1,
            o.made + (verdict != Verdict.UNMADE),
            o.valid + (verdict == Verdict.OK),
            o.improved + (status > Status.REJECTED),
            o.usd + usd,
        )

    def _best(self, told: Told, row: int, id: int) -> bool:
        fitness: Any = told.evaluation.fitness
        if told.proposals.scope is not None or fitness.ndim != 1:
            return False
        f = float(fitness[row])
        better = self.running is None or f > self.running[0]
        if better or (self.running is not None and id == self.running[1]):  # judged again: the latest counts
            self.running = (f, id)
        return better
