"""Systems compared on one problem: equal budgets, the same seeds, one row per system.

A seed that found nothing valid counts as the worst possible value in every rank and median: dropping it would reward
systems that fail on hard seeds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from evoloom.core.errors import UsageError, near
from evoloom.report import statistics, tables
from evoloom.report.curves import Curve, best_so_far

UNJUDGED = frozenset({"ok", "unmade", "repeat"})  # verdicts that are not a failed judgement


class Job(NamedTuple):
    """One seed of one system; pickles."""

    problem: str
    system: str
    seed: int
    limits: Mapping[str, Any]  # evaluations=, seconds=, ... of `evoloom.run`
    settings: Any = None
    sandbox: str = "auto"


class Trial(NamedTuple):
    """What became of a job. Fitness is native; None where nothing valid was found or the problem holds nothing out."""

    system: str
    seed: int
    fitness: float | None
    held_out: float | None
    evaluations: float
    seconds: float
    verdicts: Mapping[str, int]
    stop: str
    improvements: tuple[tuple[float, float], ...] = ()  # (evaluations, native best)
    broken: str | None = None  # why the evaluator is broken, where stop is "broken"
    why_invalid: str = ""  # the first failure: verdict and note


class Row(NamedTuple):
    """One system over its seeds, native values. a12 and p are against `reference`; nan in the reference's own row."""

    system: str
    seeds: int
    valid: int  # seeds that found something valid
    median: float
    q25: float
    q75: float
    best: float
    held_out: float  # mean over the seeds that have it; nan
    a12: float  # probability that this system is the better one
    p: float
    p_holm: float
    invalid: float  # share of judgements
    evaluations: float  # median
    seconds: float  # median


def invalid_share(verdicts: Mapping[str, int]) -> float:
    """Failed judgements among all judgements; repeats and children that were never made are not judgements."""
    failed = sum(n for name, n in verdicts.items() if name not in UNJUDGED)
    judged = failed + verdicts.get("ok", 0)
    return failed / judged if judged else 0.0


def run_job(job: Job) -> Trial:
    """Run one seed, storing nothing."""
    from evoloom import api

    steps: list[tuple[float, float]] = []

    def keep(p: Any) -> None:
        if p.best_native is not None and (not steps or steps[-1][1] != p.best_native):
            steps.append((float(p.evaluations), float(p.best_native)))

    r = api.run(
        job.problem, job.system, seed=job.seed, settings=job.settings, sandbox=job.sandbox, on_progress=keep,
        **job.limits,
    )  # fmt: skip
    best = r.best
    if best is not None and not isinstance(best.native, (int, float)):
        raise UsageError(f"compare needs one number per run; '{job.problem}' has several objectives")
    held = None if best is None or best.held_out is None else best.held_out.get("fitness")
    fitness = None if best is None else float(best.native)
    return Trial(
        job.system, job.seed, fitness, held, r.evaluations, r.seconds, dict(r.verdicts), r.stop.name.lower(),
        tuple(steps), r.broken, getattr(r, "why_invalid", ""),
    )  # fmt: skip


def rows(trials: Sequence[Trial], minimize: bool, reference: str | None = None, measure: str = "fitness") -> list[Row]:
    """One row per system, best median first. `reference`: whom to test against; None = the best of the others' peers.

    measure: "fitness" of the search or "held_out".
    """
    systems = list(dict.fromkeys(t.system for t in trials))
    if reference is not None and reference not in systems:
        raise UsageError(f"the baseline '{reference}' is not among the systems.{near(reference, systems)}")
    values = {s: sample_of([t for t in trials if t.system == s], minimize, measure) for s in systems}
    order = sorted(systems, key=lambda s: -statistics.quantile(values[s], 0.5))
    against = reference or order[0]
    others = [s for s in order if s != against]
    p = [statistics.mann_whitney(values[s], values[against]) for s in others]
    tests = dict(zip(others, zip(p, statistics.holm(p))))
    return [row(s, [t for t in trials if t.system == s], values, minimize, against, tests.get(s)) for s in order]


def sample_of(trials: Sequence[Trial], minimize: bool, measure: str) -> np.ndarray:
    """One value per seed, greater is better, -inf where there is none."""
    if measure not in ("fitness", "held_out"):
        raise UsageError(f"measure must be 'fitness' or 'held_out', got '{measure}'")
    native = [getattr(t, measure) for t in sorted(trials, key=lambda t: t.seed)]
    if measure == "held_out" and all(v is None for v in native):
        raise UsageError("nothing is held out by this problem: compare by fitness")
    return np.array([-math.inf if v is None or math.isnan(v) else (-v if minimize else v) for v in native])


def row(
    system: str, trials: Sequence[Trial], values: Mapping[str, np.ndarray], minimize: bool, against: str,
    test: tuple[float, float] | None,
) -> Row:  # fmt: skip
    """The numbers of one system."""
    sign = -1.0 if minimize else 1.0
    s = statistics.summary(values[system])
    held = [t.held_out for t in trials if t.held_out is not None]
    verdicts: dict[str, int] = {}
    for t in trials:
        for name, n in t.verdicts.items():
            verdicts[name] = verdicts.get(name, 0) + n
    low, high = sorted((sign * s.q25, sign * s.q75))
    p, corrected = test or (math.nan, math.nan)
    return Row(
        system, len(trials), sum(t.fitness is not None for t in trials), sign * s.median, low, high, sign * s.high,
        float(np.mean(held)) if held else math.nan,
        math.nan if test is None else statistics.a12(values[system], values[against]), p, corrected,
        invalid_share(verdicts), float(np.median([t.evaluations for t in trials])),
        float(np.median([t.seconds for t in trials])),
    )  # fmt: skip


TITLES = (
    "system",
    "median",
    "IQR",
    "best",
    "held out",
    "A12",
    "p (Holm)",
    "invalid",
    "evaluations",
    "seconds",
    "seeds",
)


def cells(r: Row) -> list[str]:
    """A row as text; seeds "9/10" where one found nothing valid."""
    n = tables.number
    return [
        r.system, n(r.median), f"{n(r.q25)} to {n(r.q75)}", n(r.best), n(r.held_out), n(r.a12, 2),
        tables.p_value(r.p_holm), tables.percent(r.invalid), n(round(r.evaluations)), n(r.seconds, 3),
        str(r.seeds) if r.valid == r.seeds else f"{r.valid}/{r.seeds}",
    ]  # fmt: skip


def table(found: Sequence[Row], form: str = "plain") -> str:
    """The comparison as "plain" text or "markdown"."""
    draw = tables.markdown if form == "markdown" else tables.plain
    return draw(TITLES, [cells(r) for r in found], right=(1, 3, 4, 5, 6, 7, 8, 9, 10))


def caption(
    problem: str, unit: str, minimize: bool, limits: Mapping[str, float], found: Sequence[Row], measure: str
) -> str:
    """The sentence under the table that says how to read it."""
    budget = " and ".join(f"{tables.number(v)} {k}" for k, v in limits.items())
    reference = next((r.system for r in found if math.isnan(r.p)), "")
    what = {"fitness": "best fitness of the search", "held_out": "held-out fitness of the best"}[measure]
    return (
        f"{problem}: {what}{f' ({unit})' if unit else ''}, {'smaller' if minimize else 'greater'} is better; at most "
        f"{budget} per run. A12 is the probability of being better than {reference} (0.5: no difference); p by "
        "Mann-Whitney, two-sided, Holm-corrected. A seed that found nothing valid counts as the worst."
    )


def curves_of(trials: Sequence[Trial], minimize: bool) -> dict[str, list[Curve]]:
    """Best-so-far curves over evaluations per system."""
    out: dict[str, list[Curve]] = {}
    for t in trials:
        out.setdefault(t.system, []).append(best_so_far(t.improvements, minimize, t.evaluations))
    return out
