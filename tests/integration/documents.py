"""Reading the documentation as a reader would: blocks of code, command lines, tables, links."""

from __future__ import annotations

import ast
import importlib
import json
import re
import shlex
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
COMMANDS = DOCS / "command-line.md"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("examples/*/README.md")])
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.M | re.S)


class Line(NamedTuple):
    """A command line as documented. `whole`: stands in a block of its own, so it must work as it is."""

    page: Path
    args: tuple[str, ...]
    whole: bool

    def __str__(self) -> str:
        return f"{name(self.page)}: evoloom {' '.join(self.args)}"


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, *languages: str) -> list[str]:
    """Contents of the fenced blocks in these languages, in order."""
    return [text for language, text in FENCE.findall(page.read_text(encoding="utf-8")) if language in languages]


def prose(page: Path) -> str:
    """The page without fenced and indented blocks."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return re.sub(r"^    .*$", "", text, flags=re.M)


def uses_evoloom(block: str) -> bool:
    """An example, to be run. Other Python is text of programs: candidates, evaluators, fragments of them."""
    return re.search(r"^\s*(import|from) evoloom\b", block, re.M) is not None


def is_python(block: str) -> bool:
    """Whether it parses: as a module, as the body of a function, or as a signature without a body."""
    for text in (block, f"def f():\n{textwrap.indent(block, '    ')}", f"{block.rstrip()}\n    ..."):
        try:
            ast.parse(text)
        except SyntaxError:
            continue
        return True
    return False


def lines(page: Path) -> list[Line]:
    """Every `evoloom ...` of a page: in blocks, whole; in running text, perhaps a part only."""
    text = page.read_text(encoding="utf-8")
    shown = [m for block in blocks(page, "", "console", "sh") for m in block.splitlines()]
    shown += re.findall(r"^    (?:\$ )?(evoloom .*)$", text, re.M)
    commands = [shown_line.removeprefix("$ ") for shown_line in shown]
    commands = [c.rpartition("| ")[2] if "| evoloom" in c else c for c in commands]
    found = [Line(page, parsed(c), True) for c in commands if c.startswith("evoloom ")]
    return found + [Line(page, parsed(c), False) for c in re.findall(r"`(evoloom [^`]+)`", prose(page))]


def parsed(command: str) -> tuple[str, ...]:
    """Arguments of the first command, without comment."""
    words = shlex.split(command, comments=True)
    ends = [i for i, w in enumerate(words) if w in ("|", ">", ";", "&&", "...")]
    return tuple(words[1 : min(ends, default=len(words))])


def tables(page: Path) -> list[list[dict[str, str]]]:
    """Tables as rows by the names of their columns."""
    found: list[list[dict[str, str]]] = []
    for table in re.findall(r"(?:^\|.*\|\n)+", prose(page) + "\n", re.M):
        head, _, *rows = [[c.strip() for c in row.strip().strip("|").split("|")] for row in table.splitlines()]
        found.append([dict(zip(head, row)) for row in rows])
    return found


def coded(cell: str) -> list[str]:
    """The words in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def literal(cell: str) -> Any:
    """A table's cell as a value: `weibull` is text, 8 a number, None where it is a description."""
    text = cell.strip("`")
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text if cell != text else None


def json_objects(page: Path) -> list[dict[str, Any]]:
    """The objects in the page's JSON blocks, wrapped over lines as they are."""
    found, decoder = [], json.JSONDecoder()
    for block in blocks(page, "json"):
        rest = block.strip()
        while rest:
            x, end = decoder.raw_decode(rest)
            found.append(x)
            rest = rest[end:].strip()
    return found


def links(page: Path) -> list[str]:
    """Targets inside the repository."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return [t for t in targets if not re.match(r"[a-z]+:", t)]


def anchors(page: Path) -> set[str]:
    """Ids that the headings of a page get."""
    from markdown.extensions.toc import slugify

    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.M)
    return {slugify(re.sub(r"[`*]", "", h), "-") for h in headings}


def named(path: str) -> Any:
    """The module, or the object in a module, that a dotted name means.

    Raises:
        ImportError, AttributeError: there is none.
    """
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, leaf = path.rpartition(".")
        return getattr(importlib.import_module(module), leaf)
