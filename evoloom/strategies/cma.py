"""cma_es: the `cmaes` package behind our contracts. State in plain arrays, randomness from our streams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from evoloom.core.contracts import Added, Archive, Operator, Problem, Proposals, Room, Told, View
from evoloom.core.errors import CompositionError, UsageError
from evoloom.core.rng import Rng
from evoloom.spaces.vector import Box
from evoloom.strategies.generations import Generations, generations

SEED, MEAN = range(2)  # streams


class Cma(NamedTuple):
    """State. Pickling a `cmaes.CMA` drops its generator and rounds its covariance, so its attributes are kept here."""

    attributes: dict[str, Any]
    low: np.ndarray
    high: np.ndarray
    points: np.ndarray | None = None  # (n, d) of the generation on its way, in units of the box
    restarts: int = 0


class CmaEs:
    """A `Whole`; see `cma_es`."""

    operators: Mapping[str, Operator] = {}
    needs: frozenset[str] = frozenset()
    wants: frozenset[str] = frozenset()

    def __init__(self, sigma: float, population: int | None, restart_factor: float):
        if not sigma > 0.0:
            raise UsageError(f"sigma must be positive, got {sigma!r}")
        if population is not None and population < 2:
            raise UsageError(f"population must be at least 2, got {population!r}")
        if restart_factor < 1.0:
            raise UsageError(f"restart_factor must be at least 1, got {restart_factor!r}")
        self.sigma, self.population, self.restart_factor = sigma, population, restart_factor

    def init(self, problem: Problem, archive: Archive, rng: Rng) -> Cma:
        space = problem.space
        if not isinstance(space, Box) or space.dtype.kind != "f" or (space.low == space.high).any():
            what = f"{type(space).__name__} of {space.dtype}" if isinstance(space, Box) else type(space).__name__
            raise CompositionError(
                f"CMA-ES needs a vector.Box of floats with low < high everywhere, but the space of problem "
                f"'{problem.name}' is {what}. Choose a system for that space."
            )
        if problem.n_objectives > 1:
            raise CompositionError(f"CMA-ES needs one objective, problem '{problem.name}' has {problem.n_objectives}")
        starts = problem.start(rng.fold(SEED))
        mean = rng.fold(MEAN).uniform((space.dim,))
        if len(starts):
            mean = np.clip((np.asarray(starts[0], float) - space.low) / (space.high - space.low), 0.0, 1.0)
        return Cma(self._attributes(mean, self.population), space.low.copy(), space.high.copy())

    def sample(self, state: Cma, archive: Archive, rng: Rng, room: Room, view: View) -> tuple[Proposals | None, Cma]:
        if room.rows() < 1:
            return None, state
        es = _es(state.attributes)
        es.reseed_rng(seed_of(rng))
        points = np.stack([es.ask() for _ in range(es.population_size)])
        genomes = np.clip(state.low + points * (state.high - state.low), state.low, state.high)
        rows = list(genomes.astype(state.low.dtype))
        return Proposals(rows, operators=["cma_es"] * len(rows)), state._replace(attributes=_kept(es), points=points)

    def update(self, state: Cma, archive: Archive, rng: Rng, told: Told, added: Added, view: View) -> Cma:
        """Rows that are not OK rank last, whatever the others are; a generation without an OK row updates nothing."""
        points, ok = state.points, told.evaluation.valid
        state = state._replace(points=None)
        if points is None or not ok.any():
            return state
        loss = -np.asarray(told.evaluation.fitness, dtype=np.float64)
        loss = np.where(ok, loss, loss[ok].max())
        rows = [*np.flatnonzero(ok), *np.flatnonzero(~ok)]  # the package sorts stably: not-OK rows stay behind ties
        es = _es(state.attributes)
        es.tell([(points[r], float(loss[r])) for r in rows])
        if not es.should_stop():
            return state._replace(attributes=_kept(es))
        n = round(es.population_size * self.restart_factor)
        fresh = self._attributes(rng.fold(MEAN).uniform((len(state.low),)), n)
        return state._replace(attributes=fresh, restarts=state.restarts + 1)

    def stats(self, state: Cma) -> Mapping[str, Any]:
        return {"sigma": float(state.attributes["_sigma"]), "restarts": state.restarts}

    def _attributes(self, mean: np.ndarray, population: int | None) -> dict[str, Any]:
        from cmaes import CMA

        unit = np.tile([0.0, 1.0], (len(mean), 1))
        es = CMA(mean=mean, sigma=self.sigma, bounds=unit, population_size=population, seed=0)
        es._funhist_values[:] = 0.0  # allocated, not set: read only after every entry is written
        return _kept(es)


def seed_of(rng: Rng) -> int:
    """Seed of one generation's draws."""
    return int(rng.fold(SEED).integers(0, 2**31 - 1))


def _es(attributes: dict[str, Any]) -> Any:
    from cmaes import CMA

    es = CMA.__new__(CMA)
    vars(es).update(attributes, _rng=np.random.RandomState(0))
    return es


def _kept(es: Any) -> dict[str, Any]:
    return {k: v for k, v in vars(es).items() if k != "_rng"}


def cma_es(sigma: float = 0.3, *, population: int | None = None, restart_factor: float = 2.0) -> Generations:
    """A proposer: CMA-ES (Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772) by the `cmaes` package.

    The box is searched as the unit cube; points outside are drawn again, after 100 tries clipped. The first mean is the
    problem's first start genome, else uniform. When the package's stop rules hold, it begins again at a uniform mean
    with `restart_factor` times the population (2: IPOP, Auger and Hansen, CEC 2005; 1: plain restarts).

    Args:
        sigma: first standard deviation as a fraction of the box.
        population: rows of a generation, default 4 + floor(3 ln d).
    """
    return generations(CmaEs(sigma, population, restart_factor))
