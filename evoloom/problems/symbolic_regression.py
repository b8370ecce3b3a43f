"""Symbolic regression: a formula `f(columns...) -> np.ndarray` that predicts one column of a table from others."""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np

from evoloom.core.contracts import Axis, Box, Columns, Evaluation, Failed, Job, Limits, Notes, Problem
from evoloom.core.errors import UsageError
from evoloom.core.registry import problem
from evoloom.core.rng import Rng
from evoloom.problems._program import needed, program_size
from evoloom.problems.judging import Row, failed, judge_each, number_array, stack
from evoloom.problems.symbolic_data import Table, from_csv, identifiers, textbook
from evoloom.spaces.program import ProgramSpace
from evoloom.spaces.source_types import Primitive, Vocabulary
from evoloom.spaces.source_vocabulary import numpy_elementwise

_SMOOTH = {
    "_0 + _1": 2.0, "_0 - _1": 2.0, "_0 * _1": 2.0, "_0 / _1": 1.0, "_0 ** _1": 0.2, "-_0": 0.3, "np.square(_0)": 0.7,
    "np.sqrt(_0)": 0.5, "np.exp(_0)": 0.5, "np.log(_0)": 0.5, "np.sin(_0)": 0.5, "np.cos(_0)": 0.5, "np.tanh(_0)": 0.2,
}  # fmt: skip
# What formulas are written in: the usual functions of physics. Comparisons fit any data piece by piece and explain
# nothing, so they must be asked for.
SMOOTH = Vocabulary(
    tuple(Primitive(t, ("float",) * (2 if "_1" in t else 1), "float", True, w) for t, w in _SMOOTH.items()),
    constants=(0.5, 1.0, 2.0, 3.0),
)


@problem("symbolic-regression")
class SymbolicRegression(Problem):
    """A readable formula for one column of a CSV file (or a textbook function), judged on rows it never saw.

    The candidate gets the input columns; the target stays with the judge, which compares.
    """

    name = "symbolic-regression"
    untrusted = True
    modules = ("numpy",)
    limits = Limits(seconds=2.0)
    columns = Columns((Axis("size", 0, 80),), signals=("size", "mse"))
    default_system = "regularized-evolution"

    def __init__(
        self, *, csv: str = "", target: str = "", inputs: str = "", function: str = "nguyen-7",
        metric: Literal["r2", "mse"] = "r2", held_out: float = 0.25, missing: Literal["error", "drop"] = "error",
        forms: Literal["smooth", "piecewise"] = "smooth", split_seed: int = 0,
    ):  # fmt: skip
        """
        Args:
            csv: file with a header line and numbers; "" = a textbook function instead.
            target: column to predict; "" = the last one.
            inputs: comma-separated columns to predict from; "" = all others.
            function: textbook function: koza-1, nguyen-5, nguyen-7, nguyen-9, pagie-1.
            metric: r2 = 1 - squared error / variance of the target (1 is perfect), or mse = mean squared error.
            held_out: share of the rows of a csv that the search never sees.
            missing: what to do with rows that lack a number.
            forms: smooth = arithmetic, powers, exp, log, sin, cos, tanh; piecewise = comparisons, where, min, max too.
            split_seed: draws the held-out rows, and the points of a textbook function.
        """
        if not 0 <= held_out <= 0.9:
            raise UsageError(f"held_out is the share of rows kept from the search, 0 to 0.9; got {held_out}")
        if metric not in ("r2", "mse") or missing not in ("error", "drop"):
            raise UsageError(f"metric is r2 or mse, missing is error or drop; got metric={metric}, missing={missing}")
        if forms not in ("smooth", "piecewise"):
            raise UsageError(f"forms is smooth or piecewise, got {forms}")
        if not csv and (target or inputs):
            raise UsageError("target=... and inputs=... name columns of a table: give it with csv=FILE")
        self.table = (
            from_csv(csv, target, inputs, missing, held_out, split_seed) if csv else textbook(function, split_seed)
        )
        self.metric, self.minimize, self.unit = metric, metric == "mse", {"r2": "R^2", "mse": "MSE"}[metric]
        self.target = 1 - 1e-12 if metric == "r2" else None
        self._source = csv or function
        words = SMOOTH if forms == "smooth" else SMOOTH + numpy_elementwise
        self.space = ProgramSpace(self.start(None)[0], entry="f", vocabulary=words)

    def start(self, rng: Rng | None) -> list[str]:
        """The first column alone. Not the linear model: its good score would crowd out every other form early on."""
        arguments = ", ".join(f"{name}: np.ndarray" for name in self.table.names)
        head = f'"""{identifiers([self.table.target])[0]}, from one array per column, all of the same length."""'
        formula = f"1.0 * {self.table.names[0]}"
        return [f"import numpy as np\n\n\ndef f({arguments}) -> np.ndarray:\n    {head}\n    return {formula}\n"]

    def evaluate(self, job: Job) -> Evaluation:
        return judge_each(job.genomes, lambda g: self._judge(g, job.box, self.table.x, self.table.y), self.columns)

    def held_out(self, genome: str, box: Box | None = None) -> Evaluation | None:
        t = self.table
        if not len(t.y_held_out):
            return None
        try:
            row = self._judge(genome, box, t.x_held_out, t.y_held_out)
        except Failed as e:
            row = failed(e.verdict, e.why)
        return stack([row], self.columns)

    def _judge(self, source: str, box: Box | None, x: np.ndarray, y: np.ndarray) -> Row:
        """One formula on one set of rows. A formula without any column is a constant, and may return a number."""
        with needed(box, self.name).open(source, "f", self.limits) as session:
            value = session.call(*(np.ascontiguousarray(c) for c in x.T))
        predicted = np.broadcast_to(value, y.shape) if np.ndim(value) == 0 else value
        error = number_array(predicted, y.shape, "the result of f") - y
        with np.errstate(over="ignore"):
            mse = float(np.mean(error * error))
        variance = float(np.var(y))
        fitness = mse if self.metric == "mse" else (1.0 - mse / variance if variance > 0 else float("nan"))
        size = float(program_size(source, "f"))
        worst = int(np.argmax(np.abs(error)))
        at = ", ".join(f"{name}={v:.6g}" for name, v in zip(self.table.names, x[worst]))
        notes = Notes(f"mean squared error {mse:.6g}; largest error {error[worst]:+.6g} at {at}")
        return Row(fitness, measures=(size,), signals={"size": size, "mse": mse}, notes=notes)

    def settings(self) -> dict[str, str]:
        return {"data": self._source, "metric": self.metric, "content": fingerprint(self.table)}


def fingerprint(table: Table) -> str:
    """Hash of names and numbers: another file, or another split, is another problem."""
    h = hashlib.blake2b(repr((table.names, table.target)).encode(), digest_size=16)
    for array in table[2:]:
        h.update(np.ascontiguousarray(array).tobytes())
    return h.hexdigest()
