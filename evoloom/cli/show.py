"""`evoloom show`: what a stored run found and how it went."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from evoloom.cli import arguments as a

SHOWN_STEPS = 6  # of the main line, at each end


def show(
    run: a.Run,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="FILE.svg|png", help="Draw curve, verdicts, operators and archive.", show_default=False
        ),
    ] = None,
    runs: a.Runs = a.RUNS,
    json: a.Json = False,
) -> None:
    """Show a stored run.

    The best candidate, how it came about, what failed, which operators earned."""
    from evoloom.report import story

    where = a.find_run(run, runs)
    if plot is not None:
        from evoloom.report import pictures

        pictures.check_suffix(plot)
    s = story.read(where)
    if plot is not None:
        points = story.judged_measures(where, s.problem) if story.axis_of(s.problem) else []
        pictures.save(pictures.overview(s, points), plot)
    a.emit(event(s, where)) if json else print(text(s, where, plot))


def event(s: Any, where: Any) -> dict[str, Any]:
    """A run as JSON, in the words of the result event."""
    best = None
    if s.best is not None:
        outcome_best = (s.outcome or {}).get("best") or {}
        best = {
            "id": s.best.id, "fitness": outcome_best.get("fitness"), "native": s.best.native,
            "held_out": s.held_out, "text": s.best.text,
        }  # fmt: skip
    return {
        "event": "run", "run": str(where), "system": s.info.system, "problem": s.info.problem, "seed": s.info.seed,
        "best": best, "evaluations": s.evaluations, "seconds": s.seconds,
        "stop": (s.outcome or {}).get("stop", "none").lower(), "why": s.stopped, "verdicts": s.verdicts,
        "why_invalid": s.why_invalid, "held_out_opened": s.n_held_out,
        "operators": [o._asdict() for o in s.operators],
        "line": [{"id": t.id, "operator": t.operator, "native": t.native} for t in s.line],
        "curve": list(zip(s.curve.x.tolist(), s.curve.y.tolist())), "recipe": s.info.config["recipe"],
        "budget": s.info.config["budget"], "versions": s.info.config["versions"],
    }  # fmt: skip


def text(s: Any, where: Any, plot: Path | None) -> str:
    """A run for people."""
    from evoloom.cli.outcome import failure_facts, held_out_facts, native_text
    from evoloom.report.story import readable
    from evoloom.report.tables import duration, number, percent, plain

    unit = s.problem.unit
    facts = [("run", str(where)), ("problem", options_text(s.info.problem, s.info.config["recipe"]["problem_options"]))]
    facts.append(("system", options_text(s.info.system, s.info.config["recipe"]["system_options"])))
    facts.append(("seed", str(s.info.seed)))
    if s.best is not None:
        facts.append(("fitness", f"{native_text(s.best.native, unit)} (candidate {s.best.id})"))
        facts += held_out_facts(s.held_out, s.problem)
        facts.append(("ancestors", f"{s.n_ancestors:,}; the main line is {len(s.line)} long"))
    facts.append(("evaluations", f"{number(round(s.evaluations))} in {duration(s.seconds)}"))
    facts += failure_facts(s.why_invalid, s.best is not None, s.verdicts)
    if s.n_held_out:
        facts.append(("held-out data", f"opened {s.n_held_out:,} time{'s' if s.n_held_out > 1 else ''}"))
    facts += [(k, v) for k, v in (("integrity", s.integrity), ("sandbox", s.sandbox)) if v]
    facts.append(("ended", s.stopped))
    if plot is not None:
        facts.append(("picture", str(plot)))
    width = max(len(k) for k, _ in facts)
    lines = [f"{k.ljust(width)}  {v}" for k, v in facts]
    if s.best is not None:
        lines += ["", *("    " + x for x in readable(s.problem, s.best_genome).rstrip().splitlines())]
    total = sum(s.verdicts.values())
    rows = [[k, f"{n:,}", percent(n / total)] for k, n in s.verdicts.items() if n]
    lines += ["", plain(("verdict", "count", "share"), rows, right=(1, 2))]
    rows = [
        [o.operator or "start", f"{o.proposed:,}", f"{o.unmade:,}", f"{o.ok:,}", number(native_of(s, o.best), 5)]
        for o in sorted(s.operators, key=lambda o: -o.proposed)
    ]
    lines += [plain(("operator", "proposed", "unmade", "valid", "best"), rows, right=(1, 2, 3, 4))]
    rows = [[f"#{t.id}", t.operator or "start", native_text(t.native, "")] for t in improvements(s)]
    if len(rows) > 2 * SHOWN_STEPS:
        rows[SHOWN_STEPS:-SHOWN_STEPS] = [["...", f"{len(rows) - 2 * SHOWN_STEPS} more", ""]]
    lines += [plain(("main line", "operator", f"fitness{f' ({unit})' if unit else ''}"), rows, right=(2,))]
    return "\n".join(lines).rstrip()


def improvements(s: Any) -> list[Any]:
    """The start, then the steps of the main line that bettered everything before them on it, then the winner."""
    if s.problem.n_objectives > 1:
        return list(s.line[-20:])
    kept: list[Any] = []
    best = None
    for t in s.line:
        better = t.native is not None and (best is None or (t.native < best if s.problem.minimize else t.native > best))
        if better or not kept or t is s.line[-1]:
            kept.append(t)
        if better:
            best = t.native
    return kept


def native_of(s: Any, fitness: float | None) -> float | None:
    from evoloom.core.door import native

    return native(s.problem, fitness) if s.problem.n_objectives == 1 else fitness


def options_text(name: str, options: dict[str, Any]) -> str:
    return f"{name} ({', '.join(f'{k}={v}' for k, v in options.items())})" if options else name
