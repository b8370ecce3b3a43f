"""`Processes`: trusted workers in processes of their own. Tools are taken along by fork, never pickled.

A nursery is forked first, while this process has no threads and no ledger yet; it does nothing but fork workers, so
that one that died can be replaced safely at any time. Each worker has a channel and a thread here that feeds it one
task at a time: a worker that dies takes its own task along and no other. Arguments and results are pickled, which is
safe because both ends are ours; code that is not ours runs in a box below a worker.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import socket
import struct
import threading
from multiprocessing.connection import Connection, Pipe
from typing import Any, NamedTuple, NoReturn

from evoloom.core.contracts import Outcome
from evoloom.core.errors import InfrastructureError
from evoloom.evaluate import kernel
from evoloom.evaluate.tasks import Post, Tools, checked, close_tools, drain, perform

_NUMBER = struct.Struct("<q")


class _Worker(NamedTuple):
    pid: int
    channel: Any  # Connection


class Processes:
    """n forked workers. `start` must run before this process has other threads and before a ledger is open."""

    def __init__(self, n: int):
        self.n = checked(n)

    def start(self, tools: Tools, post: Post) -> None:
        self._post = post
        self._tasks: queue.SimpleQueue[tuple[Any, str, tuple[Any, ...]] | None] = queue.SimpleQueue()
        self._nursery_lock = threading.Lock()
        self._closing = False
        self._busy: dict[int, int] = {}  # thread -> pid of the worker that runs its task
        self._busy_lock = threading.Lock()
        self._nursery, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        self._nursery_pid = os.fork()
        if self._nursery_pid == 0:
            self._nursery.close()
            _keep_nursery(theirs, tools, parent)
        theirs.close()
        self._threads = [
            threading.Thread(target=self._feed, args=(i, self._hatch()), name=f"evoloom-judge-{i}", daemon=True)
            for i in range(self.n)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, tag: Any, tool: str, *args: Any) -> None:
        self._tasks.put((tag, tool, args))

    def close(self, now: bool = False) -> None:
        """Finish what was submitted, end the workers; `now`: drop what waits, kill what runs, post nothing more."""
        if now:
            self._closing = True
            drain(self._tasks)
            with self._busy_lock:
                for pid in self._busy.values():
                    os.kill(pid, signal.SIGKILL)  # not yet waited for by the nursery, so it is still this worker's
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()
        self._nursery.close()
        os.waitpid(self._nursery_pid, 0)

    def _feed(self, i: int, worker: _Worker) -> None:
        """Thread i: hand tasks to its worker until told to stop."""
        while (task := self._tasks.get()) is not None:
            tag, tool, args = task
            outcome, alive = self._run(i, worker, tag, tool, args)
            if self._closing:
                break
            if not alive:
                worker.channel.close()
                status = self._ask(b"w", worker.pid)
                outcome = Outcome(tag, error=f"the worker process died ({_how(status)}) while it ran '{tool}'")
                try:
                    worker = self._hatch()
                except (InfrastructureError, OSError) as e:
                    self._post(outcome)
                    self._refuse(f"no worker process can be started any more: {e}")
                    return
            self._post(outcome)
        worker.channel.close()

    def _run(self, i: int, worker: _Worker, tag: Any, tool: str, args: tuple[Any, ...]) -> tuple[Outcome, bool]:
        """The outcome, and whether the worker lives."""
        with self._busy_lock:
            if self._closing:
                return Outcome(tag), True
            self._busy[i] = worker.pid
        try:
            try:
                worker.channel.send_bytes(pickle.dumps((tool, args), protocol=5))
            except (pickle.PicklingError, TypeError, AttributeError) as e:
                return Outcome(tag, error=f"arguments of '{tool}' cannot be sent to a process: {e}"), True
            value, error, refused = pickle.loads(worker.channel.recv_bytes())
            return Outcome(tag, value, error, refused), True
        except (EOFError, OSError):
            return Outcome(tag), False
        finally:
            with self._busy_lock:
                del self._busy[i]

    def _refuse(self, why: str) -> None:
        while (task := self._tasks.get()) is not None:
            self._post(Outcome(task[0], error=why))

    def _hatch(self) -> _Worker:
        ours, theirs = Pipe()
        try:
            return _Worker(self._ask(b"f", theirs.fileno()), ours)
        finally:
            theirs.close()

    def _ask(self, what: bytes, number: int) -> int:
        with self._nursery_lock:
            if what == b"f":
                socket.send_fds(self._nursery, [b"f"], [number])
            else:
                self._nursery.send(what + _NUMBER.pack(number))
            answer = self._nursery.recv(64)
        if not answer:
            raise InfrastructureError("the process that starts workers is gone")
        return _NUMBER.unpack(answer)[0]


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"exit status {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def _die_with(parent: int) -> None:
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the coordinator decides what an interrupt means
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _keep_nursery(control: socket.socket, tools: Tools, parent: int) -> NoReturn:
    """Fork workers and wait for them, on request, until the coordinator closes."""
    try:
        _die_with(parent)
        while True:
            data, fds, _, _ = socket.recv_fds(control, 64, 1)
            if not data:
                break
            if data == b"f":
                nursery = os.getpid()
                pid = os.fork()
                if pid == 0:
                    control.close()
                    _work(Connection(fds[0]), tools, nursery)
                os.close(fds[0])
                control.send(_NUMBER.pack(pid))
            else:
                control.send(_NUMBER.pack(os.waitpid(_NUMBER.unpack(data[1:])[0], 0)[1]))
        with contextlib.suppress(ChildProcessError):
            while True:
                os.wait()
    finally:
        os._exit(0)


def _work(channel: Connection, tools: Tools, parent: int) -> NoReturn:
    """One worker: tasks in, outcomes out, until the channel closes."""
    try:
        _die_with(parent)
        while True:
            try:
                data = channel.recv_bytes()
            except EOFError:
                break
            tool, args = pickle.loads(data)
            outcome = perform(None, tools[tool], args)
            try:
                reply = pickle.dumps(outcome[1:], protocol=5)
            except Exception as e:
                reply = pickle.dumps((None, f"the result of '{tool}' cannot be sent back: {e}", None))
            channel.send_bytes(reply)
        close_tools(tools)
    finally:
        os._exit(0)
