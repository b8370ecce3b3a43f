"""What an arm of a portfolio earns, and which arm is drawn.

Credit (by ranks, so that no monotone change of the fitness changes it): within a sliding window of children, one that
the archive refused or rejected is worth 0, one that it took the share of the window's children that it beats. New
entries rank above improvements, both by gain, as in CMA-ME (Fontaine et al., GECCO 2020), because gains of the two are
on different scales. An arm's value is its children's worth per unit of their cost, divided by the best arm's: the
comparison-based credit of Fialho, Schoenauer and Sebag, "Toward comparison-based adaptive operator selection", GECCO
2010, made a rate.

Draw: upper confidence bounds over the same window, value + c * sqrt(2 ln N / n), as sliding-window UCB (Garivier and
Moulines, ALT 2011); n and N count children in flight too, so that a slow arm is not drawn again and again while its
first children are out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evoloom.core.budget import Cost
from evoloom.core.contracts import Added, Status, Told

LEAST = 0.25  # evaluations charged at least: a budget has four proposals per evaluation, and each child uses one


class Window(NamedTuple):
    """The last children that were told, oldest first; (w,) each."""

    arm: np.ndarray
    status: np.ndarray  # of `Status`
    gain: np.ndarray
    cost: np.ndarray

    @classmethod
    def empty(cls) -> Window:
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int8), np.zeros(0), np.zeros(0))

    def counts(self, n_arms: int) -> np.ndarray:
        return np.bincount(self.arm, minlength=n_arms)

    def moved(self, arm: int, told: Told, added: Added, worth: Cost, size: int) -> Window:
        """With the rows of one arm's batch in, and no more than `size` in all."""
        n = told.evaluation.n
        news = (np.full(n, arm), np.asarray(added.status), np.asarray(added.gain), costs(told, worth))
        return Window(*(np.concatenate([old, new])[-size:] for old, new in zip(self, news)))


def costs(told: Told, worth: Cost) -> list[float]:
    """Cost of each row in evaluations; `worth` says how many evaluations one unit of each resource counts."""
    n = told.evaluation.n
    spent = np.ones(n) if told.evaluation.cost is None else np.asarray(told.evaluation.cost, dtype=np.float64)
    made = [sum(a * w for a, w in zip(c, worth)) for c in told.make_cost] or [0.0] * n
    return [max(LEAST, float(e) * worth.evaluations + m) for e, m in zip(spent, made)]


def values(window: Window, n_arms: int) -> list[float]:
    """Worth per cost of every arm, the best arm's = 1; 0 where an arm earned nothing."""
    taken = np.flatnonzero(window.status > Status.REJECTED)
    if not len(taken):
        return [0.0] * n_arms
    status, gain = window.status[taken], window.gain[taken]
    order = np.lexsort((gain, status))
    status, gain = status[order], gain[order]
    place = np.arange(len(taken))
    first = np.append(True, (status[1:] != status[:-1]) | (gain[1:] != gain[:-1]))
    place = np.maximum.accumulate(np.where(first, place, 0))  # ties beat what the first of them beats
    worth = (len(window.arm) - len(taken) + place) / len(window.arm)
    earned = np.bincount(window.arm[taken][order], worth, n_arms)
    paid = np.bincount(window.arm, window.cost, n_arms)
    rates = np.divide(earned, paid, out=np.zeros(n_arms), where=paid > 0)
    top = rates.max()
    return (rates / top).tolist() if top > 0 else [0.0] * n_arms


def bounds(values: Sequence[float], counts: Sequence[int], c: float) -> list[float]:
    """Upper confidence bound of every arm; infinite where it was never drawn."""
    total = math.log(max(2, sum(counts)))
    return [v + c * math.sqrt(2.0 * total / n) if n else math.inf for v, n in zip(values, counts)]
