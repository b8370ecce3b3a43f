"""Batches between ask and tell: made, judged, settled. The coordinator's thread is the only one that touches them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evoloom.core.budget import Cost
from evoloom.core.contracts import (
    Draft,
    Evaluation,
    Judgement,
    NotMade,
    Problem,
    Proposals,
    Record,
    Room,
    Strategy,
    Told,
    Verdict,
    failed,
    rows_of,
    stack,
)
from evoloom.core.errors import ContractError
from evoloom.core.view import Memory, judgement


class Flight:
    """One batch on its way. `sources` are the records each draft may read, resolved at the ask."""

    def __init__(self, batch: int, proposals: Proposals, ids: list[int], reserve: Cost, sources: list[list[Record]]):
        n = proposals.n
        self.batch, self.proposals, self.ids, self.reserve, self.sources = batch, proposals, ids, reserve, sources
        self.genomes: list[Any] = [None if isinstance(g, Draft) else g for g in proposals.genomes]
        self.why: list[str | None] = [None] * n
        self.make_cost: list[Cost] = [Cost()] * n
        self.keys: list[bytes | None] = [None] * n
        self.to_make: set[int] = {r for r, g in enumerate(proposals.genomes) if isinstance(g, Draft)}
        self.parts: list[tuple[list[int], Evaluation]] = []
        self.to_judge: set[int] | None = None  # rows still to be judged; None until all are made
        self.tries: dict[Any, int] = {}

    @property
    def judged(self) -> bool:
        return not self.to_make and self.to_judge is not None and not self.to_judge

    def made(self, row: int, genome: Any, why: str | None, cost: Cost) -> None:
        self.genomes[row], self.why[row], self.make_cost[row] = genome, why, cost
        self.to_make.discard(row)

    def landed(self, rows: list[int], evaluation: Evaluation) -> None:
        assert self.to_judge is not None
        self.parts.append((rows, evaluation))
        self.to_judge.difference_update(rows)


def check_batch(proposals: Proposals, room: Room, strategy: Strategy, memory: Memory) -> Cost:
    """What the batch may cost at most.

    Raises:
        ContractError: the strategy exceeded its room or broke the form of a batch.
    """
    n, scope = proposals.n, proposals.scope
    if n == 0:
        raise ContractError("ask returned an empty batch: return None when there is nothing to propose")
    if n > room.now or not room.affords(n, scope):
        raise ContractError(
            f"ask returned {n} rows where {room.rows(scope)} were allowed (room.rows({scope!r})). A strategy must stay "
            "inside its room; methods that need whole generations go through strategies.generations."
        )
    for name, x in (("parents", proposals.parents), ("known", proposals.known), ("operators", proposals.operators)):
        if x is not None and len(x) not in (0, n):
            raise ContractError(f"ask returned {n} genomes but {len(x)} {name}: give one per genome, or none")
    for name, x in proposals.aux.items():
        if len(x) != n:
            raise ContractError(f"aux['{name}'] has {len(x)} rows for {n} genomes: every leaf needs leading axis n")
    cost = Cost(evaluations=n * room.price(scope))
    for row, g in enumerate(proposals.genomes):
        known = proposals.known[row] if proposals.known else None
        if isinstance(g, Draft):
            if g.operator not in strategy.operators:
                raise ContractError(
                    f"draft names operator '{g.operator}'; the strategy has {sorted(strategy.operators)}"
                )
            cost += room.prices.get(g.operator, Cost())
        elif g is None and known is None:
            raise ContractError(f"row {row} has neither a genome, a draft nor a known id")
        if known is not None and known not in memory.genomes:
            raise ContractError(f"row {row} asks for candidate {known} again, which was never judged")
    if not all(a <= b + 1e-9 for a, b in zip(cost, room.left)):
        raise ContractError("ask returned a batch whose operators cost more than is left: see room.affords(operator=)")
    return cost


def open_flight(batch: int, proposals: Proposals, first_id: int, reserve: Cost, memory: Memory) -> Flight:
    """Give ids, enter the asked facts, resolve what drafts may read: an operator's sources are those of its ask."""
    known = proposals.known or [None] * proposals.n
    ids, fresh = [], first_id
    for k in known:
        if k is None:
            ids.append(fresh)
            fresh += 1
        else:
            ids.append(int(k))
    memory.asked(ids, proposals)
    sources: list[list[Record]] = []
    for row, g in enumerate(proposals.genomes):
        if isinstance(g, Draft):
            parents = proposals.parents[row] if len(proposals.parents) else ()
            sources.append([memory.record(i) for i in (*parents, *g.reads)])
        else:
            sources.append([])
    flight = Flight(batch, proposals, ids, reserve, sources)
    for row, k in enumerate(known):
        if k is not None:
            flight.genomes[row] = memory.genomes[int(k)]
    return flight


def repeats(flight: Flight, problem: Problem, memory: Memory) -> dict[int, int]:
    """Row -> id of the candidate with the same content that was told before, or stands earlier in the batch.

    Decided by what was told, never by what happens to be judged already, so that counts are equal for any workers.
    """
    p = flight.proposals
    if p.scope is not None or p.given is not None:
        return {}
    found: dict[int, int] = {}
    here: dict[bytes, int] = {}
    for row, genome in enumerate(flight.genomes):
        if genome is None or (p.known and p.known[row] is not None):
            continue
        key = flight.keys[row]
        if key is None:
            key = flight.keys[row] = problem.key(genome)
        if key is None:
            continue
        if key in memory.seen and memory.seen[key] != flight.ids[row]:
            found[row] = memory.seen[key]
        elif key in here:
            found[row] = here[key]
        else:
            here[key] = flight.ids[row]
    return found


def rows_to_judge(flight: Flight, problem: Problem, strategy: Strategy, memory: Memory) -> list[int]:
    """Rows that were made and, unless the strategy judges repeats again, are not known content."""
    skip = repeats(flight, problem, memory) if strategy.repeats != "judge" else {}
    return [r for r, g in enumerate(flight.genomes) if g is not None and r not in skip]


def settle(flight: Flight, problem: Problem, strategy: Strategy, memory: Memory) -> tuple[Told, Cost, dict[int, int]]:
    """The whole batch as one Told, what it really cost, and which rows were repeats. Enters the told facts."""
    p = flight.proposals
    n = p.n
    again = repeats(flight, problem, memory) if strategy.repeats != "judge" else {}
    width = len(p.scope) if isinstance(p.scope, list) else None
    whole = failed(n, Verdict.UNMADE, problem.columns, problem.n_objectives, width)
    order: list[int] = []
    for rows, _ in flight.parts:
        order += rows
    if order:
        rest = [r for r in range(n) if r not in set(order)]
        joined = stack([*(e._replace(cost=None) for _, e in flight.parts), rows_of(whole, rest)] if rest
                       else [e._replace(cost=None) for _, e in flight.parts])  # fmt: skip
        place = np.argsort(np.asarray(order + rest), kind="stable")
        whole = rows_of(joined, place)
    price = problem.price(p.scope)
    cost = np.zeros(n)
    for rows, e in flight.parts:
        cost[rows] = price if e.cost is None else e.cost
    for row, original in again.items():
        cost[row] = 0.0
        _blank(whole, row)
        if strategy.repeats == "reuse":
            here = flight.ids.index(original) if original in flight.ids else None
            _copy(whole, row, memory.record(original).of() if here is None else judgement(whole, here, None))
    whole = whole._replace(cost=cost)
    told = Told(p, np.asarray(flight.ids, dtype=np.int64), whole, flight.make_cost, flight.why)
    memory.told(flight.ids, flight.genomes, whole, p.scope)
    if p.scope is None and p.given is None:
        for row, key in enumerate(flight.keys):
            if key is not None and row not in again:
                memory.seen.setdefault(key, flight.ids[row])
    made = Cost()
    for c in flight.make_cost:
        made += c
    return told, made + Cost(evaluations=float(cost.sum())), again


def _blank(e: Evaluation, row: int) -> None:
    e.verdict[row] = Verdict.REPEAT
    for x in (e.fitness, e.measures, e.cases):
        if x is not None:
            x[row] = np.nan


def _copy(e: Evaluation, row: int, j: Judgement | None) -> None:
    """The original's judgement, whatever its verdict."""
    if j is None:
        return
    e.verdict[row] = j.verdict
    for column, x in ((e.fitness, j.fitness), (e.measures, j.measures), (e.cases, j.cases)):
        if column is not None and x is not None:
            column[row] = x
    for k, v in e.signals.items():
        v[row] = j.signals[k]


def make(operator: Any, rng: Any, sources: Sequence[Record], draft: Draft) -> tuple[Any, str | None, Cost]:
    """Run an operator: (genome or None, why not, cost). Infrastructure failures propagate."""
    try:
        out = operator(rng, sources, draft)
    except NotMade as e:
        return None, e.why, e.cost
    if hasattr(out, "genome") and hasattr(out, "cost"):
        return out.genome, None, out.cost
    return out, None, Cost()
