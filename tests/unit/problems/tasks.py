"""The small task that tests of task directories vary."""

from in_process import InProcessBox

from evoloom.core.contracts import Evaluation, Job
from evoloom.problems.directory import Directory

PROGRAM = "def double(x: float) -> float:\n    return x + 2\n"
ONE_SIDED = "def evaluate(program):\n    return program.double(3)\n"


def judged(path: str, *bodies: str) -> Evaluation:
    """Evaluation of programs that return the expressions."""
    sources = [PROGRAM.replace("x + 2", b) for b in bodies]
    return Directory(path=path).evaluate(Job(sources, box=InProcessBox()))
