"""The loop against small strategies: schedule, budget, repeats, failures, drafts. Workers here finish in odd orders."""

import random
from typing import Any, NamedTuple

import numpy as np
import pytest

from evoloom.core.budget import Budget, Cost, Stop
from evoloom.core.contracts import (
    Added,
    Columns,
    Draft,
    Evaluation,
    Made,
    NotMade,
    Outcome,
    Problem,
    Proposals,
    Verdict,
)
from evoloom.core.errors import CompositionError, ContractError
from evoloom.core.loop import Pace, Setup, run


class Ints:
    """Genomes are integers."""

    def sample(self, rng, n):
        return [int(x) for x in rng.generator().integers(0, 1000, n)]

    def check(self, g):
        return None if isinstance(g, int) else f"expected an integer, got {type(g).__name__}"

    def encode(self, g):
        return g

    decode = encode

    def key(self, g):
        return str(g).encode()

    def distance(self, a, b):
        return abs(a - b)


class Toy(Problem):
    name = "toy"
    space = Ints()
    columns = Columns(signals=("size",))

    def evaluate(self, job):
        g = np.array(job.genomes, float)
        return Evaluation(g, np.where(g % 7 == 3, Verdict.WRONG, 0), signals={"size": g})


class Walk(NamedTuple):
    ids: list
    asked: int = 0
    values: tuple = ()


class Walker:
    """Draws integers; later ones are drafts that add to the best parent."""

    needs = wants = frozenset()
    repeats = "refuse"

    def __init__(self, batch=3, drafts=True, limit=10**9, greedy=False, step=None, **operators):
        self.batch, self.drafts, self.limit, self.greedy = batch, drafts, limit, greedy
        self.operators: dict[str, Any] = {"add": step or add} | operators

    def init(self, problem, rng):
        return Walk([])

    def ask(self, state, rng, room, view):
        n = self.batch if self.greedy else min(self.batch, room.rows())
        if n < 1 or state.asked >= self.limit:
            return None, state
        state = state._replace(asked=state.asked + n)
        ok = [i for i in state.ids if view.record(i).fitness is not None]
        if not ok or not self.drafts:
            return Proposals(Ints().sample(rng, n)), state
        parents = [(max(ok, key=lambda i: view.record(i).fitness),)] * n
        return Proposals([Draft("add", {"row": r}) for r in range(n)], parents), state

    def tell(self, state, rng, told, view):
        n = told.evaluation.n
        values = (*state.values, *told.evaluation.fitness.tolist())
        return state._replace(ids=state.ids + [int(i) for i in told.ids], values=values), Added.none(n)

    def adopt(self, state, told, view):
        return state

    def best(self, state):
        return state.ids[-1:], None

    def stats(self, state):
        return {"asked": state.asked}


def add(rng, sources, draft):
    return sources[0].genome + int(rng.integers(1, 100))


class Shuffled:
    """Workers that hold back answers and give them in an order of their own."""

    def __init__(self, n=3, seed=0, fail=()):
        self.n, self.order, self.fail = n, random.Random(seed), set(fail)
        self.held, self.done = [], 0

    def start(self, tools, post):
        self.tools, self.post = tools, post

    def submit(self, tag, tool, *args):
        self.held.append((tag, tool, args))
        while len(self.held) > self.n - 1:
            self.release()

    def release(self):
        tag, tool, args = self.held.pop(self.order.randrange(len(self.held)))
        self.done += 1
        if self.done in self.fail:
            self.post(Outcome(tag, error="the machine lost power"))
            return
        try:
            self.post(Outcome(tag, self.tools[tool](*args)))
        except NotMade as e:
            self.post(Outcome(tag, refused=e))
        except Exception as e:
            self.post(Outcome(tag, error=repr(e)))

    def close(self, now=False):
        self.held.clear()


class Now(Shuffled):
    """Answers at once."""

    def __init__(self, fail=()):
        super().__init__(1, 0, fail)


def go(strategy=None, evaluations=60, pace=None, judges=None, makers=None, problem=None, **more):
    problem = problem or Toy()

    def judge(genomes, scope, given, rngs):
        from evoloom.core.contracts import Job

        return problem.evaluate(Job(genomes, scope, given, rngs))

    budget = Budget(evaluations=evaluations).checked()
    return run(
        Setup(
            problem,
            strategy or Walker(),
            budget,
            1,
            judge,
            judges or Now(),
            makers or Now(),
            pace or Pace(12, 3),
            **more,
        )
    )


def test_a_run_spends_its_budget_and_says_why_it_stopped():
    r = go()
    assert r.stop is Stop.EVALUATIONS
    assert r.evaluations == 60
    assert r.proposals >= 60
    assert r.verdicts["ok"] + r.verdicts.get("wrong", 0) == 60
    assert r.operators["add"].made > 0
    assert sum(o.proposed for o in r.operators.values()) == r.proposals


def test_worker_count_and_order_never_change_an_ordered_run():
    class Late(Shuffled):
        """Answers only when the loop waits: every answer is late."""

        def submit(self, tag, tool, *args):
            import threading

            self.held.append((tag, tool, args))
            threading.Timer(self.order.random() / 500, self.release).start()

    digests = {
        go(judges=j, makers=m).state_digest for j, m in [(Now(), Now()), (Late(), Late(seed=1)), (Late(7, 2), Now())]
    }
    assert len(digests) == 1
    assert go(pace=Pace(24, 3)).state_digest not in digests  # the window belongs to the identity


def test_a_generation_waits_for_all_rows():
    seen = []

    class Watch(Walker):
        def ask(self, state, rng, room, view):
            seen.append(room.now)
            return super().ask(state, rng, room, view)

    go(Watch(), pace=Pace(None, 5))
    assert set(seen) == {5}


def test_an_exhausted_strategy_ends_the_run():
    assert go(Walker(limit=9)).stop is Stop.EXHAUSTED


def test_children_that_cannot_be_made_cost_no_evaluation_and_end_the_run_when_all_fail():
    def never(rng, sources, draft):
        raise NotMade("no idea", Cost(calls=1))

    r = go(Walker(step=never), evaluations=1000, failing=50)
    assert r.stop is Stop.FAILING
    assert r.verdicts["unmade"] >= 50
    assert r.cost.calls == r.verdicts["unmade"]
    assert r.evaluations == 12  # the starts, which filled the window


def test_a_made_genome_outside_the_space_is_unmade():
    r = go(Walker(step=lambda *a: Made("text", Cost())), failing=20)
    assert r.verdicts["unmade"] >= 20


def test_repeats_are_refused_by_content_and_free():
    r = go(Walker(step=lambda rng, s, d: 8), evaluations=50, failing=10**9)
    assert r.stop is Stop.PROPOSALS
    assert r.verdicts["repeat"] > 100
    assert r.evaluations == 13  # the starts, which filled the window, and one child


def test_reused_repeats_carry_the_judgement():
    class Reuse(Walker):
        repeats = "reuse"

    r = go(Reuse(step=lambda rng, s, d: 8), evaluations=50)
    assert r.verdicts["ok"] > 100
    assert "repeat" not in r.verdicts


def test_infrastructure_failures_are_tried_again_and_never_told():
    r, calm = go(judges=Now(fail={2, 9}), makers=Now(fail={4})), go()
    assert r.state_digest == calm.state_digest


def test_a_broken_evaluator_stops_the_run():
    class Broken(Toy):
        def evaluate(self, job):
            raise RuntimeError("out of order")

    r = go(problem=Broken())
    assert r.stop is Stop.BROKEN
    assert "out of order" in (r.broken or "")

    class Shape(Toy):
        def evaluate(self, job):
            return Evaluation(np.zeros(99), np.zeros(99))

    assert "shape" in (go(problem=Shape()).broken or "")


@pytest.mark.parametrize(
    ("proposals", "message"),
    [
        (Proposals([]), "empty batch"),
        (Proposals([1] * 99), "rows where"),
        (Proposals([1, 2], parents=[()]), "2 genomes but 1 parents"),
        (Proposals([1, 2], aux={"k": np.zeros(1)}), "aux"),
        (Proposals([Draft("sub")]), "draft names operator 'sub'"),
        (Proposals([None]), "neither a genome"),
        (Proposals([None], known=[17]), "never judged"),
    ],
)
def test_a_strategy_that_breaks_the_form_is_told_how(proposals, message):
    class Rude(Walker):
        def ask(self, state, rng, room, view):
            return proposals, state

    with pytest.raises(ContractError, match=message):
        go(Rude())


def test_needs_are_checked_before_the_run():
    class Needy(Walker):
        needs = frozenset({"measures", "size"})

    with pytest.raises(CompositionError, match=r"needs measures, but problem 'toy' offers only fitness, id, size"):
        go(Needy())


def test_a_target_and_a_condition_stop_early():
    class Easy(Toy):
        target = 500.0

    r = go(problem=Easy(), evaluations=10**6)
    assert r.stop is Stop.TARGET
    assert go(stop=[lambda p: p.proposals >= 12]).stop is Stop.CONDITION


def test_known_candidates_can_be_judged_again():
    class Again(Walker):
        def ask(self, state, rng, room, view):
            if not state.ids or state.asked > 20:
                return super().ask(state, rng, room, view)
            return Proposals([None], known=[state.ids[0]]), state._replace(asked=state.asked + 1)

    r = go(Again(), pace=Pace(1, 1), evaluations=30)
    assert len(r.state.ids) == 30
    assert r.state.ids.count(r.state.ids[0]) > 15


def test_unordered_runs_meet_the_budget_too():
    r = go(judges=Shuffled(1, 3), pace=Pace(12, 3, ordered=False))
    assert r.evaluations == 60
