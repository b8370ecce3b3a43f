"""A run in a process of its own, to be killed: `python kill_child.py DIRECTORY PROBLEM SYSTEM EVALUATIONS WORKERS`."""

import sys
from pathlib import Path

from evoloom import api
from evoloom.core.errors import LedgerError


def main() -> None:
    where, problem, system, evaluations, workers = sys.argv[1:6]
    limits = {"evaluations": float(evaluations), "workers": int(workers), "held_out": False}
    if (Path(where) / "ledger.db").exists():
        try:
            result = api.resume(where, **limits)
        except LedgerError as e:
            if not any(x in str(e) for x in ("no run", "is empty")):  # killed before the run was entered
                raise
            result = api.run(problem, system, where=where, seed=5, **limits)
    else:
        result = api.run(problem, system, where=where, seed=5, **limits)
    print(result.state_digest, result.evaluations, result.stop.name, flush=True)


if __name__ == "__main__":
    main()
