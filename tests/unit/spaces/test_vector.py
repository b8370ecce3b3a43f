from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoloom.core.errors import UsageError
from evoloom.core.rng import root
from evoloom.spaces.vector import Box


@given(st.lists(st.floats(-1e300, 1e300, allow_subnormal=True), min_size=1, max_size=6), st.sampled_from(["f8", "f4"]))
def test_json_gives_the_same_bits_back(numbers, dtype):
    x = np.clip(np.array(numbers), -1e38, 1e38).astype(dtype)
    box = Box(-1e38, 1e38, len(x), dtype)
    back = box.decode(json.loads(json.dumps(box.encode(x))))
    assert back.tobytes() == x.tobytes()
    assert back.dtype == x.dtype


def test_integer_boxes_hold_both_ends():
    box = Box([0, -2], [1, 2], dtype=np.int64)
    rows = np.stack(box.sample(root(1), 500))
    assert {int(v) for v in rows[:, 0]} == {0, 1}
    assert {int(v) for v in rows[:, 1]} == {-2, -1, 0, 1, 2}
    assert all(box.check(r) is None for r in rows)


def test_samples_are_uniform_in_every_dimension():
    rows = np.stack(Box([0.0, -5.0], [1.0, 5.0]).sample(root(2), 20_000))
    assert np.allclose(rows.mean(0), [0.5, 0.0], atol=[0.01, 0.1])
    assert np.allclose(rows.std(0), [1 / 12**0.5, 10 / 12**0.5], rtol=0.02)


@pytest.mark.parametrize(
    ("genome", "reason"),
    [
        ([0.0, 0.0], "got list"),
        (np.zeros(3), "shape"),
        (np.zeros(2, np.float32), "float32"),
        (np.array([0.0, 2.0]), r"number 1 is 2\.0, outside"),
        (np.array([np.nan, 0.0]), "number 0 is nan"),
        (np.array([0.0, np.inf]), "number 1 is inf"),
        (None, "NoneType"),
    ],
)
def test_check_says_why(genome, reason):
    import re

    assert re.search(reason, Box(-1, 1, 2).check(genome))


def test_keys_are_of_the_content():
    box = Box(-1, 1, 2)
    assert box.key(np.array([0.0, -0.0])) == box.key(np.array([-0.0, 0.0]))
    assert box.key(np.array([0.0, 0.5])) != box.key(np.array([0.5, 0.0]))
    assert box.distance(np.array([0.0, 0.0]), np.array([0.3, 0.4])) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((0, 1), "number of dimensions"),
        (([0, 0], [1, 1, 1]), "do not agree"),
        ((0, np.inf, 2), "finite"),
        ((-1e308, 1e308, 2), "finite"),
        (([0, 3], [1, 2]), "dimension 1"),
        ((0, 1, 2, "U3"), "dtype"),
    ],
)
def test_wrong_bounds_are_refused(args, message):
    with pytest.raises(UsageError, match=message):
        Box(*args)
