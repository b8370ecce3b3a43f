"""Numeric functions at points whose values are known."""

import numpy as np
import pytest

from evoloom.core.contracts import Job
from evoloom.core.errors import UsageError
from evoloom.problems.functions import Rastrigin, Rosenbrock, Sphere, rosenbrock


@pytest.mark.parametrize(("kind", "optimum"), [(Sphere, 0.0), (Rosenbrock, 1.0), (Rastrigin, 0.0)])
def test_optimum_is_zero_and_a_minimum(kind, optimum):
    p = kind(dim=4)
    x = np.full(4, optimum)
    near = [x + step for step in np.eye(4) * 0.01]
    f = p.evaluate(Job([x, *near])).fitness
    assert f[0] == pytest.approx(0.0, abs=1e-12)
    assert (f[1:] > f[0]).all()


def test_known_values():
    assert Sphere(dim=3).evaluate(Job([np.array([1.0, 2.0, 3.0])])).fitness == [14.0]
    assert rosenbrock(np.zeros((1, 5))) == [4.0]  # (1 - 0)^2 four times
    assert rosenbrock(np.array([[-1.2, 1.0]])) == pytest.approx([24.2])  # the usual start
    assert Rastrigin(dim=2).evaluate(Job([np.array([1.0, 1.0])])).fitness == pytest.approx([2.0])


def test_measures_are_the_first_two_coordinates():
    p = Rastrigin(dim=3)
    e = p.evaluate(Job([np.array([1.0, -2.0, 3.0])]))
    assert e.measures.tolist() == [[1.0, -2.0]]
    assert [a.high for a in p.columns.measures] == [5.12, 5.12]
    assert Sphere(dim=1).evaluate(Job([np.array([2.0])])).measures.tolist() == [[2.0]]


def test_no_genomes():
    assert Sphere(dim=2).evaluate(Job([])).n == 0


def test_too_few_coordinates():
    with pytest.raises(UsageError, match="at least 2"):
        Rosenbrock(dim=1)
