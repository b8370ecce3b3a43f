"""The tool that judges: a problem, and where it needs one a box, opened when first used and one per process."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

from evoloom.core.contracts import Box, Evaluation, Job, Problem
from evoloom.core.rng import Rng


class JudgeTool:
    """`(genomes, scope, given, rngs) -> native Evaluation`. Survives a fork: a child opens a box of its own."""

    def __init__(self, problem: Problem, sandbox: str = "auto"):
        self._problem, self._sandbox = problem, sandbox
        self._lock = threading.Lock()
        self._box: Box | None = None
        self._pid = 0

    def __call__(
        self, genomes: Sequence[Any], scope: Any = None, given: Any = None, rngs: Sequence[Rng] = ()
    ) -> Evaluation:
        return self._problem.evaluate(Job(genomes, scope, given, rngs, self.box()))

    def box(self) -> Box | None:
        """This process's box; None where the problem runs no untrusted code."""
        if not self._problem.untrusted:
            return None
        with self._lock:
            if self._box is None or self._pid != os.getpid():
                from evoloom.evaluate.sandbox import open_box

                self._box, self._pid = open_box(self._sandbox, modules=self._problem.modules), os.getpid()
            return self._box

    def close(self) -> None:
        with self._lock:
            if self._box is not None and self._pid == os.getpid():
                self._box.close()
            self._box = None


def judge_tool(problem: Problem, sandbox: str = "auto") -> JudgeTool:
    """A tool for workers that judges with a problem. `sandbox`: a level of `evaluate.sandbox`."""
    return JudgeTool(problem, sandbox)
