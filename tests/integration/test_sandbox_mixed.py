"""A thousand candidates, good and bad, on two workers: each gets its own verdict, nothing is lost, nothing stays."""

from __future__ import annotations

import queue
import time

import numpy as np
import pytest
from sandbox_levels import descendants, need

from evoloom.core.contracts import Columns, Failed, Limits, Notes, Problem, Verdict, failed, stack
from evoloom.core.contracts import Evaluation as E
from evoloom.evaluate.workers import Processes, judge_tool

CANDIDATES = {
    "def f(x): return float(x.sum())": Verdict.OK,
    "def f(x):\n    while True: pass": Verdict.TIMEOUT,
    "import sys\ndef f(x): sys.exit(0)": Verdict.KILLED,
    "import os\ndef f(x): os._exit(1)": Verdict.KILLED,
    "import os\ndef f(x): os.fork(); return 1.0": Verdict.KILLED,
    "def f(x): return len(bytearray(4 << 30))": Verdict.MEMORY,
    "def f(x):\n    while True: print('no end')": Verdict.OUTPUT,
    "def f(x): raise ValueError('no')": Verdict.ERROR,
    "def f(x): return object()": Verdict.OUTPUT,
    "def f(x): return float('nan')": Verdict.NONFINITE,
    "def f(x) return 1": Verdict.INVALID,
    "import socket\ndef f(x): socket.socket()": Verdict.KILLED,
    "import os\ndef f(x): os.kill(os.getppid(), 9)": Verdict.KILLED,
}


class Sum(Problem):
    """Fitness: the number that the candidate returns."""

    name = "sum"
    untrusted = True
    modules = ("numpy",)
    limits = Limits(seconds=0.3, memory_mb=256, print_bytes=1000)
    columns = Columns()

    def evaluate(self, job):
        return stack([self.one(job.box, g) for g in job.genomes])

    def one(self, box, source):
        try:
            # A good candidate must never fail for want of time on a busy machine.
            limits = self.limits if "while" in source else self.limits._replace(seconds=30)
            with box.open(source, "f", limits) as session:
                value = session.call(np.ones(50))
        except Failed as e:
            return failed(1, e.verdict, self.columns, notes=[Notes(e.why)])
        ok = np.isfinite(value)
        return E(np.array([value]), np.array([Verdict.OK if ok else Verdict.NONFINITE], np.int8), notes=[None])


@pytest.mark.slow
def test_a_thousand_mixed_candidates():
    level = need("bubblewrap")
    before = descendants()
    sources = list(CANDIDATES)
    draws = np.random.default_rng(0).choice(len(sources), 1000, p=[0.52] + [0.04] * 12)
    workers, inbox = Processes(2), queue.SimpleQueue()
    workers.start({"judge": judge_tool(Sum(), level)}, inbox.put)
    for i, k in enumerate(draws):
        workers.submit(i, "judge", [sources[k]])
    wrong = {}
    for _ in draws:
        outcome = inbox.get(timeout=60)
        assert outcome.error is None, outcome.error
        source = sources[draws[outcome.tag]]
        verdict = Verdict(int(outcome.value.verdict[0]))
        if verdict != CANDIDATES[source]:
            wrong[source] = (verdict.name, outcome.value.notes)
        elif verdict == Verdict.OK:
            assert outcome.value.fitness[0] == 50.0
    assert wrong == {}
    workers.close()
    assert inbox.empty()
    deadline = time.monotonic() + 5
    while descendants() - before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not descendants() - before
