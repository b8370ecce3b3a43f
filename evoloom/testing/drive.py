"""Drives a strategy on a problem without the loop: no workers, no ledger, every rule of the loop.

It opens, judges and settles batches by the loop's own functions, and can do what a loop must be allowed to do: a small
window, batches told in another order, a fresh strategy object with a copied state at every step, judges that fail.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from evoloom.core import codec, flights
from evoloom.core import rng as streams
from evoloom.core.budget import Cost
from evoloom.core.contracts import Box, Job, Problem, Proposals, Room, Strategy, Told, Verdict, failed
from evoloom.core.door import admit
from evoloom.core.errors import ContractError
from evoloom.core.flights import Flight
from evoloom.core.value import fork
from evoloom.core.view import Memory

Make = Callable[[Problem], Strategy]


class Plan(NamedTuple):
    """How to drive."""

    evaluations: float = 60.0
    window: int = 12
    chunk: int = 12
    seed: int = 1
    shuffle: bool = False  # tell batches in another order than they were asked
    fresh: bool = False  # a new strategy object and an exact copy of the state at every step
    spoil: bool = False  # every judgement fails
    adopt_every: int = 0  # adopt a candidate that the strategy never asked for, after so many tells
    watch: bool = False  # compare the state before and after every empty ask; ask without any room too
    box: Box | None = None


class Drive(NamedTuple):
    """What happened."""

    strategy: Strategy
    state: Any
    memory: Memory
    asks: list[str]  # every batch as JSON text
    told: list[Told]
    spent: float


def drive(make: Make, problem: Problem, plan: Plan = Plan(), most_asks: int = 100_000) -> Drive:
    """Ask, judge and tell until the strategy has nothing more to propose or the budget is spent.

    Raises:
        ContractError: a batch exceeds its room or is malformed, an empty ask changed the state, or the strategy never
            stops asking.
    """
    return _Driver(make, problem, plan, most_asks).run()


class _Driver:
    def __init__(self, make: Make, problem: Problem, plan: Plan, most_asks: int):
        self.make, self.problem, self.plan, self.most_asks = make, problem, plan, most_asks
        self.strategy = make(problem)
        self.root = streams.root(plan.seed)
        self.memory = Memory()
        self.flights: list[Flight] = []
        self.asks: list[str] = []
        self.told: list[Told] = []
        self.next_id, self.spent, self.reserved = 0, 0.0, 0.0
        self.state: Any = self.strategy.init(problem, self.root.fold(streams.INIT))

    def run(self) -> Drive:
        order = self.root.fold("order").generator()
        while True:
            while self.ask():
                if len(self.asks) > self.most_asks:
                    raise ContractError(f"it asked {self.most_asks} batches for {self.plan.evaluations} evaluations")
            if not self.flights:
                break
            self.tell(self.flights.pop(int(order.integers(len(self.flights))) if self.plan.shuffle else 0))
        return Drive(self.strategy, self.state, self.memory, self.asks, self.told, self.spent)

    def refresh(self) -> None:
        if self.plan.fresh:
            self.strategy, self.state = self.make(self.problem), fork(self.state)

    def room(self) -> Room:
        now = min(self.plan.window - sum(f.proposals.n for f in self.flights), self.plan.chunk)
        left = Cost(self.plan.evaluations - self.spent - self.reserved, math.inf, math.inf, math.inf)
        prices = {k: o.price for k, o in self.strategy.operators.items() if getattr(o, "price", None)}  # type: ignore
        return Room(max(0, now), left, self.problem.price, prices)

    def ask(self) -> bool:
        room = self.room()
        if self.spent >= self.plan.evaluations - 1e-9 or (room.now < 1 and not self.plan.watch):
            return False
        self.refresh()
        batch = len(self.asks)
        before = fork(self.state) if self.plan.watch else None
        rng = self.root.fold(batch).fold(streams.ASK)
        proposals, self.state = self.strategy.ask(self.state, rng, room, self.memory)
        if proposals is None:
            where = difference(before, self.state) if self.plan.watch else None
            if where:
                raise ContractError(f"an ask that returned None changed the state: {where}")
            return False
        reserve = flights.check_batch(proposals, room, self.strategy, self.memory)
        flight = flights.open_flight(batch, proposals, self.next_id, reserve, self.memory)
        self.next_id = max(self.next_id, max(flight.ids) + 1)
        self.reserved += reserve.evaluations
        self.flights.append(flight)
        self.asks.append(self.text(flight))
        self.judge(flight)
        return True

    def text(self, flight: Flight) -> str:
        encode = self.problem.space.encode
        contents = [None if g is None else codec.dumps(encode(g)) for g in flight.genomes]
        return codec.dumps([flight.ids, codec.proposals_json(flight.proposals, contents)])

    def judge(self, flight: Flight) -> None:
        rng = self.root.fold(flight.batch)
        for row in sorted(flight.to_make):
            draft = flight.proposals.genomes[row]
            operator = self.strategy.operators[draft.operator]
            flight.made(row, *flights.make(operator, rng.fold(streams.MAKE).fold(row), flight.sources[row], draft))
        rows = flights.rows_to_judge(flight, self.problem, self.strategy, self.memory)
        flight.to_judge = set(rows)
        scope = flight.proposals.scope
        if rows and self.plan.spoil:
            width = len(scope) if isinstance(scope, list) else None
            flight.landed(
                rows, failed(len(rows), Verdict.ERROR, self.problem.columns, self.problem.n_objectives, width)
            )
        elif rows:
            rngs = [rng.fold(streams.JUDGE).fold(r) for r in rows]
            genomes = [flight.genomes[r] for r in rows]
            evaluation = self.problem.evaluate(Job(genomes, scope, flight.proposals.given, rngs, self.plan.box))
            flight.landed(rows, admit(evaluation, self.problem, len(rows), scope))

    def tell(self, flight: Flight) -> None:
        told, cost, _ = flights.settle(flight, self.problem, self.strategy, self.memory)
        self.reserved -= flight.reserve.evaluations
        self.spent += cost.evaluations
        self.refresh()
        rng = self.root.fold(flight.batch).fold(streams.TELL)
        self.state, added = self.strategy.tell(self.state, rng, told, self.memory)
        for name, x in added._asdict().items():
            if len(x) != told.evaluation.n:
                raise ContractError(f"tell of {told.evaluation.n} rows answered with {len(x)} rows of added.{name}")
        self.told.append(told)
        if self.plan.adopt_every and len(self.told) % self.plan.adopt_every == 0:
            self.adopt()

    def adopt(self) -> None:
        """A stranger: judged, in the memory, never asked for by the strategy."""
        rng = self.root.fold("stranger").fold(len(self.told))
        genomes = list(self.problem.space.sample(rng, 1))
        proposals = Proposals(genomes)
        self.memory.asked([self.next_id], proposals)
        evaluation = admit(self.problem.evaluate(Job(genomes, rngs=[rng], box=self.plan.box)), self.problem, 1)
        self.memory.told([self.next_id], genomes, evaluation, None)
        self.refresh()
        self.state = self.strategy.adopt(self.state, told_of(proposals, [self.next_id], evaluation), self.memory)
        self.next_id += 1


def told_of(proposals: Proposals, ids: list[int], evaluation: Any) -> Told:
    import numpy as np

    n = proposals.n
    return Told(proposals, np.asarray(ids, np.int64), evaluation, [Cost()] * n, [None] * n)


def difference(a: Any, b: Any, path: str = "state") -> str | None:
    """Where two states differ, in words; None when every number is the same to the last bit."""
    import numpy as np

    if type(a) is not type(b):
        return f"{path}: {type(a).__name__} became {type(b).__name__}"
    if isinstance(a, np.ndarray):
        same = a.shape == b.shape and a.dtype == b.dtype and (a.tobytes() == b.tobytes() or _equal(a, b))
        return None if same else f"{path}: array {_short(a)} became {_short(b)}"
    if isinstance(a, dict):
        if a.keys() != b.keys():
            return f"{path}: keys {sorted(a, key=repr)} became {sorted(b, key=repr)}"
        return next((d for k in a if (d := difference(a[k], b[k], f"{path}[{k!r}]"))), None)
    if isinstance(a, (list, tuple)):
        if len(a) != len(b):
            return f"{path}: {len(a)} entries became {len(b)}"
        names = [f".{f}" for f in getattr(a, "_fields", ())] or [f"[{i}]" for i in range(len(a))]
        return next((d for k, x, y in zip(names, a, b) if (d := difference(x, y, path + k))), None)
    if hasattr(a, "__dict__") and not callable(a):
        return difference(vars(a), vars(b), path)
    return None if codec.digest(a) == codec.digest(b) else f"{path}: {_short(a)} became {_short(b)}"


def _equal(a: Any, b: Any) -> bool:
    return bool(a.dtype.hasobject) and difference(a.tolist(), b.tolist()) is None


def _short(x: Any) -> str:
    text = " ".join(repr(x).split())
    return text if len(text) <= 60 else text[:57] + "..."
