"""Idioms: the linear programs against closed forms, and what every idiom promises."""

import numpy as np
import pytest

from evoloom.problems import circle_packing_tools as tools
from evoloom.problems.circle_packing_exact import shrink


def test_best_radii_of_two_points():
    # r0 + r1 <= 0.3, walls 0.35 and 0.35: the sum is the distance, however it is split.
    p = tools.best_radii(np.array([[0.35, 0.5, 0], [0.65, 0.5, 0]]))
    assert p[:, 2].sum() == pytest.approx(0.3, abs=1e-12)


def test_best_radii_without_contacts_are_the_walls():
    p = tools.best_radii(np.array([[0.1, 0.5, 0], [0.5, 0.9, 0]]))
    assert p[:, 2] == pytest.approx([0.1, 0.1])


@pytest.mark.parametrize(("n", "optimum"), [(1, 0.5), (2, 2 - 2**0.5)])
def test_polish_reaches_the_known_optimum(n, optimum):
    """One circle of radius 1/2; two in opposite corners touching on the diagonal: r1 + r2 = 2 - sqrt 2."""
    start = np.c_[np.random.default_rng(1).uniform(0.2, 0.8, (n, 2)), np.zeros(n)]
    assert tools.polish(start, 0.2)[:, 2].sum() == pytest.approx(optimum, abs=1e-7)


def test_polish_never_loses_and_stays_feasible():
    for seed in range(3):
        before = tools.jitter(tools.rows(26, 5), 0.03, seed)
        after = tools.polish(before)
        assert after[:, 2].sum() >= before[:, 2].sum()
        assert (after[:, 2] - shrink(after)[:, 2]).max() < 1e-8
    assert after[:, 2].sum() > 2.58


def test_polish_takes_coincident_centres():
    p = tools.polish(np.full((3, 3), 0.5))
    assert p[:, 2].sum() > 0.3


def test_idioms_are_deterministic_and_leave_their_argument_alone():
    p = tools.rows(10, 3)
    kept = p.copy()
    for f in (lambda: tools.relocate(p, 2, 5), lambda: tools.jitter(p, 0.05, 5), lambda: tools.polish(p)):
        assert (f() == f()).all()
        assert (p == kept).all()
    assert not (tools.relocate(p, 2, 5) == tools.relocate(p, 2, 6)).all()


def test_rows_have_the_count_asked_for():
    for n in (1, 2, 7, 26, 32):
        for n_rows in (1, 4, 9):
            p = tools.rows(n, n_rows)
            assert p.shape == (n, 3)
            assert len(np.unique(p[:, 1])) == min(n, n_rows)


def test_better():
    a, b = tools.rows(5, 2), tools.polish(tools.rows(5, 2))
    assert (tools.better(a, b) == b).all()
    assert (tools.better(b, a) == b).all()
    assert tools.total(b) == pytest.approx(b[:, 2].sum())


@pytest.mark.parametrize("wrong", [np.zeros((3, 2)), np.full((2, 3), np.nan), np.zeros((0, 3))])
def test_bad_packings_are_named(wrong):
    with pytest.raises(ValueError, match=r"expected an|number of circles"):
        tools.best_radii(wrong)


def test_hopping_never_loses():
    p = tools.polish(tools.rows(9, 3))
    assert tools.total(tools.hop(p, 10, 2, 0)) >= tools.total(p)
    assert (tools.hop(p, 0, 2, 0) == p).all()
