"""Boxes: where untrusted code runs. Levels, weakest first:

- `none`        in this very process; for programs you wrote yourself;
- `limits`      a process of its own: empty environment, time, memory and file limits; it can read and write your files;
- `confined`    the same, and Landlock and seccomp: reads Python's libraries, writes one throwaway folder, no network,
                no other process;
- `bubblewrap`  the same inside namespaces of its own: nothing else of the machine is even visible.

`auto` takes the highest that works and refuses to go below `confined`; the weaker two must be asked for by name.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import threading
from collections.abc import Sequence
from typing import Any

from evoloom.core.contracts import Box, Limits
from evoloom.core.errors import InfrastructureError, UsageError, near
from evoloom.evaluate import launch
from evoloom.evaluate.session import Ending, ProcessSession

LEVELS = ("none", "limits", "confined", "bubblewrap")
_END_S = 0.4  # for the zygote to kill one child and say so; then the zygote itself is ended


def open_box(level: str = "auto", modules: Sequence[str] = ()) -> Box:
    """A box at a level, ready. `modules`: imported once, before any candidate runs.

    Raises:
        UsageError: no such level, or a module is not installed.
        InfrastructureError: this machine cannot reach the level.
    """
    if level == "none":
        from evoloom.evaluate.trusted import TrustedBox

        return TrustedBox()
    if level != "auto" and level not in LEVELS:
        raise UsageError(f"no sandbox level is called {level!r}.{near(level, ('auto', *LEVELS))}")
    if level != "auto":
        return ZygoteBox(level, modules)
    reasons = []
    for candidate in ("bubblewrap", "confined"):
        try:
            return ZygoteBox(candidate, modules)
        except InfrastructureError as e:
            reasons.append(str(e))
    raise InfrastructureError(
        "code that nobody checked cannot be confined on this machine, so it is not run:\n  "
        + "\n  ".join(reasons)
        + "\nInstall bubblewrap, or use Linux 5.13 or later with Landlock (see `evoloom doctor`), or accept the risk "
        "and say sandbox='limits' (--sandbox limits): the code can then read and write your files."
    )


class ZygoteBox:
    """One zygote and its sessions, any number at a time, from any thread. A zygote that dies is started anew."""

    def __init__(self, level: str, modules: Sequence[str] = ()):
        self.level = level
        self._plan = launch.plan(modules)
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._pid = os.getpid()
        self._closed = False
        self._zygote = launch.start(level, self._plan)

    @property
    def facts(self) -> dict[str, Any]:
        """What the zygote reported: Landlock ABI, whether candidates get another user id, module versions."""
        return self._zygote.facts

    def __enter__(self) -> ZygoteBox:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()

    def open(self, source: str, entry: str, limits: Limits = Limits()) -> ProcessSession:
        """A process for one candidate; see `ProcessSession` for when it fails.

        Raises:
            InfrastructureError: the zygote cannot be reached nor started again.
        """
        if os.getpid() != self._pid:
            raise InfrastructureError("a box was taken along by a fork: open a box in each process (see judge_tool)")
        id = next(self._ids)
        ours, theirs = socket.socketpair()
        out, into = os.pipe()
        request = {"open": id, "seconds": limits.seconds, "memory_mb": limits.memory_mb, "files_mb": limits.files_mb}
        try:
            with self._lock:
                self._request(json.dumps(request).encode(), [theirs.fileno(), into])
                zygote = self._zygote
        except BaseException:
            ours.close()
            os.close(out)
            raise
        finally:
            theirs.close()
            os.close(into)
        return ProcessSession(ours, out, source, entry, limits, lambda wait: self._end(zygote, id, wait))

    def close(self) -> None:
        """End every session and the zygote."""
        with self._lock:
            if not self._closed and os.getpid() == self._pid:
                self._closed = True
                launch.stop(self._zygote)

    def _request(self, data: bytes, fds: list[int]) -> None:
        if self._closed:
            raise InfrastructureError("the box is closed")
        try:
            socket.send_fds(self._zygote.control, [data], fds)
        except OSError:
            launch.stop(self._zygote)
            self._zygote = launch.start(self.level, self._plan)
            socket.send_fds(self._zygote.control, [data], fds)

    def _end(self, zygote: launch.Zygote, id: int, wait: bool) -> Ending:
        """End one session. Where the zygote does not answer in time, it and all it started is ended."""
        with self._lock:
            if zygote is not self._zygote or self._closed:
                return Ending(None)
            try:
                zygote.control.send(json.dumps({"end" if wait else "drop": id}).encode())
                if not wait:
                    return Ending(0)
                zygote.control.settimeout(_END_S)
                answer = json.loads(zygote.control.recv(1 << 12) or b"{}")
                zygote.control.settimeout(None)
            except (OSError, ValueError):
                answer = {}
            if not answer:
                zygote.process.kill()  # under bubblewrap this ends the whole namespace
                zygote.process.wait()
                return Ending(None)
        return Ending(answer["status"], answer["rss_kb"])
