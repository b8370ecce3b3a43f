"""`evoloom verify`: run a paper's effect again, and say whether it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from evoloom.cli import arguments as a
from evoloom.core.errors import UsageError


def verify(
    system: Annotated[
        str | None, typer.Argument(metavar="[SYSTEM]", help="A system's claims.", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every registered claim.")] = False,
    seeds: Annotated[
        int | None,
        typer.Option(
            "--seeds", min=2, help="Fewer or more than the claim says: a trial, not stored.", show_default=False
        ),
    ] = None,
    scale: Annotated[
        float, typer.Option("--scale", min=0.001, help="Multiplies budgets; other than 1: a trial, not stored.")
    ] = 1.0,
    workers: Annotated[
        int, typer.Option("--workers", "-w", min=1, help="Seeds at the same time, one process each.")
    ] = 1,
    folder: Annotated[Path, typer.Option("--evidence", metavar="DIR", help="Where evidence is stored.")] = Path(
        "evidence"
    ),
    docs: Annotated[
        Path | None,
        typer.Option(
            "--write-docs",
            metavar="FILE",
            help="Write the evidence page from what is stored; without SYSTEM only that.",
            show_default=False,
        ),
    ] = None,
    json: a.Json = False,
    quiet: a.Quiet = False,
) -> None:
    """Run a paper's effect again.

    Arms x seeds, an effect with its interval, a threshold; exit code 5 when a claim does not hold."""
    from evoloom.claims import _evidence, _verify
    from evoloom.claims._claim import claims_of
    from evoloom.cli.exits import CLAIM_FAILS, DONE, INTERRUPTED

    if system is not None and every:
        raise UsageError("give a system or --all, not both")
    if system is None and not every and docs is None:
        raise UsageError("which claim? Give a system's name, or --all")
    held = True
    for name in claims_of(system) if system or every else []:
        values: list[tuple[Any, float]] = []

        def heard(task: Any, value: float, values: list[tuple[Any, float]] = values) -> None:
            values.append((task, value))
            if not (quiet or json):
                told(task, value)

        try:
            evidence = _verify.verify(name, seeds=seeds, scale=scale, workers=workers, on_value=heard)
        except KeyboardInterrupt:
            partial = partial_event(name, values)
            a.emit(partial) if json else print(partial_text(partial))
            raise typer.Exit(INTERRUPTED) from None
        held = held and evidence["holds"]
        if not evidence["reduced"]:
            evidence["file"] = str(_evidence.store(evidence, folder))
        a.emit(evidence) if json else print(text(evidence))
    if docs is not None:
        _evidence.write_evidence(docs, folder)
    raise typer.Exit(DONE if held else CLAIM_FAILS)


def told(task: Any, value: float) -> None:
    """One finished seed of an arm."""
    import sys

    from evoloom.report.tables import number

    print(f"{task.claim}  seed {task.seed}  {task.arm}: {number(value, 5)}", file=sys.stderr, flush=True)


def partial_event(name: str, values: list[tuple[Any, float]]) -> dict[str, Any]:
    """An interrupted claim as JSON: its arms as far as they came, and no effect. Never stored."""
    from evoloom.claims._verify import described
    from evoloom.core.registry import get

    made = get("claim", name).make()
    arms: dict[str, list[float]] = {}
    for task, value in values:
        arms.setdefault(task.arm, []).append(value)
    return {
        "event": "claim", "claim": name, "says": made.says, "partial": True, "holds": None,
        "arms": {arm: described(v, made.minimize) for arm, v in arms.items()},
    }  # fmt: skip


def partial_text(e: dict[str, Any]) -> str:
    """An interrupted claim for people."""
    table = arms_table(e["arms"]) if e["arms"] else "no seed had finished\n"
    return f"\n{e['claim']}: {e['says']}\n\n{table}\nPARTIAL: interrupted, not judged and not stored"


def arms_table(arms: dict[str, Any]) -> str:
    from evoloom.report.tables import number, plain

    rows = [
        [arm, number(v["median"], 5), f"{number(v['q25'], 5)} to {number(v['q75'], 5)}", f"{v['found']}/{v['n']}"]
        for arm, v in arms.items()
    ]
    return plain(("arm", "median", "IQR", "found"), rows, right=(1, 2, 3))


def text(e: dict[str, Any]) -> str:
    """A claim's outcome for people."""
    from evoloom.report.tables import duration, number, p_value

    low, high = e["ci95"]
    p = "" if e["p"] is None else f", p {p_value(e['p'])}"
    lines = [
        f"\n{e['claim']}: {e['says']}", "", arms_table(e["arms"]),
        f"{e['statistic']}: {number(e['effect'], 5)}, 95 % interval {number(low, 5)} to {number(high, 5)}{p}",
        f"holds when {e['rule']}",
        f"{'HOLDS' if e['holds'] else 'DOES NOT HOLD'} ({e['evidence']}; {e['seeds']} seeds, {duration(e['seconds'])})",
    ]  # fmt: skip
    if e["reduced"]:
        lines.append("a trial with fewer seeds or a smaller scale: not stored as evidence")
    else:
        lines.append(f"stored in {e['file']}")
    return "\n".join(lines)
