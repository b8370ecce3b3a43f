"""Regions of a source text, and trees that are never changed in place.

A program is *frozen texts* around *regions*: `frozen[0] region[0] frozen[1] region[1] ... frozen[-1]`. Regions stand
between `# EVOLVE-BLOCK-START` and `# EVOLVE-BLOCK-END` (OpenEvolve's markers); where a text has none, the bodies of its
top-level functions (below their docstrings) are the regions. The frozen texts of the start are the layout of every
genome: a genome is split by finding them in order, so that they are kept byte for byte.

Edits build new trees that share every untouched node with the old one (`replaced`), so parsed programs can be cached.
A path is a tuple of attribute names and list indices from the list of bodies down: (region, statement, "value", ...).
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from evoloom.core.errors import UsageError

START, END = "# EVOLVE-BLOCK-START", "# EVOLVE-BLOCK-END"
Path = tuple[Any, ...]
Bodies = list[list[ast.stmt]]
_NOT_NODES = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)


class Span(NamedTuple):
    """One region of the start: characters [start, stop), and how its statements are written."""

    name: str  # of the function whose body it is, or "block 1", ...
    start: int
    stop: int
    indent: str
    inline: bool = False  # begins behind the colon of its function's header
    line: int = 1  # first line, 1-based


class Layout(NamedTuple):
    """Where the regions of a start are; the same for all genomes grown from it."""

    frozen: tuple[str, ...]
    spans: tuple[Span, ...]

    def split(self, source: str) -> tuple[str, ...] | None:
        """The texts of the regions, or None where a frozen text is not in its place."""
        first, last = self.frozen[0], self.frozen[-1]
        if len(source) < len(first) + len(last) or not source.startswith(first) or not source.endswith(last):
            return None
        at, end, texts = len(first), len(source) - len(last), []
        for between in self.frozen[1:-1]:
            k = source.find(between, at, end)
            if k < 0:
                return None
            texts.append(source[at:k])
            at = k + len(between)
        return (*texts, source[at:end])

    def join(self, texts: Sequence[str]) -> str:
        """The program that has these region texts."""
        parts = [self.frozen[0]]
        for text, frozen in zip(texts, self.frozen[1:]):
            parts += (text, frozen)
        return "".join(parts)


def parse_quietly(text: str) -> ast.Module:
    """`ast.parse` without warnings. Raises SyntaxError for whatever Python cannot read, nesting too deep included."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (ValueError, RecursionError, MemoryError) as e:
        raise SyntaxError(f"cannot be parsed: {e or type(e).__name__}") from None


def parse_region(text: str, span: Span) -> list[ast.stmt]:
    """The statements of a region's text.

    Raises:
        SyntaxError: it is not a run of whole statements at the region's own depth.
    """
    if not span.indent and not span.inline:
        return parse_quietly(text).body
    head = "if 1:" if span.inline else "if 1:\n"
    try:
        tree = parse_quietly(head + text)
    except SyntaxError:
        if not parse_quietly(text.strip()).body:  # nothing but comments
            return []
        raise
    block = tree.body[0]
    if len(tree.body) != 1 or not isinstance(block, ast.If) or block.orelse:
        raise SyntaxError("leaves its block: a line is indented less than the first")
    return block.body


def render(stmts: Sequence[ast.stmt], span: Span, newline: bool) -> str:
    """Text of a region for new statements. `newline`: it ended with one before."""
    lines = "\n".join(ast.unparse(s) for s in stmts) or ("pass" if span.indent else "")
    text = "\n".join(span.indent + line if line else line for line in lines.split("\n"))
    return ("\n" if span.inline else "") + text + ("\n" if newline else "")


def layout(source: str, functions: Sequence[str] | None = None) -> Layout:
    """Find the regions: marked blocks, else the bodies of the top-level functions (of those named, if any are).

    Raises:
        UsageError: the source has a syntax error, the markers do not pair, or there is nothing to evolve.
    """
    try:
        tree = parse_quietly(source)
    except SyntaxError as e:
        raise UsageError(f"the start program has a syntax error in line {e.lineno}: {e.msg}") from None
    spans = _marked(source)
    if spans and functions:
        raise UsageError("the program has EVOLVE-BLOCK markers and functions are named too: use one of the two")
    spans = spans or _functions(source, tree, functions)
    if not spans:
        raise UsageError(
            f"nothing to evolve: expected '{START}' and '{END}' around a part of the program, or a top-level function"
        )
    for span in spans:
        try:
            parse_region(source[span.start : span.stop], span)
        except SyntaxError as e:
            raise UsageError(
                f"region '{span.name}' (line {span.line}) is not a run of whole statements: {e.msg}"
            ) from None
    cuts = [0, *(x for s in spans for x in (s.start, s.stop)), len(source)]
    return Layout(tuple(source[a:b] for a, b in zip(cuts[::2], cuts[1::2])), tuple(spans))


def _offsets(source: str) -> list[int]:
    """Character offset of the start of each line (0-based lines), and of the end."""
    offsets = [0]
    for line in source.split("\n"):
        offsets.append(min(offsets[-1] + len(line) + 1, len(source)))
    return offsets


def _marked(source: str) -> list[Span]:
    spans: list[Span] = []
    opened: int | None = None
    offsets = _offsets(source)
    lines = source.split("\n")
    for i, line in enumerate(lines):
        mark = line.strip()
        if mark.startswith(START):
            if opened is not None:
                raise UsageError(f"line {i + 1}: '{START}' inside a block that was opened in line {opened}")
            opened = i + 1
        elif mark.startswith(END):
            if opened is None:
                raise UsageError(f"line {i + 1}: '{END}' without '{START}' before it")
            inside = [x for x in lines[opened:i] if x.strip() and not x.lstrip().startswith("#")]
            indent = inside[0][: len(inside[0]) - len(inside[0].lstrip())] if inside else line[: line.index("#")]
            spans.append(Span(f"block {len(spans) + 1}", offsets[opened], offsets[i], indent, False, opened + 1))
            opened = None
    if opened is not None:
        raise UsageError(f"line {opened}: '{START}' is never closed by '{END}'")
    return spans


def _functions(source: str, tree: ast.Module, names: Sequence[str] | None) -> list[Span]:
    found = [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    if names is not None:
        missing = set(names) - {f.name for f in found}
        if missing:
            raise UsageError(f"no top-level function is called {sorted(missing)}; found {[f.name for f in found]}")
        found = [f for f in found if f.name in names]
    offsets, lines = _offsets(source), source.split("\n")
    spans = []
    for f in found:
        body = f.body[1:] if has_docstring(f) else f.body
        if not body:
            continue
        line, column = _colon(source, f) if body is f.body else (f.body[0].end_lineno or 1, 0)
        inline = body is f.body and body[0].lineno == line
        if not inline and body[0].lineno == line:
            raise UsageError(f"put the docstring of '{f.name}' (line {line}) on a line of its own")
        start = offsets[line - 1] + column if inline else offsets[line]
        first = lines[body[0].lineno - 1]
        indent = "    " if inline else first[: len(first) - len(first.lstrip())]
        last = body[-1]
        if inline:
            end = last.end_lineno or line
            tail = lines[end - 1].encode()[: last.end_col_offset].decode()
            stop = offsets[end - 1] + len(tail)
        else:
            stop = offsets[last.end_lineno or 1]
        spans.append(Span(f.name, start, stop, indent, inline, line + (not inline)))
    return spans


def _colon(source: str, f: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int]:
    """(line, column behind it) of the colon that ends a function's header."""
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.OP or token.start[0] < f.lineno:
            continue
        depth += (token.string in "([{") - (token.string in ")]}")
        if token.string == ":" and depth == 0:
            return token.end
    raise UsageError(f"the header of '{f.name}' has no colon")


def has_docstring(node: Any) -> bool:
    """Whether the first statement of a function, class or module is a string."""
    body = node.body
    return bool(body) and isinstance(body[0], ast.Expr) and isinstance(getattr(body[0].value, "value", None), str)


def replaced(node: Any, path: Path, new: Any) -> Any:
    """A copy of a tree (nested lists and nodes) with `new` at `path`; shares all else."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(node, list):
        out = list(node)
        out[step] = replaced(node[step], rest, new)
        return out
    return type(node)(**{**vars(node), step: replaced(getattr(node, step), rest, new)})


def at(node: Any, path: Path) -> Any:
    """What stands at a path."""
    for step in path:
        node = node[step] if isinstance(node, list) else getattr(node, step)
    return node


def below(node: ast.AST) -> Iterator[ast.AST]:
    """Child nodes that count: statements, expressions, arguments; not operators and contexts."""
    for field in node._fields:
        child = getattr(node, field, None)
        if isinstance(child, list):
            for x in child:
                if isinstance(x, ast.AST) and not isinstance(x, _NOT_NODES):
                    yield x
        elif isinstance(child, ast.AST) and not isinstance(child, _NOT_NODES):
            yield child


def count(node: Any) -> int:
    """Number of nodes of a tree or of a list of trees."""
    if isinstance(node, list):
        return sum(map(count, node))
    n, stack = 0, [node]
    while stack:
        node = stack.pop()
        n += 1
        for field in node._fields:
            child = getattr(node, field, None)
            if isinstance(child, list):
                stack += [x for x in child if isinstance(x, ast.AST) and not isinstance(x, _NOT_NODES)]
            elif isinstance(child, ast.AST) and not isinstance(child, _NOT_NODES):
                stack.append(child)
    return n
