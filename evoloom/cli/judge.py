"""`evoloom judge`: what one candidate of yours is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from evoloom.cli import arguments as a
from evoloom.core.errors import UsageError


def judge(
    problem: a.Problem,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A program (.py), or a genome as JSON; '-' reads stdin.")
    ],
    held_out: Annotated[bool, typer.Option("--held-out", help="Judge it on the held-out data too.")] = False,
    settings: a.Settings = [],  # noqa: B006
    sandbox: a.Sandbox = "auto",
    json: a.Json = False,
) -> None:
    """Judge one candidate of yours.

    Verdict, fitness, notes; exit code 3 when it is not valid."""
    from evoloom import api
    from evoloom.cli import outcome
    from evoloom.cli.exits import DONE, NOTHING_VALID
    from evoloom.report.tables import duration

    made, _ = api.resolve_problem(problem, a.settings_of(settings), None)
    j = api.judge(made, genome_of(file, made), held_out=held_out, sandbox=sandbox)
    if json:
        a.emit({
            "event": "judgement", "problem": j.problem, "verdict": j.verdict, "fitness": j.fitness, "native": j.native,
            "held_out": j.held_out, "seconds": j.seconds, "notes": j.notes, "signals": j.signals,
        })  # fmt: skip
    else:
        facts = [("verdict", j.verdict)]
        if j.native is not None:
            facts.append(("fitness", outcome.native_text(j.native, made.unit)))
        facts += [(k, outcome.native_text(v, "")) for k, v in j.signals.items()]
        facts += outcome.held_out_facts(j.held_out, made)
        facts += [("seconds", duration(j.seconds))] + ([("notes", j.notes)] if j.notes else [])
        width = max(len(k) for k, _ in facts)
        print("\n".join(f"{k.ljust(width)}  {v}" for k, v in facts))
    raise typer.Exit(DONE if j.verdict == "ok" else NOTHING_VALID)


def genome_of(file: Path, problem: Any) -> Any:
    """What a file holds: `.json` is data of the problem's space, anything else is program text."""
    import json
    import sys

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(f"cannot read {file}: {e}") from None
    if file.suffix != ".json":
        return text
    try:
        return problem.space.decode(json.loads(text))
    except (ValueError, TypeError, KeyError) as e:
        raise UsageError(f"{file} does not hold a genome of '{problem.name}': {e}") from None
