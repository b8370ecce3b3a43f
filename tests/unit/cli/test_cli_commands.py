"""The commands in one process, on a toy problem: output, JSON forms, exit codes, error messages."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evoloom.cli.app import app

pytestmark = pytest.mark.usefixtures("toys", "cwd")


@pytest.fixture
def cwd(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*args, code=0):
    """Run a command; its stdout."""
    r = CliRunner().invoke(app, [str(a) for a in args])
    assert r.exit_code == code, f"{r.exit_code}: {r.output}\n{r.exception!r}"
    return r.output


def events(*args, code=0):
    return [json.loads(line) for line in call(*args, "--json", code=code).splitlines()]


def test_run_json_ends_with_the_result(cwd):
    last = events("run", "toy", "-n", 300, "--seed", 3)[-1]
    assert last["event"] == "result"
    assert {k: last[k] for k in ("system", "problem", "seed", "evaluations", "stop")} == {
        "system": "climb", "problem": "toy", "seed": 3, "evaluations": 300.0, "stop": "evaluations",
    }  # fmt: skip
    best = last["best"]
    assert best["native"] == -best["fitness"] < 0.2
    assert best["held_out"]["fitness"] == pytest.approx(best["native"] + 0.5)
    assert Path(best["genome_file"]).read_text().startswith("def priority")
    assert last["run"] == "runs/toy-1"
    assert last["invalid"]["error"] > 0
    assert set(last) >= {"run", "seconds", "invalid"}


def test_same_seed_same_result_and_runs_are_numbered(cwd):
    a, b = (events("run", "toy", "-n", 100)[-1] for _ in range(2))
    assert a["state_digest"] == b["state_digest"]
    assert (a["run"], b["run"]) == ("runs/toy-1", "runs/toy-2")


def test_run_summary_for_people(cwd):
    out = call("run", "toy", "-n", 200, "--html")
    for part in ("def priority", "fitness", "% excess", "held out", "first fit", "4.25", "stored in", "runs/toy-1"):
        assert part in out
    assert (cwd / "runs/toy-1/report.html").is_file()
    assert "evoloom show toy-1" in out


def test_quiet_prints_no_progress_lines(cwd):
    assert "of the budget" in call("run", "toy", "-n", 50).split("def priority")[0]
    assert call("run", "toy", "-n", 50, "--quiet").lstrip().startswith("def priority")


def test_nothing_valid_is_exit_code_3(cwd):
    last = events("run", "toy", "-n", 1, "--set", "hard=true", code=3)[-1]
    assert last["best"] is None
    assert last["invalid"] == {"error": 1}
    assert "nothing valid" in call("run", "toy", "-n", 1, "--set", "hard=true", code=3)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["run", "toyy"], "Did you mean 'toy'?"),
        (["run", "toy", "--system", "clim"], "Did you mean 'climb'"),
        (["run", "toy", "--set", "stepp=1"], "Did you mean 'step'?"),
        (["run", "toy", "--set", "n=many"], "n=many: expected int"),
        (["run", "toy", "--set", "width=1"], "say problem.width or system.width"),
        (["run", "toy", "--set", "n"], "expects NAME=VALUE"),
        (["run", "toy", "--set", "n=1", "--set", "n=2"], "given twice"),
        (["run", "toy", "-n", "0"], "must be positive"),
        (["show", "toy-1"], "holds no runs"),
        (["export", "toy-1"], "export what?"),
        (["verify"], "which claim?"),
        (["verify", "nobody"], "no claim is registered"),
        (["compare", "toy", "--systems", "climb"], "at least two"),
        (["compare", "toy", "--systems", "climb,leap", "--baseline", "x"], "--baseline"),
        (["compare", "toy", "--systems", "climb,leap", "--set", "fer=1"], "has no option 'fer'"),
        (["compare", "toy", "--systems", "climb,leap", "--plot", "x.gif"], "must end in"),
        (["judge", "toy", "nothing.py"], "cannot read"),
        (["systems", "clim"], "Did you mean 'climb'"),
    ],
)
def test_usage_errors_are_one_message_and_exit_code_2(args, says, cwd):
    r = CliRunner().invoke(app, args)
    assert r.exit_code == 2
    assert says in r.stderr
    assert "Traceback" not in r.output
    assert not (cwd / "runs").exists()


def test_unexpected_errors_keep_their_traceback(monkeypatch):
    from evoloom import api

    monkeypatch.setattr(api, "compose", lambda *a: 1 / 0)
    assert isinstance(CliRunner().invoke(app, ["run", "toy"]).exception, ZeroDivisionError)


def test_broken_evaluator_is_exit_code_4(monkeypatch):
    from toys import Toy

    monkeypatch.setattr(Toy, "evaluate", lambda self, job: 1 / 0)
    last = events("run", "toy", "-n", 10, code=4)[-1]
    assert last["stop"] == "broken"
    assert "division" in last["why"]


def test_settings_reach_problem_and_system(cwd):
    call("run", "toy", "-n", 20, "--set", "n=6", "--set", "system.width=2", "--set", "step=0.5")
    recipe = events("show", "toy-1")[0]["recipe"]
    assert recipe["problem_options"] == {"n": 6}
    assert recipe["system_options"] == {"width": 2, "step": 0.5}


def test_runs_folder_by_option_and_environment(cwd, monkeypatch):
    call("run", "toy", "-n", 10, "--runs", "a")
    monkeypatch.setenv("EVOLOOM_RUNS", str(cwd / "b"))
    call("run", "toy", "-n", 10)
    assert [p.name for p in cwd.glob("*/toy-1")] == ["toy-1", "toy-1"]
    assert "toy-1" in call("show", "last")


def test_resume_continues_and_reports(cwd):
    whole = events("run", "toy", "-n", 200)[-1]
    events("run", "toy", "-n", 81)  # a whole number of batches: the start, then fours
    again = events("resume", "toy-2", "-n", 200)[-1]
    assert again["evaluations"] == 200
    assert again["best"] | {"genome_file": 0} == whole["best"] | {"genome_file": 0}
    assert "stored in" in call("resume", "last", "-n", 220)


def test_show_text_json_and_plot(cwd):
    run = events("run", "toy", "-n", 200)[-1]
    text = call("show", "last", "--plot", "p.svg")
    for part in ("climb", "main line", "nudge", "verdict", "error", "first fit"):
        assert part in text
    assert (cwd / "p.svg").read_text().startswith("<?xml")
    shown = events("show", "toy-1")[0]
    assert shown["best"]["native"] == run["best"]["native"]
    assert shown["best"]["held_out"] == run["best"]["held_out"]
    assert shown["line"][0] == {"id": 0, "operator": "start", "native": shown["curve"][0][1]}
    assert shown["line"][-1]["id"] == run["best"]["id"]
    assert sum(shown["verdicts"].values()) == 200
    natives = [y for _, y in shown["curve"]]
    assert natives == sorted(natives, reverse=True)


def test_export_program_and_html(cwd):
    run = events("run", "toy", "-n", 100)[-1]
    call("export", "last", "--program", "best.py", "--html", "r.html")
    assert (cwd / "best.py").read_text() == Path(run["best"]["genome_file"]).read_text()
    assert "<!doctype html>" in (cwd / "r.html").read_text()
    assert call("export", "last", "--program", "-") == (cwd / "best.py").read_text()
    assert "w1 = 0.0" in call("export", "last", "--program", "-", "--candidate", "0")


def test_judge_a_file(cwd):
    run = events("run", "toy", "-n", 100)[-1]
    file = run["best"]["genome_file"]
    j = events("judge", "toy", file, "--held-out")[-1]
    assert j["event"] == "judgement"
    assert (j["verdict"], j["native"], j["fitness"]) == ("ok", run["best"]["native"], run["best"]["fitness"])
    assert j["held_out"] == run["best"]["held_out"]
    (cwd / "bad.py").write_text("x = 9.0\n")
    bad = events("judge", "toy", "bad.py", "--set", "n=1", code=3)[-1]
    assert (bad["verdict"], bad["native"], bad["notes"]) == ("error", None, "a weight above 2")
    assert "verdict  error" in call("judge", "toy", "bad.py", "--set", "n=1", code=3)


def test_compare_table_json_markdown_plot(cwd):
    args = ("compare", "toy", "--systems", "climb,leap", "--seeds", 5, "-n", 150, "--set", "far=1.5")
    out = call(*args, "--out", "t.md", "--plot", "c.svg", "--baseline", "leap")
    assert "A12 is the probability of being better than leap" in " ".join(out.split())
    assert (cwd / "t.md").read_text().startswith("| system | median | IQR |")
    assert (cwd / "c.svg").is_file()
    found = events(*args, "--measure", "held_out")
    rows = [e for e in found if e["event"] == "row"]
    assert [r["system"] for r in rows] == ["climb", "leap"]  # small steps win here
    assert found[-1] == rows[-1]
    assert rows[0]["median"] == pytest.approx(sorted(t["held_out"] for t in found[:-2] if t["system"] == "climb")[2])
    assert rows[0]["p"] is None
    assert 0 < rows[1]["p_holm"] <= 1
    assert rows[1]["a12"] < 0.5
    assert not (cwd / "runs").exists()


def test_listings(cwd):
    assert "climb" in call("systems")
    page = call("systems", "climb")
    for part in ("One elite, small steps.", "On Climbing (1999)", "step", "float", "0.1", "--system climb"):
        assert part in page
    toy = next(e for e in events("problems") if e["name"] == "toy")
    assert toy["options"][0] == {"name": "n", "type": "int", "default": "4"}
    assert toy["default_system"] == "climb"


def test_init_writes_a_task_that_can_be_judged(cwd):
    out = call("init", "mine")
    assert "evoloom run ./mine" in out
    assert {f.name for f in (cwd / "mine").iterdir()} >= {"program.py", "evaluate.py"}
    call("init", "mine", code=2)


def test_doctor_names_the_sandbox_and_every_package(cwd):
    names = {e["name"] for e in events("doctor")}
    assert {"python", "numpy", "sqlalchemy", "matplotlib", "sandbox auto", "systems"} <= names
    assert "numpy" in call("doctor")
