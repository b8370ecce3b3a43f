"""What problems whose candidates are source programs share."""

from __future__ import annotations

import ast

from evoloom.core.contracts import Box, Failed, Verdict
from evoloom.core.errors import UsageError
from evoloom.spaces.source_tree import count, has_docstring, parse_quietly


def program_size(source: str, entry: str) -> int:
    """Number of syntax nodes in the bodies of a program's functions, docstrings aside: what "shorter" compares.

    Raises:
        Failed: INVALID, it is not Python or has no function `entry`.
    """
    if not isinstance(source, str):
        raise Failed(Verdict.INVALID, f"expected the text of a program, got {type(source).__name__}")
    try:
        tree = parse_quietly(source)
    except SyntaxError as e:
        raise Failed(Verdict.INVALID, f"not Python: line {e.lineno}: {e.msg}") from None
    functions = [f for f in tree.body if isinstance(f, ast.FunctionDef)]
    if entry not in (f.name for f in functions):
        raise Failed(Verdict.INVALID, f"expected a function '{entry}' at the top level of the program")
    return sum(count(f.body[has_docstring(f) :]) for f in functions)


def needed(box: Box | None, problem: str) -> Box:
    """The box of a job.

    Raises:
        UsageError: there is none; the problem never runs candidate code in its own process.
    """
    if box is None:
        raise UsageError(
            f"'{problem}' judges programs and got no box to run them in. Pass Job(..., box=open_box()) from "
            "evoloom.evaluate.sandbox, or use evoloom.judge or evoloom.run, which open one."
        )
    return box
