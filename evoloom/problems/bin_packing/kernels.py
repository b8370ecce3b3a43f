"""Numba kernels that pack whole instances from a table of priorities. Imported only when a table is used.

Sizes and residuals are integers 0..top in steps of the instances' grid. `table[row_of[s], r]` is the priority of
putting an item of size s into a bin with residual r. Each row is sorted once; an item then takes the first residual of
its row that occurs, which is a few steps away as a rule, where looking at all residuals would take 60.
"""

from __future__ import annotations

import numba
import numpy as np


def preferences(table: np.ndarray) -> np.ndarray:
    """Residuals of each row by falling priority, ties ascending: (rows, top + 1) -> (rows, top + 1) int."""
    return np.argsort(-table, axis=1, kind="stable")


@numba.njit(cache=True)
def pack_residuals(
    items: np.ndarray, ends: np.ndarray, row_of: np.ndarray, table: np.ndarray, order: np.ndarray
) -> np.ndarray:
    """Pack several instances; equal residuals are one choice, ties go to the smallest residual.

    items: (total,) sizes of all instances, one after the other; ends: (c,) where each instance ends; row_of: (top + 1,)
    row of the table per size; table: (rows, top + 1); order: its `preferences`. Returns (c, 2): bins used, and how many
    of them are full to the last unit.
    """
    top = table.shape[1] - 1
    out = np.zeros((len(ends), 2), np.int64)
    begin = 0
    for c in range(len(ends)):
        count = np.zeros(top + 1, np.int32)
        count[top] = 1  # a fresh bin is always there
        used, full = 0, 0
        for t in range(begin, ends[c]):
            s = items[t]
            pick = top
            for r in order[row_of[s]]:
                if r >= s and count[r] > 0:
                    pick = r
                    break
            if pick == top:
                used += 1
            else:
                count[pick] -= 1
            count[pick - s] += 1
            full += pick == s
        out[c] = (used, full)
        begin = ends[c]
    return out


@numba.njit(cache=True)
def pack_in_order(
    items: np.ndarray, ends: np.ndarray, row_of: np.ndarray, table: np.ndarray, order: np.ndarray
) -> np.ndarray:
    """As `pack_residuals`, but ties go to the bin that was opened first. Same arguments and result.

    First the best priority over the residuals that occur, then the first open bin that has it. Bins too full for the
    smallest item leave the list.
    """
    top = table.shape[1] - 1
    out = np.zeros((len(ends), 2), np.int64)
    smallest = items.min() if len(items) else top
    begin = 0
    for c in range(len(ends)):
        count = np.zeros(top + 1, np.int32)
        count[top] = 1
        bins = np.empty(ends[c] - begin, np.int32)  # residuals of the live bins, in the order in which they were opened
        live, used, full = 0, 0, 0
        for t in range(begin, ends[c]):
            s = items[t]
            priority = table[row_of[s]]
            best = priority[top]
            for r in order[row_of[s]]:
                if r >= s and count[r] > 0:
                    best = priority[r]
                    break
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
