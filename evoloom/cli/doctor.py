"""`evoloom doctor`: what this machine offers, what is missing, and how to get it."""

from __future__ import annotations

import os
from typing import NamedTuple

from evoloom.cli import arguments as a


class Check(NamedTuple):
    """One line: `fine` None is information only."""

    name: str
    fine: bool | None
    says: str


def doctor(json: a.Json = False) -> None:
    """Say what this machine offers.

    Versions, optional packages, and the isolation that untrusted candidates get here."""
    checks = [*machine(), *packages(), *sandbox(), *registered()]
    if json:
        for c in checks:
            a.emit({"event": "check", **c._asdict()})
        return
    from rich.console import Console
    from rich.text import Text

    console = Console()
    width = max(len(c.name) for c in checks)
    for c in checks:
        mark, style = {True: ("ok", "green"), False: ("--", "yellow"), None: ("  ", "dim")}[c.fine]
        console.print(Text(f"{mark} ", style=style) + Text(f"{c.name.ljust(width)}  ", style="bold") + Text(c.says))


def machine() -> list[Check]:
    import platform
    import sys

    import evoloom

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    python = sys.version_info >= (3, 11)
    return [
        Check("evoloom", None, f"{evoloom.__version__} in {os.path.dirname(evoloom.__file__)}"),
        Check("python", python, platform.python_version() + ("" if python else ": evoloom needs 3.11 or newer")),
        Check("system", None, f"{platform.system()} {platform.release()}, {platform.machine()}"),
        Check("cores", None, f"{usable} usable: --workers {usable} keeps them busy"),
    ]


PARTS = (("numpy", None, "arrays"), ("scipy", None, "statistics"), ("numba", None, "fast simulators"),
         ("sqlalchemy", None, "the ledger"), ("cmaes", None, "CMA-ES"), ("moocore", None, "Pareto archives"),
         ("matplotlib", "plots", "show --plot, compare --plot"))  # fmt: skip


def packages() -> list[Check]:
    from importlib.metadata import PackageNotFoundError, version

    checks = []
    for name, extra, purpose in PARTS:
        try:
            checks.append(Check(name, True, f"{version(name)} ({purpose})"))
        except PackageNotFoundError:
            remedy = f"pip install 'evoloom[{extra}]'" if extra else "a part of evoloom itself: install evoloom again"
            checks.append(Check(name, False, f"not installed ({purpose}): {remedy}"))
    return checks


def sandbox() -> list[Check]:
    """Every level of isolation, tried; then what `--sandbox auto` means here."""
    from contextlib import closing

    from evoloom.core.errors import InfrastructureError
    from evoloom.evaluate.sandbox import open_box

    checks, best = [], None
    for level in ("bubblewrap", "confined", "limits"):
        try:
            with closing(open_box(level)) as box:
                facts = getattr(box, "facts", {})
            says = [f"Landlock ABI {facts['landlock']}"] if facts.get("landlock") else []
            says += ["candidates get another user id"] if facts.get("other_user") else []
            checks.append(Check(f"sandbox {level}", True, ", ".join(["works", *says])))
            best = best or level
        except InfrastructureError as e:
            checks.append(Check(f"sandbox {level}", False, " ".join(str(e).split())))
    if best in (None, "limits"):
        says = "untrusted code is refused unless you say --sandbox limits (it can then read and write your files)"
        return [*checks, Check("sandbox auto", False, says)]
    return [*checks, Check("sandbox auto", True, f"untrusted candidates run at level '{best}'")]


def registered() -> list[Check]:
    from evoloom.core import registry

    return [Check(f"{kind}s", None, str(len(registry.names(kind)))) for kind in registry.KINDS]
