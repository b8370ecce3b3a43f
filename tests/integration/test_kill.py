"""kill -9 at random moments, then resume: the same final archive as a run that nobody disturbed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHILD = Path(__file__).with_name("kill_child.py")


def start(where, problem, system, evaluations, workers):
    command = [sys.executable, str(CHILD), str(where), problem, system, str(evaluations), str(workers)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def finish(process, timeout=120):
    out, err = process.communicate(timeout=timeout)
    assert process.returncode == 0, err
    return out.split()


def disturbed(where, arguments, delays):
    """Kill after each delay (seconds since start), then run to the end: (final line, kills that hit a living run)."""
    hits = 0
    for delay in delays:
        process = start(where, *arguments)
        try:
            out, err = process.communicate(timeout=delay)
            assert process.returncode == 0, err
            return out.split(), hits  # it ended before the kill
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            hits += 1
    return finish(start(where, *arguments)), hits


CASES = [
    ("sphere", "map-elites", 6000, 1),
    ("royal-road", "regularized-evolution", 3000, 2),
    ("bin-packing", "funsearch", 150, 2),
]


@pytest.mark.parametrize("arguments", CASES, ids=lambda a: f"{a[0]}-{a[1]}")
def test_a_killed_run_ends_with_the_archive_of_an_undisturbed_one(arguments, tmp_path):
    begun = time.monotonic()
    calm = finish(start(tmp_path / "calm", *arguments))
    span = time.monotonic() - begun
    assert calm[2] in ("EVALUATIONS", "TARGET"), calm
    moments = random.Random(arguments[0])
    hits = 0
    for k in range(2):
        delays = [moments.uniform(0.15, 0.95) * span for _ in range(1 + k % 2)]
        final, hit = disturbed(tmp_path / f"run{k}", arguments, delays)
        assert final == calm
        hits += hit
    assert hits >= 1, "the kills came too late to disturb anything"


def test_resuming_with_a_larger_budget_goes_on(tmp_path):
    from evoloom import api

    first = api.run("sphere", "map-elites", evaluations=600, seed=3, where=tmp_path / "run")
    more = api.resume(tmp_path / "run", evaluations=1200)
    whole = api.run("sphere", "map-elites", evaluations=1200, seed=3, where=tmp_path / "whole")
    assert (first.evaluations, more.evaluations) == (600, 1200)
    assert more.proposals == whole.proposals
    assert more.best.fitness >= first.best.fitness


def test_resuming_with_other_code_or_data_is_refused(tmp_path, monkeypatch):
    from evoloom import api
    from evoloom.core.errors import LedgerError
    from evoloom.problems.functions import Sphere
    from evoloom.select import tournament

    api.run("sphere", "map-elites", evaluations=300, seed=3, where=tmp_path / "run")
    monkeypatch.setattr(Sphere, "settings", lambda self: {"dim": 11})
    with pytest.raises(LedgerError, match="is not what it was"):
        api.resume(tmp_path / "run", evaluations=600)
    monkeypatch.undo()
    monkeypatch.setattr(sys.modules["evoloom.systems.map_elites"], "uniform", lambda: tournament(2))
    with pytest.raises(LedgerError, match="cannot be proposed again"):
        api.resume(tmp_path / "run", evaluations=600)


def test_no_worker_outlives_a_killed_coordinator(tmp_path):
    process = start(tmp_path / "run", "bin-packing", "funsearch", 5000, 2)
    time.sleep(4)
    family = descendants(process.pid)
    assert len(family) >= 2, "the run had no workers to leave behind"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + 5
    while (alive := [p for p in family if running(p)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive


def descendants(pid):
    parents = {}
    for d in Path("/proc").iterdir():
        if d.name.isdigit():
            try:
                parents[int(d.name)] = int((d / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    found, todo = [], [pid]
    while todo:
        p = todo.pop()
        children = [c for c, parent in parents.items() if parent == p]
        found += children
        todo += children
    return found


def running(pid):
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
