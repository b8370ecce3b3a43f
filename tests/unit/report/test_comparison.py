"""Rows of a comparison from made-up trials."""

import math

import pytest

from evoloom.core.errors import UsageError
from evoloom.report import comparison as c
from evoloom.report import statistics


def trials(system, values, held=None, verdicts=None):
    held = held or [None] * len(values)
    return [
        c.Trial(system, i, v, h, 100.0, 2.0, verdicts or {"ok": 90, "error": 10, "repeat": 7}, "evaluations")
        for i, (v, h) in enumerate(zip(values, held))
    ]


GOOD, BAD, MID = [1.0, 2, 3, 4, 5], [11.0, 12, 13, 14, 15], [2.5, 3.5, 4.5, 5.5, 6.5]
ALL = trials("bad", BAD) + trials("good", GOOD, held=[2.0, 4, 6, 8, 10]) + trials("mid", MID)


def test_rows_are_ordered_and_tested_against_the_best():
    good, mid, bad = c.rows(ALL, minimize=True)
    assert [r.system for r in (good, mid, bad)] == ["good", "mid", "bad"]
    assert (good.median, good.q25, good.q75, good.best, good.held_out) == (3, 2, 4, 1, 6)
    assert math.isnan(good.p)
    assert math.isnan(good.a12)
    assert bad.a12 == 0.0
    assert mid.a12 == statistics.a12([-x for x in MID], [-x for x in GOOD])
    raw = [statistics.mann_whitney(MID, GOOD), statistics.mann_whitney(BAD, GOOD)]
    assert [mid.p, bad.p] == pytest.approx(raw)
    assert [mid.p_holm, bad.p_holm] == pytest.approx(statistics.holm(raw))


def test_maximising_turns_the_order():
    assert [r.system for r in c.rows(ALL, minimize=False)] == ["bad", "mid", "good"]
    assert c.rows(ALL, minimize=False)[0].best == 15


def test_named_baseline():
    rows = c.rows(ALL, True, reference="bad")
    assert [r.system for r in rows if math.isnan(r.p)] == ["bad"]
    assert rows[0].a12 == 1.0
    with pytest.raises(UsageError, match="Did you mean 'bad'"):
        c.rows(ALL, True, reference="bda")


def test_a_seed_without_a_result_counts_as_the_worst_not_as_missing():
    made = trials("sure", [5.0, 6, 7]) + trials("lucky", [1.0, None, None])
    sure, lucky = c.rows(made, minimize=True)
    assert (sure.system, lucky.median, lucky.best, lucky.valid) == ("sure", math.inf, 1.0, 1)
    assert "1/3" in c.cells(lucky)
    assert "∞" in c.cells(lucky)


def test_invalid_share_leaves_out_what_was_never_judged():
    assert c.invalid_share({"ok": 90, "error": 6, "timeout": 4, "repeat": 50, "unmade": 20}) == pytest.approx(0.1)
    assert c.invalid_share({}) == 0.0


def test_held_out_measure():
    with pytest.raises(UsageError, match="held out"):
        c.rows(trials("a", GOOD) + trials("b", BAD), True, measure="held_out")
    made = trials("a", GOOD, held=BAD) + trials("b", BAD, held=GOOD)
    assert c.rows(made, True, measure="held_out")[0].system == "b"


def test_tables():
    rows = c.rows(ALL, True)
    assert c.table(rows, "markdown").splitlines()[2].startswith("| good | 3 | 2 to 4 | 1 | 6 | – | – | 10.0 % | 100 |")
    assert len(c.table(rows).splitlines()) == 5
    text = c.caption("toy", "s", True, {"evaluations": 1000}, rows, "fitness")
    assert "smaller is better; at most 1,000 evaluations per run" in text
    assert "better than good" in text
