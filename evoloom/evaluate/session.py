"""The trusted side of one candidate's process: calls with a deadline, captured output, and how it ended."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable
from typing import Any, NoReturn

from evoloom.core.contracts import Failed, Limits, Verdict
from evoloom.core.errors import InfrastructureError
from evoloom.evaluate import wire
from evoloom.evaluate.candidate import BROKEN, CALL, FAIL, OPEN, READY, RESULT

# A candidate may print this many times what is kept before it is ended.
PRINT_FACTOR = 16
_REPORTABLE = (Verdict.INVALID, Verdict.ERROR, Verdict.MEMORY, Verdict.OUTPUT, Verdict.KILLED)
_CHUNK = 1 << 16


class Ending:
    """How a process ended, as the zygote tells it. `status` is None where it went together with its zygote.

    `blameless`: the candidate cannot have had a hand in that.
    """

    def __init__(self, status: int | None, rss_kb: int = 0, blameless: bool = False):
        self.status, self.rss_kb, self.blameless = status, rss_kb, blameless


class ProcessSession:
    """A `contracts.Session`. Starting it does not wait: a program that cannot be used fails at the first call.

    `end(wait)`: ends the process for certain and, where asked to wait, says how it ended.
    """

    def __init__(self, channel: socket.socket, output: int, source: str, entry: str, limits: Limits,
                 end: Callable[[bool], Ending]):  # fmt: skip
        self._channel, self._output, self._limits, self._end = channel, output, limits, end
        self._left = limits.seconds
        self._number = 0
        self._ready = False
        self._failed: Failed | None = None  # why the process is gone
        self._open = True
        self._printed = bytearray()
        self._n_printed = 0
        channel.setblocking(False)
        os.set_blocking(output, False)
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)
        self._poll.register(output, select.POLLIN)
        use = (limits.output_bytes, float(limits.seconds), int(limits.memory_mb), int(limits.files_mb))
        job = wire.encode((source, entry, *use))
        self._timed(self._send, wire.frame(OPEN, 0, job))

    def __enter__(self) -> ProcessSession:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()

    def call(self, *args: Any) -> Any:
        """Run the candidate's function once.

        Raises:
            Failed: the candidate failed; after ERROR, OUTPUT and MEMORY reports it may be called again.
            InfrastructureError: the sandbox failed.
            evaluate.wire.WireError: the arguments are no plain data (a mistake of the problem).
        """
        if self._failed:
            raise self._failed
        if not self._open:
            raise RuntimeError("the session was left: call the candidate inside its `with` block")
        self._number += 1
        return self._timed(self._exchange, wire.frame(CALL, self._number, wire.encode(args)))

    @property
    def printed(self) -> str:
        """What the candidate printed so far, cut at `limits.print_bytes`."""
        if self._open:
            self._drain()
        return self._printed.decode("utf-8", "replace")

    def close(self) -> None:
        """Leave: the process is ended whatever it does. Output that lies in the pipe is still read."""
        if self._open:
            self._shut(wait=False)

    def _timed(self, work: Callable[[bytes, float], Any], data: bytes) -> Any:
        """Only time spent waiting for the candidate counts."""
        start = time.monotonic()
        try:
            return work(data, start + self._left)
        finally:
            self._left -= time.monotonic() - start

    def _exchange(self, data: bytes, deadline: float) -> Any:
        self._send(data, deadline)
        while True:
            kind, number, body, start = self._receive(deadline)
            if kind == RESULT and number == self._number:
                try:
                    return wire.decode(body, start)
                except wire.WireError as e:
                    self._die(Verdict.OUTPUT, f"the answer cannot be read: {e}")
            if kind == READY and not self._ready:
                self._ready = True
            elif kind == BROKEN and not self._ready:
                self._shut(wait=True)
                raise InfrastructureError(f"a candidate's process could not be confined: {_text(body, start)}")
            elif kind == FAIL and number in (0, self._number):
                verdict, why = _report(body, start)
                if number == 0:
                    self._die(verdict, why)
                raise Failed(verdict, why)
            else:
                self._die(Verdict.OUTPUT, "the candidate wrote to the channel that carries its answers")

    def _send(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[self._channel.send(view) :]
            except BlockingIOError:
                self._poll.modify(self._channel, select.POLLOUT)
                try:
                    self._wait(deadline)
                finally:
                    self._poll.modify(self._channel, select.POLLIN)
            except (BrokenPipeError, ConnectionResetError):
                return  # it died; what it said before, or how it ended, is found when the answer is read

    def _receive(self, deadline: float) -> tuple[int, int, bytes | bytearray, int]:
        """One frame: kind, number, bytes, and where in them the body starts."""
        data: bytes | bytearray = self._take(_CHUNK if self._ready else wire.HEADER.size, deadline)
        head = wire.HEADER.size
        while len(data) < head:
            data += self._take(head - len(data), deadline)
        length, kind, number = wire.HEADER.unpack_from(data)
        if length > self._limits.output_bytes:
            self._die(
                Verdict.OUTPUT, f"an answer of {length:,} bytes; at most {self._limits.output_bytes:,} may return"
            )
        if len(data) < head + length:
            data = bytearray(data)
            while len(data) < head + length:
                data += self._take(min(1 << 20, head + length - len(data)), deadline)
        elif len(data) > head + length:
            self._die(Verdict.OUTPUT, "the candidate wrote to the channel that carries its answers")
        return kind, number, data, head

    def _take(self, most: int, deadline: float) -> bytes:
        """Some bytes of the channel; meanwhile what is printed is drained."""
        while True:
            self._wait(deadline)
            try:
                data = self._channel.recv(most)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                data = b""
            if not data:
                self._gone()
            return data

    def _wait(self, deadline: float) -> None:
        """Until the channel is ready, output being drained; past the deadline the candidate is ended."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                self._die(Verdict.TIMEOUT, f"ran longer than {self._limits.seconds:g} s")
            ready = self._poll.poll(min(left, 3600.0) * 1000 + 1)
            on_channel = False
            for fd, event in ready:
                if fd != self._output:
                    on_channel = True
                elif event & select.POLLIN:
                    self._drain()
                    if self._n_printed > PRINT_FACTOR * self._limits.print_bytes:
                        self._die(
                            Verdict.OUTPUT, f"printed more than {PRINT_FACTOR * self._limits.print_bytes:,} bytes"
                        )
                else:
                    self._poll.unregister(self._output)  # its writing ends are all closed
            if on_channel:
                return

    def _drain(self) -> None:
        """Read what was printed, at most one pipe's worth."""
        try:
            data = os.read(self._output, _CHUNK)
        except BlockingIOError:
            return
        self._n_printed += len(data)
        room = self._limits.print_bytes - len(self._printed)
        if room > 0:
            self._printed += data[:room]

    def _gone(self) -> NoReturn:
        """The channel closed: find out how the process ended."""
        ending = self._shut(wait=True)
        if ending.blameless:
            raise InfrastructureError("the process that starts candidates died, and this candidate's with it")
        if not self._ready:
            raise InfrastructureError(f"a candidate's process ended before it was confined (status {ending.status})")
        verdict, why = _reason(ending, self._limits)
        self._failed = Failed(verdict, why)
        raise self._failed

    def _die(self, verdict: Verdict, why: str) -> NoReturn:
        self._failed = Failed(verdict, why)
        if self._open:
            self._shut(wait=True)
        raise self._failed

    def _shut(self, wait: bool) -> Ending:
        self._open = False
        self._drain()
        self._channel.close()
        try:
            return self._end(wait)
        finally:
            os.close(self._output)


def _report(body: bytes | bytearray, start: int) -> tuple[Verdict, str]:
    """A verdict that the candidate's process reports of itself: one of its failures, or it is not believed."""
    try:
        code, text = wire.decode(body, start)
        verdict = Verdict(code)
    except (wire.WireError, ValueError, TypeError):
        return Verdict.OUTPUT, "the candidate wrote to the channel that carries its answers"
    return (verdict if verdict in _REPORTABLE else Verdict.ERROR), str(text)[:4000]


def _text(body: bytes | bytearray, start: int) -> str:
    try:
        return str(wire.decode(body, start))
    except wire.WireError:
        return "no reason given"


def _reason(ending: Ending, limits: Limits) -> tuple[Verdict, str]:
    if ending.status is None:
        return Verdict.KILLED, "ended together with the process that started it"
    if os.WIFEXITED(ending.status):
        return Verdict.KILLED, f"exited with status {os.WEXITSTATUS(ending.status)}"
    number = os.WTERMSIG(ending.status)
    if number == signal.SIGSYS:
        return Verdict.KILLED, "made a forbidden system call: no processes, no sockets, nothing beyond its own process"
    if number == signal.SIGXCPU:
        return Verdict.TIMEOUT, f"used more processor time than {limits.seconds:g} s allow"
    name = signal.Signals(number).name
    if ending.rss_kb > 0.7 * 1024 * limits.memory_mb:
        return Verdict.MEMORY, f"ended by {name} with {ending.rss_kb // 1024:,} MB in use"
    return Verdict.KILLED, f"ended by signal {name}"
