"""The programs among which cap-set searches: the body of `priority` in either form."""

from __future__ import annotations

from evoloom.spaces.program import ProgramSpace
from evoloom.spaces.source_types import Idiom, Primitive, Vocabulary
from evoloom.spaces.source_vocabulary import numpy_elementwise, python_scalars


def scalar_vocabulary(n: int) -> Vocabulary:
    """What can be said about one vector: entries, counts, sums, mirrored entries, and a walk over its entries."""
    entries = [Primitive(f"_0[{i}]", ("Vector",), "int", weight=1.0 / n) for i in range(n)]
    mirrors = [Primitive(f"_0[{i}] == _0[-{i}]", ("Vector",), "bool", weight=2.0 / n) for i in range(1, (n + 1) // 2)]
    counts = [Primitive(f"_0.count({v})", ("Vector",), "int", weight=0.5) for v in range(3)]
    sums = [Primitive("sum(_0)", ("Vector",), "int", weight=0.5), Primitive("_0 % 3", ("int",), "int", weight=0.5)]
    walk = Idiom("for new_0 in _0:\n    if new_0 == 0:\n        _1 = _1 * 0.5\n    else:\n        _1 = _1 + 1.0",
                 ("Vector", "var float"))  # fmt: skip
    return python_scalars + Vocabulary((*entries, *mirrors, *counts, *sums), (0.5, 1.0, 1.5, 2.0, 3.0), (walk,))


def array_vocabulary(n: int) -> Vocabulary:
    """The same about all vectors at once: columns, counts and sums along rows, mirrored columns."""
    columns = [Primitive(f"_0[:, {i}]", ("Vectors",), "int[]", weight=1.0 / n) for i in range(n)]
    mirrors = [
        Primitive(f"_0[:, {i}] == _0[:, -{i}]", ("Vectors",), "bool[]", weight=2.0 / n) for i in range(1, (n + 1) // 2)
    ]
    counts = [Primitive(f"np.sum(_0 == {v}, axis=1)", ("Vectors",), "int[]", weight=0.5) for v in range(3)]
    sums = [Primitive("np.sum(_0, axis=1)", ("Vectors",), "int[]", weight=0.5),
            Primitive("_0 % 3", ("int",), "int", lift=True, weight=0.5)]  # fmt: skip
    return numpy_elementwise + Vocabulary((*columns, *mirrors, *counts, *sums), (0.5, 1.0, 1.5, 2.0, 3.0))


def program_space(form: str, start: str, n: int) -> ProgramSpace:
    vocabulary = scalar_vocabulary(n) if form == "scalar" else array_vocabulary(n)
    return ProgramSpace(start, entry="priority", vocabulary=vocabulary, max_nodes=200)
