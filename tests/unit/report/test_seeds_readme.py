"""Seeds as processes, and the generated part of the README."""

import math
from pathlib import Path

import pytest

from evoloom.core.errors import UsageError
from evoloom.report import readme, seeds


def test_spread_here_and_in_processes():
    assert list(seeds.spread(math.sqrt, [1.0, 4.0, 9.0])) == [(1.0, 1.0), (4.0, 2.0), (9.0, 3.0)]
    assert sorted(seeds.spread(math.sqrt, [1.0, 4.0, 9.0], workers=2)) == [(1.0, 1.0), (4.0, 2.0), (9.0, 3.0)]
    with pytest.raises(UsageError, match="at least 1"):
        list(seeds.spread(math.sqrt, [1.0], workers=0))


def test_spread_raises_what_the_work_raised():
    with pytest.raises(ValueError, match="math domain"):
        list(seeds.spread(math.sqrt, [-1.0, 4.0], workers=2))


def test_readme_markers():
    text = f"a\n{readme.BEGIN}\nold\n{readme.END}\nb\n"
    new = readme.rewritten(text, "| t |\n")
    assert new == f"a\n{readme.BEGIN}\n| t |\n{readme.END}\nb\n"
    assert readme.rewritten(new, "| t |\n") == new
    with pytest.raises(UsageError, match="markers"):
        readme.rewritten(f"{readme.END}{readme.BEGIN}", "t")


def test_readme_table_is_fresh():
    """`python -m evoloom.report.readme` rewrites it."""
    file = Path(__file__).parents[3] / "README.md"
    text = file.read_text()
    assert readme.rewritten(text, readme.systems_table()) == text
