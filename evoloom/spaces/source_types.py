"""Types of expressions, and the vocabulary that source variation builds from.

A type is a name: `float`, `int`, `bool`, any name of the user's own, with `[]` behind it for an array of them. `int`
may stand where `float` is wanted (`fits`); a scalar never stands for an array. A primitive that *lifts* is elementwise:
with an array among its arguments its result is an array too, so one row `a + b` covers all mixes of both.

A `Primitive` is a Python expression with holes `_0`, `_1`, ...: an operator, a call, or a whole idiom. An `Idiom` is
one or more statements with holes; its names `new_0`, ... become fresh variables. To extend a vocabulary, add rows.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from evoloom.core.errors import UsageError

Path = tuple[Any, ...]
_ANNOTATIONS = {
    "np.ndarray": "float[]", "numpy.ndarray": "float[]", "ndarray": "float[]", "NDArray": "float[]",
    "npt.NDArray": "float[]", "np.float64": "float", "np.floating": "float", "np.int64": "int", "np.integer": "int",
    "np.bool_": "bool",
}  # fmt: skip


def array(t: str) -> str:
    return t if t.endswith("[]") else t + "[]"


def scalar(t: str) -> str:
    return t.removesuffix("[]")


def is_array(t: str) -> bool:
    return t.endswith("[]")


def fits(have: str | None, want: str) -> bool:
    """Whether a value of one type may stand where another is wanted."""
    return have == want or (have is not None and have.startswith("int") and want == have.replace("int", "float", 1))


def annotated(node: ast.expr | None) -> str | None:
    """The type that an annotation names; None for none and for forms like unions. `"float[]"` in quotes works too."""
    if node is None:
        return None
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _ANNOTATIONS.get(node.value, node.value)
    if isinstance(node, ast.Subscript):
        name = ast.unparse(node.value)
        if name in ("list", "List", "Sequence", "tuple", "Tuple") or name not in _ANNOTATIONS:
            return None
        inner = ast.unparse(node.slice)
        return array("bool" if "bool" in inner else "int" if "int" in inner else "float")
    name = ast.unparse(node)
    if not re.fullmatch(r"[\w.]+", name) or name == "None":
        return None
    return _ANNOTATIONS.get(name, name)


class Primitive(NamedTuple):
    """One expression form: `Primitive("np.minimum(_0, _1)", ("float", "float"), "float", lift=True)`."""

    template: str
    args: tuple[str, ...]
    result: str
    lift: bool = False
    weight: float = 1.0  # how often growth takes it, relative to the others of its type
    grow: bool = True  # False: only known (its type is inferred), never inserted


class Idiom(NamedTuple):
    """Statements to insert, with typed holes: `Idiom("for new_0 in range(_0): _1 = _1 * 2", ("int", "var float"))`.

    `var T`: the hole takes the name of an existing variable of type T (so that it may be assigned).
    """

    template: str
    args: tuple[str, ...]
    weight: float = 1.0


class Vocabulary(NamedTuple):
    """What variation may write. `constants` are numbers that the problem suggests; `a + b` joins two vocabularies."""

    primitives: tuple[Primitive, ...] = ()
    constants: tuple[float, ...] = ()
    idioms: tuple[Idiom, ...] = ()

    def __add__(self, other: Vocabulary) -> Vocabulary:  # type: ignore[override]
        return Vocabulary(
            tuple(dict.fromkeys(self.primitives + other.primitives)),
            tuple(dict.fromkeys(self.constants + other.constants)),
            tuple(dict.fromkeys(self.idioms + other.idioms)),
        )

    def roots(self) -> dict[str, str]:
        """Free names of all templates, each with one template that uses it."""
        out: dict[str, str] = {}
        for row in (*self.primitives, *self.idioms):
            for node in ast.walk(ast.parse(row.template)):
                if isinstance(node, ast.Name) and not re.fullmatch(r"_\d+|new_\d+", node.id):
                    out.setdefault(node.id, row.template)
        return out

    def within(self, names: frozenset[str]) -> Vocabulary:
        """The rows whose free names are all bound (or builtins)."""

        def bound(row: Any) -> bool:
            free = Vocabulary(primitives=(Primitive(row.template, (), ""),)).roots()
            return all(n in names or hasattr(builtins, n) for n in free)

        return Vocabulary(tuple(filter(bound, self.primitives)), self.constants, tuple(filter(bound, self.idioms)))

    def checked(self, names: frozenset[str]) -> Vocabulary:
        """Itself.

        Raises:
            UsageError: a template does not parse, has other holes than arguments, or uses a name that is not bound.
        """
        for row in (*self.primitives, *self.idioms):
            try:
                holes = holes_of(row.template)
            except SyntaxError as e:
                raise UsageError(f"vocabulary: '{row.template}' is not Python: {e.msg}") from None
            if holes != set(range(len(row.args))):
                raise UsageError(
                    f"vocabulary: '{row.template}' has holes {sorted(holes)} but {len(row.args)} argument types"
                )
        for name, template in self.roots().items():
            if name not in names and not hasattr(builtins, name):
                raise UsageError(
                    f"vocabulary: '{template}' needs '{name}', which the program does not define or import"
                )
        return self


@cache
def holes_of(template: str) -> set[int]:
    """Numbers of the holes in a template."""
    return {
        int(n.id[1:]) for n in ast.walk(ast.parse(template)) if isinstance(n, ast.Name) and re.fullmatch(r"_\d+", n.id)
    }


@cache
def pattern(template: str) -> ast.expr:
    """The template of a primitive as a tree."""
    return ast.parse(template, mode="eval").body


@cache
def parsed(template: str) -> tuple[ast.stmt, ...]:
    """The template of an idiom as trees."""
    return tuple(ast.parse(template).body)


def build(primitive: Primitive, args: Sequence[ast.expr]) -> ast.expr:
    """The primitive with its holes filled."""
    return fill(pattern(primitive.template), {f"_{i}": a for i, a in enumerate(args)})


def fill(node: Any, names: dict[str, Any]) -> Any:
    """A copy of a tree in which names are replaced: by an expression, or (a string) by another name."""
    if isinstance(node, (list, tuple)):
        return [fill(x, names) for x in node]
    if isinstance(node, ast.Name):
        new = names.get(node.id, node)
        return ast.Name(id=new, ctx=node.ctx) if isinstance(new, str) else new
    if not isinstance(node, ast.AST):
        return node
    return type(node)(**{k: fill(v, names) if isinstance(v, (list, ast.AST)) else v for k, v in vars(node).items()})


def dotted(node: ast.expr) -> str | None:
    """`np.linalg.norm` of the tree of that text; None for other expressions."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def head(node: ast.expr) -> tuple[Any, ...] | None:
    """What decides which primitive a node is an instance of: operator or called name, and number of operands."""
    if isinstance(node, ast.BinOp):
        return ("binary", type(node.op).__name__)
    if isinstance(node, ast.UnaryOp):
        return ("unary", type(node.op).__name__)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return ("compare", type(node.ops[0]).__name__)
    if isinstance(node, ast.BoolOp):
        return ("logic", type(node.op).__name__)
    if isinstance(node, ast.IfExp):
        return ("ifexp",)
    if isinstance(node, ast.Subscript) and not isinstance(node.slice, (ast.Slice, ast.Tuple)):
        return ("item",)
    if isinstance(node, ast.Call) and not node.keywords and not any(isinstance(a, ast.Starred) for a in node.args):
        name = dotted(node.func)
        return ("call", name, len(node.args)) if name else None
    return None


def operands(node: ast.expr) -> list[tuple[Path, ast.expr]]:
    """(path, node) of the operands of a node that has a head, in the order of the template's holes."""
    match node:
        case ast.BinOp():
            return [(("left",), node.left), (("right",), node.right)]
        case ast.UnaryOp():
            return [(("operand",), node.operand)]
        case ast.Compare():
            return [(("left",), node.left), (("comparators", 0), node.comparators[0])]
        case ast.BoolOp():
            return [(("values", i), v) for i, v in enumerate(node.values)]
        case ast.IfExp():
            return [(("body",), node.body), (("test",), node.test), (("orelse",), node.orelse)]
        case ast.Subscript():
            return [(("value",), node.value), (("slice",), node.slice)]
        case ast.Call():
            return [(("args", i), a) for i, a in enumerate(node.args)]
    return []


@cache
def simple_head(template: str) -> tuple[Any, ...] | None:
    """The head of a template that is one node with the holes as its operands, in order; None for an idiom."""
    tree = pattern(template)
    h = head(tree)
    names = [n.id if isinstance(n, ast.Name) else "" for _, n in operands(tree)]
    return h if h and names == [f"_{i}" for i in range(len(names))] else None
