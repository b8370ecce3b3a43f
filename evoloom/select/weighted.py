"""The base of most selects: a weight per member, and draws in proportion, with replacement.

A select that is a `Weighted` says its probabilities, so a test can compare them with the published closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from evoloom.core.contracts import Array
from evoloom.core.errors import CompositionError
from evoloom.core.rng import Rng


@dataclass(frozen=True)
class Weighted:
    """Parents in proportion to `weights(archive, rows)`.

    weights: (archive, rows (p,) filled slots) -> (p,) finite, not negative. All zero means uniform.
    """

    name: str
    needs: frozenset[str]
    weights: Callable[[Any, Array], Array]

    def probabilities(self, archive: Any) -> Array:
        """(slots,) chance of every slot at one draw."""
        rows = members(archive)
        out = np.zeros(len(archive.ids))
        out[rows] = _normal(self.weights(archive, rows))
        return out

    def __call__(self, archive: Any, rng: Rng, n: int, arity: int = 1) -> Array:
        """(n, arity) slots, drawn independently.

        Raises:
            ValueError: the archive is empty.
        """
        rows = members(archive)
        return rows[draw(self.weights(archive, rows), rng, (n, arity))]


def draw(weights: Array, rng: Rng, shape: tuple[int, ...]) -> Array:
    """Indices in proportion to weights (p,), by inversion of the cumulated weights."""
    up = np.cumsum(weights)
    if up[-1] <= 0:
        return rng.integers(0, len(up), shape)
    # u < 1, but u * total may round up to the total: the last index with a weight is as far as it may go
    last = np.searchsorted(up, up[-1], side="left")
    return np.minimum(np.searchsorted(up, rng.uniform(shape) * up[-1], side="right"), last)


def members(archive: Any) -> Array:
    """Filled slots, ascending.

    Raises:
        ValueError: there are none.
    """
    rows = np.flatnonzero(archive.filled)
    if not len(rows):
        raise ValueError("cannot select from an empty archive: nothing valid has been judged yet")
    return rows


def softmax(logits: Array) -> Array:
    """exp(logits), scaled so that the largest is 1: weights, not yet probabilities."""
    return np.exp(logits - logits.max())


def spread(x: Array, scale: float | str) -> float:
    """The unit in which fitness differences are counted: a number, or "std" or "mad" of x; 1 where x does not vary.

    "mad" is the median distance to the median.
    """
    if not isinstance(scale, str):
        return float(scale)
    unit = float(x.std() if scale == "std" else np.median(np.abs(x - np.median(x))))
    return unit if unit > 0 else 1.0


def fits(select: Any, archive: Any) -> None:
    """Refuse a select that reads columns which an archive does not have.

    Raises:
        CompositionError: with both lists.
    """
    if missing := select.needs - archive.names:
        raise CompositionError(
            f"select '{getattr(select, 'name', type(select).__name__)}' reads the columns {sorted(select.needs)}; "
            f"{type(archive).__name__.lower()} archives have {sorted(archive.names)}. Missing: {sorted(missing)}. "
            "Choose another select or archive; an archive made with signals=(...) keeps these signals of a problem."
        )


def _normal(weights: Array) -> Array:
    total = weights.sum()
    return weights / total if total > 0 else np.full(len(weights), 1 / len(weights))
