"""What a run may spend, what it has spent, and why it stopped. Reserved before the work, settled after it."""

from __future__ import annotations

import enum
import math
import time
from collections.abc import Mapping
from typing import NamedTuple

from evoloom.core.errors import UsageError


class Cost(NamedTuple):
    """What making or judging took. `evaluations` in the problem's unit (1 = one whole judgement)."""

    evaluations: float = 0.0
    calls: float = 0.0
    tokens: float = 0.0
    usd: float = 0.0

    def __add__(self, other: Cost) -> Cost:  # type: ignore[override]
        return Cost(*(a + b for a, b in zip(self, other)))

    def times(self, k: float) -> Cost:
        return Cost(*(a * k for a in self))


class Budget(NamedTuple):
    """Limits; infinite unless given.

    evaluations: judgements in the problem's unit. seconds: wall time of this process's part of the run. calls, tokens,
    usd: model use. proposals: children asked for, made or not; by default 4 per evaluation, so that an operator that
    always fails cannot run for ever.
    """

    evaluations: float = math.inf
    seconds: float = math.inf
    calls: float = math.inf
    tokens: float = math.inf
    usd: float = math.inf
    proposals: float = math.inf

    def checked(self) -> Budget:
        """Raises UsageError for a budget that is not positive or has no end; fills in `proposals`."""
        for name, x in self._asdict().items():
            if math.isnan(x) or x < 0 or (x == 0 and name in ("evaluations", "seconds", "proposals")):
                raise UsageError(f"budget {name} must be positive, got {x!r}")
        if all(math.isinf(x) for x in (self.evaluations, self.seconds, self.proposals)):
            raise UsageError("the run would never end: give evaluations=... or seconds=... (or proposals=...)")
        if math.isinf(self.proposals) and not math.isinf(self.evaluations):
            return self._replace(proposals=4 * self.evaluations + 1000)
        return self


class Stop(enum.Enum):
    """Why a run ended; the value is the sentence for people."""

    EVALUATIONS = "all evaluations of the budget are spent"
    SECONDS = "the time of the budget is over"
    CALLS = "all model calls of the budget are spent"
    TOKENS = "all tokens of the budget are spent"
    USD = "the money of the budget is spent"
    PROPOSALS = (
        "too many children were proposed for the evaluations spent: the operators mostly fail or repeat themselves"
    )
    TARGET = "the target fitness was reached"
    CONDITION = "a stop condition of the caller was met"
    EXHAUSTED = "the strategy has nothing more to propose"
    FAILING = "a thousand children in a row could not be made or judged"
    BROKEN = "the evaluator itself failed again and again"
    INTERRUPTED = "interrupted by the user"


class Account:
    """The coordinator's purse: `free()` is what no batch in flight has reserved."""

    def __init__(self, budget: Budget):
        self.budget = budget
        self.spent = Cost()
        self.reserved = Cost()
        self.proposals = 0
        self.started = time.monotonic()
        self.seconds_before = 0.0  # of earlier sessions of the same run; reported, not charged

    def begin(self) -> None:
        """The clock of `seconds` starts now: replaying a stored run is not charged."""
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def free(self) -> Cost:
        b, s, r = self.budget, self.spent, self.reserved
        return Cost(*(getattr(b, k) - getattr(s, k) - getattr(r, k) for k in Cost._fields))

    def reserve(self, cost: Cost, n: int) -> None:
        self.reserved += cost
        self.proposals += n

    def settle(self, reserved: Cost, real: Cost) -> None:
        self.reserved += reserved.times(-1.0)
        self.spent += real

    def over(self) -> Stop | None:
        """The first limit that is met, if any. Money limits count only for what was paid: free operators may go on."""
        if self.seconds >= self.budget.seconds:
            return Stop.SECONDS
        if self.spent.evaluations >= self.budget.evaluations - 1e-9:
            return Stop.EVALUATIONS
        if self.proposals >= self.budget.proposals:
            return Stop.PROPOSALS
        return None

    def starved(self) -> Stop:
        """Why a strategy that proposed nothing could not afford to: the resource that ran out, else EXHAUSTED."""
        free = self.free()
        for name, stop in (("calls", Stop.CALLS), ("tokens", Stop.TOKENS), ("usd", Stop.USD)):
            if getattr(free, name) < 1e-9:
                return stop
        if free.evaluations < math.inf and free.evaluations < self.budget.evaluations:
            return Stop.EVALUATIONS if free.evaluations < 1.0 else Stop.EXHAUSTED
        return Stop.EXHAUSTED


def budget_of(limits: Mapping[str, float | None]) -> Budget:
    """`Budget` from optional named limits; None means no limit."""
    return Budget(**{k: float(v) for k, v in limits.items() if v is not None}).checked()
