from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoloom.core.contracts import Draft, NotMade, Record
from evoloom.core.rng import root
from evoloom.spaces.permutation import Permutation
from evoloom.vary import permutation as vary

ALL = [vary.swap(), vary.insert(), vary.reverse(), vary.ox(), vary.pmx()]
# The worked example of Eiben and Smith, "Introduction to Evolutionary Computing" (2003), section 3.5, counted from 0.
A = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9]) - 1
B = np.array([9, 3, 7, 8, 2, 6, 5, 1, 4]) - 1


def test_order_crossover_equals_the_textbook():
    assert (vary.order_crossover(A, B, 3, 7) + 1).tolist() == [3, 8, 2, 4, 5, 6, 7, 1, 9]


def test_partially_mapped_equals_the_textbook():
    assert (vary.partially_mapped(A, B, 3, 7) + 1).tolist() == [9, 3, 2, 4, 5, 6, 7, 1, 8]


@settings(max_examples=60)
@given(st.permutations(range(6)), st.permutations(range(6)), st.integers(0, 10_000))
def test_children_are_permutations_and_parents_stay(a, b, seed):
    space = Permutation(6)
    a, b = np.array(a), np.array(b)
    before = a.copy(), b.copy()
    for operator in ALL:
        child = operator(root(seed), [Record(0, a), Record(1, b)], Draft(operator.name))
        assert space.check(child) is None, operator.name
    assert np.array_equal(a, before[0])
    assert np.array_equal(b, before[1])


@settings(max_examples=40)
@given(st.permutations(range(6)), st.permutations(range(6)), st.integers(0, 6), st.integers(0, 6))
def test_crossovers_keep_the_stretch_and_pmx_the_places(a, b, i, j):
    i, j = min(i, j), max(i, j)
    a, b = np.array(a), np.array(b)
    for child in (vary.order_crossover(a, b, i, j), vary.partially_mapped(a, b, i, j)):
        assert np.array_equal(child[i:j], a[i:j])
        assert sorted(child) == list(range(6))
    rest = [k for k in range(6) if not i <= k < j and b[k] not in a[i:j]]
    assert np.array_equal(vary.partially_mapped(a, b, i, j)[rest], b[rest])


def moves(operator, n, x):
    children = operator.many(root(5), [[Record(0, x)]] * n)
    return {tuple(c.tolist()) for c in children}


def test_mutations_reach_exactly_their_neighbourhood():
    x = np.array([2, 0, 3, 1])
    pairs = list(itertools.combinations(range(4), 2))
    swaps = set()
    turns = set()
    for i, j in pairs:
        y, z = x.copy(), x.copy()
        y[[i, j]] = y[[j, i]]
        z[i : j + 1] = z[i : j + 1][::-1]
        swaps.add(tuple(y.tolist()))
        turns.add(tuple(z.tolist()))
    inserts = {tuple(np.insert(np.delete(x, i), j, x[i]).tolist()) for i in range(4) for j in range(4) if i != j}
    assert moves(vary.swap(), 300, x) == swaps
    assert moves(vary.reverse(), 300, x) == turns
    assert moves(vary.insert(), 400, x) == inserts


def test_one_item_has_no_other_order():
    with pytest.raises(NotMade, match="one item"):
        vary.swap()(root(0), [Record(0, np.array([0]))], Draft("swap"))
