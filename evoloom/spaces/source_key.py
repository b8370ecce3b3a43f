"""What two programs have in common: a key that ignores how they are written, and a distance between their trees."""

from __future__ import annotations

import ast
import builtins
import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from evoloom.spaces.source_sites import number
from evoloom.spaces.source_tree import below, has_docstring

_BY_NAME = frozenset({"locals", "globals", "vars", "eval", "exec", "dir", "compile", "getattr", "setattr"})
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BINDERS = {*_DEFINITIONS, ast.arg, ast.Global, ast.Nonlocal, ast.alias, ast.ExceptHandler, ast.MatchAs, ast.MatchStar}
_SKIP = frozenset({"ctx", "type_comment", "kind", "type_ignores"})


def normalised(bodies: Sequence[Sequence[ast.stmt]], within: Sequence[bool], keeps: Sequence[frozenset[str]]) -> str:
    """One line of text, equal for programs that differ in format, comments, docstrings or names of locals only.

    within: per body, whether it stands in a function, so that its assignments are locals.
    keeps: per body, names that mean something outside it (globals, arguments, what is read after it). A local of that
        name keeps it; so do arguments of functions, which callers may name.
    """
    out: list[str] = []
    for body, inside, keep in zip(bodies, within, keeps):
        for scope in [body] if inside else [[s] for s in body]:
            local = inside or isinstance(scope[0], (ast.FunctionDef, ast.AsyncFunctionDef))
            _Writer(out, set(keep), local).scope(scope)
        out.append("|")
    return "".join(out)


class _Writer:
    """Writes one scope; names are filled in at its end, when it is known which are local."""

    def __init__(self, out: list[str], keep: set[str], local: bool):
        self.out, self.keep, self.local = out, keep, local
        self.names: list[tuple[int, str]] = []
        self.stored: dict[str, None] = {}

    def scope(self, body: Sequence[ast.stmt]) -> None:
        for s in body:
            self.node(s)
        renamed = self.renamed()
        for i, name in self.names:
            self.out[i] = renamed.get(name) or "=" + name + ","

    def renamed(self) -> dict[str, str]:
        """Map of local names to v0, v1, ... in the order in which they are first assigned."""
        if not self.local or not self.stored or any(n in _BY_NAME for _, n in self.names):
            return {}
        free = [n for n in self.stored if n not in self.keep and not hasattr(builtins, n)]
        return {n: f"v{i}," for i, n in enumerate(free)}

    def node(self, node: Any) -> None:
        kind = type(node)
        if kind is ast.Name:
            if type(node.ctx) is not ast.Load:
                self.stored.setdefault(node.id)
            self.names.append((len(self.out), node.id))
            self.out.append("")
            return
        if kind is ast.Constant or kind is ast.UnaryOp:
            x = number(node)
            if x is not None:
                self.out.append(f"#{x!r},")
                return
            if kind is ast.Constant:
                self.out.append(f"#{node.value!r}:{type(node.value).__name__},")
                return
        fields = node._fields
        if not fields:  # an operator
            self.out.append(kind.__name__ + ",")
            return
        self.out.append(f"({kind.__name__} ")
        if kind in _BINDERS:
            self.bind(node)
        for field in fields:
            if field not in _SKIP:
                self.field(node, field, getattr(node, field, None))
        self.out.append(")")

    def field(self, node: Any, field: str, child: Any) -> None:
        if isinstance(child, ast.AST):
            self.node(child)
        elif isinstance(child, list):
            self.out.append("[")
            skip = field == "body" and isinstance(node, _DEFINITIONS) and has_docstring(node)
            for x in child[skip:]:
                if isinstance(x, ast.AST):
                    self.node(x)
                else:
                    self.out.append(f"{x!r},")
            self.out.append("]")
        else:
            self.out.append("-" if child is None else f"{child!r},")

    def bind(self, node: Any) -> None:
        """Keep names that are bound otherwise than by assignment."""
        if isinstance(node, ast.arg):
            self.keep.add(node.arg)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            self.keep.update(node.names)
        elif isinstance(node, ast.alias):
            self.keep.add((node.asname or node.name).split(".")[0])
        elif node.name:
            self.keep.add(node.name)
        if isinstance(node, ast.ClassDef):  # attributes of a class are no locals
            self.keep.update(n.id for n in ast.walk(node) if isinstance(n, ast.Name))


def digest(text: str) -> bytes:
    """128 bits; equal in every process, unlike `hash`."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def branches(bodies: Sequence[Sequence[ast.stmt]]) -> Counter[tuple[str, str, int]]:
    """How often each (label of a node, label of its child, place of the child) occurs. Names of locals count by the
    order in which they come up, so that renaming costs little."""
    out: Counter[tuple[str, str, int]] = Counter()

    def walk(label: str, children: Sequence[ast.AST], names: dict[str, str]) -> None:
        for i, c in enumerate(children):
            if isinstance(c, ast.Name) and isinstance(c.ctx, ast.Store):
                names.setdefault(c.id, f"v{len(names)}")
            own = _label(c, names)
            out[label, own, i] += 1
            if number(c) is None:  # type: ignore[arg-type]
                walk(own, list(below(c)), names)

    for i, body in enumerate(bodies):
        walk(f"region {i}", body, {})
    return out


def _label(node: ast.AST, names: dict[str, str]) -> str:
    x = number(node)  # type: ignore[arg-type]
    if x is not None:
        return f"{x:.2g}" if isinstance(x, float) else str(x)
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Constant):
        return repr(node.value)
    if isinstance(node, ast.Attribute):
        return "." + node.attr
    op = getattr(node, "op", None) or (node.ops[0] if isinstance(node, ast.Compare) else None)
    return type(node).__name__ + (type(op).__name__ if op is not None else "")


def dice(a: Counter[Any], b: Counter[Any]) -> float:
    """1 - 2 |a and b| / (|a| + |b|) of two multisets: 0 for equal ones, 1 for disjoint ones."""
    n = a.total() + b.total()
    return 1.0 - 2.0 * (a & b).total() / n if n else 0.0
