"""`evoloom run`: evolve a problem until its budget is spent."""

from __future__ import annotations

from typing import Annotated

import typer

from evoloom.cli import arguments as a


def run(
    problem: a.Problem,
    system: Annotated[
        str | None,
        typer.Option("--system", help="The method; the problem's own default otherwise.", show_default=False),
    ] = None,
    evaluations: a.Evaluations = None,
    seconds: a.Seconds = None,
    usd: a.Usd = None,
    seed: a.Seed = 0,
    workers: a.Workers = a.CORES,
    settings: a.Settings = [],  # noqa: B006 (typer copies it)
    sandbox: a.Sandbox = "auto",
    runs: a.Runs = a.RUNS,
    html: a.HtmlFlag = False,
    json: a.Json = False,
    quiet: a.Quiet = False,
) -> None:
    """Evolve a problem or a program of your own.

    Until the budget is spent; without one for 60 seconds."""
    from evoloom import api
    from evoloom.cli import outcome
    from evoloom.cli.progress import shown

    limits = a.budget_of(evaluations, seconds, usd)
    given = a.settings_of(settings)
    # Composed once before anything is stored, so that a wrong name leaves no empty run behind.
    made, recipe, _ = api.compose(problem, system, given, seed, None, None, True, sandbox)
    where = a.new_run(runs, problem)
    title = f"{made.name}: {recipe.system}, seed {seed}, {' and '.join(f'{v:g} {k}' for k, v in limits.items())}"
    try:
        with shown(title, made, json, quiet) as on_progress:
            result = api.run(
                problem, system, **limits, seed=seed, workers=workers, settings=given, sandbox=sandbox, where=where,
                on_progress=on_progress,
            )  # fmt: skip
    finally:
        if not any(where.iterdir()):
            where.rmdir()
    files = {"genome": f} if (f := outcome.save_genome(result, made)) else {}
    if html:
        from evoloom.report.html import write_html

        files["report"] = write_html(where, where / "report.html")
    if json:
        a.emit(outcome.event(result, files.get("genome")))
    else:
        print(outcome.summary(result, made, {"stored in": where, **files}, limits, sandbox))
    raise typer.Exit(outcome.exit_code(result))
