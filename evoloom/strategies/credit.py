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


class Entry(NamedTuple):
    """One child in the window."""

    arm: int
    status: int  # of `Status`
    gain: float
    cost: float


def costs(told: Told, worth: Cost) -> list[float]:
    """Cost of each row in evaluations; `worth` says how many evaluations one unit of each resource counts."""
    n = told.evaluation.n
    spent = np.ones(n) if told.evaluation.cost is None else np.asarray(told.evaluation.cost, dtype=np.float64)
    made = [sum(a * w for a, w in zip(c, worth)) for c in told.make_cost] or [0.0] * n
    return [max(LEAST, float(e) * worth.evaluations + m) for e, m in zip(spent, made)]


def entries(arm: int, told: Told, added: Added, worth: Cost) -> list[Entry]:
    """The rows of one arm's batch."""
    status, gain = np.asarray(added.status).tolist(), np.asarray(added.gain, dtype=np.float64).tolist()
    return [Entry(arm, s, g, c) for s, g, c in zip(status, gain, costs(told, worth))]


def values(window: Sequence[Entry], n_arms: int) -> list[float]:
    """Worth per cost of every arm, the best arm's = 1; 0 where an arm earned nothing."""
    earned, paid = [0.0] * n_arms, [0.0] * n_arms
    ranked = sorted((e.status, e.gain) for e in window if e.status > Status.REJECTED)
    lost = len(window) - len(ranked)
    below: dict[tuple[int, float], int] = {}
    for place, pair in enumerate(ranked):
        below.setdefault(pair, lost + place)  # ties beat what the first of them beats
    for e in window:
        paid[e.arm] += e.cost
        if e.status > Status.REJECTED:
            earned[e.arm] += below[(e.status, e.gain)] / len(window)
    rates = [a / b if b > 0 else 0.0 for a, b in zip(earned, paid)]
    top = max(rates, default=0.0)
    return [r / top if top > 0 else 0.0 for r in rates]


def bounds(values: Sequence[float], counts: Sequence[int], c: float) -> list[float]:
    """Upper confidence bound of every arm; infinite where it was never drawn."""
    total = math.log(max(2, sum(counts)))
    return [v + c * math.sqrt(2.0 * total / n) if n else math.inf for v, n in zip(values, counts)]
