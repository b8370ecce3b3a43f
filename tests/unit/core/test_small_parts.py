"""Rng, budget, registry, codec, door: closed forms and bad input."""

import json
import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoloom.core import codec, registry
from evoloom.core.budget import Account, Budget, Cost, Stop, budget_of
from evoloom.core.contracts import (
    Axis,
    Columns,
    Draft,
    Evaluation,
    Notes,
    Problem,
    Proposals,
    Room,
    Verdict,
    failed,
    stack,
)
from evoloom.core.door import admit, native
from evoloom.core.errors import ContractError, UsageError
from evoloom.core.rng import NumpyRng, root
from evoloom.core.value import fork, static, value


def test_the_same_path_draws_the_same_and_others_do_not():
    a, b = root(7).fold(3).fold("x"), root(7).fold(3).fold("x")
    assert np.array_equal(a.normal(5), b.normal(5))
    seen = {r.uniform(()).item() for r in (root(7), root(8), root(7).fold(0), root(7).fold(0).fold(0), a, NumpyRng())}
    assert len(seen) == 6


@given(st.integers(0, 2**70))
def test_every_seed_has_its_own_root(seed):
    assert root(seed).path != root(seed + 1).path


@pytest.mark.parametrize("seed", [-1, 1.5])
def test_a_seed_is_a_non_negative_integer(seed):
    with pytest.raises(ValueError, match="non-negative integer"):
        root(seed)


def test_a_budget_without_end_is_refused():
    with pytest.raises(UsageError, match="never end"):
        budget_of({"usd": 3.0})
    with pytest.raises(UsageError, match="positive"):
        budget_of({"evaluations": -1})
    assert budget_of({"evaluations": 10, "seconds": None}).proposals == 1040


def test_an_account_reserves_and_settles():
    a = Account(Budget(evaluations=10, usd=1.0).checked())
    a.reserve(Cost(evaluations=6, usd=0.5), 6)
    assert a.free() == Cost(4, math.inf, math.inf, 0.5)
    a.settle(Cost(evaluations=6, usd=0.5), Cost(evaluations=3, usd=0.1))
    assert a.free().evaluations == 7
    assert a.spent == Cost(3, 0, 0, 0.1)
    assert a.over() is None
    a.settle(Cost(), Cost(evaluations=7))
    assert a.over() is Stop.EVALUATIONS


def test_room_counts_rows_by_price_and_operators_by_their_own():
    room = Room(5, Cost(2.0, 3, math.inf, math.inf), lambda s: 0.5 if s else 1.0, {"model": Cost(calls=2)})
    assert room.rows() == 2
    assert room.rows([1]) == 4
    assert room.affords(1, operator="model")
    assert not room.affords(2, operator="model")


def test_unknown_names_list_near_ones():
    @registry.register("claim", "a-test-claim")
    def claim():
        """A claim."""

    try:
        with pytest.raises(UsageError, match="Did you mean 'a-test-claim'"):
            registry.get("claim", "a-tset-claim")
        with pytest.raises(UsageError, match="two claims are called"):
            registry.register("claim", "a-test-claim")(lambda: None)
        assert registry.get("claim", "a-test-claim").summary == "A claim."
    finally:
        del registry._entries["claim"]["a-test-claim"]


class Toy(Problem):
    name = "toy"
    minimize = True
    columns = Columns(measures=(Axis("m", 0, 1),), cases=("a", "b"), signals=("size",))


def toy(fitness, verdict=(0, 0, 0), measures=(0.1, 0.2, 0.3)):
    n = len(fitness)
    return Evaluation(
        np.array(fitness), np.array(verdict), np.array(measures)[:, None], np.ones((n, 2)), {"size": np.arange(n)}
    )


def test_the_door_negates_once_and_turns_nan_into_a_verdict():
    e = admit(toy([1.0, np.nan, 3.0], measures=(0.1, 0.2, np.inf)), Toy(), 3)
    assert e.verdict.tolist() == [Verdict.OK, Verdict.NONFINITE, Verdict.NONFINITE]
    assert e.fitness[0] == -1.0
    assert np.isnan(e.fitness[1:]).all()
    assert np.isnan(e.measures[1:]).all()
    assert e.cases[0].tolist() == [-1.0, -1.0]
    assert native(Toy(), e.fitness[0]) == 1.0
    assert native(Toy(), None) is None


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (toy([1.0, 2.0, 3.0])._replace(measures=None), "declares measures"),
        (toy([1.0, 2.0, 3.0])._replace(signals={}), "signal 'size'"),
        (toy([1.0, 2.0, 3.0])._replace(fitness=np.ones((3, 2))), r"fitness must have shape \(3,\)"),
        (toy([1.0, 2.0, 3.0])._replace(verdict=np.zeros(2)), r"verdict must have shape \(3,\)"),
        (toy([1.0, 2.0, 3.0])._replace(fitness=["a", "b", "c"]), "must be numbers"),
        (toy([1.0, 2.0, 3.0])._replace(notes=[None]), "notes"),
    ],
)
def test_a_broken_evaluator_is_told_what_is_wrong(broken, message):
    with pytest.raises(ContractError, match=message):
        admit(broken, Toy(), 3)


def test_failed_rows_can_be_joined_with_judged_ones():
    joined = stack([admit(toy([1.0, 2.0, 3.0]), Toy(), 3), failed(2, Verdict.TIMEOUT, Toy.columns)])
    assert joined.verdict.tolist() == [0, 0, 0, 4, 4]
    assert joined.measures.shape == (5, 1)
    assert joined.signals["size"].shape == (5,)


@given(st.lists(st.floats(width=64), min_size=1, max_size=5))
def test_evaluations_survive_json_to_the_last_bit(xs):
    n = len(xs)
    e = Evaluation(
        np.array(xs), np.zeros(n, np.int8), None, np.array([xs, xs]).T, {"s": np.array(xs)}, np.ones(n), None,
        [Notes("x", {"a": "b"})] * n,
    )  # fmt: skip
    back = codec.evaluation_of(json.loads(codec.dumps(codec.evaluation_json(e, range(n)))))
    assert back.fitness.tobytes() == e.fitness.tobytes() or np.array_equal(back.fitness, e.fitness, equal_nan=True)
    assert np.array_equal(back.cases, e.cases, equal_nan=True)
    assert back.notes == list(e.notes)


def test_proposals_as_data():
    p = Proposals([Draft("op", {"k": 1}, (4,)), "x"], [(1, 2), ()], {"island": np.array([0, 1])}, scope=[1])
    data = codec.proposals_json(p, [None, "hash"])
    assert data["genomes"] == [{"draft": ["op", {"k": 1}, [4]]}, "hash"]
    assert data["aux"] == {"island": ["int64", [0, 1]]}
    assert json.loads(codec.dumps(data)) == data


class State(NamedTuple):
    a: np.ndarray
    b: dict


def test_equal_states_have_equal_digests_and_others_do_not():
    def state(x=1.0, k="k"):
        return State(np.array([x, np.nan]), {k: [1, (2, None)], 3: {"s"}})

    assert codec.digest(state()) == codec.digest(fork(state()))
    different = {
        codec.digest(s) for s in (state(), state(2.0), state(k="j"), [1, 2], (1, 2), [1, [2]], {1: 2}, "1", 1, 1.0)
    }
    assert len(different) == 10


@value
class Pair:
    x: np.ndarray
    n: int = static(default=3)


def test_values_are_frozen_and_replaceable():
    p = Pair(np.zeros(2))
    with pytest.raises(AttributeError):
        p.n = 4
    q = p.replace(x=np.ones(2))
    assert q.n == 3
    copy = fork(q)
    q.x[0] = 9
    assert copy.x[0] == 1
