"""Outcomes as values: how a run stands, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from evoloom.core.budget import Budget, Cost, Stop


class Best(NamedTuple):
    """The answer of a run.

    A program is the candidate `id` with everything taken out that its judgement on the search's own data does not need;
    the candidate as it was judged lies in the ledger.
    """

    id: int
    fitness: Any  # higher is better
    native: Any  # as the problem counts
    genome: Any
    text: str  # in readable lines
    held_out: Mapping[str, float] | None = None  # native, "fitness" first
    note: str = ""  # why it could not be made readable or judged on held-out data


class Progress(NamedTuple):
    """A run on its way; handed to callbacks and stop conditions."""

    evaluations: float
    proposals: int
    seconds: float
    best_id: int | None
    best_native: Any
    verdicts: Mapping[str, int]
    cost: Cost
    budget: Budget
    in_flight: int


class Operators(NamedTuple):
    """What became of one operator's children."""

    proposed: int = 0
    made: int = 0
    valid: int = 0
    improved: int = 0  # entered the archive as new or better
    usd: float = 0.0


class Result(NamedTuple):
    """How a run ended. `state_digest` is equal for equal archives, in any process."""

    run: str
    where: Path | str | None
    system: str | None
    problem: str
    seed: int
    best: Best | None
    stop: Stop
    evaluations: float
    proposals: int
    seconds: float
    verdicts: Mapping[str, int]
    operators: Mapping[str, Operators]
    cost: Cost
    state_digest: str
    stats: Mapping[str, Any]
    state: Any = None
    front: tuple[int, ...] = ()  # ids of the whole answer, best first
    broken: str | None = None  # why the evaluator is broken, where stop is BROKEN
    why_invalid: str = ""  # of the first candidate that was not valid: its verdict and what was said of it

    def summary(self, content: str | None = None) -> dict[str, Any]:
        """The outcome as JSON: body of the ledger's last event. content: hash of the answer's genome there."""
        best = None
        if self.best is not None:
            b = self.best
            held_out = None if b.held_out is None else dict(b.held_out)
            best = {
                "id": b.id,
                "fitness": b.fitness,
                "native": b.native,
                "held_out": held_out,
                "content": content,
                "note": b.note,
            }
        return {
            "stop": self.stop.name,
            "why": self.broken or self.stop.value,
            "best": best,
            "evaluations": self.evaluations,
            "proposals": self.proposals,
            "seconds": self.seconds,
            "verdicts": dict(self.verdicts),
            "operators": {k: o._asdict() for k, o in self.operators.items()},
            "cost": self.cost._asdict(),
            "state_digest": self.state_digest,
            "stats": {k: _plain(v) for k, v in self.stats.items()},
            "front": list(self.front),
            "why_invalid": self.why_invalid,
        }


def _plain(x: Any) -> Any:
    return x.tolist() if hasattr(x, "tolist") else x
