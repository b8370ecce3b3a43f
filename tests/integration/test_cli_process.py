"""The installed `evoloom` as a process: start-up, signals, worker processes, a task of one's own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

EVOLOOM = [sys.executable, "-c", "from evoloom.cli import main; main()"]


def evoloom(*args, cwd, code=0, **kwargs):
    r = subprocess.run([*EVOLOOM, *map(str, args)], cwd=cwd, capture_output=True, text=True, timeout=120, **kwargs)
    assert r.returncode == code, f"{r.returncode}\n{r.stdout}\n{r.stderr}"
    return r


def test_help_imports_nothing_heavy(tmp_path):
    heavy = {"numpy", "scipy", "numba", "pydantic", "sqlalchemy", "matplotlib", "rich", "evoloom.api"}
    script = (
        "import sys\nfrom evoloom.cli.app import app\nsys.argv = ['evoloom', '--help']\n"
        f"try: app()\nexcept SystemExit: pass\nprint('LOADED', sorted({heavy!r} & set(sys.modules)))"
    )
    r = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert "LOADED []" in r.stdout, r.stdout + r.stderr
    for command in (
        "run",
        "judge",
        "resume",
        "show",
        "compare",
        "verify",
        "systems",
        "problems",
        "export",
        "doctor",
        "init",
    ):
        assert command in r.stdout


def test_real_problem_json_is_nothing_but_json(tmp_path):
    r = evoloom("run", "sphere", "--system", "hill-climb", "-n", 300, "--set", "dim=3", "--json", cwd=tmp_path)
    events = [json.loads(line) for line in r.stdout.splitlines()]
    assert events[-1]["event"] == "result"
    genome = json.loads((tmp_path / events[-1]["best"]["genome_file"]).read_text())
    assert sum(x * x for x in genome) == pytest.approx(events[-1]["best"]["native"])
    r = evoloom("judge", "sphere", events[-1]["best"]["genome_file"], "--set", "dim=3", "--json", cwd=tmp_path)
    assert json.loads(r.stdout)["native"] == events[-1]["best"]["native"]


def test_ctrl_c_once_saves_and_exits_with_130(tmp_path):
    p = subprocess.Popen(
        [*EVOLOOM, "run", "sphere", "--seconds", "60", "--json"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert json.loads(p.stdout.readline())["event"] == "progress"
    p.send_signal(signal.SIGINT)
    begun = time.monotonic()
    out, _ = p.communicate(timeout=60)
    assert p.returncode == 130
    assert time.monotonic() - begun < 50  # not the whole minute
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["stop"]) == ("result", "interrupted")
    shown = json.loads(evoloom("show", "last", "--json", cwd=tmp_path).stdout)
    assert shown["best"]["id"] == last["best"]["id"]


def test_compare_in_processes_equals_compare_in_one(tmp_path):
    args = ("compare", "sphere", "--systems", "random-search,hill-climb", "--seeds", 2, "-n", 100, "--json")
    rows = [
        [json.loads(x) | {"seconds": 0} for x in evoloom(*args, "-w", w, cwd=tmp_path).stdout.splitlines()[-2:]]
        for w in (1, 2)
    ]
    assert rows[0] == rows[1]
    assert [r["system"] for r in rows[0]] == ["hill-climb", "random-search"]


def test_ctrl_c_in_a_comparison_of_processes_keeps_what_finished(tmp_path):
    args = ("compare", "sphere", "--systems", "random-search,hill-climb", "--seeds", "500", "-n", "2000", "-w", "2")
    p = subprocess.Popen(
        [*EVOLOOM, *args, "--json"], cwd=tmp_path, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    trials = [json.loads(p.stdout.readline()) for _ in range(4)]
    os.killpg(p.pid, signal.SIGINT)  # as a terminal does: to every process
    out, _ = p.communicate(timeout=60)
    assert p.returncode == 130
    found = trials + [json.loads(line) for line in out.splitlines()]
    assert {e["stop"] for e in found if e["event"] == "trial"} == {"evaluations"}
    rows = [e for e in found if e["event"] == "row"]
    assert rows
    assert all(r["partial"] for r in rows)
    assert sum(r["seeds"] for r in rows) == sum(e["event"] == "trial" for e in found)


def test_a_task_of_ones_own(tmp_path):
    evoloom("init", "mine", cwd=tmp_path)
    evoloom("init", "mine", cwd=tmp_path, code=2)
    assert json.loads(evoloom("judge", "./mine", "mine/program.py", "--json", cwd=tmp_path).stdout)["verdict"] == "ok"
    r = evoloom("run", "./mine", "-n", 60, "--json", "--html", cwd=tmp_path)
    last = json.loads(r.stdout.splitlines()[-1])
    shown = evoloom("show", "last", cwd=tmp_path).stdout
    assert "integrity" in shown
    assert "sandbox" in shown
    assert last["run"] == "runs/mine-1"
    assert last["problem"] == "mine"
    assert (tmp_path / last["best"]["genome_file"]).suffix == ".py"
    assert (tmp_path / "runs/mine-1/report.html").is_file()
    program = evoloom("export", "last", "--program", "-", cwd=tmp_path).stdout
    assert program.endswith(Path(tmp_path / last["best"]["genome_file"]).read_text())


def test_export_git_is_a_repository(tmp_path):
    evoloom("run", "sphere", "-n", 40, "--quiet", cwd=tmp_path)
    evoloom("export", "last", "--git", "history", cwd=tmp_path)
    files = subprocess.run(
        ["git", "-C", str(tmp_path / "history"), "ls-tree", "--name-only", "HEAD"], capture_output=True, text=True
    )
    assert files.stdout.split() == ["genome.json"]
