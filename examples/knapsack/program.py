"""Pack a knapsack greedily: the item of highest priority that still fits goes in, until none fits."""

import numpy as np


def priority(value: np.ndarray, weight: np.ndarray, room: float) -> np.ndarray:
    """One number per item that still fits: value and weight of each, and the room that is left."""
    return value


def pack(values, weights, capacity):
    """Indices of the chosen items."""
    left, chosen = np.arange(len(values)), []
    while True:
        left = left[weights[left] <= capacity]
        if not len(left):
            return chosen
        k = int(np.argmax(priority(values[left], weights[left], float(capacity))))
        capacity -= weights[left[k]]
        chosen.append(int(left[k]))
        left = np.delete(left, k)
