"""Predict the next sample of a signal from the last four: what remains is what a compressor has to store."""

import numpy as np


def predict(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """a is the last sample, b the one before, ...; one entry per place to predict."""
    return a + 0.1 * (a - b)
