"""Reading the user's own sequence of item sizes: one number per line, or a column of a CSV file."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from evoloom.core.errors import UsageError, near

USUAL = ("size", "sizes", "item", "items", "weight", "volume", "length")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """(line number, fields) of every line that is not blank or a comment."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"items={path}: no such file. Expected a text file with one item size per line.") from None
    except (OSError, UnicodeDecodeError) as why:
        raise UsageError(f"items={path}: not readable as text ({why}). Expected one item size per line.") from None
    lines = [(i, line) for i, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    if not lines:
        raise UsageError(f"items={path}: the file holds no item sizes. Expected one number per line.")
    sample = lines[0][1]
    delimiter = next((d for d in ",;\t" if d in sample), ",")
    fields = csv.reader([line for _, line in lines], delimiter=delimiter)
    return [(i, [f.strip() for f in row]) for (i, _), row in zip(lines, fields)]


def _pick_column(path: Path, header: list[str] | None, width: int, column: str) -> int:
    """Index of the column to read."""
    if column.isdigit() and 1 <= int(column) <= width:
        return int(column) - 1
    names = header or []
    if column:
        if column in names:
            return names.index(column)
        have = near(column, names) if names else f" The file has no header; columns are 1 to {width}."
        raise UsageError(f"items={path}: no column '{column}'.{have}")
    if width == 1:
        return 0
    usual = [i for i, name in enumerate(names) if name.lower() in USUAL]
    if len(usual) == 1:
        return usual[0]
    have = ", ".join(names) if names else f"1 to {width}"
    raise UsageError(f"items={path}: {width} columns; say which holds the sizes with column=... Columns: {have}.")


def read_items(path: Path, capacity: float, column: str = "") -> np.ndarray:
    """(n,) sizes in order of arrival. A first line without any number is a header; `#` begins a comment line.

    Raises:
        UsageError: names the file and the line of what cannot be used: not a number, not positive, beyond `capacity`.
    """
    rows = _rows(path)
    header = rows.pop(0)[1] if all(_number(f) is None for f in rows[0][1]) else None
    if not rows:
        raise UsageError(f"items={path}: a header ({', '.join(header or [])}) and no sizes below it.")
    k = _pick_column(path, header, len(header or rows[0][1]), column)
    sizes = np.empty(len(rows))
    for i, (line, fields) in enumerate(rows):
        text = fields[k] if k < len(fields) else ""
        size = _number(text)
        if size is None or not math.isfinite(size):
            raise UsageError(f"items={path}, line {line}: expected an item size, got {text!r}.")
        if size <= 0:
            raise UsageError(f"items={path}, line {line}: a size must be positive, got {text}.")
        if size > capacity:
            raise UsageError(
                f"items={path}, line {line}: size {text} does not fit into a bin of capacity {capacity:g}. Set "
                "capacity=... to the bins' true capacity, or leave such items out."
            )
        sizes[i] = size
    return sizes
