"""`evoloom init DIR`: a small task that works, with comments that say what to change."""

from __future__ import annotations

from pathlib import Path

from evoloom.core.errors import UsageError

PROGRAM_TEXT = '''\
"""What evolves. The bodies of these functions may change; their names and arguments stay.

Mark a part of a longer file with two comment lines, "EVOLVE-BLOCK-START" and "EVOLVE-BLOCK-END" (each after "# "), and
only that part changes. Annotations (float, int, bool, np.ndarray) tell the edits what fits where.
"""


def urgency(length: float, due: float, now: float) -> float:
    """How little a job can wait: the one with the smallest value runs next."""
    return due
'''

EVALUATE_TEXT = '''\
"""What a program is worth. `evaluate` gets the evolved program as a module and returns a number, here a cost."""

import random


def jobs(seed: int) -> list[tuple[float, float]]:
    """(length, due) of 25 jobs for one machine."""
    draw = random.Random(seed)
    lengths = [draw.uniform(1, 10) for _ in range(25)]
    return [(length, draw.uniform(0.2, 0.8) * sum(lengths)) for length in lengths]


def lateness(program, seed: int) -> float:
    """Sum over the jobs of the time that they finish too late."""
    waiting, now, late = jobs(seed), 0.0, 0.0
    while waiting:
        job = min(waiting, key=lambda job: program.urgency(*job, now))
        waiting.remove(job)
        now += job[0]
        late += max(0.0, now - job[1])
    return late


def evaluate(program) -> float:
    return sum(lateness(program, seed) for seed in range(20)) / 20


# Optional: the same on data that the search never sees, asked once, for the final answer.
def held_out(program) -> float:
    return sum(lateness(program, seed) for seed in range(1000, 1100)) / 100


# TRUST: one-sided. This file runs inside the sandbox, in the program's own process: a program that sets out to deceive
# could reach this code and its data, and so its own score. Programs that typed edits write do not; where a language
# model writes them use the two-sided form, in which a program sees inputs only: `evoloom init DIR --two-sided`.
'''

TWO_SIDED_PROGRAM_TEXT = '''\
"""What evolves. The bodies of these functions may change; their names and arguments stay.

Mark a part of a longer file with two comment lines, "EVOLVE-BLOCK-START" and "EVOLVE-BLOCK-END" (each after "# "), and
only that part changes. Annotations (float, int, bool, np.ndarray) tell the edits what fits where.
"""

import numpy as np


def urgency(lengths: np.ndarray, dues: np.ndarray) -> np.ndarray:
    """How little each job can wait: the jobs run in the order of these values, the smallest first."""
    return dues
'''

TWO_SIDED_EVALUATE_TEXT = '''\
"""What a program is worth. Its function is called with each of `inputs`; `score` sees what came back.

TRUST: two-sided. This file runs outside the sandbox, in evoloom's own process, and the program in another, inside. A
program sees the inputs that it is given, and nothing of this file: neither `score` nor `held_out_inputs`. So check in
`score` whatever an answer must fulfil; what it returns is plain data that may be anything.
"""

import numpy as np


def jobs(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Lengths and due times of 25 jobs for one machine."""
    draw = np.random.default_rng(seed)
    lengths = draw.uniform(1, 10, 25)
    return lengths, draw.uniform(0.2, 0.8, 25) * lengths.sum()


def inputs() -> list:
    """Each element is one argument, or a tuple of arguments."""
    return [jobs(seed) for seed in range(20)]


def score(inputs, outputs) -> float:
    """The mean over the inputs of the time that jobs finish too late: a cost. A failed `assert` is a wrong answer."""
    late = 0.0
    for (lengths, dues), values in zip(inputs, outputs):
        values = np.asarray(values, dtype=float)
        assert values.shape == lengths.shape and np.isfinite(values).all(), "one finite number per job is wanted"
        order = np.argsort(values, kind="stable")
        late += np.maximum(0, np.cumsum(lengths[order]) - dues[order]).sum()
    return late / len(inputs)


# Optional: data that the search never sees, asked once, for the final answer.
def held_out_inputs() -> list:
    return [jobs(seed) for seed in range(1000, 1100)]
'''

SETTINGS_TEXT = """\
# All of this is optional; lines that begin with # show the defaults.
minimize = true            # the score is a cost
unit = "hours late"        # of the score, for people
# seconds = 10.0           # wall time of one judgement
# memory_mb = 1024
# entry = ""               # the function that is called (two-sided contract, several functions)
# functions = []           # the functions that may change; all by default
# max_nodes = 200          # most syntax nodes of the evolved parts
# constants = [0.5, 2]     # numbers that edits may write
# modules = []             # to import beforehand, beside what the files import
# target = 0.0             # stop at this score
# repeats = 1              # noisy scores: the mean of so many judgements counts
# stages = []              # scores to be reached in evaluate_stage1, evaluate_stage2, ... before evaluate is asked
# cache = false            # programs that behave alike on probe() are judged once

# More that an evaluator may return, in a dict with "score":
# signals = ["jobs_late"]              # numbers to be stored with each candidate
# [measures]                           # numbers to map candidates by (map-elites)
# slack = [0.0, 1.0]
"""

README_TEXT = """\
# {name}

    evoloom run {path} --seconds 60      # evolve
    evoloom judge {path} {path}/program.py

`program.py` is what evolves, `evaluate.py` what it is worth, `evoloom.toml` the settings.

Trust: {trust}.
"""

TRUST = (
    "one-sided, the evaluator runs in the program's own process. Good for programs that typed edits write; for those "
    "of a language model prefer `evoloom init DIR --two-sided`",
    "two-sided, a program is given inputs and never sees how, or by what data, it is scored",
)


def init_directory(path: str | Path, two_sided: bool = False) -> list[Path]:
    """Write a working task into a new or empty directory; the files written.

    `two_sided`: programs get inputs only, and are scored outside of their process.

    Raises:
        UsageError: the directory holds something already, or cannot be written.
    """
    place = Path(path)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        kind = "is not empty" if place.is_dir() else "is a file"
        raise UsageError(f"{place} {kind}: nothing was written. Give the name of a new directory.")
    files = {
        "program.py": TWO_SIDED_PROGRAM_TEXT if two_sided else PROGRAM_TEXT,
        "evaluate.py": TWO_SIDED_EVALUATE_TEXT if two_sided else EVALUATE_TEXT,
        "evoloom.toml": SETTINGS_TEXT,
        "README.md": README_TEXT.format(name=place.resolve().name, path=path, trust=TRUST[two_sided]),
    }
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (place / name).write_text(text, encoding="utf-8")
    except OSError as e:
        raise UsageError(f"{place} cannot be written: {e}") from None
    return [place / name for name in files]
