"""What is shown while a run goes on."""

import math

import pytest
from rich.console import Console

from evoloom.cli import progress as pr
from evoloom.core.budget import Budget, Cost
from evoloom.core.result import Progress


def at(seconds, evaluations, best=None, id=None, budget=Budget(evaluations=1000), **cost):
    return Progress(evaluations, 0, seconds, id, best, {"ok": 9, "error": 1, "repeat": 5}, Cost(**cost), budget, 16)


def test_burnt_is_the_nearest_limit():
    assert pr.burnt(at(10, 250)) == 0.25
    assert pr.burnt(at(10, 250, budget=Budget(evaluations=1000, seconds=20))) == 0.5
    assert pr.burnt(at(10, 250, budget=Budget(seconds=100, usd=1.0), usd=0.75)) == 0.75
    assert pr.burnt(at(10, 5000)) == 1.0
    assert pr.burnt(at(1, 1, budget=Budget(seconds=100, usd=0.0))) == 0.01


def test_eta():
    assert pr.eta(at(10, 250)) == pytest.approx(30)
    assert math.isnan(pr.eta(at(0.1, 1)))


def test_rate_is_the_recent_one():
    meter = pr.Meter()
    assert meter.rate == 0
    for k in range(100):
        meter.update(at(k, 10 * k if k < 50 else 500 + 2 * (k - 50)))
    assert 2 <= meter.rate < 4


def test_plain_lines_come_every_ten_seconds_and_with_improvements():
    now, lines = [0.0], []
    show = pr.Plain(lines.append, "s", lambda: now[0])
    for second in range(35):
        now[0] = float(second)
        show(at(second, second, best=5.0 if second < 13 else 4.0, id=1 if second < 13 else 2))
    assert [line.split()[0] for line in lines] == ["0.0", "10.0", "13.0", "23.0", "33.0"]
    assert "best 4 s" in lines[2]
    assert "invalid 10.0 %" in lines[2]


def test_many_improvements_do_not_flood():
    now, lines = [0.0], []
    show = pr.Plain(lines.append, "", lambda: now[0])
    for k in range(1000):
        now[0] = k / 100
        show(at(now[0], k, best=-float(k), id=k))
    assert len(lines) <= 11


def ended(p, seconds=0.0, pressed=False):
    """What is said at the end of a search that began at 0 and now stands at p."""
    said, now = [], [0.0]
    show = pr.Finishing(lambda p: None, said.append, "finishing", lambda: pressed, lambda: now[0])
    now[0] = seconds
    show(p)
    show(p)
    return said


def test_the_last_stage_is_announced_once():
    done = at(10, 1000, best=1.0, id=3)._replace(in_flight=0)
    assert ended(done) == ["finishing"]
    assert ended(done._replace(in_flight=4)) == []
    assert ended(done._replace(best_id=None)) == []
    assert ended(done._replace(evaluations=999)) == []
    assert ended(done._replace(evaluations=999), pressed=True) == ["finishing"]
    resumed = done._replace(budget=Budget(seconds=60), seconds=300)
    assert ended(resumed, seconds=5) == []
    assert ended(resumed, seconds=60) == ["finishing"]


@pytest.mark.usefixtures("toys")
def test_only_problems_with_a_last_stage_announce_it():
    from toys import Toy

    from evoloom.core.contracts import Problem

    assert pr.finishing(Toy()) == "finishing: opening held-out data (Ctrl-C to stop now)"
    plain = Problem()
    assert pr.finishing(plain) is None


@pytest.mark.parametrize("seen", [[], [at(1, 1)], [at(1, 1), at(8, 400, (1.5, 2.0), 7, usd=0.002)]])
def test_panel_fits_80_columns(seen):
    panel = pr.Panel("title", "% excess")
    for p in seen:
        panel(p)
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(panel)
    lines = console.export_text().splitlines()
    assert len(lines) == (5 if seen else 2)
    if len(seen) == 2:
        assert "best 1.5, 2" in lines[2]
        assert "$0.0020" in lines[3]
