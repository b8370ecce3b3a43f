"""`evoloom systems` and `evoloom problems`: what there is, and the options of each."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from evoloom.cli import arguments as a

Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show one in full.", show_default=False)]


def systems(name: Name = None, json: a.Json = False) -> None:
    """List the published methods, or show one."""
    listing("system", name, json)


def problems(name: Name = None, json: a.Json = False) -> None:
    """List the problems, or show one."""
    listing("problem", name, json)


def listing(kind: str, name: str | None, json: bool) -> None:
    from evoloom.core import registry

    if name is not None:
        entry = registry.get(kind, name)
        a.emit(described(entry)) if json else print(page(entry))
        return
    entries = registry.entries(kind)
    if json:
        for entry in entries:
            a.emit(described(entry))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("name", no_wrap=True)
    if kind == "system":
        table.add_column("year")
    table.add_column("summary", overflow="fold")
    for e in entries:
        year = [str(e.facts.get("year") or "")] if kind == "system" else []
        table.add_row(e.name, *year, e.summary)
    Console().print(table)
    print(f"\nOptions and more: evoloom {kind}s NAME")


def described(entry: Any) -> dict[str, Any]:
    """A registered name as JSON."""
    return {
        "event": entry.kind, "name": entry.name, "summary": entry.summary, **entry.facts,
        "options": [
            {"name": n, "type": type_text(p), "default": None if p.default is p.empty else repr(p.default)}
            for n, p in entry.options.items()
        ],
        **({"default_system": s} if (s := getattr(entry.make, "default_system", None)) else {}),
    }  # fmt: skip


def page(entry: Any) -> str:
    """A registered name in full: docstring, paper, options, how to call it."""
    import inspect

    from evoloom.report.tables import plain

    lines = [entry.name, "", inspect.getdoc(entry.make) or "", ""]
    paper = entry.facts.get("paper")
    if paper:
        year = entry.facts.get("year")
        lines += [f"Paper: {paper}{f' ({year})' if year and str(year) not in paper else ''}", ""]
    rows = [[n, type_text(p), "" if p.default is p.empty else repr(p.default)] for n, p in entry.options.items()]
    if rows:
        lines += [plain(("option", "type", "default"), rows)]
    run = f"evoloom run PROBLEM --system {entry.name}" if entry.kind == "system" else f"evoloom run {entry.name}"
    example = f" --set {rows[0][0]}={rows[0][2].strip(chr(39)) or 'VALUE'}" if rows else ""
    return "\n".join([*lines, f"{run}{example}"])


def type_text(parameter: Any) -> str:
    """An annotation as one would write it; "" where there is none."""
    import inspect

    if parameter.annotation is parameter.empty:
        return ""
    return inspect.formatannotation(parameter.annotation).replace("typing.", "").replace("pathlib.", "")
