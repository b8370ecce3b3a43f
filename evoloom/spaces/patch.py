"""An edit as data: what was there, what comes instead, in which region. Whoever made it, a typed edit or a model.

A patch is applied as a whole or not at all. An edit whose old text is not found, is found twice, or lies outside the
regions is an error that names the nearest line; nothing is ever skipped.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import NamedTuple

from evoloom.core.errors import EvoloomError
from evoloom.spaces.source_tree import Layout

SEARCH, MIDDLE, REPLACE = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"  # OpenEvolve's format


class PatchError(EvoloomError):
    """An edit cannot be applied, or the text of a patch cannot be read."""


class Edit(NamedTuple):
    """Replace `old`, which occurs once, by `new`. `region`: name of the one meant; None: whichever holds it."""

    region: str | None
    old: str
    new: str


Patch = tuple[Edit, ...]


def apply(patch: Sequence[Edit], source: str, layout: Layout | None = None) -> str:
    """The text with all edits made, one after the other. Text outside the regions keeps every byte.

    layout: the regions in which edits may be; None: the whole text may change.

    Raises:
        PatchError: an edit does not apply; the source is not of this layout.
    """
    for i, edit in enumerate(patch):
        try:
            source = _applied(edit, source, layout)
        except PatchError as e:
            raise PatchError(f"edit {i + 1} of {len(patch)}: {e}") from None
    return source


def _applied(edit: Edit, source: str, layout: Layout | None) -> str:
    spans = _spans(source, layout)
    if edit.region is not None and edit.region not in spans:
        raise PatchError(f"there is no region '{edit.region}'; the program has {sorted(spans)}")
    allowed = [spans[edit.region]] if edit.region is not None else list(spans.values())
    if not edit.old.strip():
        if edit.region is not None and not source[slice(*allowed[0])].strip():
            return source[: allowed[0][0]] + edit.new + source[allowed[0][1] :]
        raise PatchError("the old text is empty, so there is no telling where the new one goes: quote a line")
    found = [(a, b, edit.new) for a, b in _exact(edit.old, source)] or _loose(edit, source)
    inside = [f for f in found if any(lo <= f[0] and f[1] <= hi for lo, hi in allowed)]
    if len(inside) == 1:
        a, b, new = inside[0]
        return source[:a] + new + source[b:]
    if len(inside) > 1:
        lines = ", ".join(str(_line(source, a)) for a, _, _ in inside)
        raise PatchError(f"the old text occurs {len(inside)} times (lines {lines}): quote more lines around it")
    where = "; ".join(f"lines {_line(source, a)} to {_line(source, max(a, b - 1))}" for a, b in allowed)
    if found:
        raise PatchError(f"line {_line(source, found[0][0])} is outside the parts that may change ({where})")
    raise PatchError(
        f"the old text is not in the program. {_nearest(edit.old, source)}The parts that may change: {where}."
    )


def _spans(source: str, layout: Layout | None) -> dict[str, tuple[int, int]]:
    """Character range of each region of this text, by name."""
    if layout is None:
        return {"text": (0, len(source))}
    texts = layout.split(source)
    if texts is None:
        raise PatchError("the program's frozen part differs from the start's, so its regions cannot be found")
    out, at = {}, 0
    for frozen, text, span in zip(layout.frozen, texts, layout.spans):
        at += len(frozen)
        out[span.name] = (at, at + len(text))
        at += len(text)
    return out


def _exact(old: str, source: str) -> list[tuple[int, int]]:
    found, k = [], source.find(old)
    while k >= 0:
        found.append((k, k + len(old)))
        k = source.find(old, k + 1)
    return found


def _loose(edit: Edit, source: str) -> list[tuple[int, int, str]]:
    """Places equal line by line but for blanks at line ends and a common indentation, which the new text takes on."""
    old = edit.old.strip("\n").split("\n")
    have = source.split("\n")
    indent = _indent(old)
    bare = [line[len(indent) :].rstrip() for line in old]
    starts = [0]
    for line in have:
        starts.append(starts[-1] + len(line) + 1)
    out = []
    for i in range(len(have) - len(old) + 1):
        window = have[i : i + len(old)]
        if window[0].strip() != bare[0].strip():
            continue
        own = _indent(window)
        if [line[len(own) :].rstrip() for line in window] == bare:
            new = [own + line[len(indent) :] if line.strip() else "" for line in edit.new.strip("\n").split("\n")]
            if any(line.strip() and not line.startswith(indent) for line in edit.new.strip("\n").split("\n")):
                continue
            out.append((starts[i], starts[i + len(old)] - 1, "\n".join(new) if edit.new.strip() else ""))
    return out


def _indent(lines: Sequence[str]) -> str:
    """Blanks that all lines begin with."""
    heads = [line[: len(line) - len(line.lstrip())] for line in lines if line.strip()]
    least = min(heads, key=len, default="")
    return least if all(h.startswith(least) for h in heads) else ""


def _line(source: str, at: int) -> int:
    return source.count("\n", 0, at) + 1


def _nearest(old: str, source: str) -> str:
    lines = source.split("\n")
    best: tuple[float, int, str] = (0.0, 0, "")
    for wanted in [w.strip() for w in old.split("\n") if w.strip()]:
        if any(wanted == line.strip() for line in lines):
            continue  # this one is there: the error is in another line
        for i, line in enumerate(lines):
            ratio = difflib.SequenceMatcher(None, wanted, line.strip()).ratio()
            if ratio > best[0]:
                best = (ratio, i + 1, line.strip())
        break
    return f"The nearest is line {best[1]}: {best[2]!r}. " if best[0] > 0.3 else ""


def between(a: str, b: str, layout: Layout | None = None) -> Patch:
    """The patch that turns one text into another of the same layout: one edit per region that differs.

    Raises:
        PatchError: they differ outside the regions, or a region of `a` is blank and unnamed.
    """
    if layout is None:
        return () if a == b else (Edit("text", a, b),)
    old, new = layout.split(a), layout.split(b)
    if old is None or new is None:
        raise PatchError("the two programs differ outside the regions")
    return tuple(Edit(s.name, x, y) for s, x, y in zip(layout.spans, old, new) if x != y)


def diff(a: str, b: str, names: tuple[str, str] = ("parent", "child"), context: int = 3) -> str:
    """Unified diff, for people."""
    lines = difflib.unified_diff(a.split("\n"), b.split("\n"), *names, lineterm="", n=context)
    return "\n".join(lines)


def parse(text: str) -> Patch:
    """The SEARCH/REPLACE blocks of a text, in order; what stands around them is ignored.

    Raises:
        PatchError: there is no block, or one is not closed.
    """
    edits: list[Edit] = []
    old: list[str] | None = None
    new: list[str] | None = None
    opened = 0
    for i, line in enumerate(text.split("\n"), 1):
        mark = line.strip()
        if mark == SEARCH:
            if old is not None:
                raise PatchError(f"line {i}: a block begins inside the one of line {opened}")
            old, new, opened = [], None, i
        elif old is not None and new is None and mark == MIDDLE:
            new = []
        elif old is not None and mark == REPLACE:
            if new is None:
                raise PatchError(f"line {i}: the block of line {opened} has no '{MIDDLE}'")
            edits.append(Edit(None, "\n".join(old), "\n".join(new)))
            old = new = None
        elif new is not None:
            new.append(line)
        elif old is not None:
            old.append(line)
    if old is not None:
        raise PatchError(f"the block of line {opened} is not closed by '{REPLACE}'")
    if not edits:
        raise PatchError(f"no edit found: expected blocks of '{SEARCH}', old lines, '{MIDDLE}', new lines, '{REPLACE}'")
    return tuple(edits)


def format(patch: Sequence[Edit]) -> str:
    """The patch as SEARCH/REPLACE blocks. Regions are not written: `parse` gives None for them."""
    return "\n".join(f"{SEARCH}\n{e.old}\n{MIDDLE}\n{e.new}\n{REPLACE}" for e in patch) + "\n"
