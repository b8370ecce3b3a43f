"""Tables for symbolic regression: a CSV file of the user's, or a textbook function sampled from a seed."""

from __future__ import annotations

import csv
import keyword
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from evoloom.core.errors import UsageError, near
from evoloom.core.rng import root

MIN_ROWS = 8
TAKEN = {"np", "f"}  # names that the program itself uses


class Table(NamedTuple):
    """Rows to learn from, and rows that the search never sees. Names are Python identifiers."""

    names: tuple[str, ...]  # of the k inputs
    target: str
    x: np.ndarray  # (n, k)
    y: np.ndarray  # (n,)
    x_held_out: np.ndarray  # (h, k)
    y_held_out: np.ndarray  # (h,)


class Textbook(NamedTuple):
    """A function of the literature: inputs are uniform in [low, high]."""

    f: Callable[..., np.ndarray]
    n_inputs: int
    low: float
    high: float
    n: int


# Koza 1992 (koza-1); Uy et al., Genetic Programming and Evolvable Machines 12, 2011, table 1 (nguyen-*); Pagie and
# Hogeweg, Evolutionary Computation 5, 1997 (pagie-1). Points per function as usual there; held out: 4 times as many.
TEXTBOOK = {
    "koza-1": Textbook(lambda x: x**4 + x**3 + x**2 + x, 1, -1, 1, 20),
    "nguyen-5": Textbook(lambda x: np.sin(x**2) * np.cos(x) - 1, 1, -1, 1, 20),
    "nguyen-7": Textbook(lambda x: np.log(x + 1) + np.log(x**2 + 1), 1, 0, 2, 20),
    "nguyen-9": Textbook(lambda x, y: np.sin(x) + np.sin(y**2), 2, 0, 1, 100),
    "pagie-1": Textbook(lambda x, y: x**4 / (1 + x**4) + y**4 / (1 + y**4), 2, -5, 5, 400),
}


def textbook(name: str, seed: int) -> Table:
    """A textbook function, without noise. Raises UsageError for an unknown name."""
    if name not in TEXTBOOK:
        raise UsageError(f"no built-in function is called '{name}'.{near(name, TEXTBOOK)}")
    t = TEXTBOOK[name]
    u = root(seed).fold("symbolic-regression").fold(name).uniform((5 * t.n, t.n_inputs))
    x = t.low + (t.high - t.low) * u
    y = t.f(*x.T)
    names = tuple(f"x{i}" for i in range(t.n_inputs))
    return Table(names, "y", x[: t.n], y[: t.n], x[t.n :], y[t.n :])


def from_csv(path: str, target: str, inputs: str, missing: str, held_out: float, seed: int) -> Table:
    """A CSV file with a header, split at random into rows to learn from and rows held out.

    Args:
        target: column to predict; "" = the last one.
        inputs: comma-separated columns to predict from; "" = all others.
        missing: "error", or "drop" for rows with an empty or NaN cell.
        held_out: share of the rows that the search never sees.

    Raises:
        UsageError: no such file or column, a cell that is no number, too few rows, a constant target.
    """
    header, rows = _read(path)
    target = target or header[-1]
    wanted = [c.strip() for c in inputs.split(",")] if inputs else [c for c in header if c != target]
    for name in (target, *wanted):
        if name not in header:
            raise UsageError(f"csv={path}: no column '{name}'.{near(name, header)}")
    if target in wanted or not wanted:
        raise UsageError(f"csv={path}: inputs must be at least one column other than the target '{target}'")
    values = _numbers(path, header, rows, [*wanted, target], missing)
    y = values[:, -1]
    if len(y) < MIN_ROWS:
        raise UsageError(f"csv={path}: {len(y)} usable rows; at least {MIN_ROWS} are needed to learn and to hold out")
    order = root(seed).fold("symbolic-regression").generator().permutation(len(y))
    kept = max(1, round(held_out * len(y))) if held_out else 0
    test, train = np.sort(order[:kept]), np.sort(order[kept:])
    if np.ptp(y[train]) == 0:
        raise UsageError(f"csv={path}: target '{target}' is {y[train][0]:g} in every row to learn from: nothing to fit")
    x = values[:, :-1]
    return Table(identifiers(wanted), target, x[train], y[train], x[test], y[test])


def _read(path: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and (line number, fields) of the rows."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"csv={path}: no such file (looked in {Path.cwd()})") from None
    except (OSError, UnicodeDecodeError) as why:
        raise UsageError(f"csv={path}: not readable as UTF-8 text ({why}). Expected comma-separated columns.") from None
    first = text.split("\n", 1)[0]
    reader = csv.reader(text.splitlines(), delimiter=max(",;\t", key=first.count))
    rows = [(reader.line_num, [c.strip() for c in row]) for row in reader if any(c.strip() for c in row)]
    if len(rows) < 2:
        raise UsageError(f"csv={path}: expected a header and rows of numbers, got {len(rows)} lines")
    header = rows[0][1]
    if all(_number(c) is not None for c in header):
        raise UsageError(f"csv={path}: the first line holds only numbers. Add a line with the columns' names above it.")
    if len(header) < 2 or len(set(header)) < len(header) or "" in header:
        raise UsageError(f"csv={path}: expected two or more columns with distinct names, got {header}")
    for line, row in rows[1:]:
        if len(row) != len(header):
            raise UsageError(f"csv={path}, line {line}: {len(row)} cells where the header has {len(header)}")
    return header, rows[1:]


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _numbers(
    path: str, header: list[str], rows: list[tuple[int, list[str]]], columns: list[str], missing: str
) -> np.ndarray:
    """The named columns as (n, columns) finite float64."""
    at = [header.index(c) for c in columns]
    out = []
    for line, row in rows:
        cells = [math.nan if row[i].lower() in ("", "na", "null", "none") else _number(row[i]) for i in at]
        for name, i, cell in zip(columns, at, cells):
            if cell is None:
                raise UsageError(
                    f"csv={path}, line {line}: '{row[i]}' in column '{name}' is not a number. Encode the column as "
                    "numbers, or leave it out: inputs=COLUMN,COLUMN"
                )
            if not math.isfinite(cell) and missing == "error":
                raise UsageError(
                    f"csv={path}, line {line}: column '{name}' has no finite number ('{row[i]}'). Fill it in, or leave "
                    "out such rows: missing=drop"
                )
        if np.isfinite(np.array(cells, dtype=float)).all():
            out.append(cells)
    return np.array(out, dtype=np.float64).reshape(len(out), len(columns))


def identifiers(columns: list[str]) -> tuple[str, ...]:
    """Names of columns as distinct Python identifiers: "Body mass (g)" -> `Body_mass_g`."""
    out: list[str] = []
    for i, column in enumerate(columns):
        name = re.sub(r"\W+", "_", column).strip("_") or f"x{i}"
        if name[0].isdigit():
            name = f"x{name}"
        while name in out or name in TAKEN or keyword.iskeyword(name):
            name += "_"
        out.append(name)
    return tuple(out)
