"""The judgement of a task directory: a candidate's row from what evaluate.py says of it."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evoloom.core.contracts import Axis, Box, Columns, Evaluation, Failed, Job, Limits, Notes, Problem, Scope, Verdict
from evoloom.core.errors import UsageError
from evoloom.core.rng import Rng, root
from evoloom.evaluate import wire
from evoloom.problems._program import needed
from evoloom.problems.directory import runner
from evoloom.problems.directory.files import (
    EVALUATE,
    PROGRAM,
    SETTINGS,
    contract,
    extras,
    folder,
    functions,
    imported,
    line,
    modules,
    only_function,
    parsed,
    takes_seed,
    text,
    unreadable,
)
from evoloom.problems.judging import Row, failed, judge_each, stack
from evoloom.spaces.program import ProgramSpace, bound_names, default_vocabulary

ONE_SIDED = "one-sided: the evaluator runs in the candidate's process, inside the sandbox"
TWO_SIDED = "two-sided: the candidate's process gets inputs only"


class Task(Problem):
    """program.py and evaluate.py of a directory. Knows the scopes `{"stage": k}`: evaluate_stage1 is stage 0."""

    untrusted = True
    default_system = "regularized-evolution"

    def __init__(self, path: str):
        """Raises UsageError: something is missing or wrong in the directory."""
        from evoloom.problems.directory.settings import read_settings

        self.path = folder(path)
        self._texts = {name: text(self.path / name) for name in (PROGRAM, EVALUATE)}
        trees = {name: parsed(self.path / name, source) for name, source in self._texts.items()}
        options = self.options = read_settings(self.path / SETTINGS)
        self.two_sided = contract(self.path / EVALUATE, trees[EVALUATE])
        extras(self.path / EVALUATE, trees[EVALUATE], self.two_sided, options)
        have = functions(trees[EVALUATE])
        self._functions = frozenset(have)
        self._seeded = frozenset(name for name, f in have.items() if takes_seed(f))
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
        if self.two_sided:
            self._check_inputs()

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
        except (RecursionError, MemoryError) as e:
            raise unreadable(self.path / PROGRAM, e) from None

    def _check_inputs(self) -> None:
        """What no candidate could be judged with is said before the run. Raises UsageError."""
        try:
            for k, x in enumerate(self._inputs("inputs", 0)):
                sendable(x, "inputs", k)
        except Failed as e:
            raise UsageError(f"{self.path / EVALUATE}: {e.why}") from None

    def start(self, rng: Rng) -> list[str]:
        return [self._texts[PROGRAM]]

    def price(self, scope: Scope) -> float:
        return self.options.stage_price if staged(scope) else 1.0

    def evaluate(self, job: Job) -> Evaluation:
        rngs = job.rngs or [root(0)] * len(job.genomes)
        suffix = f"_stage{job.scope['stage'] + 1}" if staged(job.scope) else ""
        name = ("inputs" if self.two_sided else "evaluate") + suffix

        def row(i: int) -> Row:
            seed = int(rngs[i].fold("task").integers(0, 1 << 32))
            return self._row(job.genomes[i], job.box, name, seed)

        return judge_each(range(len(job.genomes)), row, self.columns)

    def held_out(self, genome: str, box: Box | None = None) -> Evaluation | None:
        name = "held_out_inputs" if self.two_sided else "held_out"
        if name not in self._functions:
            return None
        try:
            row = self._row(genome, box, name, None)
        except Failed as e:
            row = failed(e.verdict, e.why)
        return stack([row], self.columns)

    def functional_probe(self, genome: str, job: Job) -> Any:
        """What the program does with the probe's inputs; None where it fails or evaluate.py has no probe."""
        name = "probe_inputs" if self.two_sided else "probe"
        if name not in self._functions:
            return None
        box = needed(job.box, self.name)
        try:
            return self._outputs(genome, box, self._inputs(name)) if self.two_sided else self._run(genome, box, name)
        except Failed:
            return None

    def _row(self, source: str, box: Box | None, name: str, seed: int | None) -> Row:
        """One judgement by the function `name` of evaluate.py, which gets the seed if it takes one."""
        box = needed(box, self.name)
        if self.two_sided:
            inputs = self._inputs(name, seed)
            value = self._ask("score", inputs, self._outputs(source, box, inputs, name))
        else:
            value = self._run(source, box, name, seed)
        stage = "_stage" in name  # only its score counts
        row = answer(value, self.columns._replace(measures=(), cases=()) if stage else self.columns)
        return row._replace(signals={**row.signals, "size": float(self.space.size(source))})

    # One-sided.

    def _run(self, source: str, box: Box, name: str, seed: int | None = None) -> Any:
        """What a function of evaluate.py returned, in the candidate's process. Raises Failed."""
        judge = Path(runner.__file__).read_text(encoding="utf-8")
        takes = name in self._seeded
        with box.open(judge, "run", self.limits) as session:
            said = session.call(
                str(self.path / EVALUATE), self._texts[EVALUATE], source, name, takes,
                seed if takes or self.options.repeats > 1 else None,
            )  # fmt: skip
        if not isinstance(said, dict) or len(said) != 1 or not said.keys() & {"value", *FAILURES}:
            raise Failed(Verdict.OUTPUT, f"{name}() gave {type(said).__name__} where a score was expected")
        ((kind, what),) = said.items()
        if kind in FAILURES:
            raise Failed(FAILURES[kind], str(what)[:4000])
        return what

    # Two-sided.

    def _inputs(self, name: str, seed: int | None = None) -> list[Any]:
        """What a function like inputs() returns, as a list. Raises Failed."""
        inputs = self._ask(name, *([seed] if name in self._seeded else []))
        if isinstance(inputs, (str, bytes, Mapping)) or not isinstance(inputs, Iterable):
            raise Failed(Verdict.ERROR, f"{name}() in {EVALUATE} must return a list of inputs, got {inputs!r:.80}")
        inputs = self._listed(name, inputs)
        if not inputs:
            raise Failed(Verdict.ERROR, f"{name}() in {EVALUATE} returned no inputs: there is nothing to judge by")
        return inputs

    def _outputs(self, source: str, box: Box, inputs: Sequence[Any], name: str = "probe_inputs") -> list[Any]:
        """What the program returns for each input. Raises Failed."""
        assert self.space.entry is not None
        outputs = []
        with box.open(source, self.space.entry, self.limits) as session:
            for k, x in enumerate(inputs):
                try:
                    outputs.append(session.call(*arguments(x)))
                except wire.WireError:
                    sendable(x, name, k)
                    raise
        return outputs

    def _ask(self, name: str, *args: Any) -> Any:
        """A function of the trusted evaluator. Its failed assertion is a WRONG answer. Raises Failed."""
        return self._own(name, lambda: getattr(self.evaluator, name)(*args))

    def _listed(self, name: str, values: Iterable[Any]) -> list[Any]:
        """A generator runs only now. Raises Failed."""
        return self._own(name, lambda: list(values))

    def _own(self, name: str, work: Any) -> Any:
        """Code of the trusted evaluator.

        Raises:
            Failed: it raised; the note holds the last line of its own that ran.
        """
        try:
            return work()
        except AssertionError as e:
            raise Failed(Verdict.WRONG, str(e) or f"an assertion in {EVALUATE} does not hold{line(e)}") from None
        except (Exception, SystemExit) as e:
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


FAILURES = {"invalid": Verdict.INVALID, "wrong": Verdict.WRONG, "error": Verdict.ERROR}  # as the runner says


def staged(scope: Scope) -> bool:
    return isinstance(scope, Mapping) and "stage" in scope


def arguments(x: Any) -> tuple[Any, ...]:
    """One input as the arguments of a call."""
    return x if isinstance(x, tuple) else (x,)


def sendable(x: Any, name: str, position: int) -> None:
    """Raises Failed: an input cannot be sent to the candidate's process."""
    try:
        wire.encode(arguments(x))
    except wire.WireError as e:
        kind, of_type, _ = str(e).partition(" cannot cross")
        what = f"returned {kind} at position {position}" if of_type else f"returned at position {position}: {e}"
        raise Failed(Verdict.ERROR, f"{name}() in {EVALUATE} {what}; plain data and arrays can be sent") from None


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
