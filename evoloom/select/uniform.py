"""Every member alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoloom.core.contracts import Array
from evoloom.select.weighted import Weighted


def uniform() -> Weighted:
    """Every member alike."""
    return Weighted("uniform", frozenset(), _uniform)


def _uniform(archive: Any, rows: Array) -> Array:
    return np.ones(len(rows))
