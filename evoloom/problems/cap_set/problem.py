"""The problem `cap-set`: a priority per vector, and the candidate's side of it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np

from evoloom.core import registry
from evoloom.core.contracts import Axis, Box, Columns, Evaluation, Failed, Job, Json, Limits, Problem, Verdict
from evoloom.core.errors import ContractError, UsageError
from evoloom.core.rng import Rng
from evoloom.problems._program import needed, program_size
from evoloom.problems.cap_set.sets import OPTIMUM, all_vectors, greedy, lines
from evoloom.problems.judging import Row, judge_each

SCALAR_START = '''\
Vector = tuple[int, ...]


def priority(el: Vector, n: int) -> float:
    """How early the vector `el`, n numbers of 0, 1 and 2, is to be tried as a member of the cap set."""
    return 0.0
'''
ARRAY_START = '''\
import numpy as np

Vectors = np.ndarray


def priority(els: Vectors, n: int) -> np.ndarray:
    """How early each row of `els`, n numbers of 0, 1 and 2, is to be tried as a member of the cap set."""
    return np.zeros(len(els))
'''
STARTS = {"scalar": SCALAR_START, "array": ARRAY_START}

ENTRY = "priorities_of_vectors"
DRIVER = '''

def priorities_of_vectors(vectors, n, whole):
    """Priorities of all vectors, by one call or by one call each; a text where they are no real numbers."""
    import numpy as np

    with np.errstate(all="ignore"):
        got = priority(vectors, n) if whole else [priority(v, n) for v in map(tuple, vectors.tolist())]
    try:
        got = np.asarray(got)
    except ValueError as e:
        return f"something else ({e})"
    if got.shape != (len(vectors),) or got.dtype.kind not in "fiub":
        return f"{got.dtype} of shape {got.shape} for {len(vectors)} vectors"
    return got.astype(np.float64)
'''


def by_array(source: str) -> bool:
    """Whether `priority` takes all vectors at once: its return is annotated as a NumPy array."""
    for f in ast.parse(source).body:
        if isinstance(f, ast.FunctionDef) and f.name == "priority" and f.returns is not None:
            return "ndarray" in ast.unparse(f.returns) or "NDArray" in ast.unparse(f.returns)
    return False


@registry.problem("cap-set")
class CapSet(Problem):
    """Cap sets in Z_3^n: evolve the order in which a greedy builder tries the vectors; the largest set wins.

    A candidate has `priority(el: tuple[int, ...], n: int) -> float`, called for each of the 3^n vectors (FunSearch's
    form), or, where its return is annotated as `np.ndarray`, `priority(els, n)` with all of them as rows of one array.

    Args:
        n: dimension, 1 to 8.
        form: which of the two the search starts from.
    """

    name = "cap-set"
    unit = "vectors"
    untrusted = True
    modules = ("numpy",)
    limits = Limits(seconds=20.0)
    default_system = "funsearch"

    def __init__(self, *, n: int = 8, form: Literal["scalar", "array"] = "scalar"):
        if not 1 <= n <= 8:
            raise UsageError(f"cap-set: n must be 1 to 8, got {n} (3^n vectors are tried one after the other)")
        if form not in STARTS:
            raise UsageError(f"cap-set: form must be 'scalar' or 'array', got {form!r}")
        self.n, self.form = n, form
        self.target = OPTIMUM.get(n)
        self.columns = Columns(
            measures=(Axis("size", 0.0, 200.0), Axis("support", 0.0, 1.0)), cases=(f"n={n}",), signals=("size",)
        )

    @cached_property
    def space(self) -> Any:
        from evoloom.problems.cap_set.space import program_space

        return program_space(self.form, STARTS[self.form], self.n)

    @cached_property
    def vectors(self) -> np.ndarray:
        return all_vectors(self.n)

    def start(self, rng: Rng) -> Sequence[str]:
        return [STARTS[self.form]]

    def settings(self) -> Json:
        return {"n": self.n, "form": self.form}

    def evaluate(self, job: Job) -> Evaluation:
        box = needed(job.box, self.name)

        def judge(source: str) -> Row:
            size = program_size(source, "priority")
            members = self.vectors[self.build(source, box)]
            support = np.count_nonzero(members) / max(1, members.size)
            found = float(len(members))
            return Row(found, Verdict.OK, (size, support), (found,), {"size": size})

        return judge_each(job.genomes, judge, self.columns)

    def build(self, source: str, box: Box) -> np.ndarray:
        """(k,) indices of the cap set that a candidate's priorities lead to, checked to be one.

        Raises:
            Failed: what the candidate did wrong.
            ContractError: the greedy builder and the check disagree.
        """
        with box.open(source + DRIVER, ENTRY, self.limits) as session:
            got = session.call(self.vectors, self.n, by_array(source))
        if not isinstance(got, np.ndarray) or got.shape != (3**self.n,) or got.dtype != np.float64:
            what = got[:200] if isinstance(got, str) else type(got).__name__
            raise Failed(Verdict.OUTPUT, f"priority() must give one real number per vector; got {what}")
        nan = np.isnan(got)
        if nan.any():
            raise Failed(Verdict.NONFINITE, f"priority() returned nan for {tuple(self.vectors[nan.argmax()].tolist())}")
        members = greedy(got, self.n)
        if lines(members, self.n):
            raise ContractError("cap-set: the greedy builder returned a set with three members on a line")
        return members
