"""Edits of statements: insert, update, extract, inline, delete, duplicate, swap, wrap and unwrap, idioms.

Each takes (gen, space, readings) and gives new bodies, or None where it does not apply. An edit after which a name is
read where it is not surely bound, though it was before, does not apply; nor does one that takes a function's last
return. Definitions and imports stay where they are.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from evoloom.spaces.program import ProgramSpace
from evoloom.spaces.source_grow import Gen, pick, wrapped
from evoloom.spaces.source_sites import Place, Reading, Site
from evoloom.spaces.source_tree import Bodies, replaced
from evoloom.spaces.source_types import fill, fits, head, parsed

_FIXED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)


def ends(s: ast.stmt) -> bool:
    """Whether control never goes past a statement."""
    if isinstance(s, ast.If):
        return bool(s.body and s.orelse) and ends(s.body[-1]) and ends(s.orelse[-1])
    return isinstance(s, (ast.Return, ast.Raise, ast.Continue, ast.Break))


def open_places(r: Reading) -> list[Place]:
    """Blocks whose statements may change: all but a module's body that holds definitions."""
    return [p for p in r.places if p.within != "module" or not any(isinstance(s, _FIXED) for s in p.stmts)]


def movable(place: Place) -> list[int]:
    """Statements that may be moved, copied or taken away."""
    return [i for i, s in enumerate(place.stmts) if not isinstance(s, _FIXED) and not ends(s)]


def slots(place: Place) -> int:
    """Number of positions where a statement can be inserted: up to the first one that ends the block."""
    return next((i for i, s in enumerate(place.stmts) if ends(s)), len(place.stmts)) + 1


def rewritten(space: ProgramSpace, r: Reading, place: Place, stmts: list[ast.stmt]) -> Bodies | None:
    """The program with other statements in one block, if all its names are bound as before."""
    if not stmts:
        return None
    bodies = replaced(r.bodies, place.path, stmts)
    return bodies if space.reread(bodies).undefined <= r.undefined else None


def assign(name: str, value: ast.expr) -> ast.Assign:
    return ast.Assign(targets=[ast.Name(id=name, ctx=ast.Store())], value=value, lineno=1)


def load(name: str) -> ast.Name:
    return ast.Name(id=name, ctx=ast.Load())


def assignable(space: ProgramSpace, place: Place, name: str) -> bool:
    """Whether a name may be assigned here: in a function, a global that is assigned becomes another, unbound name."""
    return place.within == "module" or name not in space.names


def fresh(space: ProgramSpace, r: Reading, n: int = 1) -> list[str]:
    """Names that the program does not use: t0, t1, ..."""
    used = set(space.names)
    for p in r.places:
        for env in p.envs:
            used |= env.keys()
    used |= r.undefined
    return [name for i in range(len(used) + n) if (name := f"t{i}") not in used][:n]


def _place(gen: Gen, r: Reading) -> Place | None:
    places = open_places(r)
    return pick(gen, places) if places else None


def _sites_after(r: Reading, place: Place, i: int) -> list[Site]:
    """Sites in statement i of a block and those behind it."""
    n = len(place.path)
    return [s for s in r.sites if s.path[:n] == place.path and len(s.path) > n and s.path[n] >= i]


def insert(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """`t = <grown>` early, and t in the place of a later expression."""
    r = rs[0]
    place = _place(gen, r)
    if place is None:
        return None
    i = int(gen.random() * slots(place))
    sites = _sites_after(r, place, i)
    if not sites:
        return None
    site = pick(gen, sites)
    want = pick(gen, sorted(site.wants))
    value = space.grower.expression(gen, want, place.envs[i], 1 + int(gen.random() * 3))
    if value is None:
        return None
    (name,) = fresh(space, r)
    bodies = replaced(r.bodies, site.path, load(name))
    return _with_statement(bodies, place, i, assign(name, value))


def _with_statement(bodies: Bodies, place: Place, i: int, s: ast.stmt) -> Bodies:
    block = bodies
    for step in place.path:
        block = block[step] if isinstance(block, list) else getattr(block, step)
    return replaced(bodies, place.path, [*block[:i], s, *block[i:]])


def update(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """`x = <something of x>` for a variable that is read later."""
    r = rs[0]
    place = _place(gen, r)
    if place is None:
        return None
    i = int(gen.random() * slots(place))
    env = place.envs[i]
    read = {s.node.id for s in _sites_after(r, place, i) if isinstance(s.node, ast.Name)}
    names = sorted(n for n in read if env.get(n) and assignable(space, place, n))
    if not names:
        return None
    name = pick(gen, names)
    t = env[name] or ""
    value = wrapped(space.grower, gen, load(name), t, frozenset({t}), env, 1 + int(gen.random() * 2))
    return None if value is None else _with_statement(r.bodies, place, i, assign(name, value))


def extract(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """`t = <an expression of the program>`, with t there and in the place of one more expression."""
    r = rs[0]
    place = _place(gen, r)
    if place is None or not place.stmts:
        return None
    i = int(gen.random() * len(place.stmts))
    sites = _sites_after(r, place, i)
    inner = [s for s in sites if s.env is place.envs[i] and head(s.node) is not None]
    if not inner:
        return None
    site = pick(gen, inner)
    others = [
        s for s in sites
        if any(fits(site.type, w) for w in s.wants) and s.path[: len(site.path)] != site.path
        and site.path[: len(s.path)] != s.path
    ]  # fmt: skip
    if not others:
        return None
    (name,) = fresh(space, r)
    bodies = replaced(replaced(r.bodies, site.path, load(name)), pick(gen, others).path, load(name))
    return _with_statement(bodies, place, i, assign(name, site.node))


def inline(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """A variable's expression in the place of the variable; its assignment goes."""
    r = rs[0]
    place = _place(gen, r)
    if place is None:
        return None
    found = [i for i in movable(place) if isinstance(place.stmts[i], ast.Assign) and i + 1 < len(place.stmts)]
    if not found:
        return None
    i = pick(gen, found)
    match place.stmts[i]:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            tail = list(place.stmts[i + 1 :])
            if any(
                isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)
                for s in tail
                for n in ast.walk(s)
            ):
                return None
            return rewritten(space, r, place, [*place.stmts[:i], *fill(tail, {name: value})])
    return None


def delete(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """A statement less."""
    r = rs[0]
    found = [(p, i) for p in open_places(r) for i in movable(p)]
    if not found:
        return None
    place, i = pick(gen, found)
    return rewritten(space, r, place, [*place.stmts[:i], *place.stmts[i + 1 :]])


def duplicate(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """A statement once more, somewhere in its block."""
    r = rs[0]
    found = [(p, i) for p in open_places(r) for i in movable(p)]
    if not found:
        return None
    place, i = pick(gen, found)
    j = int(gen.random() * slots(place))
    return rewritten(space, r, place, [*place.stmts[:j], place.stmts[i], *place.stmts[j:]])


def swap(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """Two statements of a block change places."""
    r = rs[0]
    found = [p for p in open_places(r) if len(movable(p)) > 1]
    if not found:
        return None
    place = pick(gen, found)
    i, j = pick(gen, movable(place)), pick(gen, movable(place))
    stmts = list(place.stmts)
    stmts[i], stmts[j] = stmts[j], stmts[i]
    return rewritten(space, r, place, stmts) if i != j else None


def wrap_if(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """A statement under a grown condition, or an early return of a grown value under one."""
    r = rs[0]
    place = _place(gen, r)
    if place is None:
        return None
    found = movable(place)
    early = place.returns is not None and (not found or gen.random() < 0.5)
    if not early and not found:
        return None
    i = int(gen.random() * slots(place)) if early else pick(gen, found)
    test = space.grower.expression(gen, "bool", place.envs[i], 1 + int(gen.random() * 2), 0.5)
    if test is None:
        return None
    if early:
        value = space.grower.expression(gen, place.returns or "", place.envs[i], 1 + int(gen.random() * 3))
        body: list[ast.stmt] = [ast.Return(value=value)] if value is not None else []
    else:
        body = [place.stmts[i]]
    if not body:
        return None
    new = ast.If(test=test, body=body, orelse=[])
    return rewritten(space, r, place, [*place.stmts[:i], new, *place.stmts[i + (not early) :]])


def wrap_for(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """An assignment that reads what it writes, a few times over."""
    r = rs[0]
    found = [(p, i) for p in open_places(r) for i in movable(p) if _repeats(p.stmts[i])]
    if not found:
        return None
    place, i = pick(gen, found)
    (name,) = fresh(space, r)
    times = ast.Call(func=load("range"), args=[ast.Constant(value=2 + int(gen.random() * 4))], keywords=[])
    target = ast.Name(id=name, ctx=ast.Store())
    new = ast.For(target=target, iter=times, body=[place.stmts[i]], orelse=[], lineno=1)
    return rewritten(space, r, place, [*place.stmts[:i], new, *place.stmts[i + 1 :]])


def _repeats(s: ast.stmt) -> bool:
    match s:
        case ast.AugAssign():
            return True
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(value))
    return False


def unwrap(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """The statements of an if (or of its else) or of a for, without it."""
    r = rs[0]
    found = [(p, i) for p in open_places(r) for i, s in enumerate(p.stmts) if isinstance(s, (ast.If, ast.For))]
    if not found:
        return None
    place, i = pick(gen, found)
    s = place.stmts[i]
    assert isinstance(s, (ast.If, ast.For))
    inside = s.orelse if s.orelse and gen.random() < 0.5 else s.body
    rest = [] if inside and ends(inside[-1]) else list(place.stmts[i + 1 :])
    if ends(s) and not (inside and ends(inside[-1])):
        return None
    if any(isinstance(n, (ast.Break, ast.Continue)) for x in inside for n in ast.walk(x)):
        return None
    return rewritten(space, r, place, [*place.stmts[:i], *inside, *rest])


def idiom(gen: Gen, space: ProgramSpace, rs: Sequence[Reading]) -> Bodies | None:
    """Statements of the vocabulary, holes filled with grown expressions and variables of their types."""
    r = rs[0]
    place = _place(gen, r)
    if place is None or not space.vocabulary.idioms:
        return None
    row = pick(gen, space.vocabulary.idioms)
    i = int(gen.random() * slots(place))
    env = place.envs[i]
    names: dict[str, ast.expr | str] = {}
    for k, t in enumerate(row.args):
        if t.startswith("var "):
            fit = [n for n, have in env.items() if have == t[4:] and assignable(space, place, n)]
            if not fit:
                return None
            names[f"_{k}"] = pick(gen, fit)
        else:
            value = space.grower.expression(gen, t, env, 1 + int(gen.random() * 2))
            if value is None:
                return None
            names[f"_{k}"] = value
    new = sorted(set(re.findall(r"\bnew_\d+\b", row.template)))
    names |= dict(zip(new, fresh(space, r, len(new))))
    return rewritten(space, r, place, [*place.stmts[:i], *fill(parsed(row.template), names), *place.stmts[i:]])
