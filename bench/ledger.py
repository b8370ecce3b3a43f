"""The ledger beside Optuna's RDB storage, both on SQLite, in one invocation.

Optuna runs in an environment of its own: the interpreter named by EVOLOOM_OPTUNA_PYTHON, or a virtual environment that
this script makes in a temporary folder (needs a package index).
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy

import evoloom
from evoloom.core.ledger import CandidateRow, JudgedRow, Ledger, Reader, RunInfo

N = 100_000
PEER_APPEND, PEER_STORED = 150, 2_000
POPULATION = 1_000  # parents come from this many latest candidates
TEXT = "def f(x):\n    return x * {0} + {0} % 13\n" * 4
OPERATORS = ("constants", "grow", "swap")
FACTS = {"now": 1, "left": [1.0, 0.0, 0.0, 0.0], "p": {"genomes": ["0" * 32], "parents": [[1]]}}
JUDGED = {"rows": [0], "fitness": [0.12345678901234], "verdict": [0], "signals": {"size": [31.0]}, "notes": [None]}


def write(where: Path, n: int, batch: int, crossover: float = 0.0, each: bool = False) -> tuple[float, float]:
    """(wall, processor) seconds per candidate of a run: put, asked, judged, told. each: commit after every batch."""
    rng = random.Random(0)
    texts = [json.dumps(TEXT.format(i)) for i in range(n)]
    asked, judged = json.dumps([FACTS] * batch), json.dumps([JUDGED] * batch)
    start, cpu = time.perf_counter(), time.process_time()
    with Ledger.create(where, RunInfo("bench", time.time(), "none", "none", {}, 0, evoloom.__version__)) as led:
        for k in range(n // batch):
            rows = []
            for i in range(k * batch, (k + 1) * batch):
                arity = 0 if i < POPULATION else 1 + (rng.random() < crossover)
                parents = tuple(k * batch - 1 - rng.randrange(POPULATION - batch) for _ in range(arity))
                rows.append(CandidateRow(i, i - k * batch, OPERATORS[i % 3], led.put(texts[i]), parents))
            led.asked(k, asked, rows)
            led.judged(k, None, judged, [JudgedRow(r.id, 0, rng.random(), 1.0) for r in rows])
            led.told(k, "{}")
            if each:
                led.flush()
    return (time.perf_counter() - start) / n, (time.process_time() - cpu) / n


def median(f: Callable[[], Any], n: int = 9) -> float:
    times = []
    for _ in range(n):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def ours(folder: Path) -> dict[str, Any]:
    """Every figure of our side, in seconds."""
    out: dict[str, Any] = {
        "append": write(folder / "one", N, 1),
        "append_100": write(folder / "hundred", N, 100),
        "append_each": write(folder / "each", 2_000, 1, each=True),
        "bytes": (folder / "one" / "ledger.db").stat().st_size,
    }
    write(folder / "cross", N, 100, crossover=0.5)
    rng = random.Random(1)
    with Reader(folder / "one") as r:
        out["top"] = median(lambda: r.top(10))
        out["top_1000"] = median(lambda: r.top(1000))
        out["ancestors"] = len(r.lineage(N - 1))
        out["lineage"] = median(lambda: r.lineage(N - 1))
        out["candidate"] = median(lambda: r.candidate(rng.randrange(N)))
        out["genome"] = median(lambda: r.genome(rng.randrange(N)))
        out["children"] = median(lambda: r.children(rng.randrange(N)))
        out["aggregates"] = median(lambda: (r.curve(), r.operators(), r.verdicts(), r.count()))

    def cold() -> Any:
        with Reader(folder / "one") as r:
            return r.top(10)

    out["top_cold"] = median(cold)
    with Reader(folder / "cross") as r:
        out["ancestors_cross"] = len(r.lineage(N - 1))
        out["lineage_cross"] = median(lambda: r.lineage(N - 1), 3)
    with Ledger.open(folder / "one") as led:
        start = time.perf_counter()
        n_events = sum(1 for _ in led.replay())
        out["replay"] = time.perf_counter() - start
        out["events"] = n_events
        start = time.perf_counter()
        led.rebuild()
        out["rebuild"] = time.perf_counter() - start
    return out


def peer_python(folder: Path) -> str:
    """An interpreter that has Optuna."""
    given = os.environ.get("EVOLOOM_OPTUNA_PYTHON")
    if given:
        return given
    home = folder / "optuna"
    if uv := shutil.which("uv"):
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(home)], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", str(home / "bin/python"), "optuna"], check=True)
    else:
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(home / "bin/python"), "-m", "pip", "install", "--quiet", "optuna"], check=True)
    return str(home / "bin/python")


def peer(folder: Path) -> dict[str, Any]:
    python = peer_python(folder)
    script = Path(__file__).with_name("_optuna_peer.py")
    command = [python, str(script), str(folder), str(PEER_APPEND), str(PEER_STORED)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the Optuna half failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def table(a: dict[str, Any], b: dict[str, Any]) -> str:
    def rate(seconds: float) -> str:
        return f"{1 / seconds:,.0f}/s ({seconds * 1e6:,.0f} us)"

    def spent(wall_cpu: tuple[float, float]) -> str:
        return f"{rate(wall_cpu[0])}, {wall_cpu[1] * 1e6:,.0f} us of processor time"

    def ms(seconds: float) -> str:
        return f"{seconds * 1e3:,.2f} ms"

    per = b["bytes"] / b["stored"]
    rows = [
        (f"append, one candidate at a time, group commit ({N:,})", spent(a["append"]), "none"),
        (
            "append, one at a time, a commit for each",
            spent(a["append_each"]),
            rate(b["append_wal"]) + ", same WAL settings",
        ),
        ("the same, SQLite as each opens it", spent(a["append_each"]), rate(b["append"]) + ", fsync at each commit"),
        (f"append, batches of 100 ({N:,})", spent(a["append_100"]), f"{rate(b['fill_wal'])} by add_trial, WAL"),
        ("top 10", ms(a["top"]), f"{ms(b['top_warm'])} with everything in memory"),
        ("top 10 by a process that just came", ms(a["top_cold"]), ms(b["top_cold"])),
        ("top 1,000", ms(a["top_1000"]), ""),
        (
            "all ancestors",
            f"{ms(a['lineage'])} ({a['ancestors']:,} of them)",
            f"{ms(b['lineage_warm'])} in memory, {ms(b['lineage_cold'])} cold",
        ),
        ("all ancestors, half the children from crossover", f"{ms(a['lineage_cross'])} ({a['ancestors_cross']:,})", ""),
        ("one candidate by id", ms(a["candidate"]), ""),
        ("one genome by id", ms(a["genome"]), ""),
        ("children", ms(a["children"]), ""),
        ("curve, operators, verdicts and count together", ms(a["aggregates"]), ""),
        (f"read back all {a['events']:,} events", ms(a["replay"]), ""),
        ("rebuild every table from the events", ms(a["rebuild"]), ""),
        ("file, bytes per candidate", f"{a['bytes'] / N:,.0f}", f"{per:,.0f}"),
    ]
    lines = [
        "# The ledger beside Optuna's RDB storage",
        "",
        f"{datetime.date.today().isoformat()}, evoloom {evoloom.__version__} (SQLAlchemy {sqlalchemy.__version__}) and "
        f"Optuna {b['version']} (SQLAlchemy {b['sqlalchemy']}), SQLite {sqlite3.sqlite_version}, Python "
        f"{platform.python_version()}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}. Reproduce: "
        "`python -m bench ledger`.",
        "",
        f"Ours holds {N:,} candidates with texts of about 170 bytes, parents from the latest {POPULATION:,}. Optuna is "
        f"measured with {b['stored']:,} trials (appending by ask, two attributes and tell: {PEER_APPEND}), because "
        "100,000 would take most of an hour; its queries read every trial, so their times grow with the number.",
        "",
        f"| | evoloom, {N:,} | Optuna, {b['stored']:,} |",
        "|-|-|-|",
    ]
    return "\n".join(lines + [f"| {x} | {y} | {z} |" for x, y, z in rows]) + "\n"


def main() -> str:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return table(ours(folder), peer(folder))


if __name__ == "__main__":
    print(main())
