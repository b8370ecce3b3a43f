"""Names, objects and settings to runs: what the three calls of the API promise."""

import os

import numpy as np
import pytest

import evoloom
from evoloom import api
from evoloom.core.budget import Stop
from evoloom.core.errors import LedgerError, UsageError
from evoloom.problems.functions import Sphere


def test_systems_by_attribute_before_and_after_a_run():
    assert callable(evoloom.systems.hill_climb)
    api.run("sphere", evaluations=10)
    assert evoloom.systems.hill_climb(Sphere()).operators
    with pytest.raises(AttributeError, match="Did you mean 'funsearch'"):
        _ = evoloom.systems.funserch


def test_resume_with_seconds_goes_on_after_evaluations_are_spent_and_replay_is_free(tmp_path):
    first = api.run("sphere", "map-elites", evaluations=2000, seed=1, where=tmp_path / "run")
    assert first.stop is Stop.EVALUATIONS
    more = api.resume(tmp_path / "run", seconds=0.5)
    assert more.stop is Stop.SECONDS
    assert more.evaluations > 2000


def test_a_run_of_objects_is_resumed_with_objects(tmp_path):
    problem = Sphere(dim=3)
    strategy = evoloom.systems.map_elites(problem, n_start=8, batch=8)
    api.run(problem, strategy, evaluations=64, where=tmp_path / "run")
    with pytest.raises(LedgerError, match="made of a problem object"):
        api.resume(tmp_path / "run", evaluations=128)
    more = api.resume(tmp_path / "run", problem=problem, system=strategy, evaluations=128)
    assert more.evaluations == 128


def test_a_task_is_found_again_from_another_directory(tmp_path, monkeypatch):
    from evoloom.problems.directory import init_directory

    init_directory(tmp_path / "task")
    monkeypatch.chdir(tmp_path)
    api.run("./task", evaluations=3, where=tmp_path / "run", held_out=False)
    os.mkdir(tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert api.resume(tmp_path / "run", evaluations=5, held_out=False).evaluations == 5


def test_a_registered_name_wins_over_a_directory(tmp_path, monkeypatch):
    os.mkdir(tmp_path / "sphere")
    monkeypatch.chdir(tmp_path)
    assert api.run("sphere", evaluations=5).problem == "sphere"


def test_a_failure_at_the_end_keeps_what_was_found(tmp_path):
    from evoloom.core.ledger import Reader

    class Fragile(Sphere):
        def held_out(self, genome, box=None):
            raise RuntimeError("disk gone")

    r = api.run(Fragile(dim=2), evaluations=20, where=tmp_path / "run")
    assert r.best is not None
    assert "disk gone" in r.best.note
    with Reader(tmp_path / "run") as reader:
        assert reader.outcome()["best"]["note"] == r.best.note


def test_held_out_is_opened_once_per_answer(tmp_path):
    from evoloom.core.contracts import Evaluation
    from evoloom.core.ledger import Reader

    opened = []

    class Counted(Sphere):
        def held_out(self, genome, box=None):
            opened.append(1)
            return Evaluation(np.array([1.0]), np.zeros(1, np.int8))

    problem = Counted(dim=2)
    problem.target = None
    strategy = evoloom.systems.random_search(problem)
    first = api.run(problem, strategy, evaluations=50, where=tmp_path / "run")
    again = api.resume(tmp_path / "run", problem=problem, system=strategy, evaluations=51)
    assert again.best.held_out == {"fitness": 1.0}
    with Reader(tmp_path / "run") as reader:
        events = [e.body["id"] for e in reader.events(kinds={"held_out"})]
    assert len(events) == len(opened) == (1 if again.best.id == first.best.id else 2)


def test_why_nothing_was_valid():
    class Broken(Sphere):
        def evaluate(self, job):
            return super().evaluate(job)._replace(fitness=np.full(len(job.genomes), np.nan))

    r = api.run(Broken(), evaluations=10)
    assert r.best is None
    assert r.why_invalid.startswith("nonfinite (candidate 0)")


@pytest.mark.parametrize("limits", [{"window": 0}, {"chunk": -1}, {"evaluations": 0.5}, {"workers": 0}])
def test_impossible_numbers_are_refused(limits):
    with pytest.raises(UsageError):
        api.run("sphere", **{"evaluations": 10, **limits})


@pytest.mark.parametrize("system", ["funsearch", "map-elites-islands"])
@pytest.mark.parametrize("n", [0, -1])
def test_no_islands_is_a_usage_error(system, n):
    with pytest.raises(UsageError, match="island"):
        api.run("sphere", system, evaluations=10, settings={"n_islands": n})
