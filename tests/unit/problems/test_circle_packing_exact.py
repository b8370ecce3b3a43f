"""The exact verifier against brute force in fractions, and the certificate as a stranger would run it."""

import math
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoloom.problems.circle_packing_exact import certificate, exact_sum, shrink, violations

CELL = st.floats(0, 1, allow_subnormal=True)
PACKING = st.lists(st.tuples(CELL, CELL, st.floats(0, 0.5)), min_size=1, max_size=6).map(np.array)


def feasible(circles) -> bool:
    """The rules as written, in fractions."""
    exact = [[Fraction(float(v)) for v in c] for c in circles]
    inside = all(r >= 0 and r <= x <= 1 - r and r <= y <= 1 - r for x, y, r in exact)
    return inside and all(
        (x - u) ** 2 + (y - v) ** 2 >= (r + s) ** 2
        for i, (x, y, r) in enumerate(exact)
        for u, v, s in exact[:i]
        if r + s > 0
    )


@given(PACKING)
@settings(max_examples=150, deadline=None)
def test_violations_are_those_of_the_rules(circles):
    assert feasible(circles) == (not list(violations(circles)))


@given(PACKING)
@settings(max_examples=150, deadline=None)
def test_shrink_is_feasible_and_only_shrinks(circles):
    mended = shrink(circles)
    assert feasible(mended)
    assert (mended[:, :2] == circles[:, :2]).all()
    assert (mended[:, 2] <= circles[:, 2]).all()
    if feasible(circles):
        assert (mended == circles).all()


def test_tangent_is_feasible_and_one_ulp_more_is_not():
    tangent = np.array([[0.25, 0.25, 0.25], [0.75, 0.25, 0.25]])
    assert not list(violations(tangent))
    tangent[0, 2] = math.nextafter(0.25, 1)
    rules = {v.rule for v in violations(tangent)}
    assert rules == {"overlap", "outside the left wall", "outside the bottom wall"}
    assert shrink(tangent)[0, 2] == 0.25


def test_overlap_is_shared_by_both_circles():
    mended = shrink(np.array([[0.25, 0.5, 0.2], [0.5, 0.5, 0.1]]))  # 0.3 wide where 0.25 is there
    assert mended[:, 2] == pytest.approx([0.175, 0.075], abs=1e-15)


def test_a_small_circle_gives_no_more_than_it_has():
    mended = shrink(np.array([[0.5, 0.5, 0.4], [0.5, 0.8, 0.01]]))
    assert mended[:, 2].tolist() == [pytest.approx(0.3, abs=1e-15), 0.0]


def test_what_a_tolerance_would_let_pass_is_named():
    close = np.array([[0.25, 0.5, 0.25], [0.75 - 1e-7, 0.5, 0.25]])
    (found,) = violations(close)
    assert found.circles == (0, 1)
    assert found.amount == pytest.approx(1e-7, rel=1e-6)
    assert "circles 0 and 1: overlap by 1e-07" in str(found)


@pytest.mark.parametrize("wrong", [False, True])
def test_certificate_runs_alone(tmp_path, wrong):
    circles = np.array([[0.25, 0.25, 0.25], [0.75, 0.75, 0.25], [0.8, 0.2, 0.1]])
    circles[2, 2] += 0.2 * wrong
    file = tmp_path / "certificate.py"
    file.write_text(certificate(circles))
    ran = subprocess.run([sys.executable, "-I", "-O", file], capture_output=True, text=True)
    if wrong:
        assert ran.returncode == 1
        assert "circle 2 is not inside" in ran.stderr
    else:
        assert ran.stdout.strip() == "3 circles, feasible, sum of radii >= 0.600000000000000"


def test_exact_sum():
    assert exact_sum(np.array([[0, 0, 0.1], [0, 0, 0.2]])) == Fraction(0.1) + Fraction(0.2)
