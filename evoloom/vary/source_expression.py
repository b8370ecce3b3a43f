"""Edits of one expression. Each takes (gen, space, readings) and gives new bodies, or None where it does not apply.

The result has a type that would do at its place, so that an edit never makes a program that cannot run for its types.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence

import numpy as np

from evoloom.spaces.program import ProgramSpace
from evoloom.spaces.source_grow import Gen, pick, pick_weighted, pointless, wrapped
from evoloom.spaces.source_sites import Reading, Site, literal, number, result, type_of
from evoloom.spaces.source_tree import Bodies, replaced
from evoloom.spaces.source_types import Primitive, build, fits, head, operands, scalar, simple_head

Edit = Callable[[Gen, ProgramSpace, Sequence[Reading]], Bodies | None]
SNAPS = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, math.pi)
INNER = 0.8  # chance that a cut is at an inner node where there is one (Koza 1992: 0.9)


def choose(gen: Gen, sites: Sequence[Site], inner: float = INNER) -> Site | None:
    """A random site, mostly not a leaf."""
    if not sites:
        return None
    want = gen.random() < inner
    for _ in range(4):
        site = pick(gen, sites)
        if (head(site.node) is not None and number(site.node) is None) == want:
            break
    return site


def put(r: Reading, site: Site, new: ast.expr | None) -> Bodies | None:
    return None if new is None else replaced(r.bodies, site.path, new)


def constant(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """Another number: log-normal step, fewer digits, or one of the round numbers and the problem's own."""
    if not rs[0].constants:
        return None
    path, x, real = pick(gen, rs[0].constants)
    new = another_number(gen, space, x, real)
    return None if new == x else replaced(rs[0].bodies, path, literal(new))


def another_number(gen: Gen, space: ProgramSpace, x: float | int, real: bool) -> float | int:
    u = gen.random()
    if not real:
        step = 1 + int(gen.random() * 2)
        return (
            int(x) + (step if gen.random() < 0.5 else -step)
            if u < 0.7
            else pick(gen, (0, 1, 2, 3, int(x) * 2, int(x) // 2))
        )
    if u < 0.65:
        sigma = 10 ** (2 * gen.random() - 2)  # 1 % to 100 %
        y = x * math.exp(sigma * gen.standard_normal()) if x else sigma * gen.standard_normal()
        return float(f"{y:.4g}")
    if u < 0.75:
        return float(f"{x:.{1 + int(gen.random() * 2)}g}")
    if u < 0.82:
        return float(-x)
    if u < 0.9:
        return float(x) + pick(gen, (1.0, -1.0))
    return float(pick(gen, (*SNAPS, *space.vocabulary.constants)))


def same_signature(space: ProgramSpace, site: Site, kind: str | None = None) -> list[Primitive]:
    """Other primitives that could stand at a site over the same operands."""
    ops = [n for _, n in operands(site.node)]
    types = [type_of(n, site.env, space.signatures) for n in ops]
    out = []
    for p in space.grower.primitives:
        h = simple_head(p.template)
        if not h or len(p.args) != len(ops) or h == head(site.node) or (kind and h[0] != kind):
            continue
        if all(t is not None and fits(scalar(t) if p.lift else t, a) for t, a in zip(types, p.args)):
            t = result(p, types)
            if any(fits(t, w) for w in site.wants):
                out.append(p)
    return out


def _swap(gen: Gen, space: ProgramSpace, r: Reading, sites: Sequence[Site], kind: str | None) -> Bodies | None:
    if not sites:
        return None
    site = pick(gen, sites)
    rows = same_signature(space, site, kind)
    if not rows:
        return None
    weights = np.cumsum([p.weight for p in rows])
    return put(r, site, build(pick_weighted(gen, rows, list(weights)), [n for _, n in operands(site.node)]))


def operator(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """Another arithmetic operator between the same operands, or the operands the other way round."""
    sites = [s for s in rs[0].sites if isinstance(s.node, ast.BinOp)]
    if sites and gen.random() < 0.25:
        site = pick(gen, sites)
        node = site.node
        assert isinstance(node, ast.BinOp)
        return put(rs[0], site, ast.BinOp(left=node.right, op=node.op, right=node.left))
    return _swap(gen, space, rs[0], sites, "binary")


def comparison(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """Another comparison, or the boundary moved: its number changed, or a number added."""
    sites = [s for s in rs[0].sites if isinstance(s.node, ast.Compare) and len(s.node.ops) == 1]
    if not sites or gen.random() < 0.5:
        return _swap(gen, space, rs[0], sites, "compare")
    site = pick(gen, sites)
    right = operands(site.node)[1][1]
    x = number(right)
    if x is not None:
        moved: ast.expr = literal(another_number(gen, space, x, True))
    else:
        moved = ast.BinOp(left=right, op=ast.Add(), right=literal(another_number(gen, space, 1.0, True)))
    return replaced(rs[0].bodies, (*site.path, "comparators", 0), moved)


def variable(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """Another variable of a type that would do."""
    sites = [s for s in rs[0].sites if isinstance(s.node, ast.Name)]
    if not sites:
        return None
    site = pick(gen, sites)
    names = [n for n, t in site.env.items() if n != site.node.id and any(fits(t, w) for w in site.wants)]  # type: ignore[attr-defined]
    return put(rs[0], site, ast.Name(id=pick(gen, names), ctx=ast.Load())) if names else None


def call(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """Another function or operator of the same signature over the same operands."""
    sites = [s for s in rs[0].sites if head(s.node) is not None and number(s.node) is None]
    return _swap(gen, space, rs[0], sites, None)


def subtree(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """A grown expression in the place of one (Koza 1992: mutation)."""
    site = choose(gen, rs[0].sites, 0.6)
    if site is None:
        return None
    want = site.type if site.type in site.wants and gen.random() < 0.7 else pick(gen, sorted(site.wants))
    return put(rs[0], site, space.grower.expression(gen, want, site.env, 1 + int(gen.random() * 3)))


def grow(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """An expression becomes an argument of a new form; its other arguments are grown."""
    site = choose(gen, rs[0].sites, 0.6)
    if site is None:
        return None
    return put(
        rs[0], site, wrapped(space.grower, gen, site.node, site.type, site.wants, site.env, int(gen.random() * 3))
    )


def shrink(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """A leaf in the place of an expression."""
    sites = [s for s in rs[0].sites if head(s.node) is not None and number(s.node) is None]
    if not sites:
        return None
    site = pick(gen, sites)
    return put(rs[0], site, space.grower.leaf(gen, pick(gen, sorted(site.wants)), site.env))


def hoist(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """One of the parts of an expression in the place of the whole."""
    sites = rs[0].sites
    inner = [i for i, s in enumerate(sites) if head(s.node) is not None and number(s.node) is None]
    if not inner:
        return None
    i = pick(gen, inner)
    site, depth = sites[i], len(sites[i].path)
    parts = []
    for part in sites[i + 1 :]:
        if part.path[:depth] != site.path:
            break
        if part.env is site.env and any(fits(part.type, w) for w in site.wants):
            parts.append(part)
    return put(rs[0], site, pick(gen, parts).node) if parts else None


def exchange(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """Two expressions of one program change places, or one is copied over the other."""
    sites = rs[0].sites
    if len(sites) < 2:
        return None
    a, b = choose(gen, sites, 0.5), choose(gen, sites, 0.5)
    if a is None or b is None or a.env is not b.env or pointless([a.node, b.node]):
        return None
    nested = a.path[: len(b.path)] == b.path or b.path[: len(a.path)] == a.path
    if nested or not any(fits(b.type, w) for w in a.wants):
        return None
    bodies = replaced(rs[0].bodies, a.path, b.node)
    if gen.random() < 0.5:
        return bodies
    return replaced(bodies, b.path, a.node) if any(fits(a.type, w) for w in b.wants) else None
