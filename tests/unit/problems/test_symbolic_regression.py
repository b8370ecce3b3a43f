"""Symbolic regression: scores by hand, splits, and every way in which a table can be wrong."""

import numpy as np
import pytest
from in_process import InProcessBox

from evoloom.core.contracts import Job, Verdict
from evoloom.core.errors import UsageError
from evoloom.core.rng import root
from evoloom.problems.symbolic_data import TEXTBOOK, identifiers
from evoloom.problems.symbolic_regression import SymbolicRegression

BOX = InProcessBox()
FORMULA = "import numpy as np\n\n\ndef f({}):\n    return {}\n"
TRUTH = {
    "koza-1": ("x0", "x0**4 + x0**3 + x0**2 + x0"),
    "nguyen-5": ("x0", "np.sin(x0**2) * np.cos(x0) - 1"),
    "nguyen-7": ("x0", "np.log((x0 + 1) * (x0**2 + 1))"),
    "nguyen-9": ("x0, x1", "np.sin(x0) + np.sin(x1**2)"),
    "pagie-1": ("x0, x1", "1 / (1 + x0**-4) + 1 / (1 + x1**-4)"),
}


@pytest.fixture
def table(tmp_path):
    """A CSV file of the given text."""

    def write(text: str) -> str:
        path = tmp_path / "table.csv"
        path.write_text(text)
        return str(path)

    return write


def lines(*header: str, n: int = 12) -> str:
    """header, then rows i, i^2, 2i + 1, ..."""
    columns = [lambda i: i, lambda i: i * i, lambda i: 2 * i + 1]
    rows = [",".join(str(columns[k](i)) for k in range(len(header))) for i in range(n)]
    return "\n".join([",".join(header), *rows]) + "\n"


@pytest.mark.parametrize("name", sorted(TEXTBOOK))
def test_the_true_formula_scores_one(name):
    p = SymbolicRegression(function=name)
    truth = FORMULA.format(*TRUTH[name])
    assert p.evaluate(Job([truth], box=BOX)).fitness == pytest.approx([1.0])
    assert p.held_out(truth, BOX).fitness == pytest.approx([1.0])


def test_start_and_samples_are_programs_of_the_space():
    p = SymbolicRegression(function="nguyen-9")
    (start,) = p.start(root(0))
    assert all(p.space.check(g) is None for g in (start, *p.space.sample(root(1), 20)))
    e = p.evaluate(Job([start], box=BOX))
    assert e.fitness[0] == pytest.approx(1 - np.mean((p.table.x[:, 0] - p.table.y) ** 2) / p.table.y.var())
    assert e.signals["size"] == e.measures[:, 0]


def test_a_target_with_quotes_cannot_break_the_program(table):
    p = SymbolicRegression(csv=table(lines("a", 'b""" + 1\\')))
    assert p.space.check(p.start(root(0))[0]) is None


def test_constant_formula_may_return_a_number(table):
    p = SymbolicRegression(csv=table(lines("a", "b")), metric="mse", held_out=0.0)
    e = p.evaluate(Job([FORMULA.format("a", "3.0")], box=BOX))
    assert p.minimize
    assert e.fitness == pytest.approx([np.mean([(i * i - 3) ** 2 for i in range(12)])])
    assert p.held_out(FORMULA.format("a", "3.0"), BOX) is None


@pytest.mark.parametrize(
    ("formula", "verdict"),
    [
        ("a[:3]", Verdict.OUTPUT),
        ("'no'", Verdict.OUTPUT),
        ("a / 0", Verdict.NONFINITE),
        ("a.missing", Verdict.ERROR),
        ("[[1.0]]", Verdict.OUTPUT),
        ("a + 1j", Verdict.OUTPUT),
    ],
)
def test_failures_are_verdicts(table, formula, verdict):
    p = SymbolicRegression(csv=table(lines("a", "b")))
    with np.errstate(all="ignore"):
        e = p.evaluate(Job([FORMULA.format("a", formula)], box=BOX))
    assert e.verdict.tolist() == [verdict]
    assert e.notes[0].text


def test_candidate_gets_the_columns_and_the_split_is_a_partition(table):
    p = SymbolicRegression(csv=table(lines("a", "b", "c", n=40)), target="b", inputs="c", held_out=0.25)
    t = p.table
    assert (t.names, t.target) == (("c",), "b")
    assert (len(t.y), len(t.y_held_out)) == (30, 10)
    assert sorted([*t.y, *t.y_held_out]) == [i * i for i in range(40)]
    assert (t.x[:, 0] == 2 * np.sqrt(t.y) + 1).all()
    other = SymbolicRegression(csv=table(lines("a", "b", "c", n=40)), target="b", inputs="c", split_seed=1)
    assert other.settings() != p.settings()


def test_names_of_columns_become_identifiers():
    assert identifiers(["Body mass (g)", "2nd", "class", "np", "a-b", "a b", "größe", "%"]) == (
        "Body_mass_g", "x2nd", "class_", "np_", "a_b", "a_b_", "größe", "x7",
    )  # fmt: skip


def test_rows_that_lack_a_number_may_be_dropped(table):
    text = lines("a", "b") + "13,\nnan,3\n"
    assert len(SymbolicRegression(csv=table(text), missing="drop", held_out=0.0).table.y) == 12
    with pytest.raises(UsageError, match=r"line 14: column 'b' has no finite number.*missing=drop"):
        SymbolicRegression(csv=table(text))


def test_semicolons_and_a_byte_order_mark(table):
    p = SymbolicRegression(csv=table("\ufeff" + lines("a", "b").replace(",", ";")))
    assert p.table.names == ("a",)


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        (lines("length", "width"), {"target": "lenght"}, "no column 'lenght'. Did you mean 'length'"),
        (lines("a", "b"), {"inputs": "b"}, "other than the target"),
        (lines("a", "b", n=5), {}, "5 usable rows"),
        (lines("1", "2"), {}, "only numbers"),
        (lines("a", "a"), {}, "distinct names"),
        ("a,b\n" + "1,7\n" * 20, {}, "is 7 in every row"),
        (lines("a", "b") + "x,3\n", {}, "line 14: 'x' in column 'a' is not a number"),
        (lines("a", "b") + "1,2,3\n", {}, "line 14: 3 cells where the header has 2"),
        ("a,b\n", {}, "expected a header and rows"),
        ("", {}, "expected a header and rows"),
        (lines("a", "b"), {"held_out": 1.0}, "0 to 0.9"),
        (lines("a", "b"), {"metric": "mae"}, "metric is r2 or mse"),
        (lines("a", "b"), {"forms": "wavy"}, "forms is smooth or piecewise"),
    ],
)
def test_bad_tables_are_named(table, text, options, says):
    with pytest.raises(UsageError) as e:
        SymbolicRegression(csv=table(text), **options)
    assert says in str(e.value)


def test_other_bad_options():
    with pytest.raises(UsageError, match="no such file"):
        SymbolicRegression(csv="nowhere.csv")
    with pytest.raises(UsageError, match="Did you mean 'koza-1'"):
        SymbolicRegression(function="koza1")
    with pytest.raises(UsageError, match="csv=FILE"):
        SymbolicRegression(target="y")
