"""Known rules as candidates: source texts of `priority(item, bins)`, each with where it comes from.

`bins` holds the residual capacities in which the item fits, fresh bins of full capacity among them, so that
`np.max(bins)` is the capacity. Rules that look at a bin's neighbours mean something only in the opening order of the
form "all"; `arms` knows which do.
"""

from __future__ import annotations

HEAD = '''\
import numpy as np


def priority(item: float, bins: np.ndarray) -> np.ndarray:
    """One number per residual capacity in which the item fits (a fresh bin is among them); the highest wins."""
'''


def program(body: str) -> str:
    """A candidate of the usual header and these lines as its body."""
    return HEAD + "".join(f"    {line}\n" for line in body.strip().splitlines())


# The fullest bin that still takes the item.
BEST_FIT = program("return item - bins")

# The emptiest open bin; a fresh one only where nothing else fits.
WORST_FIT = program("return np.where(bins < np.max(bins), bins, 0.0)")

# All are as good, so the first is taken: First-Fit where bins stand in opening order, Best-Fit where they ascend.
FIRST_FIT = program("return np.zeros(len(bins))")

# Our own, set up by hand: close a gap exactly, or leave a residual that later items can still close; best is one near a
# target that grows with the item. The offset 0.09 was chosen among six values on training instances; 0.08 to 0.1 are
# about as good.
RESIDUAL_TARGET = program("""
capacity = np.max(bins)
target = capacity * item / (item + 0.09 * capacity)
return np.where(bins == item, capacity, -np.abs(bins - target))
""")

# Romera-Paredes et al. (2024), found for the OR-Library: a staircase over the gap that is left. The smaller the gap the
# better, but a wide one is preferred to one of 7 to 12 units.
FUNSEARCH_OR = program("""
widest = [2, 3, 5, 7, 9, 12, 15, 21]
worth = np.array([4.0, 3.0, 2.0, 1.0, 0.9, 0.95, 0.97, 0.98, 0.99])
return worth[np.searchsorted(widest, bins - item)]
""")

# Romera-Paredes et al. (2024), found for Weibull sizes: a worth per bin, negated where the fit is not exact, and of
# that the difference to the bin opened before.
FUNSEARCH_WEIBULL = program("""
fill = (bins - np.max(bins)) ** 2 / item
room = bins**2 / item**2 + bins**2 / item**3
worth = np.where(bins > item, -1, 1) * (fill + room)
return np.diff(worth, prepend=0.0)
""")


def reference(dataset: str) -> str:
    """The strongest rule known to us that needs no opening order."""
    return FUNSEARCH_OR if dataset == "or" else RESIDUAL_TARGET


def arms(dataset: str, form: str) -> dict[str, str]:
    """Name -> source of the rules to compare with under a form of `bins`."""
    known = {"best_fit": BEST_FIT, "worst_fit": WORST_FIT, "funsearch_or": FUNSEARCH_OR}
    if form == "all":
        known |= {"first_fit": FIRST_FIT, "funsearch_weibull": FUNSEARCH_WEIBULL}
    return known | {"reference": reference(dataset)}
