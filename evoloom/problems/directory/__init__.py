"""The user's own task: a directory with `program.py`, `evaluate.py` and, optionally, `evoloom.toml`.

`program.py` is where evolution starts. `evaluate.py` says what a program is worth, in one of two contracts:

- one-sided: `evaluate(program)` runs in the sandbox, in the candidate's own process, and calls its functions.
  Simple; but a candidate that sets out to deceive could reach into the evaluator.
- two-sided: `inputs()` and `score(inputs, outputs)` run here, in the trusted process; the candidate's process is given
  one input after the other and never sees the score's code or data. For candidates that a language model writes.

Either returns a number, or a dict with "score" and more (see `answer`). A failed `assert` in the evaluator means that
the answer is wrong; any other exception is a failure of the candidate. For data that the search never sees, define
`held_out(program)`, or `held_out_inputs()`.

`Task` is the judgement itself; `Directory` puts around it what evoloom.toml asks for: cheap stages first, the mean of
repeated judgements, remembered answers (`evaluate.wrappers`).
"""

from __future__ import annotations

import numpy as np

from evoloom.core.contracts import Evaluation, Job, Problem
from evoloom.core.registry import problem
from evoloom.evaluate.wrappers import Wrapper, cached, cascade, repeated
from evoloom.problems.directory.task import Task, answer
from evoloom.problems.directory.template import init_directory

__all__ = ["Directory", "Task", "answer", "init_directory"]


@problem("directory")
class Directory(Wrapper):
    """Your own task: a directory with program.py and evaluate.py (`evoloom init DIR` writes one)."""

    untrusted = Task.untrusted
    default_system = Task.default_system

    def __init__(self, *, path: str = "."):
        """
        Args:
            path: the directory.

        Raises:
            UsageError: something is missing or wrong in it; the message names the file and the remedy.
        """
        self.task = Task(path)
        super().__init__(dressed(self.task))

    def evaluate(self, job: Job) -> Evaluation:
        e = self.inner.evaluate(job)  # an answer remembered for its behaviour is of another program: sizes are measured
        sizes = [self.space.size(g) if ok else np.nan for g, ok in zip(job.genomes, e.valid)]
        return e._replace(signals={**e.signals, "size": np.array(sizes, dtype=float)})

    def settings(self) -> dict[str, str]:
        return self.task.settings()


def dressed(task: Task) -> Problem:
    """The task inside the wrappers that its evoloom.toml asks for. Stages are judged repeatedly too."""
    options, made = task.options, task
    if options.repeats > 1:
        made = repeated(made, options.repeats)
    if options.stages:
        made = cascade(made, options.stages)
    return cached(made) if options.cache else made
