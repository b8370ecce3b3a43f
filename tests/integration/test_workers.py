"""Every kind of workers: one outcome per task whatever the tool does, and nothing left behind."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evoloom.core.budget import Cost
from evoloom.core.contracts import NotMade, Outcome
from evoloom.core.errors import UsageError
from evoloom.evaluate.workers import Inline, Processes, Threads


def double(x):
    return 2 * x


def fail(x):
    raise ValueError(f"cannot do {x}")


def refuse(x):
    raise NotMade("no", Cost(calls=x))


def die(x):
    os.kill(os.getpid(), signal.SIGKILL) if x % 2 else os._exit(3)


def nap(x):
    time.sleep(x)
    return x


def closure():
    return lambda: None


TOOLS = {"double": double, "fail": fail, "refuse": refuse, "die": die, "nap": nap, "closure": closure, "pid": os.getpid}
KINDS = {"inline": Inline, "threads": lambda: Threads(3), "processes": lambda: Processes(2)}


def started(workers, tools=TOOLS):
    inbox: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    workers.start(tools, inbox.put)
    return workers, inbox


def take(inbox, n):
    return {o.tag: o for o in (inbox.get(timeout=30) for _ in range(n))}


@pytest.mark.parametrize("kind", KINDS)
def test_every_task_ends_in_one_outcome(kind):
    workers, inbox = started(KINDS[kind]())
    for i in range(60):
        workers.submit(("t", i), ("double", "fail", "refuse")[i % 3], i)
    got = take(inbox, 60)
    workers.close()
    assert inbox.empty()
    assert [got["t", i].value for i in range(0, 60, 3)] == [2 * i for i in range(0, 60, 3)]
    for i in range(1, 60, 3):
        assert f"ValueError: cannot do {i}" in got["t", i].error
    for i in range(2, 60, 3):
        assert got["t", i].refused.cost == Cost(calls=i)
        assert got["t", i].refused.why == "no"
        assert got["t", i].error is None


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_close_finishes_what_was_submitted(kind):
    workers, inbox = started(KINDS[kind]())
    for i in range(8):
        workers.submit(i, "nap", 0.02)
    workers.close()
    assert len(take(inbox, 8)) == 8


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_close_now_does_not_wait(kind):
    workers, inbox = started(KINDS[kind]())
    for i in range(20):
        workers.submit(i, "nap", 30.0)
    time.sleep(0.1)
    start = time.monotonic()
    workers.close(now=True)
    assert time.monotonic() - start < 5
    assert inbox.empty()


def test_a_dying_process_loses_its_own_task_only():
    workers, inbox = started(Processes(2))
    for i in range(40):
        workers.submit(i, "die" if i % 8 == 3 else "double", i)
    got = take(inbox, 40)
    workers.close()
    for i in range(40):
        if i % 8 == 3:
            assert "worker process died (signal SIGKILL)" in got[i].error
        else:
            assert got[i].value == 2 * i
            assert got[i].error is None


def test_exit_status_is_told_and_what_cannot_be_pickled_is_an_error():
    workers, inbox = started(Processes(1))
    workers.submit("exit", "die", 2)
    workers.submit("result", "closure")
    workers.submit("argument", "double", lambda: None)
    workers.submit("after", "double", 4)
    got = take(inbox, 4)
    workers.close()
    assert "exit status 3" in got["exit"].error
    assert "cannot be sent back" in got["result"].error
    assert "cannot be sent to a process" in got["argument"].error
    assert got["after"].value == 8


def test_tools_are_taken_along_by_fork_and_closed():
    class Tool:
        def __init__(self, path):
            self.secret, self.path = lambda: 41, path  # a closure: cannot be pickled

        def __call__(self, x):
            return self.secret() + x

        def close(self):
            with open(self.path, "a") as f:
                f.write("closed\n")

    for workers, n in ((Inline(), 1), (Threads(2), 1), (Processes(2), 2)):
        path = Path(os.environ.get("TMPDIR", "/tmp")) / f"evoloom-test-{os.getpid()}"
        path.unlink(missing_ok=True)
        _, inbox = started(workers, {"tool": Tool(path)})
        workers.submit(0, "tool", 1)
        assert take(inbox, 1)[0].value == 42
        workers.close()
        assert path.read_text() == "closed\n" * n
        path.unlink()


def test_workers_ignore_the_interrupt():
    workers, inbox = started(Processes(1))
    workers.submit("pid", "pid")
    pid = take(inbox, 1)["pid"].value
    workers.submit("nap", "nap", 0.2)
    os.kill(pid, signal.SIGINT)
    assert take(inbox, 1)["nap"].value == 0.2
    workers.close()


def test_a_count_below_one_is_refused():
    for kind in (Threads, Processes):
        with pytest.raises(UsageError, match="at least 1"):
            kind(0)


def test_killing_the_coordinator_leaves_no_worker():
    code = """
import os, queue, time
from evoloom.evaluate.workers import Processes
inbox = queue.SimpleQueue()
p = Processes(2)
p.start({"pid": lambda: (os.getpid(), os.getppid())}, inbox.put)
p.submit(0, "pid"); p.submit(1, "pid")
print(*inbox.get().value, *inbox.get().value, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        pids = {int(p) for p in process.stdout.readline().split()}
        assert len(pids) >= 2
        assert all(alive(p) for p in pids)
        process.kill()
    deadline = time.monotonic() + 5
    while any(alive(p) for p in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(alive(p) for p in pids)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"
