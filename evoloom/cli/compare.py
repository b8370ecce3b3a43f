"""`evoloom compare`: systems on one problem at equal budgets, as a table that a paper could use."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from evoloom.cli import arguments as a
from evoloom.core.errors import UsageError


def compare(
    problem: a.Problem,
    systems: Annotated[str, typer.Option("--systems", metavar="A,B,...", help="Names, separated by commas.")],
    seeds: Annotated[int, typer.Option("--seeds", min=2, help="Runs per system: seeds 0, 1, ...")] = 10,
    evaluations: a.Evaluations = None,
    seconds: a.Seconds = None,
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", help="Test against this system; otherwise against the best.", show_default=False),
    ] = None,
    measure: Annotated[
        str, typer.Option("--measure", help="What the statistics look at: fitness or held_out.")
    ] = "fitness",
    workers: Annotated[
        int, typer.Option("--workers", "-w", min=1, help="Runs at the same time, one process each.")
    ] = 1,
    settings: a.Settings = [],  # noqa: B006
    sandbox: a.Sandbox = "auto",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.md", help="Write the table as Markdown.", show_default=False)
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE.svg|png", help="Draw median best-so-far curves.", show_default=False),
    ] = None,
    json: a.Json = False,
    quiet: a.Quiet = False,
) -> None:
    """Compare systems at equal budgets.

    Over seeds: medians, quartiles, held-out means, A12, Holm-corrected p."""
    from evoloom import api
    from evoloom.cli.exits import DONE, INTERRUPTED, NOTHING_VALID
    from evoloom.core.registry import get
    from evoloom.report import comparison

    names = [s.strip() for s in systems.split(",") if s.strip()]
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageError(f"--systems needs at least two different names, got '{systems}'")
    if baseline is not None and baseline not in names:
        raise UsageError(f"--baseline '{baseline}' is not one of {', '.join(names)}")
    if measure not in ("fitness", "held_out"):
        raise UsageError(f"--measure must be fitness or held_out, got '{measure}'")
    if plot is not None:
        from evoloom.report.pictures import check_suffix

        check_suffix(plot)
    limits = a.budget_of(evaluations, seconds)
    given = a.settings_of(settings)
    for name in names:
        get("system", name)
    made, per_system = problem_and_settings(api, problem, names, given)
    jobs = [
        comparison.Job(problem, name, seed, limits, per_system[name], sandbox)
        for seed in range(seeds)
        for name in names
    ]
    trials = finished(jobs, workers, json, quiet)
    partial = len(trials) < len(jobs)
    if not trials:
        print("evoloom: stopped before any run had finished", file=sys.stderr)
        raise typer.Exit(INTERRUPTED)
    minimize = bool(made.minimize)
    found = comparison.rows(trials, minimize, reference_of(trials, baseline), measure)
    caption = comparison.caption(made.name, made.unit, minimize, limits, found, measure)
    if partial:
        caption = f"PARTIAL: interrupted after {len(trials)} of {len(jobs)} runs. {caption}"
    if out is not None:
        out.write_text(f"{comparison.table(found, 'markdown')}\n{caption}\n", encoding="utf-8")
    if plot is not None:
        from evoloom.report import pictures

        figure = pictures.curves(comparison.curves_of(trials, minimize), made.unit or "fitness",
                                 title=f"{made.name} (partial)" if partial else made.name)  # fmt: skip
        pictures.save(figure, plot)
    if json:
        for r in found:
            a.emit({
                "event": "row", "problem": made.name, **r._asdict(), "budget": limits, "measure": measure,
                "partial": partial,
            })  # fmt: skip
    else:
        print(f"\n{comparison.table(found)}\n{caption}")
    valid = any(t.fitness is not None for t in trials)
    if not valid:
        why = next((t.why_invalid for t in trials if t.why_invalid), "")
        print(f"evoloom: no system found anything valid{why and '. First failure: ' + why}", file=sys.stderr)
    raise typer.Exit(INTERRUPTED if partial else DONE if valid else NOTHING_VALID)


def finished(jobs: Sequence[Any], workers: int, json: bool, quiet: bool) -> list[Any]:
    """The trials of all jobs, or on Ctrl-C those that are whole.

    Raises:
        typer.Exit: the evaluator broke in one of them, so that nothing can be compared.
    """
    from contextlib import closing

    from evoloom.cli.exits import BROKEN
    from evoloom.report import comparison
    from evoloom.report.seeds import spread

    trials: list[Any] = []
    try:
        with closing(spread(comparison.run_job, jobs, workers)) as results:
            for job, trial in results:
                trials.append(trial)
                tell(len(trials), len(jobs), job, trial, json, quiet)
                if trial.stop == "broken":
                    where = f"{job.system} seed {job.seed}"
                    print(f"evoloom: the evaluator is broken ({where}): {trial.broken}", file=sys.stderr)
                    raise typer.Exit(BROKEN)
    except KeyboardInterrupt:
        print(f"evoloom: interrupted, {len(trials)} of {len(jobs)} runs are finished", file=sys.stderr)
    return trials


def reference_of(trials: Sequence[Any], baseline: str | None) -> str | None:
    """The baseline, where an interrupted comparison has got to it."""
    return baseline if any(t.system == baseline for t in trials) else None


def problem_and_settings(
    api: Any, problem: str, names: list[str], given: dict[str, str]
) -> tuple[Any, dict[str, dict[str, str]]]:
    """The problem, and per system the settings that concern it.

    A bare or `system.` option that only some of the systems have goes to those; one that nobody has is an error.
    """
    from evoloom.core.registry import get

    entry = api.problem_entry(problem)
    mine = set(entry.options) if entry else set()
    options = {name: set(get("system", name).options) for name in names}
    chosen: dict[str, dict[str, str]] = {name: {} for name in names}
    for full, value in given.items():
        side, _, bare = full.rpartition(".")
        holders = [n for n in names if bare in options[n]]
        if side == "system" or (not side and bare not in mine and holders):
            if not holders:
                from evoloom.core.errors import near

                raise UsageError(
                    f"no compared system has an option '{bare}'.{near(bare, set().union(*options.values()))}"
                )
            for n in holders:
                chosen[n][full] = value
        else:
            for n in names:
                chosen[n][full] = value
    made, *_ = api.compose(problem, names[0], chosen[names[0]], 0, None, None, True, "auto")
    for name in names[1:]:
        api.compose(problem, name, chosen[name], 0, None, None, True, "auto")
    if made.n_objectives != 1:
        raise UsageError(f"compare needs one number per run; '{made.name}' has {made.n_objectives} objectives")
    return made, chosen


def tell(done: int, total: int, job: Any, trial: Any, json: bool, quiet: bool) -> None:
    """One finished seed."""
    from evoloom.report.tables import duration, number

    if json:
        a.emit({"event": "trial", **trial._asdict(), "improvements": None})
    elif not quiet:
        text = f"{done}/{total}  {job.system} seed {job.seed}: {number(trial.fitness, 5)} in {duration(trial.seconds)}"
        print(text, file=sys.stderr, flush=True)
