"""`evoloom init`: a directory with a program and an evaluator, ready to be made your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A directory to be made; an empty one is fine.")],
    two_sided: Annotated[
        bool, typer.Option("--two-sided", help="Programs get inputs only; the score is computed out of their reach.")
    ] = False,
) -> None:
    """Write a task of your own to start from.

    A program, and how it is scored.
    """
    from evoloom.problems.directory import init_directory

    written = init_directory(directory, two_sided)
    shown = str(directory) if "/" in str(directory) else f"./{directory}"
    print("\n".join(f"wrote {file}" for file in written))
    print(f"Edit them, then: evoloom run {shown}")
