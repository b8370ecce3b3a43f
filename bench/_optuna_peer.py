"""The peer's half of `bench.ledger`: run by an interpreter that has Optuna; prints one JSON object.

python _optuna_peer.py FOLDER N_APPEND N_STORED
"""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna  # pyright: ignore[reportMissingImports]
import sqlalchemy
from sqlalchemy import event

TEXT = "def f(x):\n    return x * {0} + {0} % 13\n" * 4


def study(path: Path, wal: bool) -> Any:
    """wal: with the settings that our ledger uses; otherwise as Optuna opens SQLite."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    if wal:

        @event.listens_for(storage.engine, "connect")
        def settings(connection: sqlite3.Connection, record: Any) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")

        storage.engine.dispose()
    return optuna.create_study(storage=storage, study_name="s", direction="maximize")


def append(to: Any, n: int, rng: random.Random) -> float:
    """Seconds per trial by ask, attributes, tell."""
    start = time.perf_counter()
    for i in range(n):
        trial = to.ask()
        trial.set_user_attr("genome", TEXT.format(i))
        trial.set_user_attr("parents", [max(0, i - 1 - rng.randrange(1000))])
        to.tell(trial, rng.random())
    return (time.perf_counter() - start) / n


def fill(to: Any, n: int, rng: random.Random) -> float:
    """Seconds per trial by add_trial with finished trials, the fastest public way in."""
    start = time.perf_counter()
    for i in range(n):
        attributes = {"genome": TEXT.format(i), "parents": [max(0, i - 1 - rng.randrange(1000))] if i else []}
        to.add_trial(optuna.trial.create_trial(value=rng.random(), user_attrs=attributes))
    return (time.perf_counter() - start) / n


def median(f: Callable[[], Any], n: int = 5) -> float:
    times = []
    for _ in range(n):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def lineage(trials: list[Any], of: int) -> list[int]:
    seen, near, order = {of}, [of], []
    while near:
        near = sorted({p for i in near for p in trials[i].user_attrs["parents"]} - seen)
        seen.update(near)
        order += near
    return order


def main(folder: Path, n_append: int, n_stored: int) -> dict[str, Any]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    rng = random.Random(0)
    out: dict[str, Any] = {"version": optuna.__version__, "sqlalchemy": sqlalchemy.__version__, "stored": n_stored}
    out["append"] = append(study(folder / "plain.db", False), n_append, rng)
    out["append_wal"] = append(study(folder / "wal.db", True), n_append, rng)
    stored = study(folder / "stored.db", True)
    out["fill_wal"] = fill(stored, n_stored, rng)

    def cold() -> Any:
        """A process that comes to an existing study, as a report or a page does."""
        return optuna.load_study(study_name="s", storage=f"sqlite:///{folder / 'stored.db'}")

    def top(of: Any) -> list[Any]:
        return sorted(of.get_trials(deepcopy=False), key=lambda t: -t.value)[:10]

    warm = cold()
    top(warm)
    out["top_cold"] = median(lambda: top(cold()), 3)
    out["top_warm"] = median(lambda: top(warm))
    out["lineage_cold"] = median(lambda: lineage(cold().get_trials(deepcopy=False), n_stored - 1), 3)
    out["lineage_warm"] = median(lambda: lineage(warm.get_trials(deepcopy=False), n_stored - 1))
    out["bytes"] = (folder / "stored.db").stat().st_size
    return out


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
