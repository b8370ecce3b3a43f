"""Idioms for circle packing: what a candidate `pack(n)` may call. NumPy and SciPy only, no trusted data.

A packing is an (n, 3) float array of x, y, r in the unit square. Every function takes and returns packings, so that any
call may stand where another stands; none changes its argument. All of them are deterministic: randomness enters by an
integer `seed`.

`polish` is the workhorse. Its goal, the sum of radii, and the walls are linear; pairs keep |c_i - c_j| >= r_i + r_j.
The left side is convex in the centres, so its tangent lies below it: replacing it by u_ij . (c_i - c_j), with u_ij the
present unit vector, gives a linear program whose feasible set lies *inside* the true one. Each solution is feasible and
no worse than the last (the convex-concave procedure: Yuille and Rangarajan, Neural Computation 15, 2003), there is no
line search, and five or six programs reach a local optimum of 26 circles in about 20 ms, where SLSQP over all pairs
takes most of a second.
"""

from __future__ import annotations

from typing import Any

import numpy as np

MAX_CIRCLES = 400  # of one call; the linear programs grow with the square


def rows(n: int, n_rows: int, stagger: float = 0.5) -> np.ndarray:
    """n circles in `n_rows` rows of nearly equal counts, odd rows shifted by `stagger` of a gap. -> (n, 3)"""
    n, n_rows = _count(n), max(1, min(int(n_rows), _count(n)))
    counts = [n // n_rows + (i < n % n_rows) for i in range(n_rows)]
    # Spread the longer rows evenly instead of leaving them together at the bottom.
    order = np.argsort([(i * 0.618) % 1.0 for i in range(n_rows)])
    per_row = np.empty(n_rows, dtype=int)
    per_row[order] = counts
    centres = []
    for i, m in enumerate(per_row):
        shift = (0.5 + (float(stagger) if i % 2 else 0.0)) % 1.0
        centres += [((j + shift) / m, (i + 0.5) / n_rows) for j in range(m)]
    return best_radii(np.c_[np.array(centres), np.zeros(n)])


def total(circles: np.ndarray) -> float:
    """Sum of the radii."""
    return float(_packing(circles)[:, 2].sum())


def better(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The packing with the larger sum of radii; `a` where they are equal."""
    a, b = _packing(a), _packing(b)
    return b if b[:, 2].sum() > a[:, 2].sum() else a


def jitter(circles: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    """Every centre moved by a normal step of standard deviation `sigma`; radii as large as then possible. -> (n, 3)"""
    p = _packing(circles)
    steps = _rng(seed).normal(0.0, min(abs(float(sigma)), 1.0), (len(p), 2))
    p[:, :2] = np.clip(p[:, :2] + steps, 1e-3, 1 - 1e-3)
    return best_radii(p)


def relocate(circles: np.ndarray, k: int, seed: int) -> np.ndarray:
    """k circles, half of the time small ones, taken out and put into the widest gaps; then a slight shake. -> (n, 3)"""
    p, rng = _packing(circles), _rng(seed)
    n = len(p)
    k = max(1, min(int(k), n))
    moved = rng.permutation(n)[:k] if rng.random() < 0.5 else np.argsort(p[:, 2] + rng.normal(0, 0.01, n))[:k]
    for i in moved:
        spots = rng.random((200, 2))
        others = np.delete(p, i, axis=0)
        gap = np.minimum(spots, 1 - spots).min(1)
        if n > 1:
            away = np.hypot(spots[:, None, 0] - others[:, 0], spots[:, None, 1] - others[:, 1]) - others[:, 2]
            gap = np.minimum(gap, away.min(1))
        at = np.argsort(-gap)[rng.integers(0, 8)]  # one of the eight widest: always the widest would repeat itself
        p[i] = *spots[at], max(gap[at], 0.0)
    shake = rng.choice([0.0, 0.003, 0.02])
    p[:, :2] = np.clip(p[:, :2] + rng.normal(0, shake, (n, 2)), 1e-3, 1 - 1e-3)
    return best_radii(p)


def hop(circles: np.ndarray, n_hops: int, k: int, seed: int) -> np.ndarray:
    """Basin hopping (Wales and Doye, J. Phys. Chem. A 101, 1997): n_hops times relocate k, polish, keep if better."""
    p = _packing(circles)
    for i in range(max(0, int(n_hops))):
        p = better(p, polish(relocate(p, k, int(seed) + i)))
    return p


def best_radii(circles: np.ndarray) -> np.ndarray:
    """The same centres with the radii of largest sum: a linear program. -> (n, 3), feasible to about 1e-9"""
    from scipy.sparse import csr_matrix

    p = _packing(circles)
    n = len(p)
    i, j = np.triu_indices(n, 1)
    wall = np.maximum(np.minimum(p[:, :2], 1 - p[:, :2]).min(1), 0.0)
    far = np.hypot(p[i, 0] - p[j, 0], p[i, 1] - p[j, 1])
    close = far < wall[i] + wall[j]  # the walls alone keep the other pairs apart
    i, j, far = i[close], j[close], far[close]
    if not len(i):
        return np.c_[p[:, :2], wall]
    row = np.arange(len(i))
    pairs = csr_matrix((np.ones(2 * len(i)), (np.r_[row, row], np.r_[i, j])), shape=(len(i), n))
    radii = _least(-np.ones(n), pairs, far, np.c_[np.zeros(n), wall])
    return np.c_[p[:, :2], np.zeros(n) if radii is None else radii]


def polish(circles: np.ndarray, reach: float = 0.05, steps: int = 40) -> np.ndarray:
    """Centres and radii moved together to the nearby local optimum. -> (n, 3), feasible to about 1e-9

    reach: most that a coordinate or a radius may change in one linear program. steps: most programs; it stops earlier
    when one gains less than 1e-9.
    """
    p = best_radii(circles)
    reach = min(max(float(reach), 1e-3), 1.0)
    for _ in range(max(0, min(int(steps), 200))):
        moved = _step(p, reach)
        if moved is None:
            break
        gain = moved[:, 2].sum() - p[:, 2].sum()
        if gain > 0:
            p = moved
        if gain < 1e-9:
            break
    return p


def _step(p: np.ndarray, reach: float) -> np.ndarray | None:
    """One linear program of `polish`; variables are x (n), y (n), r (n). None where the solver has no answer."""
    from scipy.sparse import csr_matrix

    n = len(p)
    x, y, r = p.T
    i, j = np.triu_indices(n, 1)
    dx, dy = x[i] - x[j], y[i] - y[j]
    d = np.hypot(dx, dy)
    # Two centres come closer by at most 2 sqrt(2) reach while two radii grow by 2 reach: other pairs cannot meet.
    near = d - r[i] - r[j] <= (2 * 2**0.5 + 2) * reach
    i, j, dx, dy, d = i[near], j[near], dx[near], dy[near], d[near]
    ux, uy = np.where(d > 0, dx / np.maximum(d, 1e-300), 1.0), np.where(d > 0, dy / np.maximum(d, 1e-300), 0.0)
    m, one = len(i), np.ones(len(i))
    pair, c, on = np.arange(m), np.arange(n), np.ones(n)
    # Rows: m pairs  r_i + r_j - u.(c_i - c_j) <= 0;  then  r <= x,  x + r <= 1,  r <= y,  y + r <= 1.
    row = np.concatenate([*[pair] * 6, *[m + k * n + c for k in (0, 0, 1, 1, 2, 2, 3, 3)]])
    col = np.concatenate(
        [2 * n + i, 2 * n + j, i, j, n + i, n + j, c, 2 * n + c, c, 2 * n + c, n + c, 2 * n + c, n + c, 2 * n + c]
    )
    value = np.concatenate([one, one, -ux, ux, -uy, uy, -on, on, on, on, -on, on, on, on])
    table = csr_matrix((value, (row, col)), shape=(m + 4 * n, 3 * n))
    limit = np.concatenate([np.zeros(m + n), on, np.zeros(n), on])
    here = np.r_[x, y]
    low = np.r_[np.maximum(0.0, here - reach), np.zeros(n)]
    high = np.r_[np.minimum(1.0, here + reach), np.minimum(r + reach, 0.5)]
    goal = np.r_[np.zeros(2 * n), -on]
    found = _least(goal, table, limit, np.c_[low, high])
    return None if found is None else found.reshape(3, n).T.copy()


def _least(goal: np.ndarray, table: Any, limit: np.ndarray, bounds: np.ndarray) -> np.ndarray | None:
    """x within bounds (k, 2) that minimises goal . x under table x <= limit; None where the solver gives up."""
    import warnings

    from scipy.optimize import linprog

    with warnings.catch_warnings():
        # SciPy passes on options that it does not know, with a warning. By default HiGHS starts a thread for every
        # second core, which a confined process may not be allowed.
        warnings.simplefilter("ignore")
        found = linprog(goal, table, limit, bounds=bounds, method="highs-ds", options={"threads": 1})
    return found.x


def _rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(abs(int(seed))))


def _count(n: int) -> int:
    if not 1 <= int(n) <= MAX_CIRCLES:
        raise ValueError(f"number of circles must be 1 to {MAX_CIRCLES}, got {n!r}")
    return int(n)


def _packing(circles: np.ndarray) -> np.ndarray:
    """A fresh float64 copy with centres inside the square.

    Raises:
        ValueError: not an (n, 3) array of finite numbers.
    """
    p = np.array(circles, dtype=np.float64)
    if p.ndim != 2 or p.shape[1] != 3 or not np.isfinite(p).all():
        raise ValueError(f"expected an (n, 3) array of finite x, y, r; got shape {p.shape}")
    _count(len(p))
    p[:, :2] = np.clip(p[:, :2], 0.0, 1.0)
    return p
