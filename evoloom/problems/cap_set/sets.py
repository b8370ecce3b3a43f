"""Sets of vectors over Z_3: building them greedily, and checking them by other means."""

from __future__ import annotations

import numpy as np

OPTIMUM = {1: 2, 2: 4, 3: 9, 4: 20, 5: 45, 6: 112}  # proven (OEIS A090245)
BEST_KNOWN = {**OPTIMUM, 7: 236, 8: 512}


def all_vectors(n: int) -> np.ndarray:
    """(3^n, n) int64, in lexicographic order."""
    return np.indices((3,) * n).reshape(n, -1).T.copy()


def greedy(priorities: np.ndarray, n: int) -> np.ndarray:
    """Indices of the cap set built in order of priority, ties in lexicographic order; -inf is never taken.

    priorities: (3^n,), of `all_vectors(n)`.
    """
    from evoloom.problems.cap_set.kernel import build

    order = np.argsort(-priorities, kind="stable")
    order = order[: int(np.count_nonzero(priorities > -np.inf))]
    return build(order, all_vectors(n).astype(np.int8))


def lines(members: np.ndarray, n: int) -> int:
    """How many lines of three distinct members a set holds: 0 for a cap set. It shares nothing with `greedy`.

    The ordered triples of members with sum zero are counted by a convolution over Z_3^n (Fourier transform of the set's
    indicator); |members| of them repeat one vector three times, and every line is counted in its six orders. members:
    (k,) distinct indices.
    """
    indicator = np.zeros(3**n)
    indicator[members] = 1.0
    spectrum = np.fft.fftn(indicator.reshape((3,) * n))
    triples = round(float((spectrum**3).sum().real) / 3**n)
    return (triples - len(members)) // 6
