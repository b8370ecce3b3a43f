"""Vocabularies that come with evoloom. Signatures are of scalars; rows that lift serve arrays by the same text.

Division, logarithm and power are not protected: a candidate that divides by zero is told so by its verdict, and a
program found here means outside what it meant inside.
"""

from __future__ import annotations

from evoloom.spaces.source_types import Primitive, Vocabulary


def _rows(templates: str, args: str, result: str, lift: bool = False, weight: float = 1.0, grow: bool = True):
    types = tuple(args.split())
    return tuple(Primitive(t.strip(), types, result, lift, weight, grow) for t in templates.split(";"))


_ARITHMETIC = (
    *_rows("_0 + _1; _0 - _1; _0 * _1", "int int", "int", True, 0.3),
    *_rows("_0 // _1; _0 % _1", "int int", "int", True, 0.1, False),
    *_rows("_0 + _1; _0 - _1; _0 * _1", "float float", "float", True, 2.0),
    *_rows("_0 / _1", "float float", "float", True, 1.0),
    *_rows("_0 ** _1", "float float", "float", True, 0.3),
    *_rows("_0 % _1; _0 // _1", "float float", "float", True, 0.2, False),
    *_rows("-_0; +_0", "int", "int", True, 0.2, False),
    *_rows("-_0", "float", "float", True, 0.5),
    *_rows("_0 < _1; _0 > _1; _0 <= _1; _0 >= _1", "float float", "bool", True),
    *_rows("_0 == _1; _0 != _1", "float float", "bool", True, 0.2),
)
_CHOICE = (
    *_rows("_0 and _1; _0 or _1", "bool bool", "bool", False, 0.5),
    *_rows("not _0", "bool", "bool", False, 0.3),
    *_rows("_0 if _1 else _2", "float bool float", "float", False, 1.0),
    *_rows("_0 if _1 else _2", "int bool int", "int", False, 0.2, False),
)

# Scalars with builtins only.
python_scalars = Vocabulary(
    (
        *_ARITHMETIC,
        *_CHOICE,
        *_rows("min(_0, _1); max(_0, _1)", "int int", "int", False, 0.2),
        *_rows("min(_0, _1); max(_0, _1)", "float float", "float"),
        *_rows("abs(_0)", "int", "int", True, 0.2, False),
        *_rows("abs(_0)", "float", "float", True, 0.5),
        *_rows("float(_0)", "int", "float", False, 0.1, False),
        *_rows("int(_0); round(_0)", "float", "int", False, 0.1),
    )
)

# Scalars with `import math`.
math_scalars = Vocabulary(
    (
        *_rows("math.sqrt(_0); math.exp(_0); math.log(_0)", "float", "float", False, 0.5),
        *_rows("math.sin(_0); math.cos(_0); math.tanh(_0)", "float", "float", False, 0.3),
        *_rows("math.floor(_0); math.ceil(_0)", "float", "int", False, 0.1),
        *_rows("math.hypot(_0, _1); math.atan2(_0, _1)", "float float", "float", False, 0.2),
    )
)

# Elementwise functions of arrays and scalars with `import numpy as np`. Choices and differences come up most: rules are
# made of them; smooth functions of one argument are rarer, because they seldom change an order.
numpy_elementwise = Vocabulary(
    (
        *_ARITHMETIC,
        *_rows("_0 & _1; _0 | _1", "bool bool", "bool", True, 0.1, False),
        *_rows("~_0", "bool", "bool", True, 0.1, False),
        *_rows("np.logical_and(_0, _1); np.logical_or(_0, _1)", "bool bool", "bool", True, 0.3),
        *_rows("np.logical_not(_0)", "bool", "bool", True, 0.1),
        *_rows("np.where(_0, _1, _2)", "bool float float", "float", True, 3.0),
        *_rows("np.minimum(_0, _1); np.maximum(_0, _1)", "float float", "float", True, 0.7),
        *_rows("np.power(_0, _1)", "float float", "float", True, 0.3, False),
        *_rows("np.abs(_0)", "float", "float", True, 1.0),
        *_rows("np.sqrt(_0); np.square(_0)", "float", "float", True, 0.4),
        *_rows("np.exp(_0); np.log(_0)", "float", "float", True, 0.2),
        *_rows("np.sign(_0); np.floor(_0)", "float", "float", True, 0.1),
        *_rows("np.tanh(_0); np.sin(_0); np.cos(_0); np.log1p(_0); np.ceil(_0)", "float", "float", True, 0.2, False),
        *_rows("abs(_0)", "float", "float", True, 0.5, False),
    )
)

# Whole-array functions: with these a program is no longer elementwise.
numpy_reductions = Vocabulary(
    (
        *_rows(
            "np.max(_0); np.min(_0); np.mean(_0); np.sum(_0); np.std(_0); np.median(_0)", "float[]", "float", weight=0.3
        ),
        *_rows("np.sort(_0); np.cumsum(_0)", "float[]", "float[]", weight=0.2),
        *_rows("np.argsort(_0)", "float[]", "int[]", weight=0.2),
        *_rows("np.argmax(_0); np.argmin(_0)", "float[]", "int", weight=0.2),
        *_rows("len(_0)", "float[]", "int", weight=0.3),
        *_rows("np.any(_0); np.all(_0)", "bool[]", "bool", weight=0.2),
        *_rows("np.count_nonzero(_0)", "bool[]", "int", weight=0.2),
    )
)

# What inference knows beside the vocabulary of a space.
KNOWN = (
    *numpy_elementwise.primitives,
    *_CHOICE,
    *python_scalars.primitives,
    *math_scalars.primitives,
    *numpy_reductions.primitives,
    *_rows("_0[_1]", "float[] int", "float", grow=False),
    *_rows("np.zeros_like(_0); np.ones_like(_0); np.copy(_0)", "float[]", "float[]", grow=False),
    *_rows("np.zeros(_0); np.ones(_0)", "int", "float[]", grow=False),
    *_rows("np.arange(_0)", "int", "int[]", grow=False),
)
