"""Numba kernels that pack whole instances from a table of priorities.

Sizes and residuals are integers 0..top in units of the instance's grid. `table[row_of[s], r]` is the priority of
putting an item of size s into a bin with residual r; -inf where r < s. Imported only when a table is used.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def pack_residuals(items: np.ndarray, ends: np.ndarray, row_of: np.ndarray, table: np.ndarray, top: int) -> np.ndarray:
    """Pack several instances; equal residuals are one choice, ties go to the smallest residual.

    items: (total,) sizes of all instances, one after the other; ends: (c,) where each instance ends; row_of: (top + 1,)
    row of the table per size; table: (rows, top + 1). Returns (c, 2): bins used, and how many of them
    are full to the last unit.
    """
    out = np.zeros((len(ends), 2), np.int64)
    begin = 0
    for c in range(len(ends)):
        count = np.zeros(top + 1, np.int32)
        used, full = 0, 0
        for t in range(begin, ends[c]):
            s = items[t]
            priority = table[row_of[s]]
            pick = -1
            best = -np.inf
            for r in range(s, top):
                if count[r] > 0 and (pick < 0 or priority[r] > best):
                    pick, best = r, priority[r]
            if pick < 0 or priority[top] > best:  # a fresh bin is always on offer, last
                used += 1
                pick = top
            else:
                count[pick] -= 1
            count[pick - s] += 1
            full += pick == s
        out[c] = (used, full)
        begin = ends[c]
    return out


@numba.njit(cache=True)
def pack_in_order(items: np.ndarray, ends: np.ndarray, row_of: np.ndarray, table: np.ndarray, top: int) -> np.ndarray:
    """As `pack_residuals`, but ties go to the bin that was opened first (FunSearch's form). Same arguments and result.

    First the best priority over the residuals that occur, then the first open bin that has it. Bins too full for the
    smallest item leave the list.
    """
    out = np.zeros((len(ends), 2), np.int64)
    smallest = items.min() if len(items) else top
    begin = 0
    for c in range(len(ends)):
        count = np.zeros(top + 1, np.int32)
        bins = np.empty(ends[c] - begin, np.int32)  # residuals of the live bins, in opening order
        live, used, full = 0, 0, 0
        for t in range(begin, ends[c]):
            s = items[t]
            priority = table[row_of[s]]
            best = priority[top]
            for r in range(s, top):
                if count[r] > 0 and priority[r] > best:
                    best = priority[r]
            b = 0
            while b < live and (bins[b] < s or priority[bins[b]] != best):
                b += 1
            if b == live:  # only a fresh bin has the best priority
                used += 1
                bins[b] = top
                live += 1
            else:
                count[bins[b]] -= 1
            bins[b] -= s
            full += bins[b] == 0
            if bins[b] < smallest:
                live -= 1
                for k in range(b, live):
                    bins[k] = bins[k + 1]
            else:
                count[bins[b]] += 1
        out[c] = (used, full)
        begin = ends[c]
    return out
