"""Arguments that several commands share: their types, help and defaults, in one place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from evoloom.core.errors import UsageError

DEFAULT_SECONDS = 60.0  # of a run that is given no budget: long enough to see evolution, short enough to wait for

Problem = Annotated[
    str, typer.Argument(metavar="PROBLEM|PATH", help="A problem's name, or the directory of your own task.")
]
Run = Annotated[str, typer.Argument(metavar="RUN", help="A run: its name, its directory, or 'last'.")]
Evaluations = Annotated[
    float | None, typer.Option("--evaluations", "-n", help="Budget: candidates to judge.", show_default=False)
]
Seconds = Annotated[float | None, typer.Option("--seconds", "-t", help="Budget: wall time.", show_default=False)]
Usd = Annotated[float | None, typer.Option("--usd", help="Budget: money for model calls.", show_default=False)]
Seed = Annotated[int, typer.Option("--seed", "-s", min=0, help="The same seed gives the same result.")]
CORES = min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
Workers = Annotated[
    int,
    typer.Option("--workers", "-w", min=1, help="Processes that judge; never changes a result.", show_default="cores"),
]
Settings = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="NAME=VALUE", help="An option of the problem or system; repeat for more.", show_default=False
    ),
]
Sandbox = Annotated[
    str, typer.Option("--sandbox", metavar="LEVEL", help="Isolation of untrusted code; see 'evoloom doctor'.")
]
Runs = Annotated[Path, typer.Option("--runs", envvar="EVOLOOM_RUNS", metavar="DIR", help="Where runs are stored.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line; the last is the result.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
HtmlFlag = Annotated[bool, typer.Option("--html", help="Write report.html into the run's directory.")]
RUNS = Path("runs")


def settings_of(pairs: list[str]) -> dict[str, str]:
    """["bins=all", "system.n_islands=4"] as a mapping; a name given twice is an error, not the last one's win."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set expects NAME=VALUE, got '{pair}'. Example: --set bins=all")
        if name.strip() in found:
            raise UsageError(f"--set {name.strip()} is given twice")
        found[name.strip()] = value
    return found


def budget_of(evaluations: float | None, seconds: float | None, usd: float | None = None) -> dict[str, Any]:
    """Limits for `evoloom.run`, checked; without evaluations and seconds, DEFAULT_SECONDS."""
    if evaluations is None and seconds is None:
        seconds = DEFAULT_SECONDS
    limits = {"evaluations": evaluations, "seconds": seconds, "usd": usd}
    from evoloom.core.budget import budget_of as checked

    checked(limits)
    return {k: v for k, v in limits.items() if v is not None}


def find_run(name: str, runs: Path) -> Path | str:
    """The directory (or database URL) of a stored run.

    Raises:
        UsageError: there is none; lists near names.
    """
    if "://" in name or (Path(name) / "ledger.db").is_file():
        return name if "://" in name else Path(name)
    stored = stored_runs(runs)
    if name == "last" and stored:
        return max(stored.values(), key=lambda p: (p / "ledger.db").stat().st_mtime)
    if name in stored:
        return stored[name]
    from evoloom.core.errors import near

    raise UsageError(f"no run '{name}' in {runs}{os.sep}.{near(name, stored) if stored else ' It holds no runs.'}")


def stored_runs(runs: Path) -> dict[str, Path]:
    """Name -> directory of the runs in a folder."""
    return {p.parent.name: p.parent for p in sorted(runs.glob("*/ledger.db"))}


def new_run(runs: Path, problem: str) -> Path:
    """A fresh directory `PROBLEM-1`, `PROBLEM-2`, ...; made here, so that two runs at once never share one."""
    base = Path(problem).resolve().name if is_path(problem) else problem
    n = 1
    while True:
        where = runs / f"{base}-{n}"
        try:
            where.mkdir(parents=True)
            return where
        except FileExistsError:
            n += 1
        except OSError as e:
            raise UsageError(
                f"runs cannot be stored in {runs}: {e.strerror}. Choose another place with --runs."
            ) from None


def is_path(problem: str) -> bool:
    return "/" in problem or Path(problem).is_dir()


def plain_json(x: Any) -> Any:
    """x for `json.dumps`: NaN and infinities become null, arrays and numpy numbers plain, tuples lists."""
    if hasattr(x, "tolist"):
        x = x.tolist()
    if isinstance(x, float):
        return x if x == x and abs(x) != float("inf") else None
    if isinstance(x, dict):
        return {str(k): plain_json(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain_json(v) for v in x]
    return str(x) if isinstance(x, Path) else x


def emit(event: dict[str, Any]) -> None:
    """One JSON object on one line of stdout, at once."""
    import json

    print(json.dumps(plain_json(event), ensure_ascii=False, allow_nan=False), flush=True)
