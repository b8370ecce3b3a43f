"""The command line: `evoloom COMMAND`. One module per command; each imports what it needs inside its function.

`--help` must answer at once, so modules here import only typer and evoloom's error types at the top.
"""

from __future__ import annotations


def main() -> None:
    """Entry point of the `evoloom` script."""
    from evoloom.cli.app import app

    app()
