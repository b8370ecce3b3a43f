"""Shrinking a program while a judge says that it stays as good: what rules cannot know, trying can show.

Greedy tree reduction in the manner of delta debugging (Zeller and Hildebrandt 2002): whole statements go first, then
large expressions give way to their parts or to plain numbers, then numbers lose digits.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from evoloom.spaces.source_sites import Reading, literal, number
from evoloom.spaces.source_tree import Bodies, count, replaced
from evoloom.spaces.source_types import fits

if TYPE_CHECKING:
    from evoloom.spaces.program import ProgramSpace


def reduced(space: ProgramSpace, genome: str, keeps: Callable[[str], bool], *, tests: int = 300) -> str:
    """A simpler program for which `keeps` is true.

    keeps: whether a program is as good as it must be (the same table of priorities, the same fitness, ...).
    tests: most calls of it.
    """
    genome = space.simplify(genome)
    seen = {space.key(genome)}
    progress = True
    while progress and tests > 0:
        progress = False
        reading = space.read(genome)
        if reading is None:
            return genome
        for bodies in _smaller(reading):
            key = space.tree_key(bodies)
            if key in seen:
                continue
            seen.add(key)
            if not space.reread(bodies).undefined <= reading.undefined:
                continue
            child = space.write(genome, bodies)
            if space.check(child) is not None:
                continue
            tests -= 1
            if keeps(child):
                genome, progress = space.simplify(child), True
                break
            if tests <= 0:
                break
    return genome


def _smaller(r: Reading) -> Iterator[Bodies]:
    """Simpler neighbours of a program, the boldest first."""
    for place in r.places:
        for i, s in enumerate(place.stmts):
            if len(place.stmts) > 1 and isinstance(s, (ast.Assign, ast.AugAssign, ast.If, ast.For, ast.While)):
                yield replaced(r.bodies, place.path, [*place.stmts[:i], *place.stmts[i + 1 :]])
            if isinstance(s, (ast.If, ast.For)):
                yield replaced(r.bodies, place.path, [*place.stmts[:i], *s.body, *place.stmts[i + 1 :]])
    order = sorted(r.sites, key=lambda s: -count(s.node))
    for site in order:
        if count(site.node) == 1 or number(site.node) is not None:
            continue
        n = len(site.path)
        parts = [s for s in r.sites if s.path[:n] == site.path and len(s.path) > n and s.env is site.env]
        for part in sorted(parts, key=lambda s: count(s.node)):
            if any(fits(part.type, w) for w in site.wants):
                yield replaced(r.bodies, site.path, part.node)
        if "float" in site.wants:
            for x in (0.0, 1.0):
                yield replaced(r.bodies, site.path, literal(x))
    for path, x, real in r.constants:
        if real:
            for digits in (1, 2, 3):
                y = float(f"{x:.{digits}g}")
                if y != x:
                    yield replaced(r.bodies, path, literal(y))
