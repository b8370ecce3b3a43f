"""Bits per sample of what a predictor leaves over. Two-sided: the candidate sees the past, never the sample itself."""

import numpy as np


def signal(seed: int, n: int = 3000) -> np.ndarray:
    """A sensor reading in whole steps: slow swings, a drift with memory, and noise of the instrument."""
    draw = np.random.default_rng(seed)
    t = np.arange(n)
    swings = sum(draw.uniform(200, 600) * np.sin(t / draw.uniform(15, 60) + draw.uniform(0, 7)) for _ in range(3))
    drift = np.convolve(draw.normal(0, 6, n).cumsum(), np.ones(8) / 8, mode="same")
    return np.rint(swings + drift + draw.normal(0, 1.5, n))


TRAIN = [signal(seed) for seed in range(4)]
TEST = [signal(seed) for seed in range(1000, 1012)]


def past(x: np.ndarray) -> tuple[np.ndarray, ...]:
    return x[3:-1], x[2:-2], x[1:-3], x[:-4]


def inputs():
    return [past(x) for x in TRAIN]


def held_out_inputs():
    return [past(x) for x in TEST]


def bits(rest: np.ndarray) -> float:
    """Mean length of a Rice code of whole numbers: the best of its parameters."""
    u = np.where(rest >= 0, 2 * rest, -2 * rest - 1)
    return min(float(np.mean((u // 2**k) + 1 + k)) for k in range(20))


def score(inputs, outputs) -> float:
    signals = TRAIN if len(inputs) == len(TRAIN) else TEST
    lengths = []
    for x, predicted in zip(signals, outputs):
        predicted = np.broadcast_to(np.asarray(predicted, dtype=float), len(x) - 4)
        assert np.isfinite(predicted).all(), "a prediction is not a finite number"
        lengths.append(bits(x[4:] - np.rint(np.clip(predicted, -1e9, 1e9))))
    return sum(lengths) / len(lengths)
