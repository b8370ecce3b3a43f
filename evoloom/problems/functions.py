"""Numeric test functions over a box: what parts and strategies are tried on.

All are minimised and have their optimum value 0. `target` is the precision at which a run may stop (1e-8, as in the
COCO benchmarks), not a claim that the optimum was met. Measures are the first two coordinates, so that archives that
want measures run here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evoloom.core.contracts import Axis, Columns, Evaluation, Job, Problem, Verdict
from evoloom.core.errors import UsageError
from evoloom.core.registry import problem
from evoloom.spaces.vector import Box


def sphere(x: np.ndarray) -> np.ndarray:
    """Sum of squares; minimum 0 at the origin. x: (n, d) -> (n,)"""
    return (x * x).sum(1)


def rosenbrock(x: np.ndarray) -> np.ndarray:
    """Rosenbrock's curved valley (Computer Journal 3, 1960), chained; minimum 0 at (1, ..., 1). x: (n, d) -> (n,)"""
    a, b = x[:, :-1], x[:, 1:]
    return (100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2).sum(1)


def rastrigin(x: np.ndarray) -> np.ndarray:
    """Rastrigin's function: about 10^d regular local minima; minimum 0 at the origin. x: (n, d) -> (n,)"""
    return 10.0 * x.shape[1] + (x * x - 10.0 * np.cos(2 * np.pi * x)).sum(1)


class NumericFunction(Problem):
    """One function of a real vector, minimised over a cube.

    Args:
        name: of the problem.
        f: (n, d) -> (n,).
        bound: the cube is [-bound, bound]^dim.
        dim: number of coordinates, at least `least`.

    Raises:
        UsageError: fewer coordinates than the function has meaning for.
    """

    minimize = True
    target = 1e-8
    default_system = "hill-climb"

    def __init__(self, name: str, f: Callable[[np.ndarray], np.ndarray], bound: float, dim: int, least: int = 1):
        if dim < least:
            raise UsageError(f"{name}: dim must be at least {least}, got {dim}")
        self.name, self.f, self.dim = name, f, dim
        self.space = Box(-bound, bound, dim=dim)
        self.columns = Columns(tuple(Axis(f"x{i}", -bound, bound) for i in range(min(2, dim))))

    def evaluate(self, job: Job) -> Evaluation:
        x = np.asarray(job.genomes, dtype=float).reshape(len(job.genomes), self.dim)
        return Evaluation(self.f(x), np.full(len(x), Verdict.OK, np.int8), measures=x[:, :2])

    def settings(self) -> dict[str, int]:
        return {"dim": self.dim}


@problem("sphere")
class Sphere(NumericFunction):
    """Sum of squares over [-5, 5]^dim: the easiest smooth function, one optimum at the origin."""

    def __init__(self, *, dim: int = 10):
        super().__init__("sphere", sphere, 5.0, dim)


@problem("rosenbrock")
class Rosenbrock(NumericFunction):
    """A narrow curved valley over [-5, 5]^dim: tests whether steps adapt to direction and scale."""

    def __init__(self, *, dim: int = 10):
        super().__init__("rosenbrock", rosenbrock, 5.0, dim, least=2)


@problem("rastrigin")
class Rastrigin(NumericFunction):
    """About 10^dim regular local minima over [-5.12, 5.12]^dim: tests escape from local optima."""

    def __init__(self, *, dim: int = 10):
        super().__init__("rastrigin", rastrigin, 5.12, dim)
