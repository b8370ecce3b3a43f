"""Polish: it tunes numbers to a known optimum, passes over what it tuned, leaves no trace where it has nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evoloom.core.budget import Cost
from evoloom.core.contracts import Added, Draft, Evaluation, NotMade, Problem, Proposals, Record, Room, Told, View
from evoloom.core.errors import CompositionError, UsageError
from evoloom.core.rng import root
from evoloom.spaces.program import ProgramSpace
from evoloom.vary.polish import Polishing, polish, stepped

START = """def f(x: float) -> float:
    for i in range(2):
        x = x * 1.0
    return x + 10.0
"""
SPACE = ProgramSpace(START, entry="f")


class Shelf:
    """An archive of a few ids."""

    def __init__(self, ids: list[int]):
        self.ids = np.array(ids)

    @property
    def filled(self) -> np.ndarray:
        return self.ids >= 0


class First:
    """Selects slots in order."""

    needs = frozenset({"fitness"})

    def __call__(self, archive: Any, rng: Any, n: int, arity: int = 1) -> np.ndarray:
        return np.resize(np.arange(len(archive.ids)), (n, arity))


class Book(dict):
    """A view: genomes and fitness by id."""

    def record(self, id: int) -> Record:
        genome, fitness = self[id]
        return RecordOf(id, genome, fitness)

    def children(self, id: int) -> tuple[int, ...]:
        return ()


class RecordOf(Record):
    """A record whose fitness is given."""

    def __new__(cls, id: int, genome: str, fitness: float) -> RecordOf:
        made = super().__new__(cls, id, genome)
        made.value = fitness
        return made

    @property
    def fitness(self) -> Any:
        return self.value


ROOM = Room(8, Cost(evaluations=1000.0))


def value(genome: str) -> float:
    """Best at x * 3.7 ** 2 + 0.25."""
    numbers = [x for x, real in SPACE.constants(genome) if real]
    return -abs(numbers[0] - 3.7) - abs(numbers[1] - 0.25)


def told(proposals: Proposals, ids: list[int], fitness: list[float]) -> Told:
    f = np.array(fitness)
    return Told(proposals, np.array(ids), Evaluation(f, np.where(np.isfinite(f), 0, 3).astype(np.int8)))


def tune(steps: int, batch: int) -> tuple[Polishing, Book]:
    proposer = polish(SPACE, First(), steps=steps, batch=batch)
    book = Book({0: (START, value(START))})
    view: View = book
    shelf = Shelf([0])
    state = proposer.init(Problem(), shelf, root(0))
    for t in range(steps):
        asked, state = proposer.ask(state, shelf, root(t).fold(1), ROOM, view)
        if asked is None:
            break
        ids = list(range(len(book), len(book) + asked.n))
        for i, g in zip(ids, asked.genomes):
            assert SPACE.check(g) is None
            book[i] = (g, value(g))
        answer = told(asked, ids, [book[i][1] for i in ids])
        state = proposer.tell(state, shelf, root(t).fold(2), answer, Added.none(asked.n), view)
    return state, book


@pytest.mark.parametrize("batch", [1, 4])
def test_numbers_reach_the_optimum(batch: int):
    _, book = tune(400, batch)
    best = max(f for _, f in book.values())
    assert best > -0.02 > value(START)
    assert all("range(" in g and ("return x +" in g or "return x -" in g) for g, _ in book.values())


def test_a_program_is_tuned_once_and_an_ask_without_work_leaves_no_trace():
    state, book = tune(10, 1)
    assert state.left == 0
    proposer = polish(SPACE, First(), steps=10)
    view: View = book
    again = Shelf([0, state.id])
    asked, after = proposer.ask(state, again, root(9), ROOM, view)
    assert asked is None
    assert after is state
    none = "def f(x: float) -> float:\n    return x\n"
    assert polish(ProgramSpace(none), First()).ask(Polishing(), Shelf([-1]), root(0), ROOM, Book())[0] is None
    fresh = Book({0: (none, 0.0)})
    assert polish(SPACE, First()).ask(Polishing(), Shelf([0]), root(0), ROOM, fresh)[0] is None


def test_failures_shrink_the_step_and_late_rows_are_passed_over():
    proposer = polish(SPACE, First(), steps=30, batch=2, sigma=0.5)
    book = Book({0: (START, 0.0)})
    view: View = book
    shelf = Shelf([0])
    asked, state = proposer.ask(Polishing(), shelf, root(0), ROOM, view)
    assert asked is not None
    assert asked.parents == [(0,), (0,)]
    assert asked.operators == ["polish", "polish"]
    worse = proposer.tell(state, shelf, root(1), told(asked, [1, 2], [-1.0, np.nan]), Added.none(2), view)
    assert worse.id == 0
    assert worse.sigma == pytest.approx(0.5 * 1.5**-0.5)
    better = proposer.tell(state, shelf, root(1), told(asked, [1, 2], [1.0, np.nan]), Added.none(2), view)
    assert (better.id, better.fitness) == (1, 1.0)
    late = asked._replace(aux={"polish": np.array([77, 77])})
    assert proposer.tell(state, shelf, root(1), told(late, [1, 2], [9.0, 9.0]), Added.none(2), view) == state


def test_the_operator_by_itself():
    proposer = polish(SPACE, First())
    child = proposer(root(0), [Record(0, START)], Draft("polish"))
    assert SPACE.check(child) is None
    assert SPACE.key(child) != SPACE.key(START)
    bare = ProgramSpace("def f(x: float) -> float:\n    return x\n")
    assert stepped(bare, bare.start, 0.1, root(0).generator()) is None
    with pytest.raises(NotMade, match="no numbers"):
        polish(bare, First())(root(0), [Record(0, bare.start)], Draft("polish"))


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="steps and batch"):
        polish(SPACE, First(), steps=0)
    two = Problem()
    two.n_objectives = 2
    with pytest.raises(CompositionError, match="2 objectives"):
        polish(SPACE, First()).init(two, Shelf([0]), root(0))
