"""What goes into a ledger and what comes out: plain values, no database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

Json = Any

# Told by the methods of `Ledger` that carry rows, and by `note`.
STEPS = ("asked", "made", "judged", "told")
MARKS = ("started", "resumed", "stopped", "held_out", "snapshot")


class RunInfo(NamedTuple):
    """What identifies a run. `config` is everything that a resumed run must have in common with it."""

    run: str
    created: float  # Unix time
    system: str
    problem: str
    config: Json
    seed: int
    version: str  # of evoloom
    parent_run: str | None = None


class Event(NamedTuple):
    """One fact, in the order in which it was written. `seq` counts from 1."""

    seq: int
    kind: str  # one of STEPS or MARKS
    batch: int  # -1 where it concerns no batch
    row: int  # of the batch; -1 where it concerns the whole batch
    at: float  # Unix time
    seconds: float  # running time of the run; pauses between sessions are not counted
    body: Json


class CandidateRow(NamedTuple):
    """A new candidate at its ask. `content` is None for a child that is still to be made."""

    id: int
    row: int
    operator: str | None
    content: str | None
    parents: Sequence[int] = ()


class JudgedRow(NamedTuple):
    """One judgement. `fitness` is higher-is-better and None where the verdict is not OK."""

    id: int
    verdict: int
    fitness: float | None
    cost: float


class Candidate(NamedTuple):
    """A candidate as it stands now. `why` says why it could not be made."""

    id: int
    batch: int
    operator: str | None
    content: str | None
    parents: tuple[int, ...]
    why: str | None


class Judged(NamedTuple):
    """A stored judgement. `scope` is None for the whole judgement."""

    seq: int
    id: int
    scope: Json
    verdict: int
    fitness: float | None
    cost: float


class Point(NamedTuple):
    """The best whole judgement improved here. `n_judged` counts judgements up to and including this one."""

    n_judged: int
    seconds: float
    fitness: float
    id: int


class OperatorRow(NamedTuple):
    """What became of one operator's children. None stands for candidates that no operator made (starts)."""

    operator: str | None
    proposed: int
    unmade: int
    judged: int  # judgements; a child judged twice counts twice
    ok: int
    best: float | None  # under the whole judgement
