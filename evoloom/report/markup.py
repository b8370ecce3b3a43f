"""HTML as nested calls. Text is escaped unless it is already `Markup`, so a candidate can never become markup."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

VOID = frozenset({"meta", "br", "hr"})


class Markup(str):
    """Text that is HTML already: made by `tag`, or a constant of this package. Never made from a run's content."""

    __slots__ = ()


def text(x: Any) -> Markup:
    """Anything as escaped text."""
    return x if isinstance(x, Markup) else Markup(html.escape(str(x), quote=True))


def join(parts: Iterable[Any], between: str = "") -> Markup:
    """Parts in a row, escaped where they are not Markup."""
    return Markup(between.join(text(p) for p in parts))


def tag(name: str, /, *children: Any, **attributes: Any) -> Markup:
    """An element. `class_` is class, `data_x` is data-x; None and False leave an attribute out, True has no value."""
    written = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        key = key.rstrip("_").replace("_", "-")
        written.append(f" {key}" if value is True else f' {key}="{html.escape(str(value), quote=True)}"')
    opened = f"<{name}{''.join(written)}>"
    if name in VOID:
        return Markup(opened)
    return Markup(f"{opened}{join(c for c in children if c is not None)}</{name}>")


def table(titles: Iterable[Any], rows: Iterable[Iterable[Any]], right: Iterable[int] = ()) -> Markup:
    """A table; `right` holds the columns that hold numbers."""
    right = set(right)

    def cells(name: str, row: Iterable[Any]) -> Markup:
        return join(tag(name, c, class_="n" if i in right else None) for i, c in enumerate(row))

    head = tag("thead", tag("tr", cells("th", titles)))
    body = tag("tbody", *(tag("tr", cells("td", row)) for row in rows))
    return tag("div", tag("table", head, body), class_="scroll")
