"""Programs as genomes: regions, reasons, keys, sampling, simplification, reduction."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from evoloom.core.errors import UsageError
from evoloom.core.rng import root
from evoloom.spaces.program import ProgramSpace
from evoloom.spaces.source_reduce import reduced
from evoloom.spaces.source_types import Idiom, Primitive, Vocabulary
from evoloom.testing.spaces import check_space

PRIORITY = '''import numpy as np


def priority(item: float, bins: np.ndarray) -> np.ndarray:
    """One number per bin."""
    gap = bins - item  # what is left
    if item > 50.0:
        gap = gap * 2.0
    return np.where(gap < 3.0, 100.0 - gap, -gap)
'''

BLOCKS = """import math
LIMIT = 3.0
# EVOLVE-BLOCK-START
def helper(x: float) -> float:
    return x + 1.0

def f(x: float, n: int = 3) -> float:
    total = 0.0
    for i in range(n):
        total = total + helper(x) * i
    return total
# EVOLVE-BLOCK-END

def g(x: float) -> float:
    y = 1.0
    # EVOLVE-BLOCK-START
    z = x * 2.0
    w = z + y
    # EVOLVE-BLOCK-END
    return w
"""


def body(text: str) -> str:
    return PRIORITY[: PRIORITY.index("    gap")] + text


@pytest.fixture(scope="module")
def space() -> ProgramSpace:
    return ProgramSpace(PRIORITY, entry="priority")


def run(source: str, item: float, bins: np.ndarray):
    names: dict = {}
    exec(source, names)
    with np.errstate(all="ignore"):
        return names["priority"](item, bins)


def test_the_contract_of_spaces_holds(space: ProgramSpace):
    check_space(space)
    check_space(ProgramSpace(BLOCKS, entry="f"))


def test_regions_are_the_bodies_below_docstrings(space: ProgramSpace):
    assert list(space.regions(PRIORITY)) == ["priority"]
    assert space.regions(PRIORITY)["priority"].startswith("    gap = bins - item  # what is left\n")
    assert space.layout.join(tuple(space.regions(PRIORITY).values())) == PRIORITY


def test_markers_make_regions_at_any_depth():
    s = ProgramSpace(BLOCKS, entry="f")
    assert list(s.regions(BLOCKS)) == ["block 1", "block 2"]
    assert s.regions(BLOCKS)["block 2"] == "    z = x * 2.0\n    w = z + y\n"
    top, inner = s.contexts
    assert top.within == "module"
    assert inner.env["y"] == "float"
    assert inner.exports == {"w"}


def test_functions_chosen_by_name_and_bodies_on_the_header_line():
    source = "def a(x: float) -> float: return x + 1.0\n\ndef b(x: float) -> float:\n    return a(x)\n"
    s = ProgramSpace(source, entry="b", functions=["a"])
    assert s.regions(source) == {"a": " return x + 1.0"}
    child = s.with_constants(source, [2.0])
    assert child == source.replace(" return x + 1.0", "\n    return x + 2.0")
    new = s.sample(root(0), 1)[0]
    assert new.startswith("def a(x: float) -> float:")
    assert new.endswith("\n\ndef b(x: float) -> float:\n    return a(x)\n")
    assert s.check(new) is None


@pytest.mark.parametrize(
    ("genome", "reason"),
    [
        (7, "got int"),
        (body("    return (\n"), "syntax error in line"),
        (body("    return bins\nimport os\n"), "changes the frozen part"),
        (body("    return bins\n").replace("import numpy as np", "import numpy  as np"), "'import numpy as np'"),
        (body("    return bins\n").replace("item: float", "item: int"), "frozen part is changed"),
        (body("    return " + "+".join(["bins"] * 150) + "\n"), "syntax nodes"),
        (body("    return bins #" + "x" * 100_000), "characters"),
        (PRIORITY + "\0", "compiled|syntax error"),
        (body("    return " + "(" * 300 + "1" + ")" * 300 + "\n"), "syntax error"),
    ],
)
def test_reasons(space: ProgramSpace, genome, reason: str):
    import re

    assert re.search(reason, space.check(genome) or "")


def test_missing_entry_and_other_arguments():
    s = ProgramSpace(BLOCKS, entry="f")
    assert "'f' is not defined" in (s.check(BLOCKS.replace("def f(", "def h(")) or "")
    assert "takes 1 arguments, expected 2" in (s.check(BLOCKS.replace(", n: int = 3", "").replace("(n)", "(3)")) or "")


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("x = 1\n", {}, "nothing to evolve"),
        ("def f(:\n", {}, "syntax error in line 1"),
        ("def f():\n    return 1\n", {"entry": "g"}, "does not define the entry 'g'"),
        ("def f():\n    return 1\n", {"functions": ["g"]}, "no top-level function is called"),
        ("# EVOLVE-BLOCK-START\nx = 1\n", {}, "never closed"),
        ("# EVOLVE-BLOCK-END\nx = 1\n", {}, "without"),
        (
            "if 1:\n    # EVOLVE-BLOCK-START\n    x = 1\nelse:\n    # EVOLVE-BLOCK-END\n    x = 2\n",
            {},
            "whole statements",
        ),
        (
            "def f():\n    return 1\n",
            {"vocabulary": Vocabulary((Primitive("np.abs(_0)", ("float",), "float"),))},
            "'np'",
        ),
        ("def f():\n    return 1\n", {"vocabulary": Vocabulary((Primitive("abs(_1)", ("float",), "float"),))}, "holes"),
    ],
)
def test_unusable_starts_say_why(source: str, options: dict, message: str):
    with pytest.raises(UsageError, match=message):
        ProgramSpace(source, **options)


def test_key_ignores_writing_and_local_names(space: ProgramSpace):
    other = body(
        "    t = (bins - item)  # renamed, other comment\n"
        "    if item > 50.0:\n        t = t * 2.0\n    return np.where(t < 3.0,\n        100.0 - t, -t)\n"
    )
    assert space.check(other) is None
    assert space.key(other) == space.key(PRIORITY)
    assert space.distance(other, PRIORITY) == 0.0
    assert space.key(PRIORITY.replace("3.0", "3")) != space.key(PRIORITY)  # int and float are told apart
    swapped = PRIORITY.replace("bins - item", "item - bins")
    assert space.key(swapped) != space.key(PRIORITY)
    assert 0.0 < space.distance(swapped, PRIORITY) < space.distance(body("    return bins\n"), PRIORITY) <= 1.0


def test_names_that_mean_something_outside_are_kept():
    source = "LIMIT = 3.0\n\ndef f(x: float) -> float:\n    a = x\n    return a\n"
    s = ProgramSpace(source, entry="f")
    head = source[: source.index("    a")]
    assert s.key(head + "    LIMIT = x\n    return LIMIT\n") != s.key(source)
    assert s.key(head + "    b = x\n    return b\n") == s.key(source)
    assert s.key(head + "    b = x\n    return locals()['b']\n") != s.key(
        head + "    a = x\n    return locals()['b']\n"
    )


def test_arguments_that_are_assigned_are_no_locals(space: ProgramSpace):
    one = body("    bins = bins * item\n    return bins\n")
    two = body("    item = item * bins\n    return item\n")
    assert space.key(one) != space.key(two)
    s = ProgramSpace(BLOCKS, entry="f")
    swapped = BLOCKS.replace("z = x * 2.0", "w = x * 2.0").replace("w = z + y", "z = w + y")
    assert s.key(swapped) != s.key(BLOCKS)  # w is read after the region
    assert s.key(BLOCKS.replace("z", "q")) == s.key(BLOCKS)


def test_samples_are_typed_programs_of_all_sizes(space: ProgramSpace):
    bins = np.linspace(1.0, 100.0, 7)
    sizes = []
    for g in space.sample(root(3), 80):
        assert space.check(g) is None
        sizes.append(space.size(g))
        try:
            out = run(g, 30.0, bins)
        except (ZeroDivisionError, OverflowError, TypeError):
            continue  # scalars of Python raise where arrays give inf; a negative base gives a complex number
        assert out.shape == bins.shape
    assert min(sizes) <= 4
    assert max(sizes) > 30


def test_simplify_keeps_values_on_random_programs(space: ProgramSpace):
    from evoloom.core.contracts import NotMade, Record
    from evoloom.vary.source import source_mixture

    vary, bins, shorter = source_mixture(space, again=0.8), np.linspace(1.0, 100.0, 23), 0
    samples = space.sample(root(8), 120)
    for i, g in enumerate(samples):
        try:
            g = vary(root(i), [Record(0, g), Record(1, samples[i - 1])]).genome
        except NotMade:
            pass
        s = space.simplify(g)
        assert space.check(s) is None
        assert space.key(space.simplify(s)) == space.key(s)
        shorter += space.size(s) < space.size(g)
        for item in (0.0, 1.0, 33.0):
            try:
                want = run(g, item, bins)
            except (ZeroDivisionError, OverflowError, TypeError):
                continue
            np.testing.assert_array_equal(run(s, item, bins), want)
    assert shorter > 10


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return bins * 1.0 + 0.0", "return bins"),
        ("return bins - -(item - bins)", "return bins + (item - bins)"),
        ("return np.where(item < item, item, bins)", "return bins"),
        ("return np.where(bins < 3.0, np.minimum(bins, bins), bins)", "return bins"),
        ("return bins - bins", "return bins - bins"),
        ("return bins * (2.0 * 3.0)", "return bins * 6.0"),
        ("return np.minimum(np.minimum(bins, item), item)", "return np.minimum(bins, item)"),
        ("t0 = bins * 2.0\n    return t0 + item", "return bins * 2.0 + item"),
        ("a = bins\n    a = item * bins\n    b = a\n    return a", "a = item * bins\n    return a"),
        ("if item > 3.0:\n        return bins\n    return bins", "return bins"),
        ("if 1.0 > 3.0:\n        return item * bins\n    return bins\n    a = 1", "return bins"),
        (
            "if item > 3.0:\n        return -bins\n    return bins",
            "if item > 3.0:\n        return -bins\n    return bins",
        ),
    ],
)
def test_simplify_rules(space: ProgramSpace, before: str, after: str):
    assert space.simplify(body(f"    {before}\n")) == body(f"    {after}\n")


def test_reduce_finds_the_core_of_a_program(space: ProgramSpace):
    bins = np.linspace(1.0, 100.0, 50)
    long = body(
        "    t = np.sqrt(np.square(bins)) * 1.234567\n    return np.where(t > -5.0, t - item, item * item) + 7.25\n"
    )
    want = [np.argsort(run(long, x, bins)) for x in (1.0, 20.0)]

    def keeps(g: str) -> bool:
        return all(np.array_equal(np.argsort(run(g, x, bins)), w) for x, w in zip((1.0, 20.0), want))

    assert reduced(space, long, keeps) == body("    return bins\n")


def test_constants_are_read_and_replaced(space: ProgramSpace):
    assert [x for x, _ in space.constants(PRIORITY)] == [50.0, 2.0, 3.0, 100.0]
    child = space.with_constants(PRIORITY, [50.0, 2.0, -4.5, 100.0])
    assert "gap < -4.5" in child
    assert [x for x, _ in space.constants(child)] == [50.0, 2.0, -4.5, 100.0]
    with pytest.raises(ValueError, match="4 constants, got 1"):
        space.with_constants(PRIORITY, [1.0])


def test_functions_of_the_program_and_user_types_join_the_vocabulary():
    source = (
        "class Plan: pass\n\ndef better(a: Plan, b: Plan) -> Plan:\n    return a\n\n"
        "def empty(n: int) -> Plan:\n    return Plan()\n\ndef make(n: int) -> Plan:\n    return empty(n)\n"
    )
    s = ProgramSpace(source, entry="make", functions=["make"])
    grown = {g[g.index("def make") :] for g in s.sample(root(1), 40)}
    assert any("better(" in g for g in grown)
    assert all("make(" not in g[9:] for g in grown)


def test_a_space_survives_pickling():
    vocabulary = Vocabulary(
        (Primitive("abs(_0)", ("float",), "float"),), (3.0,), (Idiom("_0 = _0 + 1.0", ("var float",)),)
    )
    s = ProgramSpace(BLOCKS, entry="f", vocabulary=vocabulary, max_nodes=150)
    t = pickle.loads(pickle.dumps(s))
    assert t.key(BLOCKS) == s.key(BLOCKS)
    assert (t.vocabulary, t.max_nodes) == (s.vocabulary, s.max_nodes)
