"""The user's own task: both contracts, the settings file, the template, and every way to get it wrong."""

import textwrap

import numpy as np
import pytest
from in_process import InProcessBox
from tasks import ONE_SIDED, PROGRAM, judged

from evoloom.core.contracts import Job, Verdict
from evoloom.core.errors import UsageError
from evoloom.core.rng import root
from evoloom.problems.directory import Directory, init_directory

BOX = InProcessBox()
TWO_SIDED = """
    def inputs():
        return [1.0, (2.0,), 5.0]

    def held_out_inputs():
        return [10.0]

    def score(inputs, outputs):
        assert all(y > 0 for y in outputs), "not positive"
        return -sum(abs(y - 2 * (x[0] if isinstance(x, tuple) else x)) for x, y in zip(inputs, outputs))
"""


def test_one_sided_calls_the_functions_of_the_program(task):
    e = judged(task(), "x + 2", "x * 10")
    assert e.fitness.tolist() == [5.0, 30.0]
    assert e.signals["size"].tolist() == [4.0, 4.0]
    assert Directory(path=task()).settings()["integrity"].startswith("one-sided")


def test_two_sided_candidate_gets_inputs_only(task):
    path = task(TWO_SIDED)
    e = judged(path, "x * 2", "x + 2", "-x")
    assert e.fitness[:2].tolist() == [0.0, -(1 + 0 + 3)]
    assert e.verdict.tolist() == [Verdict.OK, Verdict.OK, Verdict.WRONG]
    assert e.notes[2].text == "not positive"
    problem = Directory(path=path)
    assert problem.space.entry == "double"
    assert problem.held_out(PROGRAM, BOX).fitness == [-8.0]
    assert problem.settings()["integrity"].startswith("two-sided")


def test_held_out_is_optional(task):
    assert Directory(path=task()).held_out(PROGRAM, BOX) is None
    kept = ONE_SIDED + "\n\ndef held_out(program):\n    return program.double(100)\n"
    assert Directory(path=task(kept)).held_out(PROGRAM, BOX).fitness == [102.0]


def test_assertions_of_the_evaluator_and_of_the_program_differ(task):
    path = task("def evaluate(program):\n    assert program.double(1) == 2\n    return 1\n")
    e = judged(path, "x + 2", "x * 2", "[][1]")
    assert e.verdict.tolist() == [Verdict.WRONG, Verdict.OK, Verdict.ERROR]
    assert "line 2" in e.notes[0].text
    own = PROGRAM.replace("    return x + 2", "    assert x > 5\n    return x")
    problem = Directory(path=path)
    assert problem.evaluate(Job([own], box=BOX)).verdict.tolist() == [Verdict.ERROR]


def test_answers_with_measures_cases_signals_and_feedback(task):
    path = task(
        """
        def evaluate(program):
            y = program.double(3)
            return {"score": y, "wide": y / 10, "cases": [y, 2 * y], "seconds": 0.5, "feedback": "close"}
        """,
        settings="""
        signals = ["seconds"]
        cases = ["short", "long"]
        [measures]
        wide = [0, 1]
        """,
    )
    e = judged(path, "x + 2")
    assert (e.fitness.tolist(), e.measures.tolist(), e.cases.tolist()) == ([5.0], [[0.5]], [[5.0, 10.0]])
    assert e.signals["seconds"].tolist() == [0.5]
    assert e.notes[0].text == "close"
    assert Directory(path=path).columns.measures[0] == ("wide", 0.0, 1.0)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("None", "the score must be a number, got NoneType"),
        ("'5'", "must be a number, got str"),
        ("[1, 2]", "must be a number, got list"),
        ("{'wide': 1}", "has no 'score'"),
        ("{'score': 1}", "has no 'wide'"),
        ("{'score': 1, 'wide': 'x'}", "measure 'wide' must be a number"),
    ],
)
def test_answers_that_are_none_have_a_verdict(task, value, says):
    path = task(f"def evaluate(program):\n    return {value}\n", settings="[measures]\nwide = [0, 1]\n")
    e = judged(path, "x + 2")
    assert e.verdict.tolist() == [Verdict.OUTPUT]
    assert says in e.notes[0].text


def test_a_score_that_raises_says_where(task):
    e = judged(task(TWO_SIDED), "'text'")
    assert e.verdict.tolist() == [Verdict.ERROR]
    assert "score() in evaluate.py raised TypeError" in e.notes[0].text
    assert "line 9" in e.notes[0].text


def test_two_sided_evaluator_may_import_files_beside_it(task):
    path = task("from helper import inputs\n\ndef score(inputs, outputs):\n    return sum(outputs)\n"
                .replace("from helper import inputs", "import helper\n\ndef inputs():\n    return helper.DATA"),
                helper="DATA = [1.0, 2.0]\n")  # fmt: skip
    assert judged(path, "x + 2").fitness.tolist() == [7.0]


def test_settings_reach_the_problem(task):
    path = task(
        settings="""
        name = "doubling"
        minimize = true
        unit = "m"
        target = 0.5
        seconds = 3
        memory_mb = 200
        max_nodes = 50
        constants = [7, 0.5]
        vocabulary = ["python_scalars"]
        [[primitives]]
        template = "_0 ** 3"
        args = ["float"]
        result = "float"
        """
    )
    p = Directory(path=path)
    assert (p.name, p.minimize, p.unit, p.target) == ("doubling", True, "m", 0.5)
    assert (p.limits.seconds, p.limits.memory_mb, p.space.max_nodes) == (3.0, 200, 50)
    assert p.space.vocabulary.constants == (7, 0.5)
    assert isinstance(p.space.vocabulary.constants[0], int)
    assert "_0 ** 3" in {row.template for row in p.space.vocabulary.primitives}


def test_only_the_named_functions_change(task):
    two = PROGRAM + "\n\ndef run(x: float) -> float:\n    return double(x)\n"
    p = Directory(path=task(TWO_SIDED, two, 'entry = "run"\nfunctions = ["double"]\n'))
    assert list(p.space.regions(p.start(root(0))[0])) == ["double"]


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ({"evaluate": None}, "evaluate.py is missing; it has program.py"),
        ({"program": None, "evaluate": None}, "program.py and evaluate.py are missing; it has no Python files"),
        ({"evaluate": "def evaluat(program):\n    return 1\n"}, "must define evaluate(program), or both inputs()"),
        ({"evaluate": "def evaluat(program):\n    return 1\n"}, "Did you mean 'evaluate'"),
        ({"evaluate": "def inputs():\n    return []\n"}, "both inputs() and score(inputs, outputs)"),
        ({"evaluate": ONE_SIDED + "\ndef score(a, b):\n    return 1\n"}, "keep one contract"),
        ({"evaluate": "def evaluate():\n    return 1\n"}, "line 1: evaluate must be called as evaluate(program)"),
        ({"evaluate": "def evaluate(program)\n    return 1\n"}, "evaluate.py, line 1: expected ':'"),
        ({"evaluate": "import no_such_module\n" + ONE_SIDED}, "'no_such_module' is imported but not installed"),
        ({"evaluate": "import helper\n" + ONE_SIDED, "helper": ""}, "cannot import"),
        ({"evaluate": textwrap.dedent(TWO_SIDED) + "\n1 / 0\n"}, "cannot be imported: ZeroDivisionError"),
        ({"program": "def f(x):\n    return x +\n"}, "program.py, line 2: invalid syntax"),
        ({"program": "x = 1\n"}, "program.py"),
        ({"evaluate": TWO_SIDED, "program": PROGRAM + "def g(x):\n    return x\n"}, 'entry = "g"'),
        ({"settings": "minimise = true\n"}, "unknown key 'minimise'. Did you mean 'minimize'"),
        ({"settings": "seconds = -1\n"}, "seconds: "),
        ({"settings": "seconds = \n"}, "is not TOML"),
        ({"settings": 'vocabulary = ["numpy"]\n'}, "no vocabulary is called 'numpy'"),
        ({"settings": "[measures]\na = [1, 0]\n"}, "the first number must be below the second"),
        ({"settings": 'signals = ["score"]\n'}, "must be distinct and not score"),
        ({"settings": '[[primitives]]\ntemplate = "_0 +"\nargs = ["float"]\nresult = "float"\n'}, "is not Python"),
        ({"settings": 'entry = "nothing"\n'}, "does not define the entry 'nothing'"),
    ],
)
def test_bad_directories_are_named(task, texts, says):
    with pytest.raises(UsageError) as e:
        Directory(path=task(**texts))
    assert says in str(e.value)


def test_no_directory_and_a_file_for_one(tmp_path):
    with pytest.raises(UsageError, match=r"no such directory.*evoloom init"):
        Directory(path=str(tmp_path / "nothing"))
    (tmp_path / "program.py").write_text(PROGRAM)
    with pytest.raises(UsageError, match="is a file"):
        Directory(path=str(tmp_path / "program.py"))


def test_template_works_and_has_room_for_improvement(tmp_path):
    files = init_directory(tmp_path / "mine")
    assert {f.name for f in files} == {"program.py", "evaluate.py", "evoloom.toml", "README.md"}
    problem = Directory(path=str(tmp_path / "mine"))
    assert problem.name == "mine"
    start = problem.start(root(0))[0]
    better = start.replace("return due", "return max(due, now + length)")  # modified due date
    e = problem.evaluate(Job([start, better], box=BOX))
    assert e.verdict.tolist() == [Verdict.OK, Verdict.OK]
    assert e.fitness[1] < 0.8 * e.fitness[0]
    assert np.isfinite(problem.held_out(start, BOX).fitness[0])


def test_template_never_overwrites(tmp_path):
    (tmp_path / "precious.txt").write_text("data")
    with pytest.raises(UsageError, match="not empty"):
        init_directory(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["precious.txt"]
