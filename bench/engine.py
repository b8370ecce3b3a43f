"""Cost of the engine itself per evaluation: loop, ledger, archive and selection around a candidate that does nothing.

An archive of 1,000 candidates is filled first; then batches of one go through ask, make, judge, tell with the ledger on
disk. The sandboxed rows judge the same program text in a process of its own.
"""

from __future__ import annotations

import datetime
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import evoloom
from evoloom.archives.grid import grid
from evoloom.archives.population import population
from evoloom.core.budget import Budget
from evoloom.core.contracts import Axis, Columns, Evaluation, Job, Made, Problem
from evoloom.core.ledger import Ledger, RunInfo
from evoloom.core.loop import Pace, Setup, run
from evoloom.evaluate.workers import Inline
from evoloom.select.tournament import tournament
from evoloom.select.uniform import uniform
from evoloom.spaces.text import Text
from evoloom.strategies import evolve

FILL, COUNT = 1_000, 3_000
SOURCE = "def f(x):\n    return x + {}\n"


class NoOp(Problem):
    """A program text that is worth a number of its own and costs nothing to judge."""

    name = "no-op"
    space = Text()
    columns = Columns(measures=(Axis("a", 0, 1), Axis("b", 0, 1)))

    def start(self, rng: Any) -> list[str]:
        return [SOURCE.format(-i - 1) for i in range(FILL)]

    def evaluate(self, job: Job) -> Evaluation:
        n = len(job.genomes)
        h = np.array([hash(g) & 0xFFFFFF for g in job.genomes]) / 0x1000000
        return Evaluation(h, np.zeros(n, np.int8), np.stack([h, (h * 7919) % 1], 1))


class Boxed(NoOp):
    """The same, after one call of the program in the sandbox."""

    def __init__(self, box: Any):
        self.box = box

    def evaluate(self, job: Job) -> Evaluation:
        for g in job.genomes:
            with self.box.open(g, "f") as session:
                session.call(1.0)
        return super().evaluate(job)


class Step:
    """An operator that costs nothing: the next number."""

    name, arity, draft = "step", 1, True

    def __init__(self) -> None:
        self.n = 0

    def __call__(self, rng: Any, sources: Any, draft: Any) -> Made:
        self.n += 1
        return Made(SOURCE.format(self.n))


def timed(problem: Problem, archive: Any, select: Any, keep: bool, chunk: int) -> float:
    """Seconds per evaluation after the archive was filled."""
    marks: list[tuple[float, float]] = []

    def mark(progress: Any) -> bool:
        if progress.evaluations >= FILL:
            marks.append((time.perf_counter(), progress.evaluations))
        return False

    with tempfile.TemporaryDirectory() as folder:
        info = RunInfo("bench", time.time(), "bench", problem.name, {}, 0, evoloom.__version__)
        strategy = evolve(archive, select, Step(), batch=chunk)
        setup = Setup(
            problem, strategy, Budget(evaluations=FILL + COUNT).checked(), 0,
            lambda genomes, scope, given, rngs: problem.evaluate(Job(genomes, scope, given, rngs)),
            Inline(), Inline(), Pace(4 * chunk, chunk),
            (lambda: Ledger.create(Path(folder) / "run", info)) if keep else None, stop=[mark],
        )  # fmt: skip
        run(setup)
    (t0, n0), (t1, n1) = marks[0], marks[-1]
    return (t1 - t0) / (n1 - n0)


def main() -> str:
    from evoloom.evaluate.sandbox import open_box

    rows = []
    for name, archive, select in (
        ("population of 1,000, tournament of 5", population(1000), tournament(5)),
        ("grid of 50 x 50, uniform", grid((50, 50)), uniform()),
    ):
        for keep in (True, False):
            for chunk in (1, 16):
                best = min(timed(NoOp(), archive, select, keep, chunk) for _ in range(3))
                rows.append((name, chunk, "yes" if keep else "no", "no", best))
    box = open_box("auto")
    try:
        best = min(timed(Boxed(box), population(1000), tournament(5), True, 1) for _ in range(2))
    finally:
        box.close()
    rows.append(("population of 1,000, tournament of 5", 1, "yes", box.level, best))
    lines = [
        "# Engine cost per evaluation",
        "",
        f"{datetime.date.today()}, evoloom {evoloom.__version__}, Python {platform.python_version()}, numpy "
        f"{np.__version__}; {FILL:,} candidates in the archive, {COUNT:,} timed evaluations, best of 3 runs. "
        "No peer offers this cut; the whole-run comparison with OpenEvolve is a benchmark of its own.",
        "",
        "| archive and selection | rows per ask | ledger | sandbox | microseconds per evaluation |",
        "|---|---:|---|---|---:|",
    ]
    lines += [f"| {a} | {c} | {k} | {s} | {1e6 * t:,.0f} |" for a, c, k, s, t in rows]
    return "\n".join(lines) + "\n"
