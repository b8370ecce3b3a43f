"""The loop: ask, make, judge, tell. It knows strategies, problems and workers, and nothing of any system.

One coordinator thread owns state, memory and ledger; workers only post to a queue. It tells exactly one batch, then
asks again, so that in ordered mode the schedule is a function of the seed: worker counts never change a result, while
`window` (rows asked and not told), `chunk` (rows of one ask) and `ordered` do and belong to the run's identity.

Resuming runs the same asks and tells again from the ledger (`replay`), each ask compared with the recorded one; what
was paid for is never done again. Infrastructure failures are tried again or stop the run; they are never told.
"""

from __future__ import annotations

import contextlib
import math
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from evoloom.core import codec, flights
from evoloom.core import rng as streams
from evoloom.core.books import Books
from evoloom.core.budget import Account, Budget, Cost, Stop
from evoloom.core.contracts import Evaluation, Outcome, Problem, Room, Strategy, Workers
from evoloom.core.door import admit, native
from evoloom.core.errors import CompositionError, ContractError, LedgerError
from evoloom.core.flights import Flight
from evoloom.core.recorder import Recorder
from evoloom.core.result import Best, Progress, Result
from evoloom.core.view import Memory

TRIES = 3  # of one job whose worker failed, before the run stops as BROKEN
POLL_S = 0.1  # how often a waiting coordinator looks at the clock and at Ctrl-C
REPORT_S = 0.25  # between calls of on_progress


class Pace(NamedTuple):
    """window: rows asked and not told (None = ask only when nothing is in flight). chunk: most rows of one ask."""

    window: int | None = None
    chunk: int | None = None
    ordered: bool = True


class Setup(NamedTuple):
    """Everything a run is given."""

    problem: Problem
    strategy: Strategy
    budget: Budget
    seed: int
    judge: Callable[..., Evaluation]  # (genomes, scope, given, rngs) -> native Evaluation; runs in `judges`
    judges: Workers
    makers: Workers
    pace: Pace = Pace()
    ledger: Callable[[], Any] | None = None  # opened after the workers were forked; None keeps nothing
    stop: Sequence[Callable[[Progress], bool]] = ()
    on_progress: Callable[[Progress], None] | None = None
    finish: Callable[[Best], Best] | None = None  # the answer made readable, and held-out data opened for it, once
    failing: int = 1000  # children in a row that could not be made or judged
    name: str = ""
    system: str | None = None


def check_composition(problem: Problem, strategy: Strategy) -> None:
    """Raises CompositionError when the strategy needs what the problem's judgements do not carry."""
    missing = sorted(set(strategy.needs) - problem.columns.offered)
    if missing:
        raise CompositionError(
            f"this system needs {', '.join(missing)}, but problem '{problem.name}' offers only "
            f"{', '.join(sorted(problem.columns.offered))}. Choose another system, or let the problem declare them."
        )


def run(setup: Setup, resume: bool = False) -> Result:
    """Run to the end of the budget, or on from what the ledger holds (`resume`).

    Raises:
        CompositionError: the parts do not fit.
        ContractError: a part broke its contract.
        LedgerError: the replayed run proposes something else than the recorded one.
    """
    check_composition(setup.problem, setup.strategy)
    inbox: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    operators = setup.strategy.operators

    def make(operator: str, *args: Any) -> Any:
        return flights.make(operators[operator], *args)

    with contextlib.ExitStack() as stack:
        for workers, tools in ((setup.makers, {"make": make}), (setup.judges, {"judge": setup.judge})):
            workers.start(tools, inbox.put)
            stack.callback(workers.close, True)
        ledger = setup.ledger() if setup.ledger else None
        if ledger is not None:
            stack.callback(ledger.close)
        coordinator = Coordinator(setup, inbox, ledger)
        if resume:
            replay(coordinator)
        with interrupts(coordinator.interrupted):
            stop = coordinator.go()
        return coordinator.result(stop)


class Coordinator:
    """State, memory, account and flights of one run: what the single coordinator thread owns."""

    def __init__(self, setup: Setup, inbox: queue.SimpleQueue[Outcome], ledger: Any):
        self.setup, self.inbox, self.pen = setup, inbox, Recorder(ledger, setup.problem)
        self.problem, self.strategy, self.pace = setup.problem, setup.strategy, setup.pace
        self.root = streams.root(setup.seed)
        self.memory = Memory()
        self.account = Account(setup.budget)
        self.flights: list[Flight] = []
        self.interrupted = threading.Event()
        self.n_batches = self.next_id = self.n_told = 0
        self.books = Books()
        self.broken: str | None = None
        self.opened: dict[int, dict[str, Any]] = {}  # earlier openings of held-out data, by candidate
        self.reported = -math.inf
        self.prices = {k: c for k, o in self.strategy.operators.items() if (c := getattr(o, "price", None)) is not None}
        self.state = self.strategy.init(self.problem, self.root.fold(streams.INIT))

    # ask

    def go(self) -> Stop:
        """Ask, wait and tell until something says stop and nothing is in flight."""
        for flight in self.flights:  # of a replayed run: only what is missing
            self.start(flight)
        stop: Stop | None = None
        while True:
            while stop is None:
                stop = self.why_stop()
                if stop is None and not self.ask():
                    if not self.flights:
                        stop = self.account.starved()
                    break
            if not self.flights:
                break
            if not self.ready():
                self.wait()
                if self.broken:
                    stop = Stop.BROKEN
                    break
                if stop is None and self.interrupted.is_set():
                    stop = Stop.INTERRUPTED
                continue
            self.tell(self.ready()[0])
        assert stop is not None
        self.report(force=True)
        return stop

    def why_stop(self) -> Stop | None:
        if self.interrupted.is_set():
            return Stop.INTERRUPTED
        if (over := self.account.over()) is not None:
            return over
        if self.books.failures >= self.setup.failing:
            return Stop.FAILING
        best = self.books.running
        if best and self.problem.target is not None and self.problem.n_objectives == 1:
            sign = native(self.problem, 1.0)
            if best[0] >= sign * self.problem.target:
                return Stop.TARGET
        if self.setup.stop and any(condition(self.progress()) for condition in self.setup.stop):
            return Stop.CONDITION
        return None

    def room(self) -> Room:
        in_flight = sum(f.proposals.n for f in self.flights)
        if self.pace.window is None:
            now = 0 if in_flight else self.pace.chunk or 1 << 30
        else:
            now = min(self.pace.window - in_flight, self.pace.chunk or self.pace.window)
        return Room(max(0, now), self.account.free(), self.problem.price, self.prices)

    def ask(self) -> bool:
        """Open and start one batch; False when the strategy has nothing now or there is no room."""
        room = self.room()
        if room.now <= 0:
            return False
        flight = self.propose(room)
        if flight is None:
            return False
        self.pen.asked(flight, room, self.memory)
        self.start(flight)
        return True

    def propose(self, room: Room) -> Flight | None:
        """One ask on its stream; ids are given, budget is reserved, nothing is written or started."""
        rng = self.root.fold(self.n_batches).fold(streams.ASK)
        proposals, self.state = self.strategy.ask(self.state, rng, room, self.memory)
        if proposals is None:
            return None
        reserve = flights.check_batch(proposals, room, self.strategy, self.memory)
        flight = flights.open_flight(self.n_batches, proposals, self.next_id, reserve, self.memory)
        self.n_batches += 1
        self.next_id = max(self.next_id, max(flight.ids) + 1)
        self.account.reserve(reserve, proposals.n)
        self.flights.append(flight)
        return flight

    # make and judge

    def start(self, flight: Flight) -> None:
        """Submit what is missing of a batch: making, else judging."""
        if flight.to_make:
            rng = self.root.fold(flight.batch).fold(streams.MAKE)
            for row in sorted(flight.to_make):
                draft = flight.proposals.genomes[row]
                tag = ("make", flight.batch, row)
                self.setup.makers.submit(tag, "make", draft.operator, rng.fold(row), flight.sources[row], draft)
        else:
            self.judge(flight)

    def judge(self, flight: Flight) -> None:
        """Submit the rows that need a judgement, in slices small enough to keep every worker busy."""
        if flight.to_judge is None:
            flight.to_judge = set(flights.rows_to_judge(flight, self.problem, self.strategy, self.memory))
            for rows, _ in flight.parts:
                flight.to_judge.difference_update(rows)
        rows = sorted(flight.to_judge)
        n = self.setup.judges.n
        size = len(rows) if n <= 1 else max(1, math.ceil(len(rows) / (4 * n)) if len(rows) > 4 * n else 1)
        for i in range(0, len(rows), max(1, size)):
            self.submit_judge(flight, rows[i : i + size])

    def submit_judge(self, flight: Flight, rows: list[int]) -> None:
        rng = self.root.fold(flight.batch).fold(streams.JUDGE)
        p = flight.proposals
        genomes = [flight.genomes[r] for r in rows]
        tag = ("judge", flight.batch, tuple(rows))
        self.setup.judges.submit(tag, "judge", genomes, p.scope, p.given, [rng.fold(r) for r in rows])

    def wait(self) -> None:
        """Take one message from the queue; workers' failures are tried again, then break the run."""
        while True:
            try:
                outcome = self.inbox.get(timeout=POLL_S)
                break
            except queue.Empty:
                self.pen.flush()  # a slow batch is visible to readers while it is judged
                self.report()
                if self.interrupted.is_set() or self.account.seconds >= self.setup.budget.seconds:
                    return
        kind, batch, at = outcome.tag
        flight = next((f for f in self.flights if f.batch == batch), None)
        if flight is None:
            return
        if outcome.error is not None:
            self.try_again(flight, outcome)
        elif kind == "make":
            self.land_made(flight, at, outcome)
        else:
            rows = list(at)
            try:
                evaluation = admit(outcome.value, self.problem, len(rows), flight.proposals.scope)
            except ContractError as e:
                self.broken = str(e)
                return
            self.land_judged(flight, rows, evaluation)

    def land_made(self, flight: Flight, row: int, outcome: Outcome) -> None:
        if outcome.refused is not None:
            genome, why, cost = None, outcome.refused.why, outcome.refused.cost
        else:
            genome, why, cost = outcome.value
        if genome is not None and (reason := self.problem.space.check(genome)) is not None:
            genome, why = None, f"made something that is not a genome of the space: {reason}"
        flight.made(row, genome, why, cost)
        self.pen.made(flight, row, genome, why, cost)
        if not flight.to_make:
            self.judge(flight)

    def land_judged(self, flight: Flight, rows: list[int], e: Evaluation) -> None:
        flight.landed(rows, e)
        self.pen.judged(flight, rows, e)

    def try_again(self, flight: Flight, outcome: Outcome) -> None:
        kind, _, at = outcome.tag
        flight.tries[outcome.tag] = flight.tries.get(outcome.tag, 0) + 1
        if flight.tries[outcome.tag] >= TRIES:
            self.broken = f"{kind} failed {TRIES} times: {outcome.error}"
        elif kind == "make":
            rng = self.root.fold(flight.batch).fold(streams.MAKE).fold(at)
            draft = flight.proposals.genomes[at]
            self.setup.makers.submit(outcome.tag, "make", draft.operator, rng, flight.sources[at], draft)
        else:
            self.submit_judge(flight, list(at))

    # tell

    def ready(self) -> list[Flight]:
        """Batches that may be told now."""
        if self.pace.ordered:
            return self.flights[:1] if self.flights and self.flights[0].judged else []
        return [f for f in self.flights if f.judged]

    def tell(self, flight: Flight, write: bool = True) -> None:
        """Settle one batch, tell it, book it."""
        told, cost, again = flights.settle(flight, self.problem, self.strategy, self.memory)
        self.flights.remove(flight)
        self.account.settle(flight.reserve, cost)
        rng = self.root.fold(flight.batch).fold(streams.TELL)
        self.state, added = self.strategy.tell(self.state, rng, told, self.memory)
        self.n_told += 1
        improved = self.books.enter(flight, told, added, again, self.memory)
        if write:
            self.pen.told(flight, np.asarray(added.status).tolist(), again)
            self.report(force=improved)

    # ledger

    # reports

    def progress(self) -> Progress:
        a, b = self.account, self.books
        best = None if b.running is None else native(self.problem, b.running[0])
        return Progress(
            a.spent.evaluations,
            a.proposals,
            a.seconds_before + a.seconds,
            None if b.running is None else b.running[1],
            best,
            dict(b.verdicts),
            a.spent,
            a.budget,
            sum(f.proposals.n for f in self.flights),
        )

    def report(self, force: bool = False) -> None:
        if self.setup.on_progress is None:
            return
        now = self.account.seconds
        if force or now - self.reported >= REPORT_S:
            self.reported = now
            self.setup.on_progress(self.progress())

    def result(self, stop: Stop) -> Result:
        """The outcome as a value, written to the ledger as the run's last event."""
        ids, best = self.answer()
        if best is not None and self.setup.finish is not None and stop != Stop.BROKEN:
            best = self.finished(best, self.setup.finish)
        a, s = self.account, self.setup
        result = Result(
            s.name, None, s.system, self.problem.name, s.seed, best, stop, a.spent.evaluations, a.proposals,
            a.seconds_before + a.seconds, dict(self.books.verdicts), dict(self.books.operators), a.spent,
            codec.digest(self.state), dict(self.strategy.stats(self.state)), self.state, ids, self.broken,
            self.books.why_invalid,
        )  # fmt: skip
        self.pen.note("stopped", result.summary(None if best is None else self.pen.content(best.genome)))
        self.pen.flush()
        return result

    def finished(self, best: Best, finish: Callable[[Best], Best]) -> Best:
        """The answer reduced and held-out data opened for it; not opened again for a candidate that had it."""
        if best.id in self.opened:
            body = self.opened[best.id]
            genome = best.genome if body["content"] is None else self.pen.genome(body["content"])
            return best._replace(genome=genome, text=self.problem.show(genome), held_out=body["held_out"])
        try:
            best = finish(best)
        except Exception as e:  # the search is over and paid for: what it found is kept, whatever fails now
            return best._replace(note=f"{type(e).__name__}: {e}")
        if best.held_out is not None:
            body = {"id": best.id, "held_out": dict(best.held_out), "content": self.pen.content(best.genome)}
            self.pen.note("held_out", body)
        return best

    def answer(self) -> tuple[tuple[int, ...], Best | None]:
        """The strategy's best ids, and the first of them in full."""
        found, scope = self.strategy.best(self.state)
        ids = tuple(int(i) for i in found)
        if not ids:
            return (), None
        record = self.memory.record(ids[0])
        j = record.of(scope)
        if j is None or j.fitness is None:
            return ids, None
        text = self.problem.show(record.genome)
        return ids, Best(ids[0], j.fitness, native(self.problem, j.fitness), record.genome, text)


def replay(run: Coordinator) -> None:
    """Do the recorded asks and tells again, without making or judging anything twice."""
    open_: dict[int, Flight] = {}
    stopped = ""
    for event in run.pen.ledger.replay():
        if event.kind == "asked":
            left = Cost(*event.body["left"])
            room = Room(event.body["now"], left, run.problem.price, run.prices)
            flight = run.propose(room)
            if flight is None or codec.dumps(run.pen.proposed(flight)) != codec.dumps(event.body["p"]):
                raise LedgerError(
                    f"batch {event.batch} of the recorded run cannot be proposed again: the code, the options or "
                    "the problem differ from when it was made. Use that version (see `show`), or start a new run."
                )
            open_[flight.batch] = flight
        elif event.kind == "made":
            b = event.body
            genome = None if b["content"] is None else run.pen.genome(b["content"])
            open_[event.batch].made(event.row, genome, b["why"], Cost(*b["cost"]))
        elif event.kind == "judged":
            flight = open_[event.batch]
            if flight.to_judge is None:
                rows = flights.rows_to_judge(flight, run.problem, run.strategy, run.memory)
                flight.to_judge = set(rows)
            flight.landed(event.body["rows"], codec.evaluation_of(event.body))
        elif event.kind == "told":
            flight = open_.pop(event.batch)
            if flight.to_judge is None:
                flight.to_judge = set()
            run.tell(flight, write=False)
        elif event.kind == "held_out":
            run.opened[event.body["id"]] = event.body
        elif event.kind == "stopped":
            stopped = event.body["stop"]
        run.account.seconds_before = max(run.account.seconds_before, event.seconds)
    if stopped == Stop.FAILING.name:
        run.books.failures = 0  # the user wants it tried again
    run.account.begin()
    run.pen.note("resumed", {"batches": run.n_batches})


@contextlib.contextmanager
def interrupts(flag: threading.Event) -> Iterator[None]:
    """Ctrl-C once sets the flag (finish what is running and save); twice raises KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def once(signum: int, frame: Any) -> None:
        if flag.is_set():
            raise KeyboardInterrupt
        flag.set()

    old = signal.signal(signal.SIGINT, once)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, old)
