"""Cost of judging in a sandbox: a session at every level, one call inside it, how soon a loop is ended, an empty task.

The machine's own price of a round trip between two processes and of a fork stands beside them. Run it on a machine that
does nothing else: every row waits for other processes.
"""

from __future__ import annotations

import os
import platform
import queue
import resource
import socket
import statistics
import time
from collections.abc import Callable

import numpy as np

from evoloom.core.contracts import Box, Failed, Limits
from evoloom.core.errors import InfrastructureError
from evoloom.evaluate.sandbox import open_box
from evoloom.evaluate.workers import Inline, Processes, Threads

SOURCE = "import numpy as np\ndef f(*x):\n    return x[-1] + 1\n"
SESSIONS, CALLS, TASKS = 200, 5_000, 5_000
BUSY_S = 0.004  # what a caller typically does between two candidates: score, record, choose


def timed(work: Callable[[], object], n: int, pause: float = 0.0) -> tuple[float, float, float]:
    """Median, lowest tenth, highest tenth of n runs, in seconds."""
    took = []
    for _ in range(n):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
        if pause:
            time.sleep(pause)
    took.sort()
    return statistics.median(took), took[n // 10], took[-(n // 10) - 1]


def row(what: str, times: tuple[float, float, float], unit: float, name: str) -> str:
    median, low, high = (t / unit for t in times)
    return f"| {what} | {median:.2f} {name} | {low:.2f} | {high:.2f} |"


def round_trip() -> tuple[float, float, float]:
    """500 bytes to another process and back: nothing faster is possible."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        while data := theirs.recv(1 << 16):
            theirs.send(data)
        os._exit(0)
    theirs.close()
    data = bytes(500)

    def ping() -> None:
        ours.send(data)
        ours.recv(1 << 16)

    timed(ping, CALLS)
    times = timed(ping, CALLS)
    ours.close()
    os.waitpid(pid, 0)
    return times


def fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def level(name: str) -> list[str]:
    try:
        box = open_box(name, ["numpy"])
    except InfrastructureError as e:
        return [f"| {name} | not usable: {str(e).splitlines()[0]} | | |"]
    table = np.random.default_rng(0).random((120, 60))
    few = table[0]

    def session() -> None:
        with box.open(SOURCE, "f") as s:
            s.call(table)

    timed(session, 20)
    rows = [
        row(f"{name}: session, caller busy 4 ms between", timed(session, SESSIONS, BUSY_S), 1e-3, "ms"),
        row(f"{name}: session, one after another", timed(session, SESSIONS), 1e-3, "ms"),
    ]
    with box.open(SOURCE, "f", Limits(seconds=600)) as s:
        s.call(0.5, few)
        rows.append(row(f"{name}: one call, (float, 60 floats)", timed(lambda: s.call(0.5, few), CALLS), 1e-6, "us"))
    rows.append(row(f"{name}: beyond a limit of 0.1 s", timed(lambda: overrun(box), 10), 1e-3, "ms"))
    box.close()
    return rows


def overrun(box: Box) -> None:
    """Time for an endless loop, of which 0.1 s is its right."""
    try:
        with box.open("def f():\n    while True: pass\n", "f", Limits(seconds=0.1)) as s:
            s.call()
    except Failed:
        time.sleep(0)


def tasks(name: str, workers: Inline | Threads | Processes) -> str:
    """Time per empty task: all submitted at once, and one at a time."""
    inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
    workers.start({"no-op": lambda x: x}, inbox.put)

    def one() -> None:
        workers.submit(0, "no-op", 1)
        inbox.get()

    timed(one, 200)
    times = timed(one, TASKS)
    start = time.perf_counter()
    for i in range(TASKS):
        workers.submit(i, "no-op", i)
    for _ in range(TASKS):
        inbox.get()
    stream = (time.perf_counter() - start) / TASKS
    workers.close()
    return row(f"{name}: empty task (in a stream {stream * 1e6:.0f} us)", times, 1e-6, "us")


def main() -> str:
    load = os.getloadavg()[0]
    rows = [
        tasks("Inline", Inline()),
        tasks("Threads(2)", Threads(2)),
        tasks("Processes(2)", Processes(2)),
        row("machine: fork and wait, NumPy loaded", timed(fork, SESSIONS), 1e-3, "ms"),
        row("machine: round trip of 500 bytes", round_trip(), 1e-6, "us"),
    ]
    for name in ("limits", "confined", "bubblewrap"):
        rows += level(name)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    head = (
        f"# Sandbox\n\nPython {platform.python_version()}, {os.cpu_count()} cores, load before: {load:.1f}. "
        f"Session: open, one call with a 120 x 60 array in and out, close.\n\n"
        "| what | median | lowest tenth | highest tenth |\n|---|---|---|---|\n"
    )
    tail = f"\n\nProcessor time of all children: {used.ru_utime + used.ru_stime:.1f} s.\n"
    return head + "\n".join(rows) + tail


if __name__ == "__main__":
    print(main())
