"""Tables of cells that are already text, and the number format that every report shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

NOTHING = "–"


def number(x: Any, digits: int = 4) -> str:
    """A number for people: significant digits, thousands separated, no exponent between 1e-4 and 1e15."""
    if x is None or (isinstance(x, float) and math.isnan(x)):
        return NOTHING
    if isinstance(x, bool) or not isinstance(x, (int, float)):
        return str(x)
    if math.isinf(x):
        return "∞" if x > 0 else "-∞"
    if x == int(x) and abs(x) < 1e15:
        return f"{int(x):,}"
    size = abs(x)
    if size < 1e-4 or size >= 1e15:
        return f"{x:.{digits - 1}e}"
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    text = f"{x:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float | None) -> str:
    """0.0312 -> "3.1 %"."""
    return NOTHING if share is None or math.isnan(share) else f"{100 * share:.1f} %"


def p_value(p: float | None) -> str:
    """0.0312 -> "0.031"; below a thousandth "<0.001"."""
    if p is None or math.isnan(p):
        return NOTHING
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def duration(seconds: float | None) -> str:
    """Seconds as "8.1 s", "3 min 20 s", "2 h 05 min"."""
    if seconds is None or math.isnan(seconds) or math.isinf(seconds):
        return NOTHING
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def markdown(titles: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A GitHub table; `right` holds the columns that are aligned right."""
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    rule = ["---:" if i in right else "---" for i in range(len(titles))]
    lines = ["| " + " | ".join(row) + " |" for row in [list(titles), rule, *cells]]
    return "\n".join(lines) + "\n"


def plain(titles: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Columns of equal width for a terminal or a log."""
    table = [list(titles), *[list(row) for row in rows]]
    width = [max(len(row[i]) for row in table) for i in range(len(titles))]

    def line(row: Sequence[str]) -> str:
        return "  ".join(c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, width))).rstrip()

    rule = "  ".join("-" * w for w in width)
    return "\n".join([line(table[0]), rule, *[line(row) for row in table[1:]]]) + "\n"
