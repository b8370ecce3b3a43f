"""Reading a parsed program: where expressions stand, what type they have, which types would do, what is in scope.

One walk in the order of execution keeps an *environment* (name -> type, None where unknown) of what is surely bound.
Types come from annotations, vocabulary signatures, literals and assignments; what cannot be told stays None, and such
expressions are left alone by typed edits. Names assigned in one branch only are not in scope after it.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from evoloom.spaces.source_tree import Bodies, Path, count, has_docstring
from evoloom.spaces.source_types import (
    Primitive,
    annotated,
    array,
    fits,
    head,
    is_array,
    operands,
    scalar,
    simple_head,
)

Env = Mapping[str, str | None]


class Site(NamedTuple):
    """An expression that may be replaced by another of a type in `wants`."""

    path: Path
    node: ast.expr
    type: str
    wants: frozenset[str]
    env: Env


class Place(NamedTuple):
    """A list of statements. `envs[i]` holds before statement i; the last one after all."""

    path: Path
    stmts: Sequence[ast.stmt]
    envs: Sequence[Env]
    returns: str | None  # declared type of the function around it
    within: str  # "module", "function", "loop"


class Context(NamedTuple):
    """What surrounds a region: names bound before it, the return type, names that code outside reads from it."""

    env: Env = {}
    returns: str | None = None
    within: str = "module"
    exports: frozenset[str] = frozenset()


class Reading(NamedTuple):
    """All that edits need to know of one program."""

    bodies: Bodies
    sites: tuple[Site, ...]
    places: tuple[Place, ...]
    constants: tuple[tuple[Path, float | int, bool], ...]  # path, value, may it be any real number
    undefined: frozenset[str]  # names read where they are not surely bound, and exports not bound
    size: int


class Signatures:
    """Primitives by the head of the nodes that are instances of them."""

    def __init__(self, primitives: Iterable[Primitive]):
        self.by_head: dict[Any, list[Primitive]] = {}
        for p in primitives:
            h = simple_head(p.template)
            if h:
                self.by_head.setdefault(h, []).append(p)
        self._found: dict[Any, Primitive | None] = {}

    def of(self, node: ast.expr, types: Sequence[str | None], wants: frozenset[str] = frozenset()) -> Primitive | None:
        """The signature that a node's operand types fit; one that gives a wanted type if there are several."""
        key = head(node), tuple(types), wants
        if key[0] not in self.by_head:
            return None
        if key not in self._found:
            self._found[key] = self._of(*key)
        return self._found[key]

    def _of(self, h: Any, types: Sequence[str | None], wants: frozenset[str]) -> Primitive | None:
        found = None
        for p in self.by_head[h]:
            if len(p.args) != len(types):  # `a and b and c`
                p = p._replace(args=p.args[:1] * len(types))
            if all(t is not None and fits(scalar(t) if p.lift else t, a) for t, a in zip(types, p.args)):
                if result(p, types) in wants:
                    return p
                found = found or p
        return found


def result(p: Primitive, types: Sequence[str | None]) -> str:
    """Type of a primitive's value for these operand types."""
    return array(p.result) if p.lift and any(t and is_array(t) for t in types) else p.result


def type_of(node: ast.expr, env: Env, signatures: Signatures) -> str | None:
    """Type of an expression in an environment."""
    if isinstance(node, ast.Constant):
        return {bool: "bool", int: "int", float: "float"}.get(type(node.value))
    if isinstance(node, ast.Name):
        return env.get(node.id)
    types = [type_of(n, env, signatures) for _, n in operands(node)]
    p = signatures.of(node, types) if head(node) else None
    return result(p, types) if p else None


def number(node: ast.expr) -> float | int | None:
    """The value of a numeric literal, a minus sign included; None for everything else and for bools."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        x = number(node.operand)
        return None if x is None else -x
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return node.value
    return None


def literal(x: float | int | bool) -> ast.expr:
    """The literal of a number. Finite floats only: infinity has no literal."""
    if isinstance(x, bool) or not (x < 0 or (x == 0 and str(x)[0] == "-")):
        return ast.Constant(value=x)
    return ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=-x))


def read(bodies: Bodies, contexts: Sequence[Context], signatures: Signatures, names: frozenset[str]) -> Reading:
    """Read a program's regions. `names`: bound at module level, beside the builtins."""
    reader = _Reader(signatures, names)
    for i, (body, context) in enumerate(zip(bodies, contexts)):
        after = reader.block(body, (i,), dict(context.env), context.returns, context.within)
        reader.undefined |= context.exports - after.keys()
    sites, places, constants = tuple(reader.sites), tuple(reader.places), tuple(reader.constants)
    return Reading(bodies, sites, places, constants, frozenset(reader.undefined), count(bodies))


class _Reader:
    def __init__(self, signatures: Signatures, names: frozenset[str]):
        self.signatures, self.names = signatures, names
        self.sites: list[Site] = []
        self.places: list[Place] = []
        self.constants: list[tuple[Path, float | int, bool]] = []
        self.undefined: set[str] = set()
        # By identity of node and environment; both are kept alive, so that no identity is given twice.
        self.types: dict[tuple[int, int], tuple[str | None, ast.expr, Env]] = {}

    # Statements: each returns the environment after it.

    def block(self, stmts: Sequence[ast.stmt], path: Path, env: Env, returns: str | None, within: str) -> Env:
        envs: list[Env] = [env]
        for i, s in enumerate(stmts):
            env = self.statement(s, (*path, i), env, returns, within)
            envs.append(env)
        self.places.append(Place(path, stmts, envs, returns, within))
        return env

    def statement(self, s: ast.stmt, path: Path, env: Env, returns: str | None, within: str) -> Env:
        match s:
            case ast.Return(value=ast.expr() as value):
                self.expression(value, (*path, "value"), env, {returns} if returns else None)
                return env
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                t = self.infer(value, env)
                old = env.get(name)
                self.expression(value, (*path, "value"), env, {old} if old and fits(t, old) else None)
                return {**env, name: old if old and fits(t, old) else t}
            case ast.AugAssign(target=ast.Name(id=name) as target, value=value):
                both = ast.BinOp(left=ast.Name(id=name, ctx=ast.Load()), op=s.op, right=value)
                t = self.infer(both, env)
                had = env.get(name)
                wants = {"float", "float[]"} if had == "float[]" else None
                self.expression(value, (*path, "value"), env, wants)
                self.bound(target.id, env)
                return {**env, name: t}
            case ast.AnnAssign(target=ast.Name(id=name), value=value):
                t = annotated(s.annotation)
                if value is not None:
                    self.expression(value, (*path, "value"), env, {t} if t else None)
                return {**env, name: t}
            case ast.If():
                self.expression(s.test, (*path, "test"), env, {"bool"})
                a = self.block(s.body, (*path, "body"), env, returns, within)
                b = self.block(s.orelse, (*path, "orelse"), env, returns, within) if s.orelse else env
                ends = (ast.Return, ast.Raise, ast.Continue, ast.Break)
                if isinstance(s.body[-1], ends):
                    return b
                if s.orelse and isinstance(s.orelse[-1], ends):
                    return a
                return {k: t if t == b[k] else None for k, t in a.items() if k in b}
            case ast.For(target=target, iter=it):
                t = self.element(it, env)
                self.expression(it, (*path, "iter"), env, None)
                inner = {**env, **self.targets(target, t)}
                self.block(s.body, (*path, "body"), inner, returns, "loop" if within != "module" else within)
                if s.orelse:
                    self.block(s.orelse, (*path, "orelse"), env, returns, within)
                return env
            case ast.While():
                self.expression(s.test, (*path, "test"), env, {"bool"})
                self.block(s.body, (*path, "body"), env, returns, "loop" if within != "module" else within)
                return env
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return self.function(s, path, env)
        return self.opaque(s, path, env, returns, within)

    def function(self, s: ast.FunctionDef | ast.AsyncFunctionDef, path: Path, env: Env) -> Env:
        for i, d in enumerate(s.args.defaults):
            self.expression(d, (*path, "args", "defaults", i), env, None)
        skip = 1 if has_docstring(s) else 0
        inner = {**env, s.name: None, **arguments(s)}
        after: list[Env] = [inner]
        for i, x in enumerate(s.body[skip:], skip):
            inner = self.statement(x, (*path, "body", i), inner, annotated(s.returns), "function")
            after.append(inner)
        envs = [after[0]] * skip + after
        self.places.append(Place((*path, "body"), s.body, envs, annotated(s.returns), "function"))
        return {**env, s.name: None}

    def opaque(self, s: ast.stmt, path: Path, env: Env, returns: str | None, within: str) -> Env:
        """Any other statement: its expressions are read, its blocks walked, its targets bound with unknown type."""
        new = {**env}
        for n in ast.walk(s):
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store):
                new[n.id] = None
            elif isinstance(n, ast.alias):
                new[(n.asname or n.name).split(".")[0]] = None
            elif isinstance(n, ast.ExceptHandler) and n.name:
                new[n.name] = None
        if isinstance(s, ast.ClassDef):
            new[s.name] = None
        for field in s._fields:
            child = getattr(s, field, None)
            if isinstance(child, list) and child and isinstance(child[0], ast.stmt):
                self.block(child, (*path, field), new, returns, within)
            elif isinstance(child, ast.expr):
                self.expression(child, (*path, field), new if isinstance(s, ast.Assign) else env, None)
            elif isinstance(child, list):
                for n in (m for c in child if isinstance(c, ast.AST) for m in ast.walk(c)):
                    if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load):
                        self.bound(n.id, new)
        return new

    def targets(self, target: ast.expr, t: str | None) -> dict[str, str | None]:
        if isinstance(target, ast.Name):
            return {target.id: t}
        return {n.id: None for n in ast.walk(target) if isinstance(n, ast.Name)}

    def element(self, it: ast.expr, env: Env) -> str | None:
        """Type of what iterating over an expression gives."""
        if isinstance(it, ast.Call) and isinstance(it.func, ast.Name) and it.func.id == "range":
            return "int"
        t = self.infer(it, env)
        return scalar(t) if t and is_array(t) else None

    # Expressions.

    def bound(self, name: str, env: Env) -> None:
        if name not in env and name not in self.names and not hasattr(builtins, name):
            self.undefined.add(name)

    def infer(self, node: ast.expr, env: Env) -> str | None:
        """Type of an expression, remembered for the nodes of this reading."""
        key = id(node), id(env)
        if key not in self.types:
            self.types[key] = self._infer(node, env), node, env
        return self.types[key][0]

    def _infer(self, node: ast.expr, env: Env) -> str | None:
        if isinstance(node, ast.Constant):
            return {bool: "bool", int: "int", float: "float"}.get(type(node.value))
        if isinstance(node, ast.Name):
            return env.get(node.id)
        if head(node) is None:
            return None
        types = [self.infer(n, env) for _, n in operands(node)]
        p = self.signatures.of(node, types)
        return result(p, types) if p else None

    def expression(self, node: ast.expr, path: Path, env: Env, wants: set[str] | None, site: bool = True) -> None:
        """Record the sites of an expression. `wants`: types that would do here, None: its own type alone."""
        t = self.infer(node, env)
        want = frozenset(wants or ({t} if t else ()))
        if t and site:
            self.sites.append(Site(path, node, t, want, env))
        x = number(node)
        if x is not None:
            self.constants.append((path, x, isinstance(x, float) or "float" in want))
            return
        if isinstance(node, ast.Name):
            self.bound(node.id, env)
            return
        if head(node) is None:
            self.inside(node, path, env)
            return
        ops = operands(node)
        types = [self.infer(n, env) for _, n in ops]
        p = self.signatures.of(node, types, want)
        for i, (step, n) in enumerate(ops):
            self.expression(n, (*path, *step), env, operand_wants(p, i, types, want) if p else None)
        if isinstance(node, ast.Call):
            self.inside(node.func, (*path, "func"), env)

    def inside(self, node: ast.AST, path: Path, env: Env) -> None:
        """The parts of an expression that has no signature (attribute, comprehension, unknown call, ...)."""
        if isinstance(node, ast.Name):
            self.bound(node.id, env)
            return
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)):
            inner = {n.id: None for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            inner |= {n.arg: None for n in ast.walk(node) if isinstance(n, ast.arg)}
            env = {**env, **inner}
        plain = not isinstance(node, (ast.Attribute, ast.JoinedStr, ast.FormattedValue, ast.Starred))
        for field in node._fields:
            child = getattr(node, field, None)
            for step, x in enumerate(child) if isinstance(child, list) else ((None, child),):
                where = (*path, field) if step is None else (*path, field, step)
                if isinstance(x, ast.expr):
                    if field == "func" or not plain:
                        self.inside(x, where, env)
                    else:
                        self.expression(x, where, env, None)
                elif isinstance(x, (ast.keyword, ast.comprehension)):
                    self.inside(x, where, env)


def operand_wants(p: Primitive, i: int, types: Sequence[str | None], wants: frozenset[str]) -> set[str]:
    """Types that would do as operand i of a primitive whose value must be of a type in `wants`."""
    if not p.lift:
        return {p.args[i]}
    arrays = any(is_array(w) for w in wants)
    rest = any(t and is_array(t) for j, t in enumerate(types) if j != i)
    out = {array(p.args[i])} if arrays else set()
    if arrays if rest else any(not is_array(w) for w in wants):
        out.add(p.args[i])
    return out


def arguments(f: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, str | None]:
    """Names of a function's arguments with the types of their annotations, else of their defaults."""
    args = [*f.args.posonlyargs, *f.args.args]
    defaults = dict(zip([a.arg for a in reversed(args)], reversed(f.args.defaults)))
    defaults |= {a.arg: d for a, d in zip(f.args.kwonlyargs, f.args.kw_defaults) if d is not None}
    out: dict[str, str | None] = {}
    for a in (*args, *f.args.kwonlyargs):
        t = annotated(a.annotation)
        if t is None and isinstance(d := defaults.get(a.arg), ast.Constant):
            t = {bool: "bool", int: "int", float: "float"}.get(type(d.value))
        out[a.arg] = t
    for extra in (f.args.vararg, f.args.kwarg):
        if extra:
            out[extra.arg] = None
    return out
