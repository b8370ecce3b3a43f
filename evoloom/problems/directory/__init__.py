"""The user's own task: a directory with `program.py`, `evaluate.py` and, optionally, `evoloom.toml`.

`program.py` is where evolution starts. `evaluate.py` says what a program is worth, in one of two contracts:

- one-sided: `evaluate(program)` runs in the sandbox, in the candidate's own process, and calls its functions.
  Simple; but a candidate that sets out to deceive could reach into the evaluator.
- two-sided: `inputs()` and `score(inputs, outputs)` run here, in the trusted process; the candidate's process is given
  one input after the other and never sees the score's code or data. For candidates that a language model writes.

Either returns a number, or a dict with "score" and more (see `answer`). A failed `assert` in the evaluator means that
the answer is wrong; any other exception is a failure of the candidate. For data that the search never sees, define
`held_out(program)`, or `held_out_inputs()`.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evoloom.core.contracts import Axis, Box, Columns, Evaluation, Failed, Job, Limits, Notes, Problem, Verdict
from evoloom.core.errors import UsageError
from evoloom.core.registry import problem
from evoloom.core.rng import Rng
from evoloom.problems._program import needed
from evoloom.problems.directory import runner
from evoloom.problems.directory.files import (
    EVALUATE,
    PROGRAM,
    SETTINGS,
    contract,
    folder,
    functions,
    imported,
    line,
    modules,
    only_function,
    parsed,
    text,
)
from evoloom.problems.directory.template import init_directory
from evoloom.problems.judging import Row, failed, judge_each, stack
from evoloom.spaces.program import ProgramSpace, bound_names, default_vocabulary

__all__ = ["Directory", "answer", "init_directory"]

ONE_SIDED = "one-sided: the evaluator runs in the candidate's process, inside the sandbox"
TWO_SIDED = "two-sided: the candidate's process gets inputs only"


@problem("directory")
class Directory(Problem):
    """Your own task: a directory with program.py and evaluate.py (`evoloom init DIR` writes one)."""

    untrusted = True
    default_system = "regularized-evolution"

    def __init__(self, *, path: str = "."):
        """
        Args:
            path: the directory.

        Raises:
            UsageError: something is missing or wrong in it; the message names the file and the remedy.
        """
        from evoloom.problems.directory.settings import read_settings

        self.path = folder(path)
        self._texts = {name: text(self.path / name) for name in (PROGRAM, EVALUATE)}
        trees = {name: parsed(self.path / name, source) for name, source in self._texts.items()}
        options = self.options = read_settings(self.path / SETTINGS)
        self.two_sided = contract(self.path / EVALUATE, trees[EVALUATE])
        self.evaluator = imported(self.path / EVALUATE, self._texts[EVALUATE]) if self.two_sided else None
        self.name = options.name or self.path.resolve().name
        self.minimize, self.unit, self.target = options.minimize, options.unit, options.target
        self.limits = Limits(seconds=options.seconds, memory_mb=options.memory_mb)
        self.modules = modules(self.path, [trees[PROGRAM], *([] if self.two_sided else [trees[EVALUATE]])], options)
        self.columns = Columns(
            tuple(Axis(name, *bounds) for name, bounds in options.measures.items()),
            options.cases,
            ("size", *options.signals),
        )
        self.space = self._space(trees[PROGRAM])

    def _space(self, tree: ast.Module) -> ProgramSpace:
        options = self.options
        entry = (options.entry or only_function(self.path / PROGRAM, tree)) if self.two_sided else options.entry or None
        try:
            return ProgramSpace(
                self._texts[PROGRAM],
                entry=entry,
                functions=options.functions or None,
                vocabulary=options.words(default_vocabulary(bound_names(tree))),
                max_nodes=options.max_nodes,
            )
        except UsageError as e:
            raise UsageError(f"{self.path / PROGRAM}: {e}") from None

    def start(self, rng: Rng) -> list[str]:
        return [self._texts[PROGRAM]]

    def evaluate(self, job: Job) -> Evaluation:
        return judge_each(job.genomes, lambda genome: self._judge(genome, job.box, held_out=False), self.columns)

    def held_out(self, genome: str, box: Box | None = None) -> Evaluation | None:
        if not self._has_held_out():
            return None
        try:
            row = self._judge(genome, box, held_out=True)
        except Failed as e:
            row = failed(e.verdict, e.why)
        return stack([row], self.columns)

    def _has_held_out(self) -> bool:
        name = "held_out_inputs" if self.two_sided else "held_out"
        return name in functions(ast.parse(self._texts[EVALUATE]))

    def _judge(self, source: str, box: Box | None, held_out: bool) -> Row:
        judge = self._two_sided if self.two_sided else self._one_sided
        value = judge(source, needed(box, self.name), held_out)
        row = answer(value, self.columns)
        return row._replace(signals={**row.signals, "size": float(self.space.size(source))})

    def _one_sided(self, source: str, box: Box, held_out: bool) -> Any:
        judge = Path(runner.__file__).read_text(encoding="utf-8")
        with box.open(judge, "run", self.limits) as session:
            said = session.call(
                str(self.path / EVALUATE), self._texts[EVALUATE], source, "held_out" if held_out else "evaluate"
            )
        if not isinstance(said, dict) or not said.keys() & {"value", "wrong"}:
            raise Failed(Verdict.OUTPUT, f"evaluate() gave {type(said).__name__} where a score was expected")
        if "wrong" in said:
            raise Failed(Verdict.WRONG, str(said["wrong"]))
        return said["value"]

    def _two_sided(self, source: str, box: Box, held_out: bool) -> Any:
        inputs = self._ask("held_out_inputs" if held_out else "inputs")
        assert self.space.entry is not None
        with box.open(source, self.space.entry, self.limits) as session:
            outputs = [session.call(*(x if isinstance(x, tuple) else (x,))) for x in inputs]
        return self._ask("score", inputs, outputs)

    def _ask(self, name: str, *args: Any) -> Any:
        """A function of the trusted evaluator. Its failed assertion is a WRONG answer.

        Raises:
            Failed: it raised; the note holds the last line of its own that ran.
        """
        try:
            return getattr(self.evaluator, name)(*args)
        except AssertionError as e:
            raise Failed(Verdict.WRONG, str(e) or f"an assertion in {EVALUATE} does not hold{line(e)}") from None
        except Exception as e:
            said = f"{name}() in {EVALUATE} raised {type(e).__name__}: {e}{line(e)}"
            raise Failed(Verdict.ERROR, said) from None

    def settings(self) -> dict[str, str]:
        """Hashes of the files, and how far the score can be trusted."""
        hashes = {
            name: hashlib.blake2b(source.encode(), digest_size=16).hexdigest() for name, source in self._texts.items()
        }
        return {
            **hashes,
            SETTINGS: self.options.model_dump_json(),
            "integrity": TWO_SIDED if self.two_sided else ONE_SIDED,
        }


def answer(value: Any, columns: Columns) -> Row:
    """What an evaluator returned, as a row: a number, or a dict with "score" and, as declared in evoloom.toml, measures
    and signals by name, "cases" (a list of numbers), and "feedback" (text).

    Raises:
        Failed: OUTPUT, saying what is missing or is no number.
    """

    def number(x: Any, what: str) -> float:
        if np.ndim(x) or not isinstance(x, (bool, int, float, np.number, np.bool_, np.ndarray)):
            raise Failed(Verdict.OUTPUT, f"{what} must be a number, got {type(x).__name__}: {x!r:.80}")
        return float(x)

    if not isinstance(value, Mapping):
        value = {"score": value}
    score = number(value.get("score", 0), "the score")
    wanted = ["score", *(a.name for a in columns.measures), *(["cases"] if columns.cases else [])]
    for name in wanted:
        if name not in value:
            raise Failed(Verdict.OUTPUT, f"the evaluator's answer has no '{name}', only {sorted(map(str, value))}")
    measures = [number(value[a.name], f"measure '{a.name}'") for a in columns.measures] or None
    cases = None
    if columns.cases:
        cases = [number(x, "a case") for x in value["cases"]]
        if len(cases) != len(columns.cases):
            raise Failed(Verdict.OUTPUT, f"'cases' must hold {len(columns.cases)} numbers, got {len(cases)}")
    signals = {k: number(value[k], f"signal '{k}'") for k in columns.signals if k in value}
    feedback = str(value.get("feedback", ""))
    return Row(score, measures=measures, cases=cases, signals=signals, notes=Notes(feedback) if feedback else None)
