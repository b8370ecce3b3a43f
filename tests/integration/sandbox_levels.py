"""At which levels the sandbox tests run here. What cannot run is skipped, or fails where everything is required."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest

from evoloom.core.errors import InfrastructureError
from evoloom.evaluate.sandbox import open_box

CONFINED = ("confined", "bubblewrap")


@functools.cache
def unusable(level: str) -> str:
    """Why a level cannot be used on this machine, or nothing."""
    try:
        open_box(level).close()
    except InfrastructureError as e:
        return str(e)
    return ""


def need(level: str) -> str:
    why = unusable(level)
    if why and os.environ.get("EVOLOOM_REQUIRE_ALL") == "1":
        pytest.fail(why)
    if why:
        pytest.skip(why)
    return level


def descendants(pid: int | None = None) -> set[int]:
    """Live processes below one, found by walking the whole process table."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                state, parent = Path(f"/proc/{name}/stat").read_text().rsplit(")", 1)[1].split()[:2]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if state not in "ZX":
                parents[int(name)] = int(parent)
    found = {os.getpid() if pid is None else pid}
    grown = True
    while grown:
        more = {p for p, parent in parents.items() if parent in found} - found
        grown = bool(more)
        found |= more
    return found - {os.getpid() if pid is None else pid}
