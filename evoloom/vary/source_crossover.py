"""Crossover of two programs: typed subtrees, and blocks that match by place."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import accumulate

from evoloom.spaces.program import ProgramSpace
from evoloom.spaces.source_grow import Gen, pick, pick_weighted
from evoloom.spaces.source_sites import Env, Place, Reading, Site
from evoloom.spaces.source_tree import Bodies, count, replaced
from evoloom.spaces.source_types import fill, fits, scalar
from evoloom.vary.source_expression import choose


def subtrees(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """An expression of the second program in the place of one of the first, of a type that does there.

    Variables of the second that the first lacks become variables of the same type (Koza 1992, typed as Montana 1995).
    """
    site = choose(gen, rs[0].sites, 0.8)
    if site is None:
        return None
    donors = [d for d in rs[1].sites if any(fits(d.type, w) for w in site.wants)]
    donor = choose(gen, donors, 0.8)
    if donor is None:
        return None
    new = transplanted(gen, donor, site.env)
    return None if new is None else replaced(rs[0].bodies, site.path, new)


def join(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """Both parents' expressions under one new form with further arguments grown: a choice between them, a sum, ..."""
    site = choose(gen, rs[0].sites, 0.9)
    donors = [] if site is None else [d for d in rs[1].sites if d.type == site.type]
    donor = choose(gen, donors, 0.9)
    if site is None or donor is None or site.type not in site.wants:
        return None
    if gen.random() < 0.5:  # as large as they come: of two values returned, one whole rule or the other
        site = max((s for s in rs[0].sites if s.type == site.type in s.wants), key=lambda s: count(s.node))
        donor = max(donors, key=lambda d: count(d.node))
    new = transplanted(gen, donor, site.env)
    if new is None:
        return None
    element = scalar(site.type)
    rows = [p for p in space.grower.forms(site.type)[0] if sum(a == element for a in p.args) == 2]
    rows = [p for p in rows if p.lift or site.type == element]
    if not rows:
        return None
    form = pick_weighted(gen, rows, list(accumulate(p.weight * (3.0 if len(p.args) > 2 else 1.0) for p in rows)))
    holes = [i for i, a in enumerate(form.args) if a == element]
    parts = [site.node, new] if gen.random() < 0.5 else [new, site.node]
    given = dict(zip(holes, parts))
    made = space.grower.form(gen, form, site.type, site.env, int(gen.random() * 3), 0.4, given, site.type)
    return None if made is None else replaced(rs[0].bodies, site.path, made)


def transplanted(gen: Gen, donor: Site, env: Env) -> ast.expr | None:
    """The donor's expression with names that are in scope in `env`; None if a type has no variable there."""
    names: dict[str, str] = {}
    for node in ast.walk(donor.node):
        if isinstance(node, ast.Name) and node.id in donor.env and node.id not in names:
            t = donor.env[node.id]
            if node.id in env and (env[node.id] == t or t is None):
                continue
            same = [n for n, other in env.items() if t is not None and fits(other, t)]
            if not same:
                return None
            names[node.id] = pick(gen, same)
    return fill(donor.node, names) if names else donor.node


def blocks(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """Regions, or blocks at the same place, from either parent; where there is one, its head from the first parent
    and its tail from the second."""
    a, b = rs
    if len(a.bodies) > 1 and gen.random() < 0.7:
        return [x if gen.random() < 0.5 else y for x, y in zip(a.bodies, b.bodies)]
    theirs = {p.path: p for p in b.places}
    shared = [p for p in a.places if p.path in theirs and p.within != "module"]
    if not shared:
        return None
    place = pick(gen, shared)
    other = theirs[place.path]
    new = list(other.stmts) if gen.random() < 0.3 else _one_point(gen, place, other)
    if not new:
        return None
    child = replaced(a.bodies, place.path, new)
    return child if space.reread(child).undefined <= a.undefined | b.undefined else None


def _one_point(gen: Gen, place: Place, other: Place) -> list[ast.stmt]:
    """Statements up to a point of one block, from a point on of the other; both end as they did (a return)."""
    i = int(gen.random() * (len(place.stmts) + 1))
    j = int(gen.random() * (len(other.stmts) + 1))
    if j == len(other.stmts) and i < len(place.stmts):
        j = max(0, j - 1)
    head = [s for s in place.stmts[:i] if not isinstance(s, ast.Return)]
    return [*head, *other.stmts[j:]]
