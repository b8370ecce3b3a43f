"""FunSearch's choice of parents: a cluster by its score, then one of its shorter programs.

Romera-Paredes et al. 2024, Mathematical discoveries from program search with large language models, Methods, "Programs
database"; constants from the published code: T_init = 0.1, period = 30,000 programs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from evoloom.core.contracts import Array
from evoloom.core.errors import UsageError
from evoloom.select.weighted import Weighted, softmax, spread

COLUMNS = frozenset({"cluster", "cluster_score", "length", "shortest", "longest"})


@dataclass(frozen=True)
class Schedule:
    """T(n) = temperature * (1 - (n mod period) / period) for n programs in the island: a saw tooth."""

    temperature: float
    period: int

    def __call__(self, n: int) -> float:
        return self.temperature * (1 - (n % self.period) / self.period)


def cluster_softmax(
    temperature: float = 0.1, period: int = 30_000, length_temperature: float = 1.0, scale: float | str = 1.0
) -> Weighted:
    """P(cluster) = softmax(score / T(n)); P(program | cluster) = softmax(-normalised length / length_temperature).

    Normalised length = (length - shortest) / (longest + 1e-6), of the cluster. scale: scores are counted in this unit;
    "std" or "mad" of the clusters' scores makes the temperature independent of the fitness's unit (1.0 is FunSearch's).
    Draws are with replacement, also within one row: FunSearch shows fewer programs while it has fewer clusters.
    """
    if not temperature > 0 or period < 1 or not length_temperature > 0:
        raise UsageError(
            "select 'cluster_softmax' needs temperatures above 0 and period >= 1, got "
            f"temperature={temperature}, period={period}, length_temperature={length_temperature}"
        )
    schedule = Schedule(float(temperature), int(period))
    return Weighted(
        "cluster_softmax", COLUMNS, partial(_weights, schedule=schedule, length=float(length_temperature), scale=scale)
    )


def _weights(archive: Any, rows: Array, schedule: Schedule, length: float, scale: float | str) -> Array:
    cluster = archive.column("cluster")[rows]
    shortest, longest = archive.column("shortest")[cluster], archive.column("longest")[cluster]
    short = np.exp((shortest - archive.column("length")[rows]) / (length * (longest + 1e-6)))
    heads = np.flatnonzero(cluster == rows)
    score = archive.column("cluster_score")[rows[heads]]
    chance = np.zeros(len(archive.ids))
    chance[rows[heads]] = softmax(score / (schedule(len(rows)) * spread(score, scale)))
    inside = np.bincount(cluster, weights=short, minlength=len(chance))
    return chance[cluster] * short / inside[cluster]
