"""Selects by fitness: rank, softmax, and fitness damped by the number of children."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from evoloom.core.contracts import Array
from evoloom.core.errors import UsageError
from evoloom.select.weighted import Weighted, softmax, spread

FITNESS = frozenset({"fitness"})


def rank(pressure: float | None = None) -> Weighted:
    """By rank among the n members, 1 = best, ties to the first that entered.

    pressure None: weight 1 / (rank + n) (Liu et al. 2024, Evolution of Heuristics). Else linear: expected draws per
    round fall from `pressure` in [1, 2] for the best to 2 - pressure for the worst (Baker 1985).
    """
    if pressure is not None and not 1 <= pressure <= 2:
        raise UsageError(
            f"select 'rank' needs a pressure between 1 and 2, or None for 1 / (rank + n), got {pressure!r}"
        )
    return Weighted("rank", FITNESS | {"entered"}, partial(_rank, pressure=pressure))


def proportional(temperature: float = 1.0, scale: float | str = 1.0) -> Weighted:
    """Softmax of fitness / (temperature * scale); scale "std" or "mad" makes it independent of the fitness's unit."""
    if not temperature > 0:
        raise UsageError(f"select 'proportional' needs a temperature above 0, got {temperature!r}")
    return Weighted("proportional", FITNESS, partial(_softmax, temperature=temperature, scale=scale))


def few_children(sharpness: float = 10.0, centre: float | str = 0.5, scale: float | str = 1.0) -> Weighted:
    """sigmoid(sharpness * (fitness - centre) / scale) / (1 + children).

    The defaults are those of the Darwin Goedel Machine (Zhang et al. 2025, appendix on parent selection), for fitness
    in [0, 1]; centre "median" and scale "mad" are ShinkaEvolve's (Lange et al. 2025). Children are counted where the
    strategy says who the parents are (`aux["parents"]` of an insert).
    """
    return Weighted(
        "few_children", FITNESS | {"children"}, partial(_few, sharpness=sharpness, centre=centre, scale=scale)
    )


def _rank(archive: Any, rows: Array, pressure: float | None) -> Array:
    n = len(rows)
    by = np.lexsort((archive.column("entered")[rows], -archive.column("fitness")[rows]))
    place = np.empty(n)
    place[by] = np.arange(1, n + 1)
    if pressure is None:
        return 1.0 / (place + n)
    return pressure - (2 * pressure - 2) * (place - 1) / max(n - 1, 1)


def _softmax(archive: Any, rows: Array, temperature: float, scale: float | str) -> Array:
    f = archive.column("fitness")[rows]
    return softmax(f / (temperature * spread(f, scale)))


def _few(archive: Any, rows: Array, sharpness: float, centre: float | str, scale: float | str) -> Array:
    f = archive.column("fitness")[rows]
    middle = float(np.median(f)) if isinstance(centre, str) else centre
    z = sharpness * (f - middle) / spread(f, scale)
    # log of the sigmoid, scaled to a largest weight of 1: far below the centre plain sigmoids would all be 0
    return softmax(-np.logaddexp(0.0, -z) - np.log1p(archive.column("children")[rows]))
