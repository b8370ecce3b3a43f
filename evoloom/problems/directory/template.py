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


# The above runs inside the sandbox, together with the program. Where programs come from a language model, prefer the
# two-sided contract, in which they get inputs and nothing else (and delete `evaluate` and `held_out`):
#
#     def inputs():                     # a list; each element is one argument, or a tuple of arguments
#         return [(3.0, 5.0, 0.0), (2.0, 9.0, 4.0)]
#
#     def score(inputs, outputs):       # runs outside the sandbox; `assert` what must hold of the outputs
#         return sum(outputs)
#
#     def held_out_inputs(): ...        # optional
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

# More that evaluate() may return, in a dict with "score":
# signals = ["jobs_late"]              # numbers to be stored with each candidate
# [measures]                           # numbers to map candidates by (map-elites)
# slack = [0.0, 1.0]
"""

README_TEXT = """\
# {name}

    evoloom run {path} --seconds 60      # evolve
    evoloom judge {path} {path}/program.py

`program.py` is what evolves, `evaluate.py` what it is worth, `evoloom.toml` the settings.
"""


def init_directory(path: str | Path) -> list[Path]:
    """Write a working task into a new or empty directory; the files written.

    Raises:
        UsageError: the directory holds something already, or cannot be written.
    """
    place = Path(path)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        kind = "is not empty" if place.is_dir() else "is a file"
        raise UsageError(f"{place} {kind}: nothing was written. Give the name of a new directory.")
    files = {
        "program.py": PROGRAM_TEXT,
        "evaluate.py": EVALUATE_TEXT,
        "evoloom.toml": SETTINGS_TEXT,
        "README.md": README_TEXT.format(name=place.resolve().name, path=path),
    }
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (place / name).write_text(text, encoding="utf-8")
    except OSError as e:
        raise UsageError(f"{place} cannot be written: {e}") from None
    return [place / name for name in files]
