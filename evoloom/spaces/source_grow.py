"""Typed random growth: expressions of a wanted type over a vocabulary and the variables in scope.

Grow with a depth limit (Koza 1992, section 6.2), made typed (Montana 1995, "Strongly typed genetic programming"): a
form is drawn only if its arguments can be finished within the depth that is left, which `reach` knows.
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, TypeVar

import numpy as np

from evoloom.spaces.source_sites import Env, literal, number
from evoloom.spaces.source_types import Primitive, Vocabulary, array, build, fits, is_array, scalar

T = TypeVar("T")
Gen = np.random.Generator
NUMBERS = ("float", "int")
P_CONSTANT = 0.4  # that a scalar leaf is a number where variables would do too
SCALAR_LEAF = 0.75  # chance that a scalar beside an array is a leaf: what is the same for all elements matters less
P_ARRAY = 0.7  # that an argument of an elementwise form is an array


def pick(gen: Gen, options: Sequence[T]) -> T:
    """One of them, uniformly. (`Generator.choice` takes 20 times as long.)"""
    return options[int(gen.random() * len(options))]


def pick_weighted(gen: Gen, options: Sequence[T], cumulative: Sequence[float]) -> T:
    """One of them, by cumulative weights."""
    return options[min(bisect_right(cumulative, gen.random() * cumulative[-1]), len(options) - 1)]


class Grower:
    """Grows expressions over one vocabulary. Holds tables only; the same generator state gives the same expression."""

    def __init__(self, vocabulary: Vocabulary):
        self.vocabulary = vocabulary
        self.primitives = tuple(p for p in vocabulary.primitives if p.grow)
        self._forms: dict[str, tuple[list[Primitive], list[float]]] = {}
        self._reach: dict[frozenset[str | None], dict[str, int]] = {}

    # An elementwise form gives the wanted type itself: `2 * 3` is no good number where a float is wanted.
    def forms(self, want: str) -> tuple[list[Primitive], list[float]]:
        """Primitives whose value can be of a type, and their cumulative weights."""
        if want not in self._forms:
            rows = [p for p in self.primitives if (p.result == scalar(want) if p.lift else fits(p.result, want))]
            self._forms[want] = rows, list(accumulate(p.weight for p in rows))
        return self._forms[want]

    def reach(self, env: Env) -> dict[str, int]:
        """Least depth at which each type can be had; types that cannot are absent. A variable or number has depth 0."""
        key = frozenset(env.values())
        if key not in self._reach:
            wanted = {t for p in self.primitives for t in (*p.args, p.result)}
            wanted |= {array(t) for t in wanted if not is_array(t)} | {t for t in key if t}
            depth = {t: 0 for t in wanted if t in NUMBERS or any(fits(have, t) for have in key)}
            for level in range(1, 8):
                new = {
                    t: level for t in wanted - depth.keys() if any(self.possible(p, t, depth) for p in self.forms(t)[0])
                }
                depth |= new
                if not new:
                    break
            self._reach[key] = depth
        return self._reach[key]

    @staticmethod
    def possible(p: Primitive, want: str, depth: dict[str, int], limit: int = 99) -> bool:
        """Whether a form can be finished: each argument within `limit`, and an array among them if one is wanted."""
        if p.lift and is_array(want):
            ok = [(depth.get(a, 99) < limit, depth.get(array(a), 99) < limit) for a in p.args]
            return all(s or a for s, a in ok) and any(a for _, a in ok)
        return all(depth.get(a, 99) < limit for a in p.args)

    def expression(self, gen: Gen, want: str, env: Env, depth: int, leaf: float = 0.25) -> ast.expr | None:
        """A random expression of a type, or None where the type is out of reach.

        depth: at most so many levels of forms, more only where the type needs it. leaf: chance to stop early.
        """
        reach = self.reach(env)
        need = reach.get(want)
        if need is None:
            return None
        if need == 0 and (depth <= 0 or gen.random() < leaf):
            return self.leaf(gen, want, env)
        rows, cumulative = self.forms(want)
        limit = max(depth, need)
        for _ in range(8):
            p = pick_weighted(gen, rows, cumulative) if rows else None
            if p and self.possible(p, want, reach, limit):
                return self.form(gen, p, want, env, limit - 1, leaf)
        usable = [p for p in rows if self.possible(p, want, reach, limit)]
        if usable:
            return self.form(gen, pick(gen, usable), want, env, limit - 1, leaf)
        return self.leaf(gen, want, env) if need == 0 else None

    def form(self, gen: Gen, p: Primitive, want: str, env: Env, depth: int, leaf: float,
             given: dict[int, ast.expr] | None = None, given_type: str | None = None) -> ast.expr | None:  # fmt: skip
        """A primitive with grown arguments; `given`: arguments that are there already, all of one type."""
        given = given or {}
        types = self.argument_types(gen, p, want, env, depth, given, given_type)
        if types is None:
            return None
        args: list[ast.expr] = []
        for _ in range(4):
            grown = [
                given.get(i)
                or self.expression(gen, t, env, depth, SCALAR_LEAF if is_array(want) > is_array(t) else leaf)
                for i, t in enumerate(types)
            ]
            if any(a is None for a in grown):
                return None
            args = [a for a in grown if a is not None]
            if not pointless(args):
                break
        return build(p, args)

    def argument_types(self, gen: Gen, p: Primitive, want: str, env: Env, depth: int,
                       given: dict[int, ast.expr], given_type: str | None) -> list[str] | None:  # fmt: skip
        """Argument types under which a form's value has the wanted type."""
        if not (p.lift and is_array(want)):
            return list(p.args)
        reach = self.reach(env)
        free = [i for i in range(len(p.args)) if i not in given]
        can = {i for i in free if reach.get(array(p.args[i]), 99) <= depth}
        must = {i for i in free if reach.get(p.args[i], 99) > depth}
        if not must <= can:
            return None
        chosen = must | {i for i in can if gen.random() < P_ARRAY}
        if not chosen and not (given_type and is_array(given_type)):
            if not can:
                return None
            chosen = {pick(gen, sorted(can))}
        return [array(a) if i in chosen else a for i, a in enumerate(p.args)]

    def leaf(self, gen: Gen, want: str, env: Env) -> ast.expr | None:
        """A variable or a number."""
        names = [n for n, t in env.items() if fits(t, want)]
        if want in NUMBERS and (not names or gen.random() < P_CONSTANT):
            return literal(self.constant(gen, want))
        return ast.Name(id=pick(gen, names), ctx=ast.Load()) if names else None

    def constant(self, gen: Gen, want: str) -> float | int:
        """A number: of the problem's own, small and whole, or of any magnitude (three digits)."""
        if want == "int":
            return int(gen.random() * 10)
        u = gen.random()
        if self.vocabulary.constants and u < 0.3:
            return pick(gen, self.vocabulary.constants)
        if u < 0.6:
            return float(int(gen.random() * 11))
        return float(f"{10 ** (4 * gen.random() - 2):.3g}")


def pointless(args: Sequence[ast.expr]) -> bool:
    """Whether a form over these says nothing: only numbers, or the same variable twice."""
    if len(args) == 2 and isinstance(args[0], ast.Name) and isinstance(args[1], ast.Name):
        return args[0].id == args[1].id
    return bool(args) and all(number(a) is not None for a in args)


def wrapped(grower: Grower, gen: Gen, node: ast.expr, have: str, wants: frozenset[str], env: Env,
            depth: int) -> Any:  # fmt: skip
    """An expression of a type in `wants` that holds `node` as one argument of a new form; None if no form fits."""
    want = pick(gen, sorted(wants))
    rows, cumulative = grower.forms(want)
    for _ in range(10):
        if not rows:
            return None
        p = pick_weighted(gen, rows, cumulative)
        lifts = p.lift and is_array(want)
        holes = [i for i, a in enumerate(p.args) if fits(have, a) or (lifts and fits(have, array(a)))]
        if holes and (lifts or want == p.result or fits(p.result, want)):
            hole = pick(gen, holes)
            made = grower.form(gen, p, want, env, depth, 0.5, {hole: node}, have)
            if made is not None:
                return made
    return None
