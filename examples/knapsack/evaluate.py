"""Share of the best possible value that a packing reaches. Two-sided: the candidate never sees the optimum."""

import numpy as np


def instance(seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Values, weights and capacity: 60 items whose values follow their weights loosely, and whole weights."""
    draw = np.random.default_rng(seed)
    weights = draw.integers(5, 100, 60)
    values = np.maximum(1, weights + draw.integers(-30, 60, 60)).astype(float)
    return values, weights, int(weights.sum() * draw.choice([0.05, 0.1, 0.3]))


def optimum(values: np.ndarray, weights: np.ndarray, capacity: int) -> float:
    """By dynamic programming over the capacity."""
    best = np.zeros(capacity + 1)
    for v, w in zip(values, weights):
        if w <= capacity:
            best[w:] = np.maximum(best[w:], best[:-w] + v)
    return float(best[-1])


TRAIN = [instance(seed) for seed in range(30)]
TEST = [instance(seed) for seed in range(1000, 1100)]
OPTIMA = {id(case): optimum(*case) for case in TRAIN + TEST}


def inputs():
    return TRAIN


def held_out_inputs():
    return TEST


def score(inputs, outputs) -> dict:
    shares, taken = [], []
    for case, chosen in zip(inputs, outputs):
        values, weights, capacity = case
        assert all(0 <= i < len(values) for i in chosen), "an index is not one of the items"
        assert len(set(chosen)) == len(chosen), "an item is packed twice"
        assert weights[chosen].sum() <= capacity, "the packing is too heavy"
        shares.append(100 * values[chosen].sum() / OPTIMA[id(case)])
        taken.append(len(chosen) / len(values))
    return {"score": np.mean(shares), "items": np.mean(taken), "weakest": min(shares)}
