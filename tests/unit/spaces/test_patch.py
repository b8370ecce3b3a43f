"""Edits as data: applied exactly, refused with the nearest line, round trips."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoloom.core.rng import root
from evoloom.spaces.patch import Edit, PatchError, apply, between, diff, format, parse
from evoloom.spaces.program import ProgramSpace

SOURCE = """import math

def f(x: float) -> float:
    a = x + 1.0
    b = a * 2.0
    return b

def g(x: float) -> float:
    a = x + 1.0
    return a
"""
SPACE = ProgramSpace(SOURCE, entry="f")
LAYOUT = SPACE.layout


def test_one_edit_in_its_region():
    out = apply([Edit("g", "a = x + 1.0", "a = x")], SOURCE, LAYOUT)
    assert out == SOURCE[: SOURCE.rindex(" + 1.0")] + SOURCE[SOURCE.rindex(" + 1.0") + 6 :]
    assert apply([Edit(None, "b = a * 2.0", "b = a")], SOURCE, LAYOUT) == SOURCE.replace("a * 2.0", "a")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Edit(None, "a = x + 1.0", "a = x"), r"occurs 2 times \(lines 4, 9\)"),
        (Edit(None, "import math", "import os"), "line 1 is outside the parts that may change"),
        (Edit(None, "b = a * 3.0", "b = a"), "nearest is line 5: 'b = a \\* 2.0'"),
        (Edit("h", "a", "b"), r"no region 'h'; the program has \['f', 'g'\]"),
        (Edit("f", "", "x"), "old text is empty"),
        (Edit("f", "return a", "x"), "outside"),
    ],
)
def test_edits_that_do_not_apply(edit: Edit, message: str):
    with pytest.raises(PatchError, match=message):
        apply([edit], SOURCE, LAYOUT)


def test_a_patch_is_applied_as_a_whole_or_not():
    good = Edit("f", "b = a * 2.0", "b = a")
    with pytest.raises(PatchError, match="edit 2 of 2"):
        apply([good, good], SOURCE, LAYOUT)


def test_indentation_of_the_place_is_taken_over():
    edit = Edit(None, "b = a * 2.0  \nreturn b", "if a > 1.0:\n    b = a\n\nreturn b")
    out = apply([edit], SOURCE, LAYOUT)
    assert "    if a > 1.0:\n        b = a\n\n    return b\n" in out


def test_search_replace_text():
    text = "Because ...\n<<<<<<< SEARCH\n    b = a * 2.0\n=======\n    b = a\n>>>>>>> REPLACE\nDone."
    patch = parse(text)
    assert patch == (Edit(None, "    b = a * 2.0", "    b = a"),)
    assert parse(format(patch)) == patch


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no change", "no edit found"),
        ("<<<<<<< SEARCH\na\n=======\nb", "block of line 1 is not closed"),
        ("<<<<<<< SEARCH\na\n>>>>>>> REPLACE", "has no '======='"),
        ("<<<<<<< SEARCH\na\n<<<<<<< SEARCH\n", "line 3: a block begins inside"),
    ],
)
def test_unreadable_patches(text: str, message: str):
    with pytest.raises(PatchError, match=message):
        parse(text)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_between_and_apply_are_inverse(i: int, j: int):
    a, b = SPACE.sample(root(i), 2)[1], SPACE.sample(root(j), 2)[1]
    assert apply(between(a, b, LAYOUT), a, LAYOUT) == b
    assert (between(a, b, LAYOUT) == ()) == (a == b)


def test_between_refuses_changes_outside():
    with pytest.raises(PatchError, match="outside the regions"):
        between(SOURCE, SOURCE.replace("math", "os"), LAYOUT)


def test_diff_is_unified():
    lines = diff("a\nb\n", "a\nc\n").split("\n")
    assert lines[:2] == ["--- parent", "+++ child"]
    assert "-b" in lines
    assert "+c" in lines
