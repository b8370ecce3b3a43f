"""The exact path: the trusted side holds the bins and asks for priorities, one item after the other.

Both lists of bins have the same two verbs: `offer(size)` gives the residuals among which the item may go, and
`put(size, k)` puts it into the k-th of them. All numbers are in the caller's unit: whole steps of a grid (exact
arithmetic in float64) or the sizes themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np


class Packed(NamedTuple):
    """What became of one instance."""

    used: int  # bins
    full: int  # of them, without any residual


class Bins(Protocol):
    """Bins of one instance, all of the same capacity."""

    used: int

    def offer(self, size: float) -> np.ndarray: ...  # (k,) residuals >= size, k >= 1
    def put(self, size: float, k: int) -> float: ...  # the residual it had


class DistinctResiduals:
    """Each residual that occurs is one choice, ascending; the last is always a fresh bin of full capacity."""

    def __init__(self, capacity: float, n_items: int):
        self.used = 0
        self._at = np.full(64, capacity, dtype=np.float64)  # ascending, the first `_n` count
        self._count = np.zeros(64, dtype=np.int64)
        self._n = 1
        self._start = 0

    def offer(self, size: float) -> np.ndarray:
        self._start = int(self._at[: self._n].searchsorted(size))
        return self._at[self._start : self._n]

    def put(self, size: float, k: int) -> float:
        i = self._start + k
        had = float(self._at[i])
        if i == self._n - 1:
            self.used += 1
        else:
            self._count[i] -= 1
            if not self._count[i]:
                self._n -= 1
                self._at[i : self._n] = self._at[i + 1 : self._n + 1]
                self._count[i : self._n] = self._count[i + 1 : self._n + 1]
        if had > size:
            self._add(had - size)
        return had

    def _add(self, residual: float) -> None:
        i = int(self._at[: self._n].searchsorted(residual))
        if self._at[i] != residual:
            if self._n == len(self._at):
                self._at = np.concatenate([self._at, np.empty_like(self._at)])
                self._count = np.concatenate([self._count, np.zeros_like(self._count)])
            self._at[i + 1 : self._n + 1] = self._at[i : self._n]
            self._count[i + 1 : self._n + 1] = self._count[i : self._n]
            self._at[i], self._count[i] = residual, 0
            self._n += 1
        self._count[i] += 1


class EveryBin:
    """As many bins as items, in a fixed order, each with room a choice (FunSearch's form)."""

    def __init__(self, capacity: float, n_items: int):
        self.used = 0
        self._capacity = capacity
        self._left = np.full(n_items, capacity, dtype=np.float64)
        self._fit = np.empty(0, dtype=np.intp)

    def offer(self, size: float) -> np.ndarray:
        self._fit = np.flatnonzero(self._left >= size)
        return self._left[self._fit]

    def put(self, size: float, k: int) -> float:
        b = self._fit[k]
        had = float(self._left[b])
        self.used += had == self._capacity
        self._left[b] -= size
        return had


FORMS: dict[str, Callable[[float, int], Bins]] = {"residuals": DistinctResiduals, "all": EveryBin}


def pack_exactly(
    sizes: np.ndarray, capacity: float, form: str, call: Callable[[float, np.ndarray], np.ndarray]
) -> Packed:
    """Pack one instance, asking `call(size, residuals) -> priorities` for each item; the first of the highest wins.

    sizes: (n,) in the unit of `capacity`. Whatever `call` raises ends the packing.
    """
    bins = FORMS[form](capacity, len(sizes))
    full = 0
    for size in sizes.tolist():
        full += bins.put(size, int(call(size, bins.offer(size)).argmax())) == size
    return Packed(bins.used, full)


def pack_as_foreseen(
    sizes: np.ndarray,
    capacity: float,
    form: str,
    choice: Callable[[float, np.ndarray], np.ndarray],
    call_many: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    batch: int = 1 << 16,
) -> Packed | None:
    """As `pack_exactly`, many items per call, for a candidate whose priorities are foreseen by `choice`.

    Every item is put to `call_many(sizes, residuals, ends)` with the very residuals on offer and in order of arrival,
    but about `batch` residuals at a time, on the assumption that the candidate will choose as foreseen. If it always
    does, these were the calls of `pack_exactly` and the result is the same; None at the first choice that differs. A
    candidate that looks ahead in a batch gains nothing, because it must still choose as foreseen.
    """
    bins = FORMS[form](capacity, len(sizes))
    full, waiting = 0, 0
    asked: list[tuple[float, np.ndarray, int]] = []
    last = len(sizes) - 1
    for t, size in enumerate(sizes.tolist()):
        offered = bins.offer(size).copy()
        k = int(choice(size, offered).argmax())
        full += bins.put(size, k) == size
        asked.append((size, offered, k))
        waiting += len(offered)
        if waiting >= batch or t == last:
            if not _chosen(asked, call_many):
                return None
            asked, waiting = [], 0
    return Packed(bins.used, full)


def _chosen(
    asked: list[tuple[float, np.ndarray, int]], call_many: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
) -> bool:
    ends = np.cumsum([len(offered) for _, offered, _ in asked])
    got = call_many(np.array([size for size, _, _ in asked]), np.concatenate([o for _, o, _ in asked]), ends)
    starts = np.append(0, ends[:-1])
    return all(int(got[a:b].argmax()) == k for a, b, (_, _, k) in zip(starts.tolist(), ends.tolist(), asked))
