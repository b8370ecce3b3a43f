"""A problem whose genomes are programs, and a hill climber for it: enough for real runs without a sandbox."""

import re

import numpy as np
import pytest

from evoloom.core import registry
from evoloom.core.contracts import Added, Axis, Columns, Evaluation, Job, Notes, Problem, Proposals, Status, Verdict

NASTY = "</script><script>alert(1)</script><b>bold</b>"


class Programs:
    """Text of a program."""

    def sample(self, rng, n):
        return ["def f():\n    return 0.0\n"] * n

    def check(self, genome):
        return None if isinstance(genome, str) else f"expected text, got {type(genome).__name__}"

    def encode(self, genome):
        return genome

    def decode(self, data):
        return data

    def key(self, genome):
        return genome.encode()

    def distance(self, a, b):
        return float(a != b)


class Toy(Problem):
    """Numbers in a program: the nearer to 0, 1/n, 2/n, ... the better."""

    minimize = True
    unit = "% excess"
    default_system = "climb"
    columns = Columns((Axis("length", 0, 200), Axis("sum", -10, 10)), signals=("size",))

    def __init__(self, *, n: int = 4, width: float = 0.1, hard: bool = False):
        self.name, self.space, self.n, self.hard = "toy", Programs(), n, hard

    def start(self, rng):
        lines = "".join(f"    w{i} = 0.0\n" for i in range(self.n))
        return [f"def priority(item, bins):\n{lines}    return bins - item  # {NASTY}\n"]

    def weigh(self, genome):
        w = np.array([float(x) for x in re.findall(r"= (-?[\d.]+)", genome)])
        if self.hard or abs(w).max() > 2:
            return np.nan, Verdict.ERROR, w
        return float(((w - np.arange(self.n) / self.n) ** 2).sum()), Verdict.OK, w

    def evaluate(self, job):
        rows = [self.weigh(g) for g in job.genomes]
        measures = np.array([[len(g), w.sum()] for g, (_, _, w) in zip(job.genomes, rows)], float)
        return Evaluation(
            np.array([f for f, _, _ in rows]),
            np.array([v for _, v, _ in rows], np.int8),
            measures,
            signals={"size": np.array([float(len(g)) for g in job.genomes])},
            notes=[None if v == Verdict.OK else Notes("a weight above 2") for _, v, _ in rows],
        )

    def held_out(self, genome, box=None):
        e = self.evaluate(Job([genome]))
        return e._replace(fitness=e.fitness + 0.5, signals={"first_fit": np.array([4.25]), "best_fit": np.array([3.9])})

    def settings(self):
        return {"n": self.n, "hard": self.hard}


class Climb:
    """One elite; a child changes one number."""

    operators: dict = {}
    needs = wants = frozenset()
    repeats = "refuse"

    def __init__(self, step):
        self.step = step

    def init(self, problem, rng):
        return {"start": list(problem.start(rng)), "best": None}

    def ask(self, state, rng, room, view):
        n = min(4, room.rows())
        if n < 1:
            return None, state
        if state["best"] is None:
            return Proposals(state["start"][:n]), state
        parent, g = state["best"][1], rng.generator()
        text = view.record(parent).genome
        names = [str(g.choice(["nudge", "jump"])) for _ in range(n)]
        return Proposals([self.child(text, g, k) for k in names], [(parent,)] * n, operators=tuple(names)), state

    def child(self, text, g, name):
        found = list(re.finditer(r"= (-?[\d.]+)", text))
        m = found[int(g.integers(len(found)))]
        value = float(m.group(1)) + g.normal() * (self.step if name == "nudge" else 1.0)
        return f"{text[: m.start()]}= {value:.4f}{text[m.end() :]}"

    def tell(self, state, rng, told, view):
        e = told.evaluation
        status = np.where(e.valid, Status.REJECTED, Status.REFUSED).astype(np.int8)
        for i, id in enumerate(told.ids):
            if e.valid[i] and (state["best"] is None or e.fitness[i] > state["best"][0]):
                state["best"], status[i] = (float(e.fitness[i]), int(id)), Status.NEW
        return state, Added.none(told.proposals.n)._replace(status=status)

    def adopt(self, state, told, view):
        return state

    def best(self, state):
        return ([state["best"][1]] if state["best"] else []), None

    def stats(self, state):
        return {}


def climb(problem, *, step: float = 0.1, width: int = 1):
    """One elite, small steps."""
    return Climb(step)


def leap(problem, *, far: float = 0.8):
    """One elite, large steps."""
    return Climb(far)


@pytest.fixture
def toys(monkeypatch):
    """'toy', 'climb' and 'leap' under their names, for one test."""
    for kind, name, make, facts in (
        ("problem", "toy", Toy, {}),
        ("system", "climb", climb, {"paper": "A. Nobody, On Climbing", "year": 1999}),
        ("system", "leap", leap, {"paper": "B. Nobody, On Leaping 2001", "year": 2001}),
    ):
        registry.load(kind)
        monkeypatch.setitem(registry._entries[kind], name, registry.Entry(kind, name, make, facts))
