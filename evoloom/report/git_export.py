"""A run's lineage as a real git history: one commit per candidate, its parents are the candidate's parents.

A crossover is a merge commit. `git log --graph`, `git diff`, `git bisect` and every viewer work on it:

    git log --graph main                      how the best program came to be
    git log -1 refs/candidates/42             any candidate, by its id
    git log --all --format='%(trailers:key=Fitness,valueonly) %s'

Nothing in a commit depends on the clock or on the run's name, so two runs with the same candidates, in the same order
and with the same judgements, give the same hashes. Written through one `git fast-import`; nothing but git is needed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

from evoloom.core.contracts import Verdict
from evoloom.core.errors import EvoloomError, LedgerError, UsageError
from evoloom.core.ledger import Candidate, Judged, Reader
from evoloom.report.story import winner_of

EPOCH = 946_684_800  # 2000-01-01 UTC: the date of candidate 0; every id is one second
WHO = b"evoloom <evoloom@localhost>"
SCRATCH = "refs/evoloom/import"  # where commits are written; real refs follow in one go
MARKS = "evoloom-marks"
PAGE = 1000  # candidates whose texts are read at a time


class GitExport(NamedTuple):
    """What was written. `best` is the candidate at `main` and at the tag `best`, None where nothing valid was found."""

    directory: Path
    commits: int
    merges: int
    best: int | None


def program_text(genome: Any) -> str:
    """A program as it is, anything else as indented JSON."""
    return genome if isinstance(genome, str) else json.dumps(genome, indent=1, ensure_ascii=False) + "\n"


def export_git(
    where: str | os.PathLike[str],
    directory: str | os.PathLike[str],
    *,
    run: str | None = None,
    filename: str = "program.py",
    text_of: Callable[[Any], str] = program_text,
) -> GitExport:
    """Write a run as a new git repository.

    where, run: as for `Reader`. directory: must not exist yet, or be empty. text_of: decoded JSON of a candidate's
    content -> text of the file. Candidates that were never made have no commit.

    Raises:
        UsageError: the directory is not empty, git is missing, or the run has no candidates yet.
        LedgerError: the run cannot be read.
    """
    if shutil.which("git") is None:
        raise UsageError("export --git needs the program 'git', which is not on the PATH: install it first.")
    folder = Path(directory)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty: give a directory that does not exist yet, so nothing is overwritten.")
    with Reader(where, run) as reader:
        made = {c.id: c for c in reader.candidates() if c.content is not None}
        if not made:
            raise UsageError(f"run '{reader.info.run}' has made no candidates yet: there is no history to export.")
        best = winner_of(reader, reader.outcome())
        best = best if best in made else None
        new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _git(folder, "init", "--quiet")
            _git(folder, "symbolic-ref", "HEAD", "refs/heads/main")
            merges = _import(folder, _stream(reader, made, filename, text_of))
            _git(folder, "update-ref", "-d", SCRATCH)
            _write_refs(folder / ".git", best)
            if best is not None:
                _git(folder, "reset", "--quiet", "--hard")
        except BaseException:
            shutil.rmtree(folder if new else folder / ".git", ignore_errors=True)
            raise
    return GitExport(folder, len(made), merges, best)


def parents_first(made: dict[int, Candidate]) -> list[Candidate]:
    """Candidates so that every parent stands before its children: by id, wherever ids allow it.

    Raises:
        LedgerError: a candidate is its own ancestor.
    """
    in_order = sorted(made.values(), key=lambda c: c.id)
    if all(p < c.id for c in in_order for p in c.parents):
        return in_order
    try:
        order = TopologicalSorter({c.id: [p for p in c.parents if p in made] for c in in_order}).static_order()
        return [made[i] for i in order]
    except CycleError as e:
        raise LedgerError(f"the lineage has a cycle through the candidates {e.args[1]}: it cannot be a history.") from e


def _stream(
    reader: Reader, made: dict[int, Candidate], filename: str, text_of: Callable[[Any], str]
) -> Iterator[tuple[bytes, int]]:
    """Pieces of fast-import input, each with the number of parents of its commit (see git-fast-import(1))."""
    judged = {j.id: j for j in reader.judgements() if j.scope is None}  # the latest whole one
    name = _path(filename)
    order = parents_first(made)
    for i in range(0, len(order), PAGE):
        page = order[i : i + PAGE]
        texts = reader.texts([c.content for c in page if c.content is not None])
        for c in page:
            data = text_of(json.loads(texts[c.content or ""])).encode("utf-8", "surrogatepass")
            parents = [p for p in dict.fromkeys(c.parents) if p in made]
            yield _commit(c, parents, judged.get(c.id), name, data), len(parents)
    yield b"done\n", 0


def _commit(c: Candidate, parents: list[int], judged: Judged | None, name: bytes, data: bytes) -> bytes:
    """One commit. Marks are ids + 1, because 0 is none. `reset` keeps a start from following the commit before it."""
    when = b"%b %d +0000\n" % (WHO, EPOCH + c.id)
    text = message(c, judged).encode("utf-8", "replace")
    ref = SCRATCH.encode()
    lines = [
        b"" if parents else b"reset %b\n\n" % ref,
        b"commit %b\nmark :%d\nauthor %bcommitter %b" % (ref, c.id + 1, when, when),
        b"data %d\n%b\n" % (len(text), text),
    ]
    lines += [b"%b :%d\n" % (b"merge" if rank else b"from", p + 1) for rank, p in enumerate(parents)]
    lines.append(b"M 100644 inline %b\ndata %d\n%b\n\n" % (name, len(data), data))
    return b"".join(lines)


def message(c: Candidate, judged: Judged | None) -> str:
    """A subject line for people and trailers for programs. Fitness as in the ledger: higher is better."""
    verdict = "unjudged" if judged is None else Verdict(judged.verdict).name.lower()
    fitness = None if judged is None else judged.fitness
    subject = f"candidate {c.id}: " + (verdict if fitness is None else f"fitness {fitness:.6g}")
    trailers = [("Candidate", c.id), ("Batch", c.batch), ("Verdict", verdict)]
    if c.operator is not None:
        operator = " ".join(c.operator.split())
        subject += f" by {operator}"
        trailers.append(("Operator", operator))
    if fitness is not None:
        trailers.append(("Fitness", repr(fitness)))
    return subject + "\n\n" + "".join(f"{key}: {value}\n" for key, value in trailers)


def _path(filename: str) -> bytes:
    """A file name as fast-import reads it: quoted like a C string."""
    parts = Path(filename).parts
    if not parts or Path(filename).is_absolute() or ".." in parts or ".git" in parts:
        raise UsageError(f"'{filename}' cannot be a file of the repository: give a plain relative name.")
    text = "/".join(parts).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'.encode()


def _write_refs(git_dir: Path, best: int | None) -> None:
    """All refs as one packed file: git itself would create, lock and rename a file for each (10 s for 10,000)."""
    marks = git_dir / MARKS
    commits = {int(mark[1:]) - 1: hash_ for mark, hash_ in map(str.split, marks.read_text().splitlines())}
    refs = {f"refs/candidates/{i}": hash_ for i, hash_ in commits.items()}
    if best is not None:
        refs |= {"refs/heads/main": commits[best], "refs/tags/best": commits[best]}
    lines = [f"{refs[name]} {name}\n" for name in sorted(refs)]
    (git_dir / "packed-refs").write_text("# pack-refs with: peeled fully-peeled sorted \n" + "".join(lines))
    marks.unlink()


def _environment() -> dict[str, str]:
    """Without the user's git settings and without the repository that we may be inside of: equal everywhere."""
    mine = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    ours = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
    return mine | ours | {"GIT_DEFAULT_HASH": "sha1", "GIT_DEFAULT_REF_FORMAT": "files"}


def _git(folder: Path, *args: str) -> None:
    done = subprocess.run(["git", *args], cwd=folder, env=_environment(), capture_output=True, text=True)
    if done.returncode:
        raise EvoloomError(f"git {args[0]} failed in {folder}: {done.stderr.strip()}")


def _import(folder: Path, stream: Iterable[tuple[bytes, int]]) -> int:
    """Feed `git fast-import`; returns the number of merges."""
    command = ["git", "fast-import", "--quiet", "--done", f"--export-marks=.git/{MARKS}"]
    merges = 0
    with subprocess.Popen(
        command, cwd=folder, env=_environment(), stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        stdin, stderr = process.stdin, process.stderr
        assert stdin is not None
        assert stderr is not None
        with suppress(BrokenPipeError):  # git ended early; what it says is below
            for piece, n_parents in stream:
                merges += n_parents > 1
                stdin.write(piece)
            stdin.close()
        said = stderr.read().decode("utf-8", "replace").strip()
    if process.returncode:
        raise EvoloomError(f"git fast-import failed in {folder}: {said}")
    return merges
