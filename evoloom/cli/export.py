"""`evoloom export`: a run as a git repository, one HTML file, or the winning program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evoloom.cli import arguments as a
from evoloom.core.errors import UsageError


def export(
    run: a.Run,
    git: Annotated[
        Path | None, typer.Option("--git", metavar="DIR", help="The lineage as a git repository.", show_default=False)
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="A report in one file.", show_default=False)
    ] = None,
    program: Annotated[
        Path | None,
        typer.Option("--program", metavar="FILE", help="The run's answer; '-' prints it.", show_default=False),
    ] = None,
    candidate: Annotated[
        int | None,
        typer.Option("--candidate", help="With --program: this candidate as it was judged.", show_default=False),
    ] = None,
    runs: a.Runs = a.RUNS,
    json: a.Json = False,
) -> None:
    """Write a run as git history, HTML or program."""
    if git is None and html is None and program is None:
        raise UsageError("export what? Give --git DIR, --html FILE or --program FILE")
    where = a.find_run(run, runs)
    written = []
    if program is not None:
        written.append(write_program(where, program, candidate))
    if html is not None:
        from evoloom.report.html import write_html

        written.append(write_html(where, html))
    if git is not None:
        from evoloom.report.git_export import export_git

        export_git(where, git, filename="program.py" if holds_programs(where) else "genome.json")
        written.append(git)
    if json:
        a.emit({"event": "export", "run": str(where), "files": [str(f) for f in written]})
    elif str(program) != "-":
        print("\n".join(f"wrote {f}" for f in written))


def holds_programs(where: Path | str) -> bool:
    """Whether the genomes of a run are text."""
    from evoloom.core.ledger import Reader
    from evoloom.report.story import winner_of

    with Reader(where) as reader:
        id = winner_of(reader, reader.outcome())
        return id is not None and reader.genome(id).startswith('"')


def write_program(where: Path | str, file: Path, candidate: int | None) -> Path:
    """A genome as a file: a program's text, anything else as JSON. A reduced answer says so in its first lines."""
    import json

    from evoloom.core.ledger import Reader
    from evoloom.report.story import answer_text, winner_of

    with Reader(where) as reader:
        outcome = reader.outcome()
        id = winner_of(reader, outcome) if candidate is None else candidate
        if id is None:
            raise UsageError(f"run '{reader.info.run}' has found nothing valid: there is no program to export")
        judged = reader.genome(id)
        answer = judged if candidate is not None else answer_text(reader, outcome, id)
        run = reader.info.run
    data = json.loads(answer)
    text = data if isinstance(data, str) else json.dumps(data, indent=1) + "\n"
    if answer != judged and isinstance(data, str):
        text = (
            f"# The answer of run {run}: candidate {id} without what it does not need.\n"
            f"# As it was judged: evoloom export {run} --program FILE --candidate {id}\n\n{text}"
        )
    if str(file) == "-":
        print(text, end="" if text.endswith("\n") else "\n")
    else:
        file.write_text(text, encoding="utf-8")
    return file
