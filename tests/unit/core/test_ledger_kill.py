"""kill -9 at random moments: what was acknowledged is there, what is there is a whole prefix, and the run goes on."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time

from evoloom.core.ledger import Ledger, Reader, RunInfo, schema

# Event n of the run is a function of n alone, so the parent knows what every prefix looks like.
WRITER = """
import itertools, json, sys
from evoloom.core.ledger import CandidateRow, JudgedRow, Ledger
with Ledger.open(sys.argv[1]) as led:
    start = sum(1 for _ in led.replay())
    for n in itertools.count(start):
        k, kind = divmod(n, 4)
        body = json.dumps({"n": n})
        if kind == 0:
            led.asked(k, body, [CandidateRow(k, 0, "m", None, (k // 2,) if k else ())])
        elif kind == 1:
            text = json.dumps("x" * (9000 if k % 50 == 0 else 20) + str(k))
            led.made(k, 0, k, led.put(text), None, (), body)
        elif kind == 2:
            led.judged(k, None, body, [JudgedRow(k, 0, float(k * 7919 % 1000), 1.0)])
        else:
            led.told(k, body)
        if n % 300 == 0:
            led.flush()
            print(n, flush=True)
"""
KINDS = ("asked", "made", "judged", "told")
ROUNDS = 8


def projections(led: Ledger) -> dict[str, list]:
    with led._engine.connect() as connection:
        return {t.name: sorted(map(tuple, connection.execute(t.select())), key=repr) for t in schema.PROJECTIONS}


def test_killed_at_random_moments(tmp_path):
    rng = random.Random(20240607)
    Ledger.create(tmp_path, RunInfo("alpha", 0.0, "s", "p", {}, 0, "0")).close()
    for _ in range(ROUNDS):
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.06))
        child.send_signal(signal.SIGKILL)
        said = [int(x) for x in (first + child.stdout.read()).splitlines(keepends=True) if x.endswith("\n")]
        assert child.wait() == -signal.SIGKILL, "the writer ended before it was killed"
        child.stdout.close()
        with Ledger.open(tmp_path) as led:
            events = list(led.replay())
            found = projections(led)
            led.rebuild()
            assert projections(led) == found
        assert len(events) > said[-1]
        assert [e.body["n"] for e in events] == list(range(len(events)))
        assert [e.kind for e in events] == [KINDS[n % 4] for n in range(len(events))]
        assert [e.seq for e in events] == list(range(1, len(events) + 1))
    with Reader(tmp_path) as r:
        assert r.count() == -(-len(events) // 4)
        made = [c for c in r.candidates() if c.content is not None]
        assert len(made) == sum(e.kind == "made" for e in events)
        for c in made[::25]:
            assert json.loads(r.genome(c.id)).endswith(str(c.id))
