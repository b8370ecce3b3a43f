"""`evoloom resume`: go on with a stored run, killed or finished, under a larger budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from evoloom.cli import arguments as a


def resume(
    run: a.Run,
    evaluations: a.Evaluations = None,
    seconds: a.Seconds = None,
    usd: a.Usd = None,
    workers: a.Workers = a.CORES,
    runs: a.Runs = a.RUNS,
    html: a.HtmlFlag = False,
    json: a.Json = False,
    quiet: a.Quiet = False,
) -> None:
    """Go on with a stored run.

    Limits given here replace the recorded ones; --seconds counts from now."""
    from evoloom import api
    from evoloom.cli import outcome
    from evoloom.cli.progress import shown
    from evoloom.report.story import problem_of, read_info

    where = a.find_run(run, runs)
    info = read_info(where)
    made = problem_of(info)
    limits: dict[str, Any] = {
        k: v for k, v in {"evaluations": evaluations, "seconds": seconds, "usd": usd}.items() if v is not None
    }
    with shown(f"{info.problem}: {info.system}, seed {info.seed}, resumed", made, json, quiet) as on_progress:
        result = api.resume(where, **limits, workers=workers, on_progress=on_progress)
    files = {"genome": f} if (f := outcome.save_genome(result, made)) else {}
    if html and isinstance(where, Path):
        from evoloom.report.html import write_html

        files["report"] = write_html(where, where / "report.html")
    if json:
        a.emit(outcome.event(result, files.get("genome")))
    else:
        files = {"stored in": Path(str(where)), **files}
        replaced = {"evaluations", "seconds"} if {"evaluations", "seconds"} & set(limits) else set()
        budget = {k: v for k, v in info.config["budget"].items() if k not in replaced} | limits
        print(outcome.summary(result, made, files, budget, info.config["recipe"]["sandbox"]))
    raise typer.Exit(outcome.exit_code(result))
