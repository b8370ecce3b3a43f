"""Number formats, tables, staircases."""

import math

import numpy as np
import pytest

from evoloom.report import curves, tables


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0312345, "0.03123"), (1234567.0, "1,234,567"), (3.0, "3"), (-2.5, "-2.5"), (1e-7, "1.000e-07"),
        (12345.678, "12,346"), (None, "–"), (math.nan, "–"), (math.inf, "∞"), (0.1, "0.1"), (2.635983, "2.636"),
    ],
)  # fmt: skip
def test_number(x, text):
    assert tables.number(x) == text


def test_durations_and_shares():
    assert [tables.duration(x) for x in (8.12, 200.4, 7500)] == ["8.1 s", "3 min 20 s", "2 h 05 min"]
    assert (tables.percent(0.0312), tables.p_value(0.0004), tables.p_value(0.5)) == ("3.1 %", "<0.001", "0.500")


def test_markdown_escapes_and_aligns():
    text = tables.markdown(["a", "b"], [["x|y", "1"]], right=[1])
    assert text == "| a | b |\n| --- | ---: |\n| x\\|y | 1 |\n"


def test_plain_columns_line_up():
    lines = tables.plain(["name", "n"], [["a", "1"], ["long name", "100"]], right=[1]).splitlines()
    assert lines == ["name         n", "---------  ---", "a            1", "long name  100"]


def test_best_so_far_keeps_improvements_only_and_prolongs():
    curve = curves.best_so_far([(1, 5.0), (3, 6.0), (2, 4.0), (4, math.nan), (5, 4.0)], minimize=True, end=9)
    assert curve.x.tolist() == [1, 2, 9]
    assert curve.y.tolist() == [5, 4, 4]
    assert curves.corners(curve) == [(1, 5), (2, 5), (2, 4), (9, 4)]


def test_at_is_a_staircase():
    curve = curves.best_so_far([(1, 1.0), (4, 2.0)], minimize=False)
    np.testing.assert_array_equal(curves.at(curve, np.array([0.5, 1, 3.9, 4, 100])), [np.nan, 1, 1, 2, 2])


@pytest.mark.parametrize("log", [False, True])
def test_band_over_seeds(log):
    made = [curves.best_so_far([(1, float(k)), (10, 10.0 + k)], minimize=False) for k in range(5)]
    b = curves.band(made, n=50, log=log)
    assert (b.x[0], b.x[-1]) == (1, 10)
    assert (b.low[0], b.mid[0], b.high[0]) == (1, 2, 3)
    assert (b.low[-1], b.mid[-1], b.high[-1]) == (11, 12, 13)


def test_band_waits_for_the_last_seed_and_bears_none():
    made = [curves.best_so_far([(1, 1.0), (10, 2.0)], False), curves.best_so_far([(5, 1.0)], False)]
    b = curves.band(made, n=10)
    assert np.isnan(b.mid[b.x < 5]).all()
    assert not np.isnan(b.mid[b.x >= 5]).any()
    assert len(curves.band([]).x) == 0
