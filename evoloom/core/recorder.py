"""The loop's pen: what happens in a run, in the ledger's terms. Without a ledger nothing is kept."""

from __future__ import annotations

import json
from typing import Any

from evoloom.core import codec
from evoloom.core.budget import Cost
from evoloom.core.contracts import Evaluation, Problem, Room, Verdict
from evoloom.core.flights import Flight
from evoloom.core.view import Memory


class Recorder:
    """Every method does nothing where `ledger` is None."""

    def __init__(self, ledger: Any, problem: Problem):
        self.ledger, self.problem = ledger, problem

    def content(self, genome: Any) -> str | None:
        """Hash of a genome's text in the content store; None where there is no genome or no ledger."""
        if genome is None or self.ledger is None:
            return None
        return self.ledger.put(codec.dumps(self.problem.space.encode(genome)))

    def genome(self, content: str) -> Any:
        """The genome under a hash."""
        return self.problem.space.decode(json.loads(self.ledger.get(content)))

    def proposed(self, flight: Flight) -> dict[str, Any]:
        """A batch as data: what is recorded at its ask, and compared when it is proposed again."""
        p = flight.proposals
        known = p.known or [None] * p.n
        contents = [self.content(g) if k is None else None for g, k in zip(flight.genomes, known)]
        return codec.proposals_json(p, contents)

    def asked(self, flight: Flight, room: Room, memory: Memory) -> None:
        if self.ledger is None:
            return
        from evoloom.core.ledger import CandidateRow

        p, body, rows = flight.proposals, self.proposed(flight), []
        for row, id in enumerate(flight.ids):
            if p.known and p.known[row] is not None:
                continue
            content = body["genomes"][row]
            parents = tuple(int(i) for i in p.parents[row]) if len(p.parents) else ()
            made = content if isinstance(content, str) else None
            rows.append(CandidateRow(id, row, memory.operator(id), made, parents))
        whole = {"now": room.now, "left": list(room.left), "ids": flight.ids, "p": body}
        self.ledger.asked(flight.batch, codec.dumps(whole), rows)

    def made(self, flight: Flight, row: int, genome: Any, why: str | None, cost: Cost) -> None:
        if self.ledger is None:
            return
        content = self.content(genome)
        body = codec.dumps({"content": content, "why": why, "cost": list(cost)})
        self.ledger.made(flight.batch, row, flight.ids[row], content, why, list(cost), body)
        if cost.usd or cost.calls:
            self.ledger.flush()  # paid for: must not be lost

    def judged(self, flight: Flight, rows: list[int], e: Evaluation) -> None:
        if self.ledger is None:
            return
        from evoloom.core.ledger import JudgedRow

        scope = None if flight.proposals.scope is None else codec.dumps(flight.proposals.scope)
        price = self.problem.price(flight.proposals.scope)
        judged = []
        for i, r in enumerate(rows):
            ok = e.verdict[i] == Verdict.OK
            fitness = float(e.fitness[i] if e.fitness.ndim == 1 else e.fitness[i, 0]) if ok else None
            cost = price if e.cost is None else float(e.cost[i])
            judged.append(JudgedRow(flight.ids[r], int(e.verdict[i]), fitness, cost))
        self.ledger.judged(flight.batch, scope, codec.dumps(codec.evaluation_json(e, rows)), judged)

    def told(self, flight: Flight, status: list[int], again: dict[int, int]) -> None:
        if self.ledger is not None:
            body = {"status": status, "repeat": {str(r): i for r, i in again.items()}}
            self.ledger.told(flight.batch, codec.dumps(body))

    def note(self, kind: str, body: Any) -> None:
        if self.ledger is not None:
            self.ledger.note(kind, codec.dumps(body))

    def flush(self) -> None:
        if self.ledger is not None:
            self.ledger.flush()
