"""Running a claim: arms x seeds in processes, then the statistic, then a value that can be stored."""

from __future__ import annotations

import inspect
import math
import os
import platform
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import evoloom
from evoloom.claims._claim import Claim, find
from evoloom.core import registry
from evoloom.report import statistics
from evoloom.report.seeds import spread


class Task(NamedTuple):
    """One arm and seed; pickles, the claim is looked up again in the worker."""

    claim: str
    arm: str
    seed: int
    scale: float


def measure(task: Task) -> float:
    """The value of one arm and seed."""
    made: Claim = registry.get("claim", task.claim).make()
    return float(made.arms[task.arm](task.seed, task.scale))


def verify(
    name: str, *, seeds: int | None = None, scale: float = 1.0, workers: int = 1,
    on_value: Callable[[Task, float], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Run a claim and return its evidence: the event of `verify --json` with the facts that make it citable.

    seeds, scale: other than the claim's own for a trial; such evidence says so and is not to be stored.
    """
    entry = registry.get("claim", name)
    made: Claim = entry.make()
    n = seeds or made.seeds
    # Seed by seed, so that an interrupted or watched run has all arms at equal counts.
    tasks = [Task(name, arm, seed, scale) for seed in range(n) for arm in made.arms]
    values: dict[str, list[float]] = {arm: [math.nan] * n for arm in made.arms}
    begun = time.monotonic()
    for task, value in spread(measure, tasks, workers):
        values[task.arm][task.seed] = value
        if on_value is not None:
            on_value(task, value)
    finding = find(made, values)
    return {
        "event": "claim", "system": entry.facts.get("system", name), "claim": name, "says": made.says,
        "arms": {arm: described(v, made.minimize) for arm, v in values.items()},
        "ours": made.ours, "against": made.against, "statistic": made.statistic, "effect": finding.effect,
        "ci95": list(finding.ci), "p": finding.p, "threshold": made.threshold, "rule": made.rule(),
        "holds": finding.holds, "minimize": made.minimize, "evidence": made.evidence, "differs": made.differs,
        "seeds": n, "scale": scale, "reduced": scale != 1.0 or n < made.seeds,
        "seconds": round(time.monotonic() - begun, 1), "definition": definition(entry.make),
        "date": datetime.now(UTC).date().isoformat(), "commit": commit(), "versions": versions(),
    }  # fmt: skip


def described(values: list[float], minimize: bool) -> dict[str, Any]:
    """An arm's seeds in numbers; nan (found nothing) counts as the worst in the quartiles."""
    worst = math.inf if minimize else -math.inf
    s = statistics.summary([worst if math.isnan(v) else v for v in values])
    found = sum(not math.isnan(v) for v in values)
    return {"median": s.median, "q25": s.q25, "q75": s.q75, "found": found, "n": s.n, "values": values}


def definition(make: Callable[..., Any]) -> str:
    """A hash of the claim's own text: evidence for another text is stale."""
    try:
        text = inspect.getsource(make)
    except OSError:  # defined in a shell
        text = repr(make().rule())
    return blake2b(text.encode(), digest_size=8).hexdigest()


def commit() -> str | None:
    """Commit of the working tree that evoloom runs from, "+" where it has changes; None outside of a checkout."""
    here = Path(evoloom.__file__).resolve().parent
    try:
        head = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--abbrev=10", "--exclude=*", "--dirty=+"],
            capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return head.stdout.strip() or None


def versions() -> dict[str, str]:
    """What the numbers may depend on."""
    from importlib.metadata import version

    names = ("numpy", "scipy", "numba", "cmaes")
    return {
        "evoloom": evoloom.__version__, "python": platform.python_version(), "cores": str(os.cpu_count()),
        **{n: version(n) for n in names},
    }  # fmt: skip
