"""The candidate's side: how a priority function is called, and whether a table can stand for it.

The candidate's process gets items and residuals and gives back priorities, nothing else; what they do to the packing
is decided on the trusted side. A short driver is appended to the candidate's text so that many calls cross the pipe as
one. It runs in the candidate's process and is trusted with nothing: whatever comes back is checked here.

A candidate is *tabulated* when a probe finds that its order of preference among residuals does not depend on which
other residuals are present, on earlier calls or on repetition. Values may shift or scale with the company (a softmax,
a difference to the mean): only their order, ties included, decides a packing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from evoloom.core.contracts import Failed, Verdict
from evoloom.core.rng import Rng
from evoloom.problems.bin_packing.instances import Grid

ENTRY = "priorities_of_calls"
DRIVER = '''

def priorities_of_calls(items, bins, ends):
    """Calls `priority(item, bins)` for each item; bins of all calls stand one after the other up to `ends`."""
    import numpy as np

    out, begin = np.empty(len(bins)), 0
    with np.errstate(all="ignore"):
        for item, end in zip(items.tolist(), ends.tolist()):
            got = np.asarray(priority(item, bins[begin:end].copy()))
            if got.shape != (end - begin,) or got.dtype.kind not in "fiub":
                return f"{got.dtype} of shape {got.shape} for {end - begin} bins"
            out[begin:end] = got
            begin = end
    return out
'''
MAX_TABLE = 1 << 19  # priorities asked for a table at most; beyond, the exact path is cheaper
N_PROBES = 48


def call_many(session: Any, items: np.ndarray, bins: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Priorities of many calls, one after the other: items (k,), bins (total,), ends (k,) -> (total,) float64.

    Raises:
        Failed: what the candidate did wrong; OUTPUT for what is not one number per bin, NONFINITE for NaN.
    """
    got = session.call(items, bins, ends)
    if isinstance(got, str):
        raise Failed(Verdict.OUTPUT, f"priority() must return an array of real numbers, one per bin; got {got[:200]}")
    if not isinstance(got, np.ndarray) or got.shape != bins.shape or got.dtype != np.float64:
        raise Failed(Verdict.OUTPUT, f"expected {len(bins)} priorities, got {type(got).__name__}")
    nan = np.isnan(got)
    if nan.any():
        k = int(nan.argmax())
        item = float(items[np.searchsorted(ends, k, side="right")])
        raise Failed(Verdict.NONFINITE, f"priority() returned nan for item {item:g} and a bin with {bins[k]:g} left")
    return got


class Asker:
    """A session as the packing sees it: in its unit, not in the sizes that the candidate knows."""

    def __init__(self, session: Any, grid: Grid | None):
        self.session, self.grid = session, grid

    def one(self, size: float, residuals: np.ndarray) -> np.ndarray:
        return self.many(np.array([size]), residuals, np.array([len(residuals)]))

    def many(self, sizes: np.ndarray, residuals: np.ndarray, ends: np.ndarray) -> np.ndarray:
        if self.grid is not None:
            sizes, residuals = self.grid.sizes(sizes), self.grid.sizes(residuals)
        return call_many(self.session, sizes, residuals, ends)


class Probe(NamedTuple):
    """The calls that fill a table, and those that test it. Fixed once per problem; all sizes in the user's unit."""

    items: np.ndarray  # (k,) of all calls: first one per row of the table, then the tests
    bins: np.ndarray  # (total,)
    ends: np.ndarray  # (k,)
    row: np.ndarray  # (total,) row of the table of each priority
    level: np.ndarray  # (total,) residual in steps
    n_table: int  # priorities that fill the table
    rows: int
    row_of: np.ndarray  # (top + 1,) row of a size in steps
    top: int

    def table(self, session: Any) -> np.ndarray | None:
        """(rows, top + 1) priorities, -inf where an item does not fit; None where no table can stand for the candidate.

        Raises:
            Failed: the candidate failed in a call.
        """
        got = call_many(session, self.items, self.bins, self.ends)
        table = np.full((self.rows, self.top + 1), -np.inf)
        n = self.n_table
        table[self.row[:n], self.level[:n]] = got[:n]
        told, said = table[self.row[n:], self.level[n:]], got[n:]
        if np.array_equal(told, said):
            return table
        begin = 0
        for end in self.ends[self.rows :] - n:
            if not same_order(told[begin:end], said[begin:end]):
                return None
            begin = end
        return table

    def choice(self, table: np.ndarray) -> Callable[[float, np.ndarray], np.ndarray]:
        """The table as a rule: (size, residuals) in steps -> priorities."""
        return lambda size, residuals: table[self.row_of[int(size)], residuals.astype(np.int64)]


def same_order(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two rows of priorities order their entries alike, ties included."""
    if np.array_equal(a, b):
        return True
    order = np.argsort(a, kind="stable")
    a, b = a[order], b[order]
    return bool(np.array_equal(a[1:] > a[:-1], b[1:] > b[:-1]) and np.all(b[1:] >= b[:-1]))


def probe_of(sizes: np.ndarray, grid: Grid, form: str, rng: Rng) -> Probe | None:
    """The probe for items of these sizes; None where the table would be larger than MAX_TABLE.

    sizes: (n,) in steps of the grid. A test takes a random size and a random set of residuals, from a few to all: in
    the form "residuals" ascending, in the form "all" in random order, repeated, with fresh bins behind.
    """
    top = grid.top
    distinct = np.unique(sizes).astype(np.int64)
    if int((top + 1 - distinct).sum()) > MAX_TABLE:
        return None
    generator = rng.generator()
    calls = [(s, np.arange(s, top + 1)) for s in distinct]
    n_table = sum(len(levels) for _, levels in calls)
    for k in range(N_PROBES):
        size = int(generator.choice(distinct))
        open_bins = np.arange(size, top)
        open_bins = open_bins[generator.random(len(open_bins)) < k / (N_PROBES - 1)]
        if form == "all":
            repeated = np.repeat(open_bins, generator.integers(1, 4, len(open_bins)))
            calls.append((size, np.append(generator.permutation(repeated), [top] * int(generator.integers(1, 40)))))
        else:
            calls.append((size, np.append(open_bins, top)))
    row_of = np.zeros(top + 1, np.int64)
    row_of[distinct] = np.arange(len(distinct))
    level = np.concatenate([levels for _, levels in calls])
    lengths = np.array([len(levels) for _, levels in calls])
    steps = np.array([float(s) for s, _ in calls])
    row = np.repeat(row_of[steps.astype(np.int64)], lengths)
    return Probe(
        grid.sizes(steps), grid.sizes(level.astype(np.float64)), np.cumsum(lengths), row, level, n_table,
        len(distinct), row_of, top,
    )  # fmt: skip
