"""Tidying a program by rules that keep its values: what people read at the end of a run.

Exact in IEEE arithmetic, signed zeros aside; nothing is reassociated, and `x - x` and `0 * x` stay, because they are
NaN where x is infinite. A part that is dropped must be pure; that it might have raised is not kept.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from evoloom.spaces.source_sites import Place, Reading, Site, literal, number, type_of
from evoloom.spaces.source_tree import Bodies, replaced
from evoloom.spaces.source_types import dotted, fill, head, operands

if TYPE_CHECKING:
    from evoloom.spaces.program import ProgramSpace

_FOLD = {"Add": operator.add, "Sub": operator.sub, "Mult": operator.mul, "Div": operator.truediv, "Pow": operator.pow}
_ENDS = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def simplified(space: ProgramSpace, genome: str) -> str:
    """The genome with all rules applied until none does; the genome itself where its regions cannot be read."""
    reading = space.read(genome)
    if reading is None:
        return genome
    first = reading
    for _ in range(2 * first.size):
        bodies = _statements(space, reading) or _expressions(space, reading)
        if bodies is None:
            break
        reading = space.reread(bodies)
    return genome if reading is first else space.write(genome, reading.bodies)


def same(a: ast.AST, b: ast.AST) -> bool:
    """Whether two trees are equal."""
    return ast.dump(a) == ast.dump(b)


def pure(node: ast.AST) -> bool:
    """Whether evaluating an expression does nothing but give a value: names, numbers, operators, numpy and math."""
    for n in ast.walk(node):
        if isinstance(n, ast.Call):
            name = dotted(n.func) or ""
            known = name in ("abs", "min", "max", "float", "int", "len", "round")
            if not known and (not name.startswith(("np.", "math.")) or name.startswith("np.random")):
                return False
        elif isinstance(n, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Subscript, ast.Lambda)):
            return False
    return True


def _expressions(space: ProgramSpace, r: Reading) -> Bodies | None:
    for site in r.sites:
        new = _shorter(space, site)
        if new is not None:
            return replaced(r.bodies, site.path, new)
    return None


def _shorter(space: ProgramSpace, site: Site) -> ast.expr | None:
    """A simpler expression of the same type and value, or None."""
    node = site.node
    if number(node) is not None or head(node) is None:
        return None
    ops = [n for _, n in operands(node)]
    folded = _folded(node, ops)
    if folded is not None:
        return folded
    for keep in (*_neutral(node, ops), *_chosen(node, ops)):
        if type_of(keep, site.env, space.signatures) == site.type:
            return keep
    return _signs(node, ops)


def _folded(node: ast.expr, ops: Sequence[ast.expr]) -> ast.expr | None:
    """Arithmetic of two literals."""
    numbers = [number(n) for n in ops]
    if not isinstance(node, ast.BinOp) or None in numbers or type(node.op).__name__ not in _FOLD:
        return None
    try:
        x = _FOLD[type(node.op).__name__](*numbers)
    except (ArithmeticError, ValueError):
        return None
    return literal(x) if isinstance(x, (int, float)) and math.isfinite(x) and abs(x) < 1e15 else None


def _neutral(node: ast.expr, ops: Sequence[ast.expr]) -> list[ast.expr]:
    """Operands that equal the whole: x + 0, 1 * x, x / 1, ..."""
    if not isinstance(node, ast.BinOp):
        return []
    left, right = ops
    a, b = number(left), number(right)
    match node.op:
        case ast.Add():
            return [right] * (a == 0) + [left] * (b == 0)
        case ast.Sub():
            return [left] * (b == 0)
        case ast.Mult():
            return [right] * (a == 1) + [left] * (b == 1)
        case ast.Div() | ast.Pow():
            return [left] * (b == 1)
    return []


def _chosen(node: ast.expr, ops: Sequence[ast.expr]) -> list[ast.expr]:
    """Operands that are the value whatever the others are: of np.where, minimum, maximum, logic, conditional."""
    name = dotted(node.func) if isinstance(node, ast.Call) else None
    if not all(map(pure, ops)):
        return []
    if name in ("np.minimum", "np.maximum", "np.logical_and", "np.logical_or", "min", "max") and len(ops) == 2:
        inner = [n for n in ops if isinstance(n, ast.Call) and dotted(n.func) == name]
        absorbed: list[ast.expr] = [n for n in inner if any(same(x, o) for x in n.args for o in ops)]
        return absorbed or ([ops[0]] if same(ops[0], ops[1]) else [])
    if name in ("np.abs", "abs") and isinstance(ops[0], ast.Call) and dotted(ops[0].func) in ("np.abs", "abs"):
        return [ops[0]]
    if name == "np.where" and len(ops) == 3:
        test, yes, no = ops
    elif isinstance(node, ast.IfExp):
        test, yes, no = node.test, node.body, node.orelse
    else:
        return []
    if same(yes, no):
        return [yes]
    known = _truth(test)
    return [] if known is None else [yes if known else no]


def _truth(test: ast.expr) -> bool | None:
    """Whether a condition always (True) or never (False) holds: literals, and x < x, which is false for NaN too."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        left, op, right = test.left, test.ops[0], test.comparators[0]
        if isinstance(op, (ast.Lt, ast.Gt)) and same(left, right):
            return False
        a, b = number(left), number(right)
        if a is not None and b is not None:
            match op:
                case ast.Lt():
                    return a < b
                case ast.LtE():
                    return a <= b
                case ast.Gt():
                    return a > b
                case ast.GtE():
                    return a >= b
                case ast.Eq():
                    return a == b
                case ast.NotEq():
                    return a != b
    return None


def _signs(node: ast.expr, ops: Sequence[ast.expr]) -> ast.expr | None:
    """Minus signs: -(-x), -(a - b), a - (-b), a + (-b), |-x|."""
    inner = ops[-1]
    minus = inner.operand if isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.USub) else None
    match node:
        case ast.UnaryOp(op=ast.USub()):
            if minus is not None:
                return minus
            if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Sub):
                return ast.BinOp(left=inner.right, op=ast.Sub(), right=inner.left)
        case ast.BinOp(left=left, op=ast.Sub()) if minus is not None:
            return ast.BinOp(left=left, op=ast.Add(), right=minus)
        case ast.BinOp(left=left, op=ast.Add()) if minus is not None:
            return ast.BinOp(left=left, op=ast.Sub(), right=minus)
        case ast.Call(func=f) if dotted(f) in ("np.abs", "abs", "np.square"):
            if minus is not None:
                return ast.Call(func=f, args=[minus], keywords=[])
    return None


def _statements(space: ProgramSpace, r: Reading) -> Bodies | None:
    for place in r.places:
        if place.within == "module":
            continue
        for rule in (_after_end, _decided, _unread, _copied):
            stmts = rule(space, r, place)
            if stmts is not None:
                bodies = replaced(r.bodies, place.path, stmts)
                if space.reread(bodies).undefined <= r.undefined:
                    return bodies
    return None


def _after_end(space: ProgramSpace, r: Reading, place: Place) -> list[ast.stmt] | None:
    for i, s in enumerate(place.stmts[:-1]):
        if isinstance(s, _ENDS):
            return list(place.stmts[: i + 1])
    return None


def _decided(space: ProgramSpace, r: Reading, place: Place) -> list[ast.stmt] | None:
    """An if whose test is decided, or whose branches are equal, or that does what follows anyway."""
    for i, s in enumerate(place.stmts):
        if not isinstance(s, ast.If):
            continue
        known, inside = _truth(s.test), None
        if pure(s.test):
            if known is not None:
                inside = s.body if known else s.orelse
            elif [ast.dump(x) for x in s.body] == [ast.dump(x) for x in (s.orelse or place.stmts[i + 1 :])]:
                inside = s.body if s.orelse or isinstance(s.body[-1], _ENDS) else None
        if inside is not None:
            out = [*place.stmts[:i], *inside, *place.stmts[i + 1 :]]
            return out or None
    return None


def _unread(space: ProgramSpace, r: Reading, place: Place) -> list[ast.stmt] | None:
    """Without an assignment that nobody reads: to itself, overwritten by the next statement, or never read."""
    for i, s in enumerate(place.stmts):
        match s:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if pure(value) and len(place.stmts) > 1:
                follows = place.stmts[i + 1] if i + 1 < len(place.stmts) else None
                to_itself = isinstance(value, ast.Name) and value.id == name
                overwritten = _assigned(follows) == name and not _reads(getattr(follows, "value", s), name)
                if to_itself or overwritten or _never_read(space, r, name):
                    return [*place.stmts[:i], *place.stmts[i + 1 :]]
    return None


def _assigned(s: ast.stmt | None) -> str | None:
    match s:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return None


def _reads(node: ast.AST, name: str) -> int:
    return sum(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(node))


def _never_read(space: ProgramSpace, r: Reading, name: str) -> bool:
    """Whether a name is read nowhere but in assignments to itself."""
    if any(name in c.exports for c in space.contexts) or name in space.names:
        return False
    reads = sum(_reads(s, name) for body in r.bodies for s in body)
    for place in r.places:
        for s in place.stmts:
            if isinstance(s, ast.AugAssign) or (isinstance(s, (ast.Global, ast.Nonlocal)) and name in s.names):
                return False
            if _assigned(s) == name:
                reads -= _reads(s, name)
    return reads == 0


def _copied(space: ProgramSpace, r: Reading, place: Place) -> list[ast.stmt] | None:
    """A generated name (t0, ...), or one for a mere name or number, gives way if the next statement alone reads it."""
    for i, s in enumerate(place.stmts[:-1]):
        name, follows = _assigned(s), place.stmts[i + 1]
        if name is None or not isinstance(s, ast.Assign) or not pure(s.value):
            continue
        if not re.fullmatch(r"t\d+", name) and not isinstance(s.value, (ast.Name, ast.Constant)):
            continue
        once = sum(_reads(x, name) for body in r.bodies for x in body) == 1 and _reads(follows, name) == 1
        simple = isinstance(follows, (ast.Return, ast.Assign, ast.If))
        in_test = not isinstance(follows, ast.If) or _reads(follows.test, name) == 1
        exported = any(name in c.exports for c in space.contexts)
        if once and simple and in_test and not exported:
            new = fill(follows, {name: s.value})
            return [*place.stmts[:i], new, *place.stmts[i + 2 :]]
    return None
