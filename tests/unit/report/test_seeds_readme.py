"""Seeds as processes, and the generated part of the README."""

import math
import os
import signal
import time
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


def press_and_return(x):
    """Work that takes Ctrl-C as a wish and returns, as a run does."""
    old = signal.signal(signal.SIGINT, lambda *_: None)
    if x == 2:
        os.kill(os.getpid(), signal.SIGINT)
    signal.signal(signal.SIGINT, old)
    return x


def test_an_item_that_ctrl_c_cut_short_is_not_given():
    results = seeds.spread(press_and_return, [1, 2, 3])
    assert next(results) == (1, 1)
    with pytest.raises(KeyboardInterrupt):
        next(results)


def test_closing_ends_the_processes_that_still_run():
    begun = time.monotonic()
    results = seeds.spread(time.sleep, [0.0, 100.0, 100.0], workers=2)
    assert next(results) == (0.0, None)
    results.close()
    assert time.monotonic() - begun < 50  # not until the sleepers are done


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
