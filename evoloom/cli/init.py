"""`evoloom init`: a directory with a program and an evaluator, ready to be made your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evoloom.core.errors import UsageError


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A directory to be made; an empty one is fine.")],
) -> None:
    """Write a task of your own to start from.

    A program, and how it is scored."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UsageError(f"{directory} is there already and not empty; choose another name")
    directory.mkdir(parents=True, exist_ok=True)
    from importlib.resources import files

    for source in sorted(files("evoloom.cli").joinpath("template").iterdir(), key=lambda f: f.name):
        if source.is_file():
            (directory / source.name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    shown = str(directory) if "/" in str(directory) else f"./{directory}"
    print(f"wrote {shown}\nedit its files, then: evoloom run {shown}")
