"""The greedy builder of cap sets, compiled. Imported only when one is built."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def build(order: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Take each vector in turn unless it closes a line with two members.

    order: (k,) indices to try; vectors: (3^n, n), row i is the number i in base 3. Returns the members' indices, in
    the order in which they were taken.
    """
    n = vectors.shape[1]
    closed = np.zeros(len(vectors), np.bool_)
    members = np.empty(len(order), np.int64)
    size = 0
    for v in order:
        if closed[v]:
            continue
        for k in range(size):
            third = 0  # the vector that completes the line through v and the member: -(v + member) mod 3
            for j in range(n):
                third = 3 * third + (6 - vectors[v, j] - vectors[members[k], j]) % 3
            closed[third] = True
        members[size] = v
        size += 1
    return members[:size].copy()
