"""One run, read from its ledger: the numbers and the lineage that `show` and the HTML page tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from evoloom.core.budget import Stop
from evoloom.core.contracts import Verdict
from evoloom.core.errors import LedgerError
from evoloom.report.curves import Curve, best_so_far

MAIN_LINE = 400  # ancestors that are followed at most


class Step(NamedTuple):
    """One candidate of the winner's main line. Native fitness; None where it was never judged as a whole."""

    id: int
    operator: str | None
    parents: tuple[int, ...]
    native: Any
    text: str  # as the problem shows it


class Story(NamedTuple):
    """What a report needs of a run."""

    info: Any  # core.ledger.RunInfo
    problem: Any
    outcome: Mapping[str, Any] | None  # body of the last stop; None: killed, or still running
    best: Step | None
    line: tuple[Step, ...]  # from the start to the winner, first parents
    n_ancestors: int  # all of them, other parents included
    curve: Curve  # over judgements
    times: Curve  # over seconds
    verdicts: Mapping[str, int]
    operators: tuple[Any, ...]  # core.ledger.OperatorRow
    n_judged: int
    seconds: float
    best_genome: Any = None
    why_invalid: str = ""  # the first failure: verdict, candidate and note; "" where nothing failed
    n_held_out: int = 0  # how often held-out data was opened

    @property
    def held_out(self) -> Mapping[str, float] | None:
        return ((self.outcome or {}).get("best") or {}).get("held_out")

    @property
    def integrity(self) -> str:
        """How far the score can be trusted, in the problem's own words; "" where it says nothing."""
        return (self.info.config.get("problem_settings") or {}).get("integrity", "")

    @property
    def sandbox(self) -> str:
        """Level that untrusted candidates ran at; "" where none were."""
        if not self.problem.untrusted:
            return ""
        level = self.info.config["recipe"]["sandbox"]
        return "auto (bubblewrap or confined)" if level == "auto" else level

    @property
    def stopped(self) -> str:
        """Why it ended, as a sentence."""
        if self.outcome is None:
            return "not ended: killed, or still running"
        name = self.outcome["stop"]
        return self.outcome.get("why") or (Stop[name].value if name in Stop.__members__ else name)

    @property
    def evaluations(self) -> float:
        return (self.outcome or {}).get("evaluations", self.n_judged)


def read_info(where: Path | str, run: str | None = None) -> Any:
    """What identifies a stored run."""
    from evoloom.core.ledger import Reader

    with Reader(where, run) as reader:
        return reader.info


def problem_of(info: Any) -> Any:
    """The problem of a stored run, made again from its recipe.

    Raises:
        LedgerError: it cannot be made here (a plug-in or a file is missing).
    """
    from evoloom import api

    recipe = info.config["recipe"]
    settings = {f"problem.{k}": v for k, v in recipe["problem_options"].items()}
    try:
        return api.resolve_problem(recipe["problem"], settings, None)[0]
    except Exception as e:
        raise LedgerError(f"problem '{info.problem}' of run '{info.run}' cannot be made again here: {e}") from e


def read(where: Path | str, run: str | None = None) -> Story:
    """The story of a run, finished or not."""
    from evoloom.core.door import native
    from evoloom.core.ledger import Reader

    with Reader(where, run) as reader:
        info = reader.info
        problem = problem_of(info)
        outcome = reader.outcome()
        points = list(reader.curve())
        winner = winner_of(reader, outcome)
        line = () if winner is None else main_line(reader, problem, winner)
        verdicts = {Verdict(code).name.lower(): n for code, n in sorted(reader.verdicts().items())}
        n_judged = sum(verdicts.values())
        seconds = (outcome or {}).get("seconds") or max((p.seconds for p in points), default=0.0)
        minimize = bool(problem.minimize) if problem.n_objectives == 1 else False

        def value(fitness: float) -> float:
            return float(native(problem, fitness)) if problem.n_objectives == 1 else fitness

        return Story(
            info, problem, outcome, line[-1] if line else None, line,
            0 if winner is None else len(reader.lineage(winner)),
            best_so_far([(p.n_judged, value(p.fitness)) for p in points], minimize, n_judged),
            best_so_far([(p.seconds, value(p.fitness)) for p in points], minimize, seconds),
            verdicts, tuple(reader.operators()), n_judged, seconds,
            None if winner is None else answer_of(reader, problem, outcome, winner), first_failure(reader, outcome),
            sum(1 for _ in reader.events(kinds=("held_out",))),
        )  # fmt: skip


def winner_of(reader: Any, outcome: Mapping[str, Any] | None) -> int | None:
    """Id of the answer: what the strategy named when it stopped, else the best so far."""
    if outcome and outcome.get("best"):
        return outcome["best"]["id"]
    top = reader.top(1)
    return top[0][0] if top else None


def main_line(reader: Any, problem: Any, winner: int) -> tuple[Step, ...]:
    """The winner and its first parents back to a start, oldest first."""
    steps: list[Step] = []
    at: int | None = winner
    seen: set[int] = set()
    while at is not None and at not in seen and len(steps) < MAIN_LINE:
        seen.add(at)
        steps.append(step(reader, problem, at))
        at = steps[-1].parents[0] if steps[-1].parents else None
    return tuple(reversed(steps))


def step(reader: Any, problem: Any, id: int) -> Step:
    """One candidate with its latest whole judgement."""
    from evoloom.core.door import native

    c = reader.candidate(id)
    whole = [j for j in reader.judgements(id) if j.scope is None]
    fitness = whole[-1].fitness if whole else None
    shown = fitness if problem.n_objectives > 1 else native(problem, fitness)
    text = "" if c.content is None else problem.show(genome(reader, problem, id))
    return Step(id, c.operator, tuple(c.parents), shown, text)


def genome(reader: Any, problem: Any, id: int) -> Any:
    """A candidate's decoded genome."""
    return problem.space.decode(json.loads(reader.genome(id)))


def answer_of(reader: Any, problem: Any, outcome: Mapping[str, Any] | None, winner: int) -> Any:
    """The genome that the run gave as its answer: the winner reduced, or the winner itself while it runs."""
    return problem.space.decode(json.loads(answer_text(reader, outcome, winner)))


def answer_text(reader: Any, outcome: Mapping[str, Any] | None, winner: int) -> str:
    """The answer's content: JSON text of its encoded genome."""
    content = ((outcome or {}).get("best") or {}).get("content")
    return reader.genome(winner) if content is None else reader.get(content)


def first_failure(reader: Any, outcome: Mapping[str, Any] | None) -> str:
    """The first candidate that could not be made or was judged invalid, as "error (candidate 3): its note"."""
    if said := (outcome or {}).get("why_invalid"):
        return said
    if set(reader.verdicts()) <= {int(Verdict.OK)} and not any(o.unmade for o in reader.operators()):
        return ""
    ids: dict[int, list[int]] = {}
    for event in reader.events(kinds=("asked", "made", "judged")):
        body = event.body
        if event.kind == "asked":
            ids[event.batch] = body["ids"]
        elif event.kind == "made" and body["content"] is None:
            return failure("unmade", ids[event.batch][event.row], body["why"])
        elif event.kind == "judged":
            for row, verdict, note in zip(body["rows"], body["verdict"], body["notes"]):
                if verdict != Verdict.OK:
                    return failure(Verdict(verdict).name.lower(), ids[event.batch][row], note and note[0])
    return ""


def failure(verdict: str, id: int, note: str | None) -> str:
    return f"{verdict} (candidate {id}): {note or ''}".rstrip(": ")


def readable(problem: Any, genome: Any) -> str:
    """A genome for people: simplified where the space can do that."""
    simplify = getattr(problem.space, "simplify", None)
    return problem.show(genome if simplify is None else simplify(genome))


def beside(held_out: Mapping[str, float], problem: Any) -> dict[str, float]:
    """What was measured on held-out data alone (baselines, other instances), without the signals of every judgement."""
    return {k: v for k, v in held_out.items() if k != "fitness" and k not in problem.columns.signals}


def axis_of(problem: Any) -> tuple[str, str] | None:
    """Names of the first two measures, where there are two to draw."""
    names = [m.name for m in problem.columns.measures]
    return (names[0], names[1]) if len(names) >= 2 else None


def judged_measures(where: Path | str, problem: Any, run: str | None = None) -> list[tuple[float, float, float]]:
    """(first measure, second measure, native fitness) of every valid whole judgement, for the archive map."""
    from evoloom.core.door import native
    from evoloom.core.ledger import Reader

    found: list[tuple[float, float, float]] = []
    with Reader(where, run) as reader:
        for event in reader.events(kinds=("judged",)):
            measures = event.body.get("measures")
            if measures is None:
                continue
            for m, f, v in zip(measures, event.body["fitness"], event.body["verdict"]):
                if v == Verdict.OK and f is not None:
                    found.append((float(m[0]), float(m[1]), float(native(problem, f))))
    return found
