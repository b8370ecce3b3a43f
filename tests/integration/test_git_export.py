"""A run exported to git: stock git reads back the same candidates, texts, judgements and lineage."""

from __future__ import annotations

import json
import random
import shutil
import subprocess

import pytest

from evoloom.core.errors import LedgerError, UsageError
from evoloom.core.ledger import CandidateRow, JudgedRow, Ledger, Reader, RunInfo
from evoloom.report.git_export import GitExport, export_git

INFO = RunInfo("alpha", 0.0, "s", "p", {}, 0, "0")


def git(folder, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


def random_run(where, n=400, seed=0, name="alpha", created=0.0):
    """Starts, mutations, crossovers of up to four parents (also a parent twice), children that fail or are not made."""
    rng = random.Random(seed)
    genomes = []
    with Ledger.create(where, INFO._replace(run=name, created=created)) as led:
        for i in range(n):
            arity = 0 if i < 5 else rng.choice((1, 1, 2, 2, 4))
            parents = tuple(rng.choice(genomes[-40:]) for _ in range(arity))
            led.asked(i, "{}", [CandidateRow(i, 0, None if i < 5 else f"op{arity}", None, parents)])
            if rng.random() < 0.1 and i >= 5:
                led.made(i, 0, i, None, "refused", (), "{}")
                led.judged(i, None, "{}", [JudgedRow(i, 9, None, 0.0)])
                continue
            text = f'# ☃ {rng.randrange(n)}\ndef f():\n    return "a\\n"\n' * (200 if i % 50 == 0 else 1)
            led.made(i, 0, i, led.put(json.dumps(text)), None, (), "{}")
            genomes.append(i)
            if rng.random() < 0.05:
                continue  # killed before it was judged
            ok = rng.random() < 0.8
            led.judged(i, None, "{}", [JudgedRow(i, 0 if ok else 4, rng.random() if ok else None, 1.0)])


def refs(folder) -> dict[str, str]:
    return dict(line.split()[::-1] for line in git(folder, "show-ref").splitlines())


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    where = tmp_path_factory.mktemp("run")
    random_run(where)
    folder = where / "history"
    return where, folder, export_git(where, folder)


def test_lineage_is_the_commit_graph(exported):
    where, folder, result = exported
    assert git(folder, "fsck", "--full", "--strict") == ""
    ids = {hash_: int(ref.rpartition("/")[2]) for ref, hash_ in refs(folder).items() if "/candidates/" in ref}
    got = {}
    for line in git(folder, "log", "--all", "--format=%H %P").splitlines():
        commit, *parents = line.split()
        got[ids[commit]] = [ids[p] for p in parents]
    with Reader(where) as r:
        want = {c.id: list(dict.fromkeys(c.parents)) for c in r.candidates() if c.content is not None}
    assert got == want
    assert result == GitExport(folder, len(want), sum(len(p) > 1 for p in want.values()), r.top(1)[0][0])


def test_every_commit_tells_its_candidate(exported):
    where, folder, _ = exported
    names = ("Candidate", "Batch", "Operator", "Verdict", "Fitness")
    form = "%x1f".join(f"%(trailers:key={k},valueonly,separator=%x2C)" for k in names)
    rows = [line.split("\x1f") for line in git(folder, "log", "--all", f"--format={form}").splitlines()]
    assert len(rows) > 300
    with Reader(where) as r:
        for id_, batch, operator, verdict, fitness in rows:
            c, judged = r.candidate(int(id_)), list(r.judgements(int(id_)))
            assert (int(batch), operator) == (c.batch, c.operator or "")
            if judged:
                assert verdict == {0: "ok", 4: "timeout"}[judged[-1].verdict]
                assert (float(fitness) if fitness else None) == judged[-1].fitness
            else:
                assert (verdict, fitness) == ("unjudged", "")
        for i in (0, 7, 50, 100):
            if r.candidate(i).content is not None:
                assert git(folder, "show", f"refs/candidates/{i}:program.py") + "\n" == json.loads(r.genome(i))
                assert git(folder, "ls-tree", "--name-only", "-r", f"refs/candidates/{i}") == "program.py"


def test_main_is_the_line_of_the_best(exported):
    where, folder, result = exported
    with Reader(where) as r:
        line = {result.best, *r.lineage(result.best)}
        text = json.loads(r.genome(result.best))
    found = git(folder, "log", "main", "--format=%(trailers:key=Candidate,valueonly,separator=)").splitlines()
    assert {int(i) for i in found} == line
    assert git(folder, "rev-parse", "best") == git(folder, "rev-parse", "main")
    assert (folder / "program.py").read_text() == text
    assert git(folder, "status", "--porcelain") == ""


def test_equal_runs_have_equal_hashes(exported, tmp_path):
    _, folder, _ = exported
    random_run(tmp_path / "again", name="beta", created=5.0)
    random_run(tmp_path / "other", seed=1)
    for name in ("again", "other"):
        export_git(tmp_path / name, tmp_path / f"{name}.git")
    assert refs(tmp_path / "again.git") == refs(folder)
    assert refs(tmp_path / "other.git")["refs/heads/main"] != refs(folder)["refs/heads/main"]


def test_bisect_finds_the_first_commit_over_a_threshold(tmp_path):
    with Ledger.create(tmp_path / "r", INFO) as led:
        for i in range(40):
            led.asked(i, "{}", [CandidateRow(i, 0, "m", led.put(f'"v{i}"'), (i - 1,) if i else ())])
            led.judged(i, None, "{}", [JudgedRow(i, 0, float(i), 1.0)])
    folder = tmp_path / "g"
    export_git(tmp_path / "r", folder)
    git(folder, "bisect", "start", "refs/candidates/39", "refs/candidates/0")
    test = 'f=$(git log -1 --format="%(trailers:key=Fitness,valueonly,separator=)"); test "${f%.*}" -lt 23'
    assert "refs/bisect/bad" not in git(folder, "bisect", "run", "sh", "-c", test)
    assert git(folder, "rev-parse", "refs/bisect/bad") == git(folder, "rev-parse", "refs/candidates/23")


def test_other_genomes_and_children_with_lower_ids(tmp_path):
    with Ledger.create(tmp_path / "r", INFO) as led:
        rows = [(5, ()), (3, (5, 99)), (4, (3, 5))]  # 99 lives in another run
        led.asked(0, "{}", [CandidateRow(i, k, "m\nn", led.put(f"[{i}, {{}}]"), p) for k, (i, p) in enumerate(rows)])
    export = export_git(tmp_path / "r", tmp_path / "g", filename='a "b"/g.json', text_of=lambda x: f"{x[0]}\n")
    assert export == GitExport(tmp_path / "g", 3, 1, None)
    at = refs(tmp_path / "g")
    want = f"{at['refs/candidates/3']} {at['refs/candidates/5']}"
    assert git(tmp_path / "g", "log", "-1", "--format=%P", "refs/candidates/4") == want
    assert git(tmp_path / "g", "show", 'refs/candidates/4:a "b"/g.json') == "4"
    assert set(at) == {f"refs/candidates/{i}" for i in (3, 4, 5)}


def test_a_user_inside_another_repository_with_own_settings(tmp_path, monkeypatch):
    random_run(tmp_path / "r", 20)
    git(tmp_path, "init", "-q")
    config = tmp_path / "config"
    config.write_text("[core]\n\tautocrlf = true\n[fetch]\n\tfsckObjects = true\n[init]\n\tdefaultBranch = trunk\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    export_git(tmp_path / "r", tmp_path / "g")
    assert subprocess.run(["git", "show-ref"], cwd=tmp_path, capture_output=True).stdout == b""
    monkeypatch.delenv("GIT_DIR")
    assert "refs/heads/main" in refs(tmp_path / "g")


def test_refusals_leave_everything_as_it_was(tmp_path, monkeypatch):
    random_run(tmp_path / "r", 10)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("x")
    with pytest.raises(UsageError, match="is not empty"):
        export_git(tmp_path / "r", tmp_path / "full")
    with pytest.raises(UsageError, match="cannot be a file of the repository"):
        export_git(tmp_path / "r", tmp_path / "g", filename="../x")
    with pytest.raises(ZeroDivisionError):
        export_git(tmp_path / "r", tmp_path / "g", text_of=lambda x: str(1 / 0))
    with Ledger.create(tmp_path / "none", INFO):
        pass
    with pytest.raises(UsageError, match="no candidates yet"):
        export_git(tmp_path / "none", tmp_path / "g")
    with Ledger.create(tmp_path / "loop", INFO) as led:
        name = led.put('"x"')
        led.asked(0, "{}", [CandidateRow(0, 0, None, name, (1,)), CandidateRow(1, 1, None, name, (0,))])
    with pytest.raises(LedgerError, match="cycle"):
        export_git(tmp_path / "loop", tmp_path / "g")
    assert not (tmp_path / "g").exists()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UsageError, match="needs the program 'git'"):
        export_git(tmp_path / "r", tmp_path / "g")
