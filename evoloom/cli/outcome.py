"""What a finished run says: exit code, JSON event, and a summary for people."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evoloom.cli.exits import BROKEN, DONE, INTERRUPTED, NOTHING_VALID
from evoloom.core.budget import Stop
from evoloom.core.result import Result
from evoloom.report.comparison import invalid_share
from evoloom.report.story import beside
from evoloom.report.tables import duration, number

MOSTLY_INVALID = 0.5  # share of judgements from which a summary says what failed first


def exit_code(r: Result) -> int:
    if r.stop is Stop.BROKEN:
        return BROKEN
    if r.stop is Stop.INTERRUPTED:
        return INTERRUPTED
    return DONE if r.best is not None else NOTHING_VALID


def save_genome(r: Result, problem: Any) -> Path | None:
    """The best genome as a file in the run's directory: a program as `best.py`, anything else as `best.json`."""
    if r.best is None or not isinstance(r.where, Path):
        return None
    data = problem.space.encode(r.best.genome)
    file = r.where / ("best.py" if isinstance(data, str) else "best.json")
    file.write_text(data if isinstance(data, str) else json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return file


def event(r: Result, genome_file: Path | None) -> dict[str, Any]:
    """The last JSON line of `run` and `resume`."""
    best = None
    if r.best is not None:
        b = r.best
        held = None if b.held_out is None else dict(b.held_out)
        best = {"id": b.id, "fitness": b.fitness, "native": b.native, "held_out": held, "genome_file": genome_file}
    return {
        "event": "result", "run": r.run if r.where is None else r.where, "system": r.system, "problem": r.problem,
        "seed": r.seed, "best": best, "evaluations": r.evaluations, "seconds": r.seconds, "stop": r.stop.name.lower(),
        "why": r.broken or r.stop.value, "invalid": {k: n for k, n in r.verdicts.items() if k != "ok" and n},
        "why_invalid": getattr(r, "why_invalid", ""), "usd": r.cost.usd, "state_digest": r.state_digest,
    }  # fmt: skip


def native_text(value: Any, unit: str) -> str:
    text = ", ".join(number(v, 6) for v in value) if isinstance(value, tuple) else number(value, 6)
    return f"{text} {unit}".rstrip()


def summary(r: Result, problem: Any, files: Mapping[str, Path], limits: Mapping[str, float], sandbox: str) -> str:
    """The end of a run in lines for people. limits: the budget it ran under. sandbox: level as it was asked for."""
    unit = problem.unit
    lines: list[str] = [""]
    facts: list[tuple[str, str]] = []
    if r.best is None:
        facts.append(("best", "nothing valid was found"))
    else:
        lines += ["    " + x for x in r.best.text.rstrip().splitlines()] + [""]
        facts.append(("fitness", f"{native_text(r.best.native, unit)} (candidate {r.best.id})"))
        facts += held_out_facts(r.best.held_out, problem)
        if note := getattr(r.best, "note", ""):
            facts.append(("note", one_line(note)))
    rate = f", {number(r.evaluations / r.seconds, 3)} per second" if r.seconds > 0 else ""
    facts.append(("evaluations", f"{number(round(r.evaluations))} in {duration(r.seconds)}{rate}"))
    failed = {k: n for k, n in r.verdicts.items() if k != "ok" and n}
    facts.append(
        ("not valid", ", ".join(f"{n:,} {k}" for k, n in sorted(failed.items(), key=lambda x: -x[1])) or "none")
    )
    facts += failure_facts(getattr(r, "why_invalid", ""), r.best is not None, r.verdicts)
    facts += trust_facts(problem, sandbox)
    if r.cost.usd:
        facts.append(("spent", f"${r.cost.usd:.4f}"))
    facts.append(("stopped", r.broken or r.stop.value))
    facts += [(name, str(path)) for name, path in files.items()]
    if r.where is not None:
        name = shlex.quote(called(r.where))
        commands = [f"show {name}", more(r.stop, name, limits), f"export {name} --html report.html"]
        facts.append(("next", "   ".join(f"evoloom {c}" for c in commands if c)))
    width = max(len(k) for k, _ in facts)
    return "\n".join(lines + [f"{k.ljust(width)}  {v}" for k, v in facts])


def held_out_facts(held_out: Mapping[str, float] | None, problem: Any) -> list[tuple[str, str]]:
    """The held-out fitness, and beside it what was measured only there (baselines, other instances)."""
    if not held_out:
        return []
    facts: list[tuple[str, str]] = []
    if "fitness" in held_out:
        value = held_out["fitness"]
        failed = "failed: the best candidate was not valid on the held-out data"
        facts.append(("held out", native_text(value, problem.unit) if value == value else failed))
    others = [(k.replace("_", " "), number(v, 5)) for k, v in beside(held_out, problem).items()]
    return facts + [("  " + k, v) for k, v in others]


def failure_facts(why: str, found: bool, verdicts: Mapping[str, int]) -> list[tuple[str, str]]:
    """What failed first, where nothing is valid or most is not."""
    telling = why and (not found or invalid_share(verdicts) > MOSTLY_INVALID)
    return [("first failure", one_line(why))] if telling else []


def one_line(text: str, most: int = 500) -> str:
    """A candidate's words on one line, without what would steer a terminal."""
    flat = "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
    return flat if len(flat) <= most else flat[: most - 4] + " ..."


def trust_facts(problem: Any, sandbox: str) -> list[tuple[str, str]]:
    """How far the score can be trusted, and where untrusted candidates ran."""
    facts: list[tuple[str, str]] = []
    if integrity := (problem.settings() or {}).get("integrity"):
        facts.append(("integrity", str(integrity)))
    if problem.untrusted:
        facts.append(("sandbox", level_of(sandbox)))
    return facts


def level_of(sandbox: str) -> str:
    """The level that "auto" means on this machine."""
    if sandbox != "auto":
        return sandbox
    import contextlib

    from evoloom.evaluate.sandbox import open_box

    with contextlib.closing(open_box("auto")) as box:
        return box.level


def called(where: Path | str) -> str:
    """What the commands find a run by: its name, or its place where that is not the usual folder."""
    from evoloom.cli.arguments import RUNS

    return where.name if isinstance(where, Path) and where.parent == RUNS else str(where)


ENDED_BY = {Stop.EVALUATIONS: "evaluations", Stop.PROPOSALS: "evaluations", Stop.USD: "usd"}


def more(stop: Stop, name: str, limits: Mapping[str, float]) -> str | None:
    """The command that goes on with a run: the limit that ended it doubled, the others said again (seconds count from
    now, the rest are totals). None where more budget would change nothing.
    """
    if stop not in (*ENDED_BY, Stop.SECONDS, Stop.INTERRUPTED):
        return None
    said = []
    for k in ("evaluations", "seconds", "usd"):
        if k in limits:
            value = limits[k] * (2 if ENDED_BY.get(stop) == k else 1)
            said.append(f" --{k} {value:.0f}" if value == int(value) else f" --{k} {value!r}")
    return f"resume {name}{''.join(said)}"
