"""Variation of permutations: swap, insert, reverse; order crossover and partially mapped crossover."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from evoloom.core.contracts import Draft, NotMade, Record
from evoloom.core.rng import Rng

Rule = Callable[[np.random.Generator, Sequence[np.ndarray]], np.ndarray]


class Order:
    """A Vary over permutations: a rule (generator, parents (n,) each) -> child (n,).

    Raises:
        NotMade: there are fewer than two items, so that no other order exists.
    """

    draft = False

    def __init__(self, name: str, arity: int, rule: Rule):
        self.name, self.arity, self.rule = name, arity, rule

    def __call__(self, rng: Rng, sources: Sequence[Record], draft: Draft) -> np.ndarray:
        return self.many(rng, [sources])[0]

    def many(self, rng: Rng, sources: Sequence[Sequence[Record]]) -> list[np.ndarray]:
        """One child per row of parents' records."""
        if len(sources[0][0].genome) < 2:
            raise NotMade("a permutation of one item has no other order")
        g = rng.generator()
        return [self.rule(g, [r.genome for r in row[: self.arity]]) for row in sources]


def _two(g: np.random.Generator, n: int) -> tuple[int, int]:
    """Two different numbers below n, the smaller first; every pair equally likely."""
    i, j = int(g.integers(n)), int(g.integers(n - 1))
    j += j >= i
    return (i, j) if i < j else (j, i)


def swap() -> Order:
    """Two items change places."""

    def rule(g: np.random.Generator, parents: Sequence[np.ndarray]) -> np.ndarray:
        child = parents[0].copy()
        i, j = _two(g, len(child))
        child[i], child[j] = child[j], child[i]
        return child

    return Order("swap", 1, rule)


def insert() -> Order:
    """One item moves to another place; those between shift by one."""

    def rule(g: np.random.Generator, parents: Sequence[np.ndarray]) -> np.ndarray:
        x = parents[0]
        i, j = _two(g, len(x))
        child = x.copy()
        if g.random() < 0.5:
            child[i:j], child[j] = x[i + 1 : j + 1], x[i]
        else:
            child[i + 1 : j + 1], child[i] = x[i:j], x[j]
        return child

    return Order("insert", 1, rule)


def reverse() -> Order:
    """A stretch of at least two items is turned around: the 2-opt move of tours."""

    def rule(g: np.random.Generator, parents: Sequence[np.ndarray]) -> np.ndarray:
        child = parents[0].copy()
        i, j = _two(g, len(child))
        child[i : j + 1] = child[i : j + 1][::-1]
        return child

    return Order("reverse", 1, rule)


def ox() -> Order:
    """Order crossover with two uniform cuts; see `order_crossover`."""

    def rule(g: np.random.Generator, parents: Sequence[np.ndarray]) -> np.ndarray:
        i, j = _two(g, len(parents[0]) + 1)
        return order_crossover(parents[0], parents[1], i, j)

    return Order("ox", 2, rule)


def pmx() -> Order:
    """Partially mapped crossover with two uniform cuts; see `partially_mapped`."""

    def rule(g: np.random.Generator, parents: Sequence[np.ndarray]) -> np.ndarray:
        i, j = _two(g, len(parents[0]) + 1)
        return partially_mapped(parents[0], parents[1], i, j)

    return Order("pmx", 2, rule)


def order_crossover(a: np.ndarray, b: np.ndarray, i: int, j: int) -> np.ndarray:
    """Places i .. j-1 are a's; the rest follows b's cyclic order from place j on, filled from place j on.

    Davis, "Applying adaptive algorithms to epistatic domains", IJCAI 1985.
    """
    n = len(a)
    inside = np.zeros(n, bool)
    inside[a[i:j]] = True
    rest = np.roll(b, -j)
    child = np.empty_like(a)
    child[i:j] = a[i:j]
    child[(j + np.arange(n - (j - i))) % n] = rest[~inside[rest]]
    return child


def partially_mapped(a: np.ndarray, b: np.ndarray, i: int, j: int) -> np.ndarray:
    """Places i .. j-1 are a's; elsewhere b's item, or what the mapping a[k] -> b[k] of the stretch leads it to.

    Goldberg and Lingle, "Alleles, loci, and the traveling salesman problem", ICGA 1985.
    """
    n = len(a)
    to = np.arange(n)
    to[a[i:j]] = b[i:j]
    inside = np.zeros(n, bool)
    inside[a[i:j]] = True
    child = b.copy()
    child[i:j] = a[i:j]
    outside = np.r_[0:i, j:n]
    items = b[outside]
    while (again := inside[items]).any():
        items[again] = to[items[again]]
    child[outside] = items
    return child
