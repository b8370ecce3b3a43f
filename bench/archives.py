"""Inserts per second into archives of about 1,000 members, and what one choice of parents costs."""

from __future__ import annotations

import datetime
import os
import platform
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from evoloom import archives, select
from evoloom.core.contracts import Evaluation, Problem
from evoloom.core.rng import root
from evoloom.testing.archives import Offering

ARCHIVES: dict[str, tuple[Callable[[Problem], Any], int]] = {
    "population 1,000": (archives.population(1000), 1),
    "aging 1,000": (archives.aging(1000), 1),
    "grid 50x50": (archives.grid(50), 1),
    "cvt 1,000": (archives.cvt(1000), 1),
    "clusters": (archives.clusters(), 1),
    "cases, 20": (archives.cases(), 1),
    "pareto, 2": (archives.pareto(), 2),
    "unstructured 0.05": (archives.unstructured(0.05), 1),
}
BATCHES = (1, 100, 1024)
ROWS = (1_000, 10_000, 100_000)


def judged(problem: Problem, rng: np.random.Generator, n: int) -> Evaluation:
    """n valid rows, uniform in all columns; about one in ten shares its cases with others."""
    fitness = rng.random(n if problem.n_objectives == 1 else (n, problem.n_objectives))
    cases = rng.random((n, len(problem.columns.cases)))
    alike = rng.random(n) < 0.1
    cases[alike] = rng.integers(0, 30, alike.sum())[:, None] / 30
    measures = rng.uniform(-1, 1, (n, 2))
    return Evaluation(fitness, np.zeros(n, np.int8), measures, cases, {"size": rng.integers(20, 400, n) * 1.0})


def insert_us(factory: Callable[[Problem], Any], problem: Problem, batch: int, repeats: int = 7) -> float:
    """Microseconds per row: the fastest of some rounds, each into an archive that has seen 1,000 rows."""
    rounds = max(2, min(300, 4000 // batch))
    best = np.inf
    for repeat in range(repeats):
        rng = np.random.default_rng(repeat)
        a, _ = factory(problem).insert(np.arange(1000), judged(problem, rng, 1000))
        told = [judged(problem, rng, batch) for _ in range(rounds)]
        ids = np.arange(1000, 1000 + rounds * batch).reshape(rounds, batch)
        start = time.process_time()
        for row, e in zip(ids, told):
            a, _ = a.insert(row, e)
        best = min(best, (time.process_time() - start) / rounds / batch)
    return best * 1e6


def select_us(pick: Any, archive: Any, repeats: int = 9, rounds: int = 40) -> float:
    """Microseconds for one row of two parents."""
    best = np.inf
    for repeat in range(repeats):
        start = time.process_time()
        for i in range(rounds):
            pick(archive, root(repeat).fold(i), 1, 2)
        best = min(best, (time.process_time() - start) / rounds)
    return best * 1e6


def filled(factory: Callable[[Problem], Any], problem: Problem, n: int) -> Any:
    a, _ = factory(problem).insert(np.arange(n), judged(problem, np.random.default_rng(0), n))
    return a


def _head(first: str, rest: list[str]) -> list[str]:
    return [f"| {first} | " + " | ".join(rest) + " |", "|---|" + "---|" * len(rest)]


def main() -> str:
    one, many = Offering(n_cases=20), Offering(n_objectives=2)
    lines = [
        "# Archives and selects",
        "",
        f"{datetime.date.today()}, Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} cores.",
        "Processor time, fastest of repeats.",
        "",
        "Microseconds per row inserted into an archive that has seen 1,000 rows (inserts/s):",
        "",
        *_head("archive", [f"batch {b:,}" for b in BATCHES]),
    ]
    for name, (factory, m) in ARCHIVES.items():
        cost = [insert_us(factory, many if m > 1 else one, b) for b in BATCHES]
        lines.append(f"| {name} | " + " | ".join(f"{c:.2f} ({1e6 / c:,.0f}/s)" for c in cost) + " |")
    selects = [select.uniform(), select.tournament(3), select.rank(), select.proportional(0.1), select.few_children(),
               select.cluster_softmax()]  # fmt: skip
    lines += ["", "Microseconds to choose two parents, by members of the archive:", ""]
    lines += _head("select", [f"{n:,}" for n in ROWS])
    pools = {n: (filled(archives.everything(), one, n), filled(archives.clusters(), one, n)) for n in ROWS}
    for pick in selects:
        cost = [select_us(pick, pools[n]["cluster" in pick.needs]) for n in ROWS]
        lines.append(f"| {pick.name} | " + " | ".join(f"{c:,.0f}" for c in cost) + " |")
    return "\n".join(lines) + "\n"
