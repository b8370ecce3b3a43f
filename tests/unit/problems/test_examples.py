"""Every example task loads, runs through its contract, and has a known better program within reach of typed edits."""

from pathlib import Path

import pytest
from in_process import InProcessBox

from evoloom.core.contracts import Job, Verdict
from evoloom.core.door import admit
from evoloom.core.rng import root
from evoloom.problems.directory import Directory

EXAMPLES = Path(__file__).parents[3] / "examples"
BETTER = {  # the start's line, the textbook's line
    "compress-numbers": ("return a + 0.1 * (a - b)", "return 2 * a - b"),
    "hash-function": ("return h + byte", "return h * 31 + byte"),
    "knapsack": ("return value", "return value / weight"),
    "late-jobs": ("return due", "return max(due, now + length)"),
}
TASKS = sorted(p.parent.name for p in EXAMPLES.glob("*/program.py"))


def test_every_example_is_tried_here():
    assert sorted(BETTER) == TASKS


@pytest.mark.parametrize("name", TASKS)
def test_textbook_beats_the_start_on_both_sides(name):
    problem, box = Directory(path=str(EXAMPLES / name)), InProcessBox()
    start = problem.start(root(0))[0]
    better = start.replace(*BETTER[name])
    assert better != start
    assert problem.space.check(better) is None
    seen = admit(problem.evaluate(Job([start, better], box=box)), problem, 2)
    kept = [admit(problem.held_out(g, box), problem, 1) for g in (start, better)]
    assert (seen.verdict == Verdict.OK).all()
    assert seen.fitness[1] > seen.fitness[0]
    assert kept[1].fitness[0] > kept[0].fitness[0]


@pytest.mark.parametrize("name", TASKS)
def test_readme_says_how_to_run_it(name):
    text = (EXAMPLES / name / "README.md").read_text()
    assert f"evoloom run examples/{name}" in text
