"""`evoloom.run`, `resume` and `judge`: names in, values out. The command line is a thin dress over these three."""

from __future__ import annotations

import inspect
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import evoloom
from evoloom import options
from evoloom.core import registry
from evoloom.core.budget import Budget, budget_of
from evoloom.core.contracts import Job, Problem, Strategy, Verdict
from evoloom.core.door import native
from evoloom.core.errors import LedgerError, UsageError
from evoloom.core.loop import Pace, Setup
from evoloom.core.loop import run as run_loop
from evoloom.core.result import Best, Progress, Result


class Recipe(NamedTuple):
    """What a run is made of, as data: stored with it, and enough to make it again."""

    problem: str  # a registered name, or the path of a task directory
    system: str
    problem_options: dict[str, Any]
    system_options: dict[str, Any]
    seed: int
    window: int | None
    chunk: int | None
    ordered: bool
    sandbox: str
    objects: tuple[str, ...] = ()  # which of problem and system were objects, which no name can bring back


def run(
    problem: str | Path | Problem,
    system: str | Strategy | None = None,
    *,
    evaluations: float | None = None,
    seconds: float | None = None,
    calls: float | None = None,
    tokens: float | None = None,
    usd: float | None = None,
    proposals: float | None = None,
    seed: int = 0,
    workers: int = 1,
    settings: Mapping[str, Any] | None = None,
    window: int | None = None,
    chunk: int | None = None,
    ordered: bool = True,
    sandbox: str = "auto",
    where: str | Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Sequence[Callable[[Progress], bool]] = (),
    held_out: bool = True,
) -> Result:
    """Evolve a problem with a system until the budget is spent.

    Args:
        problem: a registered name, a task directory, or a Problem.
        system: a registered name or a Strategy; None takes the problem's own default.
        evaluations, seconds, calls, tokens, usd, proposals: the budget; at least evaluations or seconds.
        seed: one seed for everything. The same seed gives the same result for any number of workers.
        workers: processes that judge.
        settings: options of the problem and the system by name.
        window, chunk, ordered: see `core.loop.Pace`; part of the run's identity. By default untrusted candidates run
            with window 16 and chunk 4, others generation-wise in chunks of 256.
        sandbox: isolation of untrusted candidates: a level's name, or "auto" for the best this machine has.
        where: directory (or database URL) that keeps the run; None keeps nothing.
        held_out: open the problem's held-out data once, for the answer.

    Raises:
        UsageError: an unknown name or option, or no budget.
    """
    budget = budget_of(
        {"evaluations": evaluations, "seconds": seconds, "calls": calls, "tokens": tokens, "usd": usd,
         "proposals": proposals}
    )  # fmt: skip
    made, recipe, strategy = compose(problem, system, settings or {}, seed, window, chunk, ordered, sandbox)
    if budget.evaluations < made.price(None):
        raise UsageError(f"{evaluations:g} evaluations do not pay for one judgement, which costs {made.price(None):g}")
    if isinstance(where, str) and "://" not in where:
        where = Path(where)
    name = where.name if isinstance(where, Path) else recipe.system
    ledger = None if where is None else lambda: create_ledger(where, name, made, recipe, budget)
    return execute(made, strategy, recipe, budget, workers, ledger, name, where, on_progress, stop, held_out)


def resume(
    where: str | Path,
    *,
    run: str | None = None,
    problem: Problem | None = None,
    system: Strategy | None = None,
    evaluations: float | None = None,
    seconds: float | None = None,
    calls: float | None = None,
    tokens: float | None = None,
    usd: float | None = None,
    proposals: float | None = None,
    workers: int = 1,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Sequence[Callable[[Progress], bool]] = (),
    held_out: bool = True,
) -> Result:
    """Go on with a stored run.

    Args:
        where, run: the run's directory or URL, and its name where there are several.
        problem, system: the objects that the run was made of, where it was not made of names.
        evaluations, calls, tokens, usd, proposals: totals, earlier parts included. seconds: from now on. Evaluations or
            seconds given here replace both recorded ones.

    Raises:
        LedgerError: no such run, or the code or data no longer give the recorded proposals.
    """
    from evoloom.core.ledger import Reader

    with Reader(where, run) as reader:
        info = reader.info
    config = info.config
    recipe = Recipe(**config["recipe"])
    for kind, given in (("problem", problem), ("system", system)):
        if kind in recipe.objects and given is None:
            raise LedgerError(f"run '{info.run}' was made of a {kind} object: pass it again, resume(where, {kind}=...)")
    settings = {f"system.{k}": v for k, v in recipe.system_options.items()} if system is None else {}
    if problem is None:
        settings |= {f"problem.{k}": v for k, v in recipe.problem_options.items()}
    made, recipe, strategy = compose(
        problem or recipe.problem, system or recipe.system, settings, recipe.seed, recipe.window, recipe.chunk,
        recipe.ordered, recipe.sandbox,
    )  # fmt: skip
    if made.settings() != config["problem_settings"]:
        raise LedgerError(
            f"problem '{made.name}' is not what it was when run '{info.run}' was made: its settings were "
            f"{config['problem_settings']!r} and are {made.settings()!r}. Restore the data or start a new run."
        )
    limits = dict(config["budget"])
    given = {"evaluations": evaluations, "seconds": seconds, "calls": calls, "tokens": tokens, "usd": usd,
             "proposals": proposals}  # fmt: skip
    # One limit given in place of another: `--seconds 60` for a run whose evaluations are spent goes on for a minute.
    if evaluations is not None or seconds is not None:
        for name in ("evaluations", "seconds", "proposals"):
            limits.pop(name, None)
    limits.update({k: v for k, v in given.items() if v is not None})
    budget = budget_of(limits)

    def ledger() -> Any:
        from evoloom.core.ledger import Ledger

        return Ledger.open(where, run)

    return execute(made, strategy, recipe, budget, workers, ledger, info.run, where, on_progress, stop, held_out, True)


class Judged(NamedTuple):
    """One candidate's judgement. `fitness` higher is better, `native` as the problem counts."""

    problem: str
    verdict: str
    fitness: Any
    native: Any
    held_out: dict[str, float] | None
    seconds: float
    notes: str
    signals: dict[str, float]


def judge(
    problem: str | Path | Problem,
    genome: Any,
    *,
    settings: Mapping[str, Any] | None = None,
    held_out: bool = False,
    sandbox: str = "auto",
    seed: int = 0,
) -> Judged:
    """Judge one candidate of yours: program text, or JSON data of another genome.

    Raises:
        UsageError: an unknown problem or option.
    """
    from evoloom.core.door import admit
    from evoloom.core.rng import root
    from evoloom.core.view import judgement

    made, _ = resolve_problem(problem, settings or {}, None)
    begun = time.monotonic()
    # A program that problems run themselves may be written in another form than the search's own space.
    reason = None if made.untrusted else made.space.check(genome)
    if reason is not None:
        return Judged(made.name, "invalid", None, None, None, time.monotonic() - begun, reason, {})
    with box_for(made, sandbox) as box:
        job = Job([genome], None, None, [root(seed)], box)
        j = judgement(admit(made.evaluate(job), made, 1), 0, None)
        kept = opened(made, genome, box) if held_out and j.verdict == Verdict.OK else None
    return Judged(
        made.name, j.verdict.name.lower(), j.fitness, native(made, j.fitness), kept, time.monotonic() - begun,
        j.notes.text if j.notes else "", dict(j.signals),
    )  # fmt: skip


# composing


def compose(
    problem: Any,
    system: Any,
    settings: Mapping[str, Any],
    seed: int,
    window: Any,
    chunk: Any,
    ordered: bool,
    sandbox: str,
) -> tuple[Problem, Recipe, Strategy]:
    """Names to parts. What a run is made of is settled here, once, for new and resumed runs alike."""
    if system is None:
        entry = problem_entry(problem)
        kind: Any = entry.make if entry and inspect.isclass(entry.make) else problem if entry is None else Problem
        system = kind.default_system
        settings = {f"system.{k}": v for k, v in kind.default_settings.items()} | dict(settings)
    system_entry = registry.get("system", system) if isinstance(system, str) else None
    made, given = resolve_problem(problem, settings, system_entry)
    strategy: Strategy = system_entry.make(made, **given["system"]) if system_entry else system  # type: ignore[assignment]
    if window is None and chunk is None:
        window, chunk = (16, 4) if made.untrusted else (None, 256)
    for name, x in (("window", window), ("chunk", chunk)):
        if x is not None and x < 1:
            raise UsageError(f"{name} must be at least 1, got {x}")
    options_ = {k: lasting(v) for k, v in given["problem"].items()}
    objects = tuple(k for k, x in (("problem", problem), ("system", system)) if not isinstance(x, (str, Path)))
    recipe = Recipe(
        str(Path(problem).resolve()) if is_path(problem) else problem if isinstance(problem, str) else made.name,
        system if isinstance(system, str) else type(system).__name__, options_, given["system"], seed, window, chunk,
        ordered, sandbox, objects,
    )  # fmt: skip
    return made, recipe, strategy


def lasting(value: Any) -> Any:
    """An option's value as it means the same from any directory: the name of a file becomes its full path."""
    return str(Path(value).resolve()) if isinstance(value, str) and value and Path(value).is_file() else value


def is_path(problem: Any) -> bool:
    """Whether a task directory is meant. Registered names win over directories; `./name` is the directory."""
    if not isinstance(problem, str):
        return isinstance(problem, Path)
    return "/" in problem or (Path(problem).is_dir() and problem not in registry.names("problem"))


def problem_entry(problem: Any) -> registry.Entry | None:
    """The registered entry behind a name; a task directory is the problem 'directory'."""
    if isinstance(problem, Problem):
        return None
    return registry.get("problem", "directory" if is_path(problem) else str(problem))


def resolve_problem(
    problem: Any, settings: Mapping[str, Any], system: registry.Entry | None
) -> tuple[Problem, dict[str, dict[str, Any]]]:
    """The problem, and the settings split into {"problem": ..., "system": ...}."""
    entry = problem_entry(problem)
    mine, theirs = options.split(settings, entry, system)
    if entry is None:
        if mine:
            raise UsageError("options of a Problem object are set where it is made, not in settings")
        return problem, {"problem": {}, "system": theirs}
    if is_path(problem):
        made = entry.make(**{**mine, "path": str(problem)})
    else:
        made = entry.make(**mine)
    return made, {"problem": mine, "system": theirs}


# executing


def execute(
    problem: Problem, strategy: Strategy, recipe: Recipe, budget: Budget, workers: int, ledger: Any, name: str,
    where: Any, on_progress: Any, stop: Any, held_out: bool, resumed: bool = False,
) -> Result:  # fmt: skip
    """Workers and sandbox around the loop."""
    from evoloom.evaluate.workers import Inline, Processes, judge_tool

    if workers < 1:
        raise UsageError(f"workers must be at least 1, got {workers}")

    def finish(best: Best) -> Best:
        with box_for(problem, recipe.sandbox) as box:
            best = reduced(problem, best, box)
            return best._replace(held_out=opened(problem, best.genome, box)) if held_out else best

    with box_for(problem, recipe.sandbox):
        pass  # a level that cannot be had is said before anything is stored
    judge = judge_tool(problem, recipe.sandbox)
    setup = Setup(
        problem, strategy, budget, recipe.seed, judge,
        judges=Processes(workers) if workers > 1 else Inline(),
        makers=Inline(),
        pace=Pace(recipe.window, recipe.chunk, recipe.ordered),
        ledger=ledger, stop=stop, on_progress=on_progress, name=name, system=recipe.system,
        finish=finish,
    )  # fmt: skip
    try:
        result = run_loop(setup, resumed)
    finally:
        close = getattr(judge, "close", None)
        if close is not None:
            close()
    return result._replace(where=where)


def opened(problem: Problem, genome: Any, box: Any) -> dict[str, float] | None:
    """Held-out numbers of one genome: native fitness under "fitness", then the signals. None: there are none.

    A genome that fails there has a "fitness" of nan, and its verdict by name: {"fitness": nan, "timeout": 4.0}.
    """
    e = problem.held_out(genome, box)
    if e is None:
        return None
    verdict = Verdict(int(np.asarray(e.verdict)[0]))
    if verdict != Verdict.OK:
        return {"fitness": float("nan"), verdict.name.lower(): float(verdict)}
    f = np.asarray(e.fitness, dtype=float)[0]
    numbers = {"fitness": float(f)} if f.ndim == 0 else {f"objective {i}": float(x) for i, x in enumerate(f)}
    return numbers | {k: float(np.asarray(v)[0]) for k, v in e.signals.items()}


REDUCE_S = 60.0  # shrinking a winner ends here too; slower problems set `reduce_tests` lower


def reduced(problem: Problem, best: Best, box: Any) -> Best:
    """The answer without what it does not need: smaller as long as fitness and every case stay exactly the same."""
    from evoloom.core.door import admit
    from evoloom.core.rng import root
    from evoloom.core.view import judgement
    from evoloom.spaces.program import ProgramSpace

    space = problem.space
    if not isinstance(space, ProgramSpace) or not problem.reduce_tests:
        return best
    until = time.monotonic() + REDUCE_S

    def judged(genome: str) -> tuple[Any, Any]:
        job = Job([genome], None, None, [root(0)], box)
        j = judgement(admit(problem.evaluate(job), problem, 1), 0, None)
        return j.fitness, j.cases

    wanted = judged(best.genome)
    if wanted[0] != best.fitness:  # judging is noisy: "the same" cannot be told
        return best._replace(text=problem.show(space.simplify(best.genome)))
    from evoloom.spaces.source_reduce import reduced as shrink

    same = shrink(space, best.genome, lambda g: time.monotonic() < until and judged(g) == wanted,
                  tests=problem.reduce_tests)  # fmt: skip
    return best._replace(genome=same, text=problem.show(same))


def box_for(problem: Problem, sandbox: str) -> Any:
    """A context manager with the problem's box, or None where it runs no untrusted code."""
    import contextlib

    if not problem.untrusted:
        return contextlib.nullcontext()
    from evoloom.evaluate.sandbox import open_box

    return contextlib.closing(open_box(sandbox, modules=problem.modules))


def create_ledger(where: Any, name: str, problem: Problem, recipe: Recipe, budget: Budget) -> Any:
    from evoloom.core.ledger import Ledger, RunInfo

    limits = {k: v for k, v in budget._asdict().items() if v != float("inf")}
    config = {
        "recipe": recipe._asdict(),
        "budget": limits,
        "problem_settings": problem.settings(),
        "versions": {"evoloom": evoloom.__version__, "python": platform.python_version(), "numpy": np.__version__},
    }
    info = RunInfo(name, time.time(), recipe.system, recipe.problem, config, recipe.seed, evoloom.__version__)
    return Ledger.create(where, info)
