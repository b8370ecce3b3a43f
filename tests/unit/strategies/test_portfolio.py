"""portfolio: credit by ranks and cost, counts in flight, money, operators."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from evoloom.archives import population
from evoloom.core.budget import Cost
from evoloom.core.contracts import Added, Evaluation, Made, Proposals, Room, Told
from evoloom.core.errors import CompositionError, UsageError
from evoloom.core.rng import root
from evoloom.select import tournament
from evoloom.strategies import breed, keep, portfolio
from evoloom.strategies.credit import LEAST, Window, bounds, costs, values
from evoloom.testing.drive import Plan, drive
from evoloom.testing.toys import Sphere, Step


def mixed(arms, **options):
    def make(p):
        proposers = {k: breed(tournament(2), v) for k, v in arms.items()}
        return keep(population(10), portfolio(proposers, sample=p.space.sample, **options))

    return make


def shares(d):
    names = d.strategy.proposer.names
    counts = Counter(int(a) for t in d.told for a in t.proposals.aux["arm"])
    return {n: counts[i] for i, n in enumerate(names)}


def window_of(*rows):
    return Window(*(np.array(x) for x in zip(*rows)))


def test_credit_is_worth_per_cost_over_the_window():
    window = window_of((0, 1, 0.1, 1.0), (0, 0, 0.0, 1.0), (1, 1, 5.0, 2.0), (1, -1, 0.0, 2.0))
    # worth: 0.1 beats the two that were not taken (2/4); 5.0 beats three (3/4). Rates 0.5/2 and 0.75/4.
    assert values(window, 3) == pytest.approx([1.0, (0.75 / 4) / (0.5 / 2), 0.0])


def test_credit_ranks_new_above_improved_and_ties_alike():
    window = window_of((0, 2, -7.0, 1.0), (1, 1, 100.0, 1.0), (2, 1, 100.0, 1.0), (3, 0, 0.0, 1.0))
    assert values(window, 4) == pytest.approx([1.0, 1 / 3, 1 / 3, 0.0])


def test_credit_does_not_depend_on_the_scale_of_gains():
    g = np.random.default_rng(1)
    window = Window(g.integers(0, 3, 50), g.integers(-1, 2, 50), g.random(50), np.ones(50))
    assert values(window, 3) == values(window._replace(gain=np.exp(20 * window.gain)), 3)
    assert values(Window.empty(), 3) == [0.0, 0.0, 0.0]


def test_bounds_follow_the_formula():
    assert bounds([0.5, 1.0], [4, 12], 0.5) == pytest.approx(
        [0.5 + 0.5 * math.sqrt(2 * math.log(16) / 4), 1.0 + 0.5 * math.sqrt(2 * math.log(16) / 12)]
    )
    assert bounds([1.0, 0.0], [5, 0], 0.5)[1] == math.inf


def test_costs_add_making_and_judging_and_are_never_free():
    e = Evaluation(np.array([1.0, np.nan]), np.array([0, 9], np.int8), cost=np.array([1.0, 0.0]))
    told = Told(Proposals([1, 2]), np.array([0, 1]), e, [Cost(usd=0.002), Cost()], [None, "no"])
    assert costs(told, Cost(evaluations=1.0, usd=1000.0)) == pytest.approx([3.0, LEAST])
    window = Window.empty()
    for arm in (0, 4, 2):
        window = window.moved(arm, told, Added.none(2), Cost(1.0), 5)
    assert window.arm.tolist() == [0, 4, 4, 2, 2]
    assert window.counts(5).tolist() == [1, 0, 2, 0, 2]
    assert window.cost.tolist() == pytest.approx([LEAST, 1.0, LEAST, 1.0, LEAST])


def test_the_better_arm_gets_most_children():
    d = drive(mixed({"far": Step(50.0, "far"), "near": Step(0.2, "near")}), Sphere(5), Plan(evaluations=400))
    counts = shares(d)
    assert counts["near"] > 4 * counts["far"]
    assert counts["far"] >= 5  # explored all the same


def test_it_follows_when_the_better_arm_changes():
    """Both arms step; only after half of the run does the second become the useful one."""

    class Late(Step):
        calls = 0

        def __init__(self, name, early):
            super().__init__(0.2, name)
            self.early = early

        def __call__(self, rng, sources, draft):
            Late.calls += 1
            self.sigma = 0.2 if (Late.calls < 300) == self.early else 50.0
            return super().__call__(rng, sources, draft)

    d = drive(
        mixed({"a": Late("a", True), "b": Late("b", False)}, window=60), Sphere(8), Plan(evaluations=600, window=1)
    )
    arms = [int(t.proposals.aux["arm"][0]) for t in d.told]
    assert arms[100:290].count(0) > 120
    assert arms[-150:].count(1) > 90


def test_an_expensive_arm_must_earn_more():
    """Equal operators; one costs ten evaluations' worth of money per child."""

    class Paid(Step):
        def __call__(self, rng, sources, draft):
            return Made(super().__call__(rng, sources, draft), Cost(usd=0.01))

    arms = {"paid": Paid(0.2, "paid", draft=True), "free": Step(0.2, "free")}
    d = drive(mixed(arms, worth=Cost(evaluations=1.0, usd=1000.0)), Sphere(5), Plan(evaluations=400))
    counts = shares(d)
    assert counts["free"] > 3 * counts["paid"]
    d = drive(mixed(arms), Sphere(5), Plan(evaluations=400))
    counts = shares(d)
    assert counts["free"] < 2 * counts["paid"]


def test_an_arm_without_money_is_not_drawn_and_the_others_go_on():
    paid = Step(0.2, "paid", draft=True, price=Cost(usd=1.0))
    make = mixed({"paid": paid, "free": Step(0.2, "free")}, explore=100.0)
    d = drive(make, Sphere(3), Plan(evaluations=50))
    prices = {"paid": Cost(usd=1.0)}
    rich, poor = Cost(100.0, 9, 9, 1.5), Cost(100.0, 9, 9, 0.5)
    drawn = {rich: set(), poor: set()}
    for left, seen in drawn.items():
        for k in range(20):
            strategy, d = make(Sphere(3)), drive(make, Sphere(3), Plan(evaluations=20, seed=k)) if k < 2 else d
            proposals, _ = strategy.ask(d.state, root(k), Room(1, left, prices=prices), d.memory)
            seen.add(int(proposals.aux["arm"][0]))
    assert drawn[poor] == {1}
    assert 0 in drawn[rich]


def test_an_arm_in_flight_counts_as_drawn():
    make = mixed({"a": Step(0.2, "a"), "b": Step(0.2, "b"), "c": Step(0.2, "c")})
    d = drive(make, Sphere(3), Plan(evaluations=4, window=1))
    state, strategy = d.state, make(Sphere(3))
    state = state._replace(
        proposer=state.proposer._replace(window=Window.empty(), in_flight=[0, 0, 0], values=[0.0] * 3)
    )
    arms = []
    for k in range(9):
        proposals, state = strategy.ask(state, root(5).fold(k), Room(1, Cost(100.0)), d.memory)
        arms.append(int(proposals.aux["arm"][0]))
    assert Counter(arms) == {0: 3, 1: 3, 2: 3}


def test_operators_are_joined_and_clashes_refused():
    both = portfolio({"a": breed(tournament(2), Step(0.1, "x")), "b": breed(tournament(2), Step(0.2, "y"))})
    assert set(both.operators) == {"x", "y"}
    with pytest.raises(CompositionError, match="'a' and 'b' both have an operator called 'x'"):
        portfolio({"a": breed(tournament(2), Step(0.1, "x")), "b": breed(tournament(2), Step(0.2, "x"))})
    shared = Step(0.1, "x")
    portfolio({"a": breed(tournament(2), shared), "b": breed(tournament(3), shared)})


@pytest.mark.parametrize("wrong", [{"window": 0}, {"batch": 0}, {"explore": -1.0}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        portfolio({"a": breed(tournament(2), Step())}, **wrong)
    with pytest.raises(UsageError, match="at least one"):
        portfolio({})
