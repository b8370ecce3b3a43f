"""Values as the texts and numbers that every database takes."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

WHOLE = "null"  # the scope of a whole judgement, as JSON text

dumps = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


def scope_text(scope: Any) -> str:
    """One text per scope: canonical JSON."""
    return WHOLE if scope is None else json.dumps(scope, sort_keys=True, separators=(",", ":"))


@lru_cache(4096)
def canonical(text: str | None) -> str:
    """The same from JSON text, however it was written; None is the whole judgement."""
    return WHOLE if text is None else scope_text(json.loads(text))


def storable(text: str) -> str:
    """The text as every database takes it. In JSON text a lone surrogate becomes its own escape: nothing is lost."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\u0000")


def fitness_of(x: float | None) -> float | None:
    """A plain float; a NaN is no fitness."""
    if x is None:
        return None
    x = float(x)
    return x if x == x else None
