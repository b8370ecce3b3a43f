from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoloom.core.contracts import Draft, Record
from evoloom.core.errors import UsageError
from evoloom.core.rng import root
from evoloom.spaces.vector import Box
from evoloom.vary import vector as vary


def operators(space):
    return [
        vary.gaussian(space, 3.0),
        vary.gaussian(space, 3.0, rate=0.3, bounds="clip"),
        vary.iso_line(space, 1.0, 2.0),
        vary.sbx(space, 2.0),
        vary.polynomial(space, 3.0),
        vary.uniform(space),
    ]


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from(["f8", "f4", "i8", "i4"]))
def test_children_lie_in_the_space_and_parents_stay(seed, dtype):
    space = Box([-1, 0, 3], [1, 0, 8], dtype=dtype)
    parents = [Record(i, x) for i, x in enumerate(space.sample(root(seed), 2))]
    before = [p.genome.copy() for p in parents]
    for operator in operators(space):
        for child in operator.many(root(seed).fold(1), [parents] * 5):
            assert space.check(child) is None, operator.name
    assert all(np.array_equal(p.genome, b) for p, b in zip(parents, before))


def test_one_call_is_a_batch_of_one():
    space = Box(-1, 1, 4)
    parents = [Record(i, x) for i, x in enumerate(space.sample(root(1), 2))]
    for operator in operators(space):
        one = operator(root(9), parents, Draft(operator.name))
        assert np.array_equal(one, operator.many(root(9), [parents])[0])


@pytest.mark.parametrize(
    ("x", "expected"), [(0.25, 0.25), (1.25, 0.75), (-0.25, 0.25), (2.25, 0.25), (-1.25, 0.75), (3.5, 0.5), (1.0, 1.0)]
)
def test_reflection_is_a_mirror_at_both_ends(x, expected):
    assert vary.reflected(np.array([x]), np.array([0.0]), np.array([1.0]))[0] == pytest.approx(expected, abs=1e-15)


def test_gaussian_spread_and_rate():
    space = Box(-100, 100, 10)
    x = np.zeros(10)
    children = np.stack(vary.gaussian(space, 2.0, rate=0.2).many(root(4), [[Record(0, x)]] * 20_000))
    moved = children != 0
    assert children[moved].std() == pytest.approx(2.0, rel=0.02)
    assert moved.any(1).all()
    none = 0.8**10  # rows that would not move at all get one coordinate
    assert moved.mean() == pytest.approx(0.2 + none / 10, abs=0.005)


def test_iso_line_draws_once_per_child_along_the_line():
    space = Box(-100, 100, 3)
    a, b = np.array([0.0, 0.0, 0.0]), np.array([1.0, 2.0, 3.0])
    children = np.stack(vary.iso_line(space, 0.0, 0.5).many(root(4), [[Record(0, a), Record(1, b)]] * 5000))
    t = children[:, 0]
    assert np.allclose(children, t[:, None] * b)
    assert t.std() == pytest.approx(0.5, rel=0.05)


def test_uniform_takes_every_coordinate_from_one_parent():
    space = Box(-9, 9, 4)
    a, b = np.full(4, -1.0), np.full(4, 1.0)
    children = np.stack(vary.uniform(space, rate=0.3).many(root(4), [[Record(0, a), Record(1, b)]] * 5000))
    assert set(np.unique(children)) == {-1.0, 1.0}
    assert (children == 1.0).mean() == pytest.approx(0.3, abs=0.02)


def test_wrong_options_are_refused():
    space = Box(0, 1, 2)
    with pytest.raises(UsageError, match="sigma"):
        vary.gaussian(space, 0.0)
    with pytest.raises(UsageError, match="rate"):
        vary.gaussian(space, 1.0, rate=0.0)
    with pytest.raises(UsageError, match="bounds"):
        vary.gaussian(space, 1.0, bounds="wrap")
