"""A task's judgement under suspicion: inputs that cannot be used, failures and their traces, repeats, stages, cache."""

import re
from pathlib import Path

import numpy as np
import pytest
from in_process import InProcessBox, InProcessSession
from tasks import ONE_SIDED, PROGRAM, judged

from evoloom.core.contracts import Job, Limits, Verdict
from evoloom.core.errors import UsageError
from evoloom.core.rng import root
from evoloom.evaluate import wire
from evoloom.evaluate.trusted import TrustedBox
from evoloom.problems.directory import Directory, init_directory

TWO_SIDED_SCORE = "def score(inputs, outputs):\n    return -sum(abs(y - 2 * x) for x, y in zip(inputs, outputs))\n"
SCORE = "def score(inputs, outputs):\n    assert len(inputs) == len(outputs)\n    return sum(outputs)\n"


def test_inputs_may_be_a_generator(task):
    e = judged(task("def inputs():\n    yield 1.0\n    yield 2.0\n\n" + TWO_SIDED_SCORE), "x + 2", "x * 2")
    assert e.fitness.tolist() == [-1.0, 0.0]


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ("return 5", "inputs() in evaluate.py must return a list of inputs, got 5"),
        ("return None", "must return a list of inputs, got None"),
        ("return 'text'", "must return a list of inputs, got 'text'"),
        ("return []", "inputs() in evaluate.py returned no inputs"),
        ("yield from ()", "inputs() in evaluate.py returned no inputs"),
        (
            "return [1.0, object()]",
            "a value of type 'object' at position 1; plain data and arrays can be sent",
        ),
        ("return 1 / 0", "raised ZeroDivisionError: division by zero (line 2: return 1 / 0)"),
        ("raise SystemExit(3)", "raised SystemExit: 3 (line 2"),
    ],
)
def test_inputs_that_nothing_can_be_judged_by_are_refused_before_the_run(task, inputs, says):
    with pytest.raises(UsageError) as e:
        Directory(path=task(f"def inputs():\n    {inputs}\n\n{SCORE}"))
    assert says in str(e.value)


def test_inputs_that_turn_bad_later_are_an_error_with_its_place(task):
    text = "calls = []\n\ndef inputs():\n    calls.append(1)\n    return [1.0, object() if len(calls) > 1 else 2.0]\n\n"

    class Session(InProcessSession):
        def call(self, *args):
            wire.encode(args)
            return super().call(*args)

    class Box(InProcessBox):
        def open(self, source, entry, limits=Limits()):
            return Session(source, entry)

    e = Directory(path=task(text + SCORE)).evaluate(Job([PROGRAM], box=Box()))
    assert e.verdict.tolist() == [Verdict.ERROR]
    assert "a value of type 'object' at position 1" in e.notes[0].text


def test_a_score_that_exits_is_an_error_with_its_line(task):
    text = "import sys\n\ndef inputs():\n    return [1.0]\n\ndef score(inputs, outputs):\n    sys.exit(2)\n"
    e = judged(task(text), "x")
    assert e.verdict.tolist() == [Verdict.ERROR]
    assert e.notes[0].text == "score() in evaluate.py raised SystemExit: 2 (line 7: sys.exit(2))"


def test_an_evaluator_that_exits_when_imported_is_refused(task):
    with pytest.raises(UsageError, match="cannot be imported: SystemExit"):
        Directory(path=task("import sys\nsys.exit(1)\ndef inputs():\n    return [1.0]\n" + SCORE))


@pytest.mark.parametrize("text", ["def f(x):\n    return " + "(" * 300 + "x" + ")" * 300,
                                  "def f(x):\n    return " + "-" * 3_000 + "x",
                                  "def f(x):\n    return " + "x+" * 9_000 + "x",
                                  "x = '\0'\n"])  # fmt: skip
def test_a_program_that_cannot_be_read_is_named(task, text):
    with pytest.raises(UsageError, match=r"program\.py"):
        Directory(path=task(program=text))


# One-sided failures.


def test_a_one_sided_syntax_error_is_invalid(task):
    e = Directory(path=task()).evaluate(Job(["def double(x):\n    return x +\n", "x = '\0'"], box=TrustedBox()))
    assert e.verdict.tolist() == [Verdict.INVALID] * 2
    assert e.notes[0].text == "not a Python program, line 2: invalid syntax"


def test_a_one_sided_trace_shows_the_two_files_and_nothing_else(task):
    problem = Directory(path=task())
    e = problem.evaluate(Job([PROGRAM.replace("x + 2", "x / 0")], box=TrustedBox()))
    assert e.verdict.tolist() == [Verdict.ERROR]
    assert e.notes[0].text.splitlines() == [
        "evaluate.py, line 2, in evaluate: return program.double(3)",
        "program.py, line 2, in double: return x / 0",
        "ZeroDivisionError: division by zero",
    ]


# repeats, stages, cache in evoloom.toml.

NOISY = {
    "evaluate(program, seed)": "import random\n\ndef evaluate(program, seed):\n"
                               "    return program.double(random.Random(seed).gauss(0, 1))\n",
    "global": "import random\n\ndef evaluate(program):\n    return program.double(random.gauss(0, 1))\n",
    "numpy": "import numpy as np\n\ndef evaluate(program):\n    return program.double(np.random.randn())\n",
    "inputs(seed)": "import random\n\ndef inputs(seed):\n    return [random.Random(seed).gauss(0, 1)]\n\n" + SCORE,
}  # fmt: skip


@pytest.mark.parametrize("text", NOISY.values(), ids=NOISY)
def test_repeats_give_the_mean_and_its_standard_error(task, text):
    problem = Directory(path=task(text, settings="repeats = 50\n"))
    assert problem.price(None) == 50
    job = Job([PROGRAM, PROGRAM], rngs=[root(0).fold(i) for i in range(2)], box=InProcessBox())
    e = problem.evaluate(job)
    error = e.signals["standard_error"]
    assert ((error > 0.08) & (error < 0.22)).all()  # 1 / sqrt(50) = 0.14
    assert (abs(e.fitness - 2) < 5 * error).all()
    assert e.fitness[0] != e.fitness[1]
    np.testing.assert_array_equal(problem.evaluate(job).fitness, e.fitness)
    assert e.signals["size"].tolist() == [4.0, 4.0]


def test_without_repeats_or_a_seed_judging_again_is_the_same(task):
    problem = Directory(path=task("def evaluate(program):\n    return program.double(3)\n"))
    assert "standard_error" not in problem.columns.signals
    assert problem.price(None) == 1


STAGED = {
    "one-sided": """
        def evaluate_stage1(program):
            return program.double(1)

        def evaluate_stage2(program):
            return {"score": program.double(2)}

        def evaluate(program):
            return {"score": program.double(100), "wide": 0.5}
        """,
    "two-sided": """
        def inputs_stage1():
            return [1.0]

        def inputs_stage2():
            return [2.0]

        def inputs():
            return [100.0]

        def score(inputs, outputs):
            return {"score": sum(outputs), "wide": 0.5} if inputs[0] > 50 else sum(outputs)
        """,
}


@pytest.mark.parametrize("text", STAGED.values(), ids=STAGED)
def test_stages_come_first_and_stop_what_is_bad(task, text):
    settings = "stages = [2, 5]\nstage_price = 0.25\n[measures]\nwide = [0, 1]\n"
    path = task(text, settings=settings)
    e = judged(path, "x", "x + 2", "x * 3", "x / 0")
    assert e.verdict.tolist() == [Verdict.WRONG, Verdict.WRONG, Verdict.OK, Verdict.ERROR]
    assert e.fitness[2] == 300
    assert e.measures[2] == [0.5]
    assert e.cost.tolist() == [0.25, 0.5, 1.5, 0.25]
    assert e.notes[0].text.startswith("stopped at stage 1 of 2 with 1")
    assert e.notes[1].text.startswith("stopped at stage 2 of 2 with 4")
    assert np.isnan(e.signals["size"][0])


def test_stages_are_repeated_too(task):
    text = "def evaluate_stage1(program):\n    return program.double(1)\n\n" + ONE_SIDED
    problem = Directory(path=task(text, settings="stages = [1]\nrepeats = 3\nstage_price = 0.5\n"))
    assert problem.price(None) == 3 * 1.5
    assert problem.evaluate(Job([PROGRAM], box=InProcessBox())).fitness.tolist() == [5.0]


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("calls = []\n\ndef probe_inputs():\n    return [0.0, 1.0]\n\ndef inputs():\n    return [4.0]\n\n"
         "def score(inputs, outputs):\n    calls.append(1)\n    return sum(outputs)\n", PROGRAM),
        (ONE_SIDED + "\ndef probe(program):\n    return [program.double(x) for x in (0, 1)]\n", PROGRAM),
    ],
    ids=["two-sided", "one-sided"],
)  # fmt: skip
def test_cache_judges_programs_that_behave_alike_once(task, text, program):
    problem = Directory(path=task(text, settings="cache = true\n"))
    sources = [program, program.replace("x + 2", "1 + x + 1"), program.replace("x + 2", "x / 0")]
    e = problem.evaluate(Job(sources, box=InProcessBox()))
    assert e.verdict.tolist() == [Verdict.OK, Verdict.OK, Verdict.ERROR]
    assert e.fitness[0] == e.fitness[1]
    assert problem.inner.hits == 1
    assert e.signals["size"][0] < e.signals["size"][1]  # each its own


@pytest.mark.parametrize(
    ("evaluate", "settings", "says"),
    [
        (ONE_SIDED, "stages = [1]\n", "no evaluate_stage1(), and 'stages' in evoloom.toml has 1 thresholds"),
        ("def evaluate_stage1(p):\n    return 1\n" + ONE_SIDED, "", "evaluate_stage1(), and 'stages' in"),
        (ONE_SIDED, "cache = true\n", "defines no probe(), which 'cache = true'"),
        (ONE_SIDED + "\ndef probe(p):\n    return 1\n", "cache = true\nrepeats = 2\n", "must not be noisy"),
        (ONE_SIDED, "repeats = 0\n", "repeats: "),
        ("def evaluate(program, more):\n    return 1\n", "", "must be called as evaluate(program)"),
    ],
)  # fmt: skip
def test_wrappers_that_do_not_fit_are_refused(task, evaluate, settings, says):
    with pytest.raises(UsageError) as e:
        Directory(path=task(evaluate, settings=settings))
    assert says in str(e.value)


# The template of the two-sided form.


def test_two_sided_template_works_and_says_which_trust_it_gives(tmp_path):
    init_directory(tmp_path / "mine", two_sided=True)
    problem = Directory(path=str(tmp_path / "mine"))
    assert problem.settings()["integrity"].startswith("two-sided")
    start = problem.start(root(0))[0]
    better = start.replace("return dues", "return dues + 4 * lengths")
    e = problem.evaluate(Job([start, better, start.replace("return dues", "return 1.0")], box=InProcessBox()))
    assert e.verdict.tolist() == [Verdict.OK, Verdict.OK, Verdict.WRONG]
    assert e.fitness[1] < e.fitness[0]
    assert np.isfinite(problem.held_out(start, InProcessBox()).fitness[0])
    init_directory(tmp_path / "other")
    for name, trust in (("mine", "two-sided"), ("other", "one-sided")):
        assert f"TRUST: {trust}." in (tmp_path / name / "evaluate.py").read_text()
        assert f"Trust: {trust}," in (tmp_path / name / "README.md").read_text()


# The documentation's examples.


def examples():
    text = (Path(__file__).parents[3] / "docs" / "your-own-program.md").read_text()
    part = text.split("## Noisy, slow or repetitive scores")[1].split("\n## ")[0]
    program, *evaluators = re.findall(r"```python\n(.*?)```", part, re.S)
    return [(program, *pair) for pair in zip(evaluators, re.findall(r"```toml\n(.*?)```", part, re.S), strict=True)]


@pytest.mark.parametrize("example", examples(), ids=["repeats", "stages", "cache"])
def test_examples_of_the_documentation_run(task, example):
    program, evaluate, settings = example
    problem = Directory(path=task(evaluate, program, settings))
    better, worse = program.replace("return x", "return x * x"), program.replace("return x", "return x + 9")
    e = problem.evaluate(Job([program, better, worse], box=InProcessBox()))
    assert e.verdict[:2].tolist() == [Verdict.OK] * 2
    assert e.fitness[1] == 0 > e.fitness[0]
    assert e.verdict[2] == (Verdict.WRONG if "stages" in settings else Verdict.OK)
