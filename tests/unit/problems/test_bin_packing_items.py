"""The user's own sizes: files, grids, splits, rounding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_process import InProcessBox

from evoloom.core.contracts import Job
from evoloom.core.errors import UsageError
from evoloom.problems.bin_packing import BinPacking, heuristics
from evoloom.problems.bin_packing.instances import Grid, Instance, grid_of, round_up, split
from evoloom.problems.bin_packing.item_file import read_items


def write(path, text):
    path.write_text(text)
    return path


def test_plain_and_csv_files_give_the_same_sizes(tmp_path):
    plain = write(tmp_path / "a.txt", "# kg\n3\n\n4.5\n 5 \n")
    named = write(tmp_path / "b.csv", "id,Size\na,3\nb,4.5\nc,5\n")
    numbered = write(tmp_path / "c.csv", "7;3\n8;4.5\n9;5\n")
    assert read_items(plain, 10).tolist() == [3, 4.5, 5]
    assert read_items(named, 10).tolist() == [3, 4.5, 5]
    assert read_items(numbered, 10, "2").tolist() == [3, 4.5, 5]
    assert read_items(named, 10, "Size").tolist() == [3, 4.5, 5]


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("", "", "no item sizes"),
        ("size\n", "", "no sizes below"),
        ("3\nx\n", "", "line 2: expected an item size, got 'x'"),
        ("3\nnan\n", "", "line 2"),
        ("3\n\n-1\n", "", "line 3: a size must be positive"),
        ("3\n11\n", "", "line 2: size 11 does not fit"),
        ("a,b\n1,2\n", "", "Columns: a, b"),
        ("width,length\n1,2\n", "widht", "Did you mean 'width'"),
        ("1,2\n", "x", "columns are 1 to 2"),
        ("a,b\n1\n", "b", "line 2: expected an item size, got ''"),
    ],
)
def test_bad_files_name_the_line_and_the_remedy(tmp_path, text, column, says):
    with pytest.raises(UsageError, match=says):
        read_items(write(tmp_path / "items.csv", text), 10, column)


def test_a_missing_file_is_said_plainly(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        read_items(tmp_path / "nothing.txt", 10)


def test_a_sequence_is_cut_in_its_order():
    sizes = np.arange(1.0, 601.0)
    train, held = split(sizes, 1000.0, 5)
    assert np.concatenate([i.items for i in (*train, *held)]).tolist() == sizes.tolist()
    assert [len(i.items) for i in train] == [80] * 5
    assert len(held[0].items) == 200
    assert len(split(sizes[:60], 1000.0, 5)[0]) == 1
    with pytest.raises(UsageError, match="at least 30"):
        split(sizes[:29], 1000.0, 5)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=30), st.sampled_from([1, 10, 100]), st.integers(1, 7))
def test_sizes_on_a_decimal_grid_come_back_exactly(steps, scale, unit):
    top = max(steps) + 3
    sizes = np.array(steps, float) * unit / scale
    grid = grid_of(sizes, top * unit / scale)
    assert grid is not None
    assert grid.top <= top
    assert grid.sizes(grid.steps(sizes)).tolist() == sizes.tolist()
    assert grid.size(float(grid.top)) == top * unit / scale


def test_sizes_with_many_digits_have_no_grid():
    assert grid_of(np.array([np.pi, 2.0]), 10.0) is None
    assert grid_of(np.array([0.5, 2.0]), 10000.0) is None  # 20,000 steps
    assert grid_of(np.array([20.0, 30.0]), 100.0) == Grid(10, 10, 1)


@given(st.lists(st.floats(0.001, 12.5), min_size=1, max_size=40))
def test_rounding_up_never_makes_an_item_smaller_by_more_than_rounding_error(sizes):
    grid = Grid(50, 12.5, 50)
    rounded = round_up(Instance("x", np.array(sizes), 12.5), grid).items
    assert (rounded >= np.array(sizes) - 1e-9).all()
    assert (rounded - np.array(sizes) <= 0.25 + 1e-9).all()
    assert grid.sizes(grid.steps(rounded)).tolist() == rounded.tolist()


def test_an_own_file_is_judged_on_the_grid_or_exactly_or_rounded(tmp_path):
    rng = np.random.default_rng(0)
    halves = rng.integers(2, 25, 300) / 2
    reals = rng.uniform(1, 12.5, 300)
    kinds = {}
    for name, sizes, levels in (("grid", halves, 0), ("exact", reals, 0), ("rounded", reals, 100)):
        path = write(tmp_path / f"{name}.txt", "\n".join(map(repr, sizes.tolist())))
        problem = BinPacking(items=str(path), capacity=12.5, n_instances=2, levels=levels)
        box = InProcessBox()
        e = problem.evaluate(Job([heuristics.BEST_FIT], box=box))
        kinds[name] = (box.opened, e.notes[0] is None)
        held = problem.held_out(heuristics.BEST_FIT, InProcessBox())
        assert held.fitness[0] == pytest.approx(held.signals["best_fit"][0])
        assert held.signals["first_fit"][0] >= 0
        assert "large" not in held.signals
    assert kinds == {"grid": (1, True), "exact": (2, False), "rounded": (1, True)}
