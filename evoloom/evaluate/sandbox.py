"""Boxes: where untrusted code runs. Levels, weakest first:

- `none`        in this very process; for programs you wrote yourself;
- `limits`      a process of its own: empty environment, time, memory and file limits; it can read and write your files;
- `confined`    the same, and Landlock and seccomp: reads Python's libraries, writes one throwaway folder, no network,
                no other process;
- `bubblewrap`  the same inside namespaces of its own: nothing else of the machine is even visible.

`auto` takes the highest that works and refuses to go below `confined`; the weaker two must be asked for by name.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import socket
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

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


class _Slot(NamedTuple):
    """A process that is confined and waits for a program."""

    id: int
    channel: socket.socket
    output: int
    zygote: launch.Zygote

    def alive(self) -> bool:
        poll = select.poll()
        poll.register(self.channel, 0)  # reports nothing but the other end's closing
        return not poll.poll(0)

    def abandon(self) -> None:
        self.channel.close()
        os.close(self.output)


class ZygoteBox:
    """One zygote and its sessions, any number at a time, from any thread. A zygote that dies is started anew.

    One process is kept ready ahead of need, forked while the caller is busy with the answer of the one before.
    """

    def __init__(self, level: str, modules: Sequence[str] = ()):
        self.level = level
        self._plan = launch.plan(modules)
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._pid = os.getpid()
        self._closed = False
        self._spare: _Slot | None = None
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
        with self._lock:
            slot = self._take()
        return ProcessSession(slot.channel, slot.output, source, entry, limits, lambda wait: self._end(slot, wait))

    def close(self) -> None:
        """End every session and the zygote."""
        with self._lock:
            if not self._closed and os.getpid() == self._pid:
                self._closed = True
                if self._spare:
                    self._spare.abandon()
                launch.stop(self._zygote)

    def _take(self) -> _Slot:
        if self._closed:
            raise InfrastructureError("the box is closed")
        if os.getpid() != self._pid:
            raise InfrastructureError("a box was taken along by a fork: open a box in each process (see judge_tool)")
        spare, self._spare = self._spare, None
        if spare is not None:
            if spare.zygote is self._zygote and self._zygote.process.poll() is None and spare.alive():
                return spare
            self._drop(spare)
        if self._zygote.process.poll() is None:
            with contextlib.suppress(OSError):
                return self._fork()
        launch.stop(self._zygote)
        self._zygote = launch.start(self.level, self._plan)
        return self._fork()

    def _fork(self) -> _Slot:
        """Ask the zygote for a process. Raises OSError where the zygote is gone."""
        id = next(self._ids)
        channel, theirs = socket.socketpair()
        output, into = os.pipe()
        slot = _Slot(id, channel, output, self._zygote)
        try:
            socket.send_fds(self._zygote.control, [json.dumps({"open": id}).encode()], [theirs.fileno(), into])
        except OSError:
            slot.abandon()
            raise
        finally:
            theirs.close()
            os.close(into)
        return slot

    def _drop(self, slot: _Slot) -> None:
        slot.abandon()
        with contextlib.suppress(OSError):  # a zygote that is gone took the process along
            slot.zygote.control.send(json.dumps({"drop": slot.id}).encode())

    def _end(self, slot: _Slot, wait: bool) -> Ending:
        """End one session, and have the next process made ready."""
        with self._lock:
            lost = Ending(None, blameless=self.level != "limits")
            if slot.zygote is not self._zygote or self._closed:
                return lost
            try:
                ending = self._kill(slot, wait)
                if self._spare is None:
                    self._spare = self._fork()
            except OSError:
                # The zygote is gone or does not answer. Under bubblewrap this ends the whole namespace.
                self._zygote.process.kill()
                self._zygote.process.wait()
                return lost
            return ending

    def _kill(self, slot: _Slot, wait: bool) -> Ending:
        control = self._zygote.control
        control.send(json.dumps({"end" if wait else "drop": slot.id}).encode())
        if not wait:
            return Ending(0)
        control.settimeout(_END_S)
        answer = json.loads(control.recv(1 << 12) or b"{}")
        control.settimeout(None)
        if not answer:
            raise ConnectionResetError("the zygote is gone")
        return Ending(answer["status"], answer["rss_kb"])


def survey() -> list[Any]:
    """Facts about isolation on this machine for people: see `evaluate.survey`."""
    from evoloom.evaluate.survey import survey

    return survey()
