"""What two programs have in common: a key that ignores how they are written, and a distance between their trees."""

from __future__ import annotations

import ast
import builtins
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from evoloom.spaces.source_sites import number
from evoloom.spaces.source_tree import below, has_docstring

_BY_NAME = frozenset({"locals", "globals", "vars", "eval", "exec", "dir", "compile", "getattr", "setattr"})
_SKIP = frozenset({"ctx", "type_comment", "kind", "type_ignores"})


def normalised(bodies: Sequence[Sequence[ast.stmt]], within: Sequence[bool], globals: frozenset[str]) -> str:
    """One line of text, equal for programs that differ in format, comments, docstrings or names of locals only.

    within: per body, whether it stands in a function, so that its assignments are locals.
    globals: names bound at module level; a local of that name keeps it, and so do arguments (callers may use them).
    """
    out: list[str] = []
    for body, inside in zip(bodies, within):
        if inside:
            _write_all(body, out, _locals(body, globals))
        else:
            for s in body:
                function = isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef))
                _write(s, out, _locals([s], globals) if function else {})
        out.append("|")
    return "".join(out)


def _locals(body: Sequence[ast.stmt], globals: frozenset[str]) -> dict[str, str]:
    """Map of local names to v0, v1, ... in the order in which they are first assigned."""
    stored: dict[str, None] = {}
    keep: set[str] = set()
    for s in body:
        for n in _in_order(s):
            if isinstance(n, ast.Name):
                if n.id in _BY_NAME:
                    return {}
                if not isinstance(n.ctx, ast.Load):
                    stored.setdefault(n.id)
            elif isinstance(n, ast.arg):
                keep.add(n.arg)
            elif isinstance(n, (ast.Global, ast.Nonlocal)):
                keep.update(n.names)
            elif isinstance(n, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and n.name:
                keep.add(n.name)
            elif isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                keep.add(n.name)
                if isinstance(n, ast.ClassDef):  # attributes of a class are no locals
                    keep.update(m.id for m in ast.walk(n) if isinstance(m, ast.Name))
            elif isinstance(n, ast.alias):
                keep.add((n.asname or n.name).split(".")[0])
    free = [n for n in stored if n not in keep and n not in globals and not hasattr(builtins, n)]
    return {n: f"v{i}" for i, n in enumerate(free)}


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _in_order(child)


def _write_all(nodes: Sequence[Any], out: list[str], names: dict[str, str]) -> None:
    for n in nodes:
        _write(n, out, names)


def _write(node: Any, out: list[str], names: dict[str, str]) -> None:
    if isinstance(node, ast.Name):
        out.append(f"~{names.get(node.id) or '=' + node.id}")
        return
    if isinstance(node, (ast.Constant, ast.UnaryOp)):
        x = number(node)
        if x is not None:
            out.append(f"#{x!r}")
            return
        if isinstance(node, ast.Constant):
            out.append(f"#{node.value!r}:{type(node.value).__name__}")
            return
    out.append(f"({type(node).__name__}")
    skip = 1 if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and has_docstring(node) else 0
    for field in node._fields:
        if field in _SKIP:
            continue
        child = getattr(node, field, None)
        if isinstance(child, ast.AST):
            _write(child, out, names)
        elif isinstance(child, list):
            out.append("[")
            for x in child[skip if field == "body" else 0 :]:
                if isinstance(x, ast.AST):
                    _write(x, out, names)
                else:
                    out.append(f"{x!r},")
            out.append("]")
        elif child is not None:
            out.append(f"{child!r},")
        else:
            out.append("-")
    out.append(")")


def digest(text: str) -> bytes:
    """128 bits; equal in every process, unlike `hash`."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def branches(
    bodies: Sequence[Sequence[ast.stmt]], within: Sequence[bool], globals: frozenset[str]
) -> Counter[tuple[str, str, int]]:
    """How often each (label of a node, label of its child, place of the child) occurs. Locals as in the key."""
    out: Counter[tuple[str, str, int]] = Counter()

    def walk(label: str, children: Sequence[ast.AST], names: dict[str, str]) -> None:
        for i, c in enumerate(children):
            own = _label(c, names)
            out[label, own, i] += 1
            if number(c) is None:  # type: ignore[arg-type]
                walk(own, list(below(c)), names)

    for i, (body, inside) in enumerate(zip(bodies, within)):
        walk(f"region {i}", body, _locals(body, globals) if inside else {})
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
