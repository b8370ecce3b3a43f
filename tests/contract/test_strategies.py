"""Every strategy and problem, ours and registered, under its suite; and some broken on purpose, one per rule."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from evoloom.archives import aging, best, grid, pareto, population
from evoloom.core import registry
from evoloom.core.contracts import Added, Axis, Columns, Evaluation, Proposals
from evoloom.core.errors import ContractError, InfrastructureError
from evoloom.evaluate.sandbox import open_box
from evoloom.select import tournament, uniform
from evoloom.strategies import breed, cma_es, evolve, hill_climb, islands, keep, portfolio, random_search
from evoloom.strategies.keep import Keep
from evoloom.testing import check_problem, check_strategy
from evoloom.testing.strategies import RULES
from evoloom.testing.toys import Sphere, Step
from evoloom.vary.vector import gaussian, iso_line


class Measured(Sphere):
    """With two measures, and two objectives where asked."""

    columns = Columns(measures=(Axis("x", -5, 5), Axis("y", -5, 5)))

    def __init__(self, n_objectives=1):
        super().__init__(3, starts=2, broken=0.1)
        self.n_objectives = n_objectives

    def evaluate(self, job):
        e = super().evaluate(job)
        x = np.stack(job.genomes)
        if self.n_objectives == 2:
            e = e._replace(fitness=np.stack([e.fitness, ((x - 1) ** 2).sum(1)], 1))
        return e._replace(measures=x[:, :2])


def ga(p, size=10, **options):
    return evolve(population(size), tournament(2), gaussian(p.space, 0.5), p.space.sample, **options)


def arms(p):
    return {
        "near": breed(tournament(2), Step(0.1, "near")),
        "line": breed(uniform(), iso_line(p.space)),
        "cma": cma_es(),
    }


STRATEGIES = {
    "evolve": lambda p: ga(p, batch=3),
    "evolve, drafts that fail": lambda p: evolve(
        aging(8), tournament(2), Step(draft=True, fails=0.3), p.space.sample, n_start=8, batch=2
    ),
    "map-elites": lambda p: evolve(grid(5), uniform(), iso_line(p.space), p.space.sample, batch=4),
    "islands": lambda p: islands(ga(p), 3, migrate_every=7, reset_every=12),
    "islands of islands": lambda p: islands(islands(ga(p), 2, migrate_every=5), 2, reset_every=9),
    "portfolio": lambda p: keep(population(10), portfolio(arms(p), sample=p.space.sample)),
    "islands of portfolios": lambda p: islands(
        keep(population(5), portfolio(arms(p), sample=p.space.sample)), 2, migrate_every=6
    ),
    "cma-es": lambda p: keep(best(1), cma_es(), repeats="reuse"),
    "islands of cma-es": lambda p: islands(keep(best(1), cma_es()), 2, reset_every=15),
    "random search": lambda p: random_search(p.space.sample, batch=2),
    "hill climbing": lambda p: hill_climb(gaussian(p.space, 0.5), p.space.sample, patience=6),
}


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_keeps_the_rules(name):
    check_strategy(STRATEGIES[name], Measured() if name == "map-elites" else Sphere(3, 2, 0.2), evaluations=24)


@pytest.mark.parametrize("name", registry.names("system"))
def test_every_registered_system_keeps_the_rules(name):
    problem = registry.get("problem", "sphere").make()
    check_strategy(registry.get("system", name).make, problem, evaluations=24)


@pytest.mark.parametrize("name", [n for n in registry.names("problem") if n != "directory"])
def test_every_registered_problem_keeps_the_rules(name):
    """Untrusted ones in the box that this machine offers (the rules are the same with less isolation)."""
    problem = registry.get("problem", name).make()
    if not problem.untrusted:
        return check_problem(problem, n=3)
    try:
        box = open_box("auto", problem.modules)
    except InfrastructureError:
        box = open_box("limits", problem.modules)
    with contextlib.closing(box):
        check_problem(problem, n=3, box=box)


def test_several_objectives():
    check_problem(Measured(2))
    check_strategy(
        lambda p: islands(evolve(pareto(), uniform(), gaussian(p.space, 0.5), p.space.sample), 2, migrate_every=5),
        Measured(2),
        evaluations=24,
    )


class Broken(Keep):
    """A correct strategy; each subclass breaks one rule."""

    def __init__(self, problem):
        inner = ga(problem)
        super().__init__(inner.factory, inner.proposer, "refuse")


class Silent(Broken):
    def ask(self, state, rng, room, view):
        return None, state


class Unjudged(Broken):
    def best(self, state):
        ids, scope = super().best(state)
        return (ids and [0, *ids]), ({"stage": 1} if ids else scope)


class Wide(Broken):
    def ask(self, state, rng, room, view):
        proposals, state = super().ask(state, rng, room, view)
        return (proposals and proposals._replace(genomes=list(proposals.genomes) * 2, parents=(), operators=())), state


class NeedsTwo(Broken):
    """Proposes only where two rows fit."""

    def ask(self, state, rng, room, view):
        return super().ask(state, rng, room, view) if room.now > 1 else (None, state)


class Thrifty(Broken):
    """Looks at the window, not at the budget."""

    def ask(self, state, rng, room, view):
        rows = self.proposer.sample(rng, min(3, room.now))
        return Proposals(rows), state


class Hidden(Broken):
    """Counts in the object, where neither a snapshot nor a copy of the state finds it."""

    n = 0

    def ask(self, state, rng, room, view):
        self.n += 1
        return super().ask(state, rng.fold(self.n % 5), room, view)


class Global(Broken):
    """Draws from outside the run."""

    source = np.random.default_rng(3)

    def ask(self, state, rng, room, view):
        return super().ask(state, rng.fold(int(self.source.integers(1 << 30))), room, view)


class Trusting(Broken):
    """Believes that something is always valid."""

    def tell(self, state, rng, told, view):
        assert told.evaluation.valid.any()
        return super().tell(state, rng, told, view)


class Counting(Broken):
    """Moves a counter in an ask that returns nothing."""

    def init(self, problem, rng):
        return [0, super().init(problem, rng)]

    def ask(self, state, rng, room, view):
        proposals, state[1] = super().ask(state[1], rng, room, view)
        state[0] += 1
        return proposals, state

    def tell(self, state, rng, told, view):
        state[1], added = super().tell(state[1], rng, told, view)
        return state, added

    def adopt(self, state, told, view):
        return [state[0], super().adopt(state[1], told, view)]

    def best(self, state):
        return super().best(state[1])

    def stats(self, state):
        return super().stats(state[1])


class Xenophobe(Broken):
    def adopt(self, state, told, view):
        raise KeyError("aux")


class Queue(Counting):
    """Expects batches in the order in which it asked them."""

    def ask(self, state, rng, room, view):
        proposals, state[1] = Keep.ask(self, state[1], rng, room, view)
        if proposals is not None:
            state[0] += 1
            proposals = proposals._replace(aux={"number": np.full(proposals.n, state[0])})
        return proposals, state

    def tell(self, state, rng, told, view):
        number = int(told.proposals.aux["number"][0])
        if number != getattr(self, "last", 0) + 1:
            raise ValueError(f"expected batch {getattr(self, 'last', 0) + 1}, got {number}")
        self.last = number
        return super().tell(state, rng, told, view)


class Short(Broken):
    def tell(self, state, rng, told, view):
        state, _ = super().tell(state, rng, told, view)
        return state, Added.none(0)


@pytest.mark.parametrize(
    ("broken", "rule", "message"),
    [
        (Silent, "runs", "proposed nothing"),
        (Unjudged, "runs", "no OK judgement under scope"),
        (Short, "runs", r"answered with 0 rows of added\.status"),
        (NeedsTwo, "one_row_at_a_time", "one row at a time"),
        (Thrifty, "almost_no_budget", "were allowed"),
        (Wide, "room_is_kept", "were allowed"),
        (Global, "same_twice", "a second time differs from batch 0"),
        (Hidden, "state_is_everything", "what is not in the state is lost"),
        (Trusting, "all_invalid", "AssertionError"),
        (Counting, "empty_ask_leaves_no_trace", r"state\[0\]"),
        (Xenophobe, "adopts", "KeyError: 'aux'"),
        (Queue, "any_order", "expected batch"),
    ],
)
def test_each_rule_names_who_breaks_it(broken, rule, message):
    with pytest.raises(ContractError, match=message) as e:
        check_strategy(broken, Sphere(3), evaluations=24, rules=[rule])
    assert f"rule '{rule}' is broken on problem 'toy-sphere'" in str(e.value)
    assert "The rule: " in str(e.value)


def test_the_unbroken_one_passes_and_every_rule_has_a_breaker():
    check_strategy(Broken, Sphere(3), evaluations=24)
    marks = test_each_rule_names_who_breaks_it.pytestmark[0].args[1]
    assert {rule for _, rule, _ in marks} == set(RULES)


class Noisy(Sphere):
    """Draws from outside the job's rngs."""

    source = np.random.default_rng(1)

    def evaluate(self, job):
        e = super().evaluate(job)
        return e._replace(fitness=e.fitness + self.source.random(len(job.genomes)))


class Relative(Sphere):
    """A judgement that depends on the rest of the batch."""

    def evaluate(self, job):
        e = super().evaluate(job)
        return e._replace(fitness=e.fitness - e.fitness.mean())


class Meddling(Sphere):
    def evaluate(self, job):
        e = super().evaluate(job)
        for g in job.genomes:
            g *= 0.5
        return e


class Hopeless(Sphere):
    def evaluate(self, job):
        n = len(job.genomes)
        return Evaluation(np.full(n, np.nan), np.full(n, 3, np.int8))


class Strays(Sphere):
    def start(self, rng):
        return [np.full(3, 9.0)]


class Lumped(Sphere):
    def key(self, genome):
        return b"all the same"


class Dear(Sphere):
    def evaluate(self, job):
        return super().evaluate(job)._replace(cost=np.full(len(job.genomes), 2.0))


class Wordless(Sphere):
    def show(self, genome):
        return genome


class Fickle(Sphere):
    n = 0

    def held_out(self, genome, box=None):
        self.n += 1
        return Evaluation(np.array([float(self.n)]), np.zeros(1, np.int8))


class Secret(Sphere):
    def settings(self):
        return {"data": object()}


@pytest.mark.parametrize(
    ("broken", "rule", "message"),
    [
        (Noisy, "repeats_itself", "fitness"),
        (Relative, "repeats_itself", "when judged alone"),
        (Meddling, "leaves_genomes_alone", "another one after it was judged"),
        (Hopeless, "judges", "ERROR"),
        (Dear, "judges", "more than price"),
        (Strays, "starts", "start genome 0 is not of the space"),
        (Lumped, "keys", "have one key"),
        (Wordless, "shows", "ndarray"),
        (Fickle, "holds_out", "the same single row"),
        (Secret, "declares", "plain JSON data"),
    ],
)
def test_check_problem_names_what_is_broken(broken, rule, message):
    check_problem(Sphere(3, starts=2), rules=[rule])
    with pytest.raises(ContractError, match=message) as e:
        check_problem(broken(), rules=[rule])
    assert f"breaks rule '{rule}'" in str(e.value)
