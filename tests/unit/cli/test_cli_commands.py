"""The commands in one process, on a toy problem: output, JSON forms, exit codes, error messages."""

import json
import os
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from evoloom.claims._claim import Claim
from evoloom.cli import outcome
from evoloom.cli.app import app
from evoloom.core import registry
from evoloom.core.budget import Stop

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


def test_a_reason_is_given_where_nothing_is_valid(cwd):
    why = "error (candidate 0): a weight above 2"
    args = ("toy", "-n", 1, "--set", "hard=true")
    assert events("run", *args, code=3)[-1]["why_invalid"] == why
    assert why in call("run", *args, "--quiet", code=3)
    assert f"first failure  {why}" in call("show", "toy-1")
    assert events("show", "toy-1")[0]["why_invalid"] == why


def test_a_reason_is_given_where_most_is_invalid_and_not_for_a_few(cwd, monkeypatch):
    assert "first failure" not in call("run", "toy", "-n", 100)
    assert "first failure" not in call("show", "toy-1")
    assert "a weight above 2" in events("show", "toy-1")[0]["why_invalid"]
    from toys import Toy

    weigh = Toy.weigh
    monkeypatch.setattr(
        Toy, "weigh", lambda self, g: weigh(self, g) if g.count("= 0.0\n") == 4 else (np.nan, 4, np.ones(4))
    )
    assert "first failure" in call("run", "toy", "-n", 20)
    assert "first failure" in call("show", "toy-2")


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


def reduced_winner(monkeypatch):
    """Every run's answer becomes another, smaller text than the candidate's."""
    from evoloom import api

    small = "def small():\n    w = 0.5\n"
    monkeypatch.setattr(api, "reduced", lambda p, best, box: best._replace(genome=small, text=small))


def test_export_writes_the_answer_as_the_run_gave_it(cwd, monkeypatch):
    reduced_winner(monkeypatch)
    run = events("run", "toy", "-n", 60)[-1]
    text = call("export", "last", "--program", "-")
    id = run["best"]["id"]
    assert text.startswith(f"# The answer of run toy-1: candidate {id} without what it does not need.\n")
    assert text.endswith("\n\ndef small():\n    w = 0.5\n")
    judged = call("export", "last", "--program", "-", "--candidate", id)
    assert judged.startswith("def priority")


def next_of(text):
    """The commands that a summary suggests."""
    said = next(line for line in text.splitlines() if line.startswith("next")).removeprefix("next")
    return [c.split()[1:] for c in said.split("   ") if c.strip()]


def test_suggested_commands_work(cwd):
    commands = next_of(call("run", "toy", "-n", 40, "--quiet"))
    assert commands[1] == ["resume", "toy-1", "--evaluations", "80"]
    assert "80 in" in call(*commands[1], "--quiet")
    for c in (commands[0], commands[2]):
        call(*c)
    elsewhere = next_of(call("run", "toy", "-n", 40, "--quiet", "--runs", "a/b"))
    call(*elsewhere[0])


def test_the_way_on_depends_on_what_ended_the_run():
    more = partial(outcome.more, name="r")
    assert more(Stop.SECONDS, limits={"seconds": 30.0}) == "resume r --seconds 30"
    assert more(Stop.EVALUATIONS, limits={"evaluations": 1e6, "seconds": 0.5}) == (
        "resume r --evaluations 2000000 --seconds 0.5"
    )
    assert more(Stop.USD, limits={"seconds": 9.0, "usd": 0.25}) == "resume r --seconds 9 --usd 0.5"
    assert more(Stop.INTERRUPTED, limits={"evaluations": 50.0}) == "resume r --evaluations 50"
    assert more(Stop.TARGET, limits={"evaluations": 50.0}) is None


def test_resume_suggests_by_the_limit_that_it_was_given(cwd):
    call("run", "toy", "-n", 20, "--quiet")
    assert next_of(call("resume", "toy-1", "--seconds", 0.3, "--quiet"))[1][2:] == ["--seconds", "0.3"]


def test_integrity_and_sandbox_are_said(cwd, monkeypatch):
    from toys import Toy

    monkeypatch.setattr(Toy, "settings", lambda self: {"integrity": "one-sided: trust no score"})
    monkeypatch.setattr(Toy, "untrusted", True)
    out = call("run", "toy", "-n", 20, "--quiet", "--sandbox", "none", "--html")
    said = dict(line.split(maxsplit=1) for line in out.splitlines() if line[:4] in ("inte", "sand"))
    assert said == {"integrity": "one-sided: trust no score", "sandbox": "none"}
    page = (cwd / "runs/toy-1/report.html").read_text()
    assert "one-sided: trust no score" in page
    assert "<td>sandbox level</td><td>none</td>" in page
    assert "one-sided: trust no score" in call("show", "toy-1")


def test_held_out_openings_are_counted(cwd):
    call("run", "toy", "-n", 20, "--quiet")
    call("resume", "toy-1", "-n", 60, "--quiet")
    n = sum(e.kind == "held_out" for e in ledger_events("runs/toy-1"))
    assert n >= 1
    assert events("show", "toy-1")[0]["held_out_opened"] == n
    assert f"opened {n} time" in call("show", "toy-1")
    call("export", "toy-1", "--html", "r.html")
    assert f"<b>{n}</b><span>times held-out data was opened" in (cwd / "r.html").read_text()


def ledger_events(where):
    from evoloom.core.ledger import Reader

    with Reader(Path(where)) as reader:
        return list(reader.events())


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


COMPARE = ("compare", "toy", "--systems", "climb,leap", "--seeds", 3, "-n", 40)


def test_compare_ends_where_the_evaluator_is_broken(monkeypatch):
    from toys import Toy

    monkeypatch.setattr(Toy, "evaluate", lambda self, job: 1 / 0)
    r = CliRunner().invoke(app, [str(x) for x in COMPARE])
    assert r.exit_code == 4
    assert "evaluator is broken (climb seed 0)" in r.stderr
    assert "division by zero" in r.stderr
    assert "A12" not in r.stdout


def test_compare_without_anything_valid_is_exit_code_3():
    r = CliRunner().invoke(app, [str(x) for x in (*COMPARE, "--set", "hard=true")])
    assert r.exit_code == 3
    assert "no system found anything valid. First failure: error (candidate 0): a weight above 2" in r.stderr
    assert "0/3" in r.stdout


def pressing(monkeypatch, evaluations):
    """Ctrl-C inside the n-th call of the evaluator."""
    from toys import Toy

    evaluate, calls = Toy.evaluate, []

    def pressed(self, job):
        calls.append(1)
        if len(calls) == evaluations:
            os.kill(os.getpid(), signal.SIGINT)
        return evaluate(self, job)

    monkeypatch.setattr(Toy, "evaluate", pressed)


def test_compare_keeps_what_finished_before_ctrl_c(cwd, monkeypatch):
    pressing(monkeypatch, 40)  # in the fourth run: about 12 calls each
    r = CliRunner().invoke(app, [str(x) for x in (*COMPARE, "--out", "t.md", "--baseline", "leap")])
    assert r.exit_code == 130, r.output
    assert "PARTIAL: interrupted after 3 of 6 runs." in r.stdout
    assert "PARTIAL" in (cwd / "t.md").read_text()
    assert r.stderr.count(" seed ") == 3  # the run that Ctrl-C cut short is not one of them


def test_compare_interrupted_in_the_first_run_has_no_table(monkeypatch):
    pressing(monkeypatch, 3)
    r = CliRunner().invoke(app, [str(x) for x in COMPARE])
    assert r.exit_code == 130
    assert "before any run had finished" in r.stderr


def test_verify_shows_what_finished_before_ctrl_c(cwd, monkeypatch):
    def arm(seed, scale):
        if seed == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return float(seed)

    made = Claim(
        says="One is more.", arms={"one": arm, "two": arm}, threshold=0.5, evidence="closed form",
        against="two", seeds=4,
    )  # fmt: skip
    registry.load("claim")
    monkeypatch.setitem(registry._entries["claim"], "toyclaim", registry.Entry("claim", "toyclaim", lambda: made, {}))
    out = call("verify", "toyclaim", code=130)
    assert "PARTIAL: interrupted" in out
    assert "2/2" in out
    e = events("verify", "toyclaim", code=130)[-1]
    assert (e["partial"], e["holds"], e["arms"]["two"]["values"]) == (True, None, [0.0, 1.0])
    assert not (cwd / "evidence").exists()


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
