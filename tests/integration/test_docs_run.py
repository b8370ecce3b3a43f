"""Documentation under test, second part: what a page shows works.

How to write so that this passes:
- A ```python block that imports evoloom is an example and is run: the blocks of a page one after the other, in one
  namespace, in an empty directory that holds a stored run `runs/RUN`. Budgets of `evoloom.run` are cut down to BUDGET
  evaluations, winners are hardly reduced and held-out data stays closed, so write the budget that a reader should use.
  Other Python must parse.
- A system's page defines a function of the system's name from parts: it must make the very same run.
- A line `evoloom ...` in a block must be valid as it stands: command, options, names, values. In running text it may
  be a part. Words in capitals (PROBLEM, RUN, DIR) are placeholders; `mytask` is a task made by `evoloom init`.
"""

from __future__ import annotations

import functools
import json
import math
import re
import shutil

import pytest
from documents import (
    COMMANDS,
    DOCS,
    PAGES,
    ROOT,
    Line,
    blocks,
    coded,
    is_python,
    json_objects,
    lines,
    name,
    tables,
    uses_evoloom,
)
from sandbox_levels import need, unusable

from evoloom import api, options
from evoloom.core import registry

BUDGET = 24
PLACEHOLDERS = {"NAME", "SYSTEM", "PROBLEM"}
OWN_TASKS = {"mytask", "./mytask", "my-task"}
CHEAP = {"systems", "problems", "init", "show", "export", "doctor"}  # every documented line of these is run
SYSTEMS = registry.names("system")


@pytest.fixture
def confined():
    """The examples judge programs at the level that `auto` takes."""
    if unusable("bubblewrap"):
        need("confined")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A directory with a small stored run."""
    where = tmp_path_factory.mktemp("stored") / "runs" / "RUN"
    api.run("sphere", "hill-climb", evaluations=80, settings={"dim": 2}, where=where)
    return where


@pytest.fixture
def reader(tmp_path, monkeypatch, stored):
    """Where a reader of the documentation sits. What examples register is forgotten afterwards."""
    shutil.copytree(stored, tmp_path / "runs" / "RUN")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EVOLOOM_RUNS", raising=False)
    monkeypatch.setattr(registry, "_entries", {kind: dict(known) for kind, known in registry._entries.items()})
    whole_run = api.run

    @functools.wraps(whole_run)
    def short_run(*args, evaluations=None, seconds=None, held_out=True, **kwargs):
        n = min(BUDGET, evaluations or BUDGET)
        return whole_run(*args, evaluations=n, held_out=False, **kwargs)

    monkeypatch.setattr(api, "run", short_run)
    monkeypatch.setattr(api, "REDUCE_S", 0.2)
    return tmp_path


def evoloom(*args):
    """The command line in this process: exit code, standard output."""
    from typer.testing import CliRunner

    from evoloom.cli.app import app

    result = CliRunner().invoke(app, [*map(str, args)], catch_exceptions=False)
    return result.exit_code, result.stdout


def command_of(line: Line):
    """The command and its parsed parameters.

    Raises what the command line parser raises, KeyError for an unknown command.
    """
    from typer.main import get_command

    from evoloom.cli.app import app

    command = get_command(app).commands[line.args[0]]
    return command.make_context(line.args[0], list(line.args[1:])).params


# Examples run


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=name)
def test_python_examples(page, reader, confined):
    namespace: dict[str, object] = {"__name__": "documentation"}
    for block in blocks(page, "python"):
        if not uses_evoloom(block):
            assert is_python(block), block
            continue
        exec(compile(block, name(page), "exec"), namespace)
    for key, x in list(namespace.items()):
        if key.startswith("test_"):
            x()


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_parts_on_a_page_are_the_system(system):
    namespace: dict[str, object] = {}
    for block in blocks(DOCS / "systems" / f"{system}.md", "python"):
        if "def " in block:
            exec(compile(block, system, "exec"), namespace)
    from evoloom.problems.functions import Rastrigin

    problem = Rastrigin(dim=2)
    composed = namespace[system.replace("-", "_")](problem)
    runs = [api.run(problem, s, evaluations=600, seed=3) for s in (composed, system)]
    assert runs[0].state_digest == runs[1].state_digest


@pytest.mark.parametrize("task", sorted(p.parent for p in ROOT.glob("examples/*/program.py")), ids=lambda p: p.name)
def test_examples_run(task, confined):
    result = api.run(task, evaluations=10, seed=1)
    assert result.stop.name == "EVALUATIONS"
    assert result.best is not None
    assert math.isfinite(result.best.held_out["fitness"])


# Command lines


def resolve(line: Line):
    """Every name on a command line means something."""
    from evoloom.claims._claim import claims_of
    from evoloom.cli import arguments
    from evoloom.evaluate.sandbox import LEVELS

    params = command_of(line)
    assert params.get("sandbox", "auto") in ("auto", *LEVELS)
    here = dict(re.findall(r"@(system|problem)\(\"([\w-]+)\"", line.page.read_text()))  # the page's own
    systems = [params.get("system")] if line.args[0] != "compare" else params["systems"].split(",")
    systems = [s for s in systems if s and s not in PLACEHOLDERS]
    if line.args[0] == "verify":  # takes a claim's name too
        assert all(claims_of(s) for s in systems if s != here.get("system"))
        return
    entries = [registry.get("system", s) for s in systems if s != here.get("system")]
    if line.args[0] in ("systems", "problems") and params["name"] not in (None, *PLACEHOLDERS):
        registry.get(line.args[0].removesuffix("s"), params["name"])
    problem = params.get("problem", "PROBLEM")
    if problem in PLACEHOLDERS or problem == here.get("problem"):
        return
    own = "/" in problem or problem in OWN_TASKS
    assert not own or problem in OWN_TASKS or (ROOT / problem / "program.py").is_file(), problem
    entry = registry.get("problem", "directory" if own else problem)
    if line.args[0] == "run" and not params["system"]:
        entries = [registry.get("system", entry.make.default_system)]
    given = arguments.settings_of(params.get("settings") or [])
    for key, value in given.items():
        if here.get("system") in systems and key not in entry.options:
            continue
        sides = [s for s in entries if key.rpartition(".")[2] in s.options] or [None]
        for side in sides:
            options.split({key: value}, entry, side)


@pytest.mark.parametrize("page", [p for p in PAGES if lines(p)], ids=name)
def test_command_lines_are_valid(page):
    for line in lines(page):
        if line.args[0].startswith("-") or line.args[0] == "COMMAND":
            continue
        try:
            resolve(line)
        except BaseException as e:
            if not line.whole and type(e).__name__ in ("MissingParameter", "BadOptionUsage"):
                continue
            pytest.fail(f"{line}\n{type(e).__name__}: {e}")


def cheap_lines() -> list[Line]:
    found = {line.args: line for p in PAGES for line in lines(p) if line.whole and line.args[0] in CHEAP}
    return [found[k] for k in sorted(found)]


@pytest.mark.parametrize("line", cheap_lines(), ids=lambda line: " ".join(line.args))
def test_cheap_command_lines_run(line, reader):
    run = command_of(line).get("run")
    if run not in (None, "last", "RUN"):
        shutil.copytree("runs/RUN", f"runs/{run}")
    code, out = evoloom(*line.args)
    assert code == 0
    assert out.strip()


def test_every_flag_is_documented():
    from typer.main import get_command

    from evoloom.cli.app import app

    text = COMMANDS.read_text()
    commands = get_command(app).commands
    flags = [(c, o) for c, made in commands.items() for p in made.params for o in p.opts if o.startswith("--")]
    assert [f"{c} {o}" for c, o in flags if not re.search(rf"{o}\b", text)] == []
    assert [c for c in commands if f"`{c}`" not in text] == []


def test_documented_json_has_the_keys_of_real_events(reader, monkeypatch):
    from evoloom.claims import Claim, claim

    arms = {"a": lambda seed, scale: seed}
    claim("toy")(lambda: Claim(says="", arms=arms, threshold=0.0, evidence="closed form", statistic="median"))
    (reader / "x.json").write_text("[1.0, 2.0]")
    ours = [
        ("run", "sphere", "-n", 40, "--set", "dim=2"), ("judge", "sphere", "x.json", "--set", "dim=2"),
        ("compare", "sphere", "--systems", "hill-climb,random-search", "--seeds", 2, "-n", 20),
        ("verify", "toy", "--seeds", 2), ("show", "RUN"), ("export", "RUN", "--program", "p"),
        ("systems", "hill-climb"), ("problems", "sphere"),
    ]  # fmt: skip
    real = {}
    for args in ours:
        for text in evoloom(*args, "--json")[1].splitlines():
            event = json.loads(text)
            real[event["event"]] = set(event)
    for shown in json_objects(COMMANDS):
        assert set(shown) == real[shown["event"]], shown["event"]
    described = {coded(r["last event"])[0]: r for t in tables(COMMANDS) if "last event" in t[0] for r in t}
    for event in ("run", "export", "system", "problem"):
        keys = re.sub(r"\(.*?\)", "", described[event]["its keys beside `event`"])
        assert {*coded(keys), "event"} == real[event], event
    assert set(described) | {e["event"] for e in json_objects(COMMANDS)} == {*real, "check"}
