"""Programs as genomes: Python source text with evolvable regions."""

from __future__ import annotations

import ast
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from evoloom.core.errors import UsageError
from evoloom.core.rng import Rng
from evoloom.spaces import source_vocabulary as vocabularies
from evoloom.spaces.source_grow import Grower
from evoloom.spaces.source_key import branches, dice, digest, normalised
from evoloom.spaces.source_sites import Context, Reading, Signatures, arguments, literal, read
from evoloom.spaces.source_tree import Bodies, Layout, count, layout, parse_quietly, parse_region, render, replaced
from evoloom.spaces.source_types import Primitive, Vocabulary, annotated

T = TypeVar("T")


class ProgramSpace:
    """Source texts that equal the start outside its regions.

    A genome is the whole text (str). Regions stand between `# EVOLVE-BLOCK-START` and `# EVOLVE-BLOCK-END`; where the
    start has no markers they are the bodies of its top-level functions (of those in `functions`, if given), below
    their docstrings. Rewritten regions lose comments and layout; all else is kept byte for byte.

    Args:
        start: a valid program.
        entry: the function that a problem calls; None if it calls none.
        functions: names of the top-level functions that may change.
        vocabulary: what typed edits may write; None: numpy or plain Python, by what the program imports. Functions of
            the program with complete annotations are always understood, and used where they are frozen.
        max_nodes: most syntax nodes in the regions.
        max_characters: longest text.

    Raises:
        UsageError: the start is not such a program, or the vocabulary needs a name that it does not bind.
    """

    def __init__(
        self,
        start: str,
        *,
        entry: str | None = None,
        functions: Sequence[str] | None = None,
        vocabulary: Vocabulary | None = None,
        max_nodes: int = 200,
        max_characters: int = 100_000,
    ):
        self._options = {"entry": entry, "functions": functions, "vocabulary": vocabulary, "max_nodes": max_nodes,
                         "max_characters": max_characters}  # fmt: skip
        self.start, self.entry, self.max_nodes, self.max_characters = start, entry, max_nodes, max_characters
        self.layout: Layout = layout(start, functions)
        tree = parse_quietly(start)
        self.names = bound_names(tree)
        own = self._own_functions(tree)
        if vocabulary is None:
            vocabulary = default_vocabulary(self.names)
        self.vocabulary = vocabulary.checked(self.names) + Vocabulary(own)
        self.grower = Grower(self.vocabulary)
        self.signatures = Signatures((*self.vocabulary.primitives, *vocabularies.KNOWN))
        self.contexts = self._contexts(tree)
        self._within = tuple(c.within != "module" for c in self.contexts)
        self._kept = tuple(self.names | c.env.keys() | c.exports for c in self.contexts)
        self._bodies: Cache[Bodies | None] = Cache(1024)
        self._readings: Cache[Reading | None] = Cache(1024)
        self._keys: Cache[bytes] = Cache(4096)
        self._arity: int | None = None
        if entry is not None:
            self._find_entry(tree)
        reason = self.check(start)
        if reason:
            raise UsageError(f"the start is not a program of its own space: {reason}")

    def __reduce__(self) -> Any:
        return _rebuild, (self.start, self._options)

    # The contract of a space.

    def sample(self, rng: Rng, n: int) -> list[str]:
        """Random programs: every region that is a function body with a return type in reach becomes one grown
        `return`, depths 1 to 5, half of them full (Koza's ramped half-and-half). Other regions stay as in the start."""
        gen = rng.generator()
        start = self.read(self.start)
        assert start is not None
        out = []
        for i in range(n):
            bodies = start.bodies
            for place in start.places:
                if place.returns is None or place.within != "function" or not place.stmts:
                    continue
                for depth in range(1 + i // 2 % 5, 0, -1):
                    made = self.grower.expression(gen, place.returns, place.envs[0], depth, 0.25 if i % 2 else 0.0)
                    if made is None:
                        break
                    child = replaced(bodies, place.path, [*ast.parse("return 0").body])
                    child = replaced(child, (*place.path, 0, "value"), made)
                    text = self.write(self.start, child)
                    if self.check(text) is None:
                        bodies = child
                        break
            out.append(self.write(self.start, bodies))
        return out

    def check(self, genome: Any) -> str | None:
        """Why it is no program of this space, or None. Says the line."""
        if not isinstance(genome, str):
            return f"expected the program's source text, got {type(genome).__name__}"
        if len(genome) > self.max_characters:
            return f"{len(genome)} characters, at most {self.max_characters} are allowed"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(genome, "<program>", "exec", dont_inherit=True)
        except SyntaxError as e:
            return f"syntax error in line {e.lineno}: {e.msg}"
        except (ValueError, RecursionError, MemoryError, OverflowError) as e:
            return f"cannot be compiled: {e or type(e).__name__}"
        texts = self.layout.split(genome)
        if texts is None:
            return self._changed(genome)
        bodies = self._bodies.get(genome, self._parsed)
        if bodies is None:
            return "a region is not a run of whole statements at its own depth: it changes the frozen part around it"
        size = count(bodies)
        if size > self.max_nodes:
            return f"{size} syntax nodes in the regions, at most {self.max_nodes} are allowed"
        return self._entry_missing(genome)

    def encode(self, genome: str) -> str:
        return genome

    def decode(self, data: str) -> str:
        return data

    def key(self, genome: str) -> bytes:
        """Equal for programs whose regions differ in format, comments, docstrings or names of locals only."""
        return self._keys.get(genome, self._key)

    def distance(self, a: str, b: str) -> float:
        """0 to 1: Dice distance of the multisets of (node, child, place of the child) of the two programs' regions
        (binary branches; Yang, Kalnis and Tung 2005). 0 for equal keys; 1 where one of them cannot be read."""
        trees = [self.read(g) for g in (a, b)]
        if trees[0] is None or trees[1] is None:
            return float(a != b)
        return dice(*(branches(t.bodies) for t in trees if t))

    # What operators and problems ask.

    def regions(self, genome: str) -> dict[str, str]:
        """Text of each region by name (the function's name, or `block 1`, ...)."""
        texts = self.layout.split(genome)
        return {} if texts is None else {s.name: t for s, t in zip(self.layout.spans, texts)}

    def size(self, genome: str) -> int:
        """Number of syntax nodes in the regions."""
        bodies = self._bodies.get(genome, self._parsed)
        return 0 if bodies is None else count(bodies)

    def read(self, genome: str) -> Reading | None:
        """Trees, sites and environments of a genome's regions; None if they cannot be read. Never change them."""
        return self._readings.get(genome, self._read)

    def write(self, genome: str, bodies: Bodies) -> str:
        """The genome with other trees; regions whose tree is the same object keep their text."""
        old = self.read(genome)
        texts = self.layout.split(genome)
        if old is None or texts is None:
            raise ValueError("the genome is not a program of this space")
        new = [
            t if a is b else render(b, span, t.endswith("\n"))
            for t, a, b, span in zip(texts, old.bodies, bodies, self.layout.spans)
        ]
        return self.layout.join(new)

    def reread(self, bodies: Bodies) -> Reading:
        """Reading of trees that are not text yet."""
        return read(bodies, self.contexts, self.signatures, self.names)

    def tree_key(self, bodies: Bodies) -> bytes:
        """Key of the program with these trees."""
        return digest(normalised(bodies, self._within, self._kept))

    @staticmethod
    def tree_size(bodies: Bodies) -> int:
        """Number of syntax nodes."""
        return count(bodies)

    def simplify(self, genome: str) -> str:
        """The same program in fewer nodes, by rules that never change what it computes."""
        from evoloom.spaces.source_simplify import simplified

        return simplified(self, genome)

    def constants(self, genome: str) -> list[tuple[float | int, bool]]:
        """Numbers in the regions in the order of reading: (value, whether any real number would do)."""
        reading = self.read(genome)
        return [] if reading is None else [(x, real) for _, x, real in reading.constants]

    def with_constants(self, genome: str, values: Sequence[float | int]) -> str:
        """The genome with other numbers in the places of `constants(genome)`."""
        reading = self.read(genome)
        if reading is None or len(values) != len(reading.constants):
            have = 0 if reading is None else len(reading.constants)
            raise ValueError(f"the program has {have} constants, got {len(values)} values")
        bodies = reading.bodies
        for (path, old, _), x in zip(reading.constants, values):
            if x != old or type(x) is not type(old):
                bodies = replaced(bodies, path, literal(x))
        return self.write(genome, bodies)

    # Inside.

    def _parsed(self, genome: str) -> Bodies | None:
        texts = self.layout.split(genome)
        if texts is None:
            return None
        try:
            return [parse_region(t, s) for t, s in zip(texts, self.layout.spans)]
        except (SyntaxError, RecursionError):
            return None

    def _read(self, genome: str) -> Reading | None:
        bodies = self._bodies.get(genome, self._parsed)
        try:
            return None if bodies is None else self.reread(bodies)
        except RecursionError:
            return None

    def _key(self, genome: str) -> bytes:
        bodies = self._bodies.get(genome, self._parsed)
        return digest("unreadable " + genome) if bodies is None else self.tree_key(bodies)

    def _changed(self, genome: str) -> str:
        for i, frozen in enumerate(self.layout.frozen):
            for line in frozen.split("\n"):
                if line.strip() and line not in genome:
                    return f"the frozen part is changed: this line is missing: {line.strip()!r}"
            if frozen not in genome:
                where = "before the first region" if i == 0 else f"after region {self.layout.spans[i - 1].name!r}"
                return f"the frozen part is changed {where}"
        return "the frozen part is changed: something was added, removed or moved outside the regions"

    def _own_functions(self, tree: ast.Module) -> tuple[Primitive, ...]:
        """Top-level functions with complete annotations. Only those that cannot change or recurse are grown."""
        out = []
        lines = [(s.line, self.start.count("\n", 0, s.stop) + 1) for s in self.layout.spans]
        for f in tree.body:
            if not isinstance(f, ast.FunctionDef) or f.args.kwonlyargs or f.args.vararg or f.args.kwarg:
                continue
            types, returns = list(arguments(f).values()), annotated(f.returns)
            if returns is None or not types or any(t is None for t in types):
                continue
            evolves = any(a <= (f.end_lineno or 0) and f.lineno <= b for a, b in lines)
            calls_entry = any(isinstance(n, ast.Name) and n.id == self.entry for n in ast.walk(f))
            template = f"{f.name}({', '.join(f'_{i}' for i in range(len(types)))})"
            frozen = not evolves and not calls_entry and f.name != self.entry
            out.append(Primitive(template, tuple(t for t in types if t), returns, grow=frozen))
        return tuple(out)

    def _contexts(self, tree: ast.Module) -> tuple[Context, ...]:
        """Environment, return type and readers of each region, from the start program."""
        whole = read([tree.body], [Context()], self.signatures, self.names)
        out = []
        for span in self.layout.spans:
            last = self.start.count("\n", 0, span.stop) + (
                span.stop == len(self.start) or self.start[span.stop - 1] != "\n"
            )
            found = Context()
            for place in whole.places:
                inside = [i for i, s in enumerate(place.stmts) if span.line <= s.lineno and (s.end_lineno or 0) <= last]
                if inside and len(place.path) > 0:
                    first = place.stmts[inside[0]]
                    outer = [s for s in tree.body if s.lineno <= first.lineno <= (s.end_lineno or 0)]
                    around = outer[0] if place.within != "module" else tree
                    reads = {
                        n.id for n in ast.walk(around)
                        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and not span.line <= n.lineno <= last
                    }  # fmt: skip
                    bound = place.envs[inside[-1] + 1].keys()
                    env = place.envs[inside[0]]
                    if place.within == "module":
                        env = {k: t for k, t in env.items() if t is not None}
                    exports = frozenset(reads & bound - env.keys())
                    found = Context(env, place.returns, place.within, exports)
                    if place.within == "module":
                        break
            out.append(found)
        return tuple(out)

    def _find_entry(self, tree: ast.Module) -> None:
        if self.entry not in bound_names(tree):
            functions = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
            raise UsageError(f"the start program does not define the entry '{self.entry}'; its functions: {functions}")
        self._arity = _arity(tree, self.entry)

    def _entry_missing(self, genome: str) -> str | None:
        if self.entry is None or all(c.within != "module" for c in self.contexts):
            return None
        tree = parse_quietly(genome)
        if self.entry not in bound_names(tree):
            return f"the entry '{self.entry}' is not defined"
        n = _arity(tree, self.entry)
        if n is not None and self._arity is not None and n != self._arity:
            return f"the entry '{self.entry}' takes {n} arguments, expected {self._arity}"
        return None


class Cache(OrderedDict[str, T]):
    """The values of the texts that were asked last."""

    def __init__(self, limit: int):
        super().__init__()
        self.limit = limit

    def get(self, key: str, make: Callable[[str], T]) -> T:  # type: ignore[override]
        try:
            self.move_to_end(key)
            return self[key]
        except KeyError:
            value = self[key] = make(key)
            if len(self) > self.limit:
                self.popitem(last=False)
            return value


def default_vocabulary(names: frozenset[str]) -> Vocabulary:
    """numpy's elementwise functions where `np` is bound, else plain Python, with `math` where that is bound."""
    if "np" in names:
        return vocabularies.numpy_elementwise
    return vocabularies.python_scalars + (vocabularies.math_scalars if "math" in names else Vocabulary())


def bound_names(tree: ast.Module) -> frozenset[str]:
    """Names that a module binds at its top level (also within its ifs, loops and with-blocks)."""
    out: set[str] = set()

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                out.add(child.name)
                continue
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
                out.add(child.id)
            elif isinstance(child, ast.alias):
                out.add((child.asname or child.name).split(".")[0])
            visit(child)

    visit(tree)
    return frozenset(out)


def _arity(tree: ast.Module, name: str | None) -> int | None:
    """Number of positional arguments of a top-level function; None if it is none, or takes any number."""
    for f in tree.body:
        if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef)) and f.name == name and not f.args.vararg:
            return len(f.args.posonlyargs) + len(f.args.args)
    return None


def _rebuild(start: str, options: dict[str, Any]) -> ProgramSpace:
    return ProgramSpace(start, **options)
