"""`python -m bench [NAME ...]`: run benchmarks and store their tables."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

import bench

RESULTS = Path(__file__).parent / "results"


def main(names: list[str]) -> int:
    known = [m.name for m in pkgutil.iter_modules(bench.__path__) if not m.name.startswith("_")]
    unknown = [n for n in names if n not in known]
    if unknown:
        print(f"no benchmark is called {', '.join(unknown)}; known: {', '.join(known)}", file=sys.stderr)
        return 2
    RESULTS.mkdir(exist_ok=True)
    for name in names or known:
        table = importlib.import_module(f"bench.{name}").main()
        (RESULTS / f"{name}.md").write_text(table)
        print(table, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
