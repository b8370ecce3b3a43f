from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoloom.core.errors import UsageError
from evoloom.core.rng import root
from evoloom.spaces.permutation import Permutation


def test_every_order_is_equally_likely():
    counts = Counter(tuple(x.tolist()) for x in Permutation(4).sample(root(3), 24_000))
    assert set(counts) == set(itertools.permutations(range(4)))
    assert max(abs(c - 1000) for c in counts.values()) < 150  # five standard deviations


@given(st.permutations(range(7)), st.permutations(range(7)))
def test_distance_counts_pairs_in_opposite_order(a, b):
    pairs = list(itertools.combinations(range(7), 2))
    opposite = sum((a.index(i) < a.index(j)) != (b.index(i) < b.index(j)) for i, j in pairs)
    assert Permutation(7).distance(np.array(a), np.array(b)) == pytest.approx(opposite / len(pairs))


@pytest.mark.parametrize(
    ("genome", "reason"),
    [
        ([0, 1, 2], "got list"),
        (np.arange(4), "shape"),
        (np.arange(3.0), "float64"),
        (np.array([0, 1, 3]), r"0 \.\. 2"),
        (np.array([0, 1, 1]), "item 1 stands 2 times, item 2 is missing"),
    ],
)
def test_check_says_why(genome, reason):
    import re

    assert re.search(reason, Permutation(3).check(genome))


def test_too_small_is_refused():
    with pytest.raises(UsageError, match="at least one"):
        Permutation(0)
