"""Array primitives against loops that a reader can check by eye."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from evoloom.core import ops
from evoloom.core.rng import root

N = 5  # segments
VALUES = st.sampled_from([-2.0, -1.0, 0.0, 0.5, 3.0])


@st.composite
def segmented(draw):
    """Scores with ties, and segments that may lie outside 0 <= s < N."""
    b = draw(st.integers(0, 12))
    return draw(hnp.arrays(float, b, elements=VALUES)), draw(hnp.arrays(np.int64, b, elements=st.integers(-2, N + 1)))


@given(segmented())
def test_segment_max_min_sum(case):
    x, seg = case
    for s in range(N):
        mine = x[seg == s].tolist()
        assert ops.segment_max(x, seg, N, -9.0)[s] == max(mine, default=-9.0)
        assert ops.segment_min(x, seg, N, 9.0)[s] == min(mine, default=9.0)
        assert ops.segment_sum(x, seg, N)[s] == sum(mine)


@given(segmented(), st.booleans())
def test_segment_best_takes_the_first_of_a_tie(case, banned):
    x, seg = case
    if banned and len(x):
        x = x.copy()
        x[0] = -np.inf
    got = ops.segment_best(x, seg, N)
    for s in range(N):
        best = len(x)
        for i in range(len(x)):
            if seg[i] == s and x[i] > -np.inf and (best == len(x) or x[i] > x[best]):
                best = i
        assert got[s] == best


@given(segmented())
def test_rank_in_segment(case):
    x, seg = case
    got = ops.rank_in_segment(seg, N, x)
    for i in range(len(x)):
        if 0 <= seg[i] < N:
            ahead = [j for j in range(len(x)) if seg[j] == seg[i] and (x[j], j) < (x[i], i)]
            assert got[i] == len(ahead)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12))
def test_order_is_stable_and_most_important_first(pairs):
    a, b = (np.array([p[k] for p in pairs], dtype=int) for k in (0, 1))
    assert ops.order(a, b).tolist() == sorted(range(len(pairs)), key=lambda i: (*pairs[i], i))


@given(st.permutations(range(-2, 7)), st.integers(0, 9), st.booleans())
def test_put_drops_what_lies_outside(index, b, scalar):
    index = np.array(index[:b], dtype=int)
    rows = np.arange(10.0, 10.0 + b)
    want = [0.0] * N
    for i, at in enumerate(index):
        if 0 <= at < N:
            want[at] = 7.0 if scalar else rows[i]
    assert ops.put(np.zeros(N), index, 7.0 if scalar else rows).tolist() == want


def test_put_writes_rows_in_place():
    col = np.zeros((3, 2))
    out = ops.put(col, np.array([2, 5]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert out is col
    assert col.tolist() == [[0, 0], [0, 0], [1, 2]]


@given(hnp.arrays(float, st.tuples(st.integers(1, 9), st.integers(1, 3)), elements=VALUES), st.data())
def test_pareto_rank(f, data):
    valid = data.draw(hnp.arrays(bool, len(f)))
    got = ops.pareto_rank(f, valid)
    left, level = set(np.flatnonzero(valid).tolist()), 0
    assert (got[~valid] == len(f)).all()
    while left:
        front = {i for i in left if not any((f[j] >= f[i]).all() and (f[j] > f[i]).any() for j in left)}
        assert set(np.flatnonzero(valid & (got == level)).tolist()) == front
        left, level = left - front, level + 1


@given(hnp.arrays(float, (4, 3), elements=VALUES), hnp.arrays(float, (2, 3), elements=VALUES))
def test_distances(a, b):
    want = [[((x - y) ** 2).sum() for y in b] for x in a]
    np.testing.assert_allclose(ops.distances(a, b), want, atol=1e-12)
    assert (ops.distances(a * 1e8, a * 1e8) >= 0).all()


def test_pick_draws_only_true_rows_uniformly():
    mask = np.array([False, True, True, False, True])
    drawn = np.bincount(ops.pick(mask, root(3), 30_000), minlength=5)
    assert drawn[~mask].sum() == 0
    assert ((drawn[mask] - 10_000) ** 2 / 10_000).sum() < 13.8  # chi-square, 2 degrees, p = 0.001
    with pytest.raises(ValueError, match="empty archive"):
        ops.pick(np.zeros(3, bool), root(0), 1)


def test_xp_of_refuses_unknown_arrays():
    class Other:
        pass

    assert ops.xp_of(np.zeros(2), None, 1.0, [2]) is np
    with pytest.raises(TypeError, match="Other"):
        ops.xp_of(Other())
