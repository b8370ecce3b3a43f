"""Both genomes of circle packing through the one exact judge."""

import json
import subprocess
import sys

import numpy as np
import pytest
from in_process import InProcessBox

from evoloom.core.contracts import Draft, Job, Record, Verdict
from evoloom.core.errors import UsageError
from evoloom.core.rng import root
from evoloom.problems.circle_packing import START, CircleLayout, CirclePacking, Relocate

BOX = InProcessBox()
LITERAL = "def pack(n):\n    return {}\n"


def judged(problem, *sources):
    return problem.evaluate(Job(list(sources), box=BOX))


def test_start_is_modest_and_proves_itself(tmp_path):
    e = judged(CirclePacking(), START)
    assert e.verdict.tolist() == [Verdict.OK]
    assert 2.2 < e.fitness[0] < 2.5
    file = tmp_path / "certificate.py"
    file.write_text(e.notes[0].artifacts["certificate.py"])
    ran = subprocess.run([sys.executable, "-I", file], capture_output=True, text=True)
    assert float(ran.stdout.split(">=")[1]) == pytest.approx(e.fitness[0], abs=1e-14)


def test_one_typed_edit_away_lies_a_better_packing():
    space = CirclePacking().space
    child = START.replace("best_radii(jitter(best, 0.02, seed))", "polish(relocate(best, 2, seed))")
    assert space.check(child) is None
    e = judged(CirclePacking(), child)
    assert e.fitness[0] > 2.6


def test_rounding_is_mended_and_overlap_is_not():
    touching = [[0.25, 0.5, 0.25], [0.75, 0.5, 0.25]]
    rounding = [[0.25, 0.5, 0.25 + 1e-9], [0.75, 0.5, 0.25]]
    overlap = [[0.25, 0.5, 0.25], [0.7, 0.5, 0.25]]
    e = judged(CirclePacking(n=2), *(LITERAL.format(c) for c in (touching, rounding, overlap)))
    assert e.verdict.tolist() == [Verdict.OK, Verdict.OK, Verdict.INVALID]
    assert e.fitness[0] == 0.5
    assert e.fitness[1] <= 0.5
    assert e.signals["shrunk"][:2] == pytest.approx([0, 1e-9], abs=1e-15)
    assert "circles 0 and 1: overlap by 0.05" in e.notes[2].text


def test_strict_judge_takes_nothing_off():
    rounding = LITERAL.format([[0.25, 0.5, np.nextafter(0.25, 1).item()]])
    e = judged(CirclePacking(n=1, repair=0.0), rounding)
    assert e.verdict.tolist() == [Verdict.INVALID]
    assert "outside the left wall" in e.notes[0].text


@pytest.mark.parametrize(
    ("returned", "verdict"),
    [
        ("3", Verdict.OUTPUT),
        ("'x'", Verdict.OUTPUT),
        ("[[0.5, 0.5]]", Verdict.OUTPUT),
        ("[[0.5, 0.5, 0.1]] * 2", Verdict.OUTPUT),
        ("[[0.5, 0.5, float('nan')]]", Verdict.NONFINITE),
        ("[[0.5, 0.5, -0.1]]", Verdict.INVALID),
        ("[[1.5, 0.5, 0.0]]", Verdict.INVALID),
        ("1 / 0", Verdict.ERROR),
    ],
)
def test_what_is_no_packing_has_a_verdict(returned, verdict):
    e = judged(CirclePacking(n=1), LITERAL.format(returned))
    assert e.verdict.tolist() == [verdict]
    assert e.notes[0].text


def test_layout_is_scored_by_its_best_radii():
    problem = CircleLayout(n=2)
    e = problem.evaluate(Job([np.array([0.25, 0.5, 0.75, 0.5]), np.array([0.5, 0.5, 0.5, 0.5])]))
    assert e.fitness == pytest.approx([0.5, 0.0])  # two that touch; two on one centre have no room at all
    assert e.verdict.tolist() == [Verdict.OK] * 2


def test_layout_shows_a_program_that_runs(tmp_path):
    problem = CircleLayout(n=5)
    genome = problem.start(root(0))[0]
    file = tmp_path / "pack.py"
    file.write_text(problem.show(genome))
    ran = subprocess.run([sys.executable, "-I", file], capture_output=True, text=True)
    reached = problem.evaluate(Job([genome])).fitness[0]
    assert float(ran.stdout.split(">=")[1]) == pytest.approx(reached, abs=1e-14)


def test_relocation_makes_genomes_and_depends_on_its_rng_alone():
    problem = CircleLayout(n=8)
    parent = problem.start(root(1))[0]
    operator = problem.operators()["relocate"]
    a, b, c = (operator(root(seed), [Record(0, parent)], Draft("relocate")) for seed in (3, 3, 4))
    assert problem.space.check(a) is None
    assert (a == b).all()
    assert not (a == c).all()
    back = problem.space.decode(json.loads(json.dumps(problem.space.encode(a))))
    assert (back == a).all()


def test_hopping_improves_on_its_start():
    """To the best known sum for nine circles, 1.524+ (E. Friedman's Packing Center)."""
    problem = CircleLayout(n=9)
    best = problem.start(root(5))[0]
    reached = problem.evaluate(Job([best])).fitness[0]
    assert reached < 1.5
    for i in range(30):
        child = Relocate(9, fresh_rate=0.0)(root(i), [Record(0, best)], Draft("relocate"))
        value = problem.evaluate(Job([child])).fitness[0]
        if value > reached:
            best, reached = child, value
    assert reached > 1.524


@pytest.mark.parametrize("options", [{"n": 0}, {"n": 10_000}, {"repair": 0.1}, {"repair": -1.0}])
def test_options_are_checked(options):
    with pytest.raises(UsageError, match=r"n must be|repair must be"):
        CirclePacking(**options)
