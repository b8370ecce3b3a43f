"""Frames: what goes in comes out exactly, and hostile bytes are refused cleanly."""

from __future__ import annotations

import math
import struct
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from evoloom.evaluate import wire

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**63) - 2, 2**63 + 2)
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters())
    | st.binary()
)
keys = st.text() | st.integers() | st.binary() | st.booleans() | st.tuples(st.integers(), st.text())
dtypes = st.sampled_from([np.dtype(order + name) for name in wire.DTYPES for order in "<>"])
arrays = dtypes.flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)))
values = st.recursive(
    scalars | arrays,
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.lists(inner, max_size=6).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.lists(st.floats(), max_size=9)
        | st.lists(st.integers(-(2**70), 2**70), max_size=9)
    ),
    max_leaves=20,
)


def same(a, b) -> bool:
    """Equal in type and in every bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray | np.generic):
        a, b = (x.astype(x.dtype.newbyteorder("<")) for x in (a, b))
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b)
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a.items(), b.items()))
    return a == b


@given(values)
@settings(deadline=None)
def test_values_come_back_exactly(value):
    assert same(wire.decode(wire.encode(value)), value)


@given(values, st.data())
@settings(deadline=None)
def test_damaged_bytes_give_a_value_or_a_clean_error(value, data):
    body = bytearray(wire.encode(value))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.sampled_from([0, 1, 127, 255, *b"iIfcsbltdFJag012"]))
    cut = data.draw(st.integers(1, len(body)))
    try:
        wire.decode(bytes(body[:cut]))
    except wire.WireError:
        pass


@given(st.binary(max_size=80))
def test_random_bytes_give_a_value_or_a_clean_error(body):
    try:
        wire.decode(body)
    except wire.WireError:
        pass


def test_empty_bytes_are_an_error():
    with pytest.raises(wire.WireError):
        wire.decode(b"")


def test_subclasses_cross_as_their_plain_base():
    from collections import Counter, namedtuple
    from enum import IntEnum

    point = namedtuple("point", "x y")
    colour = IntEnum("colour", "red green")
    got = wire.decode(wire.encode([point(1, 2.0), colour.green, Counter("aab"), bytearray(b"x"), memoryview(b"yz")]))
    assert [type(x) for x in got] == [tuple, int, dict, bytes, bytes]
    assert got == [(1, 2.0), 2, {"a": 2, "b": 1}, b"x", b"yz"]


def test_arrays_are_fresh_writable_and_of_native_order():
    x = np.arange(12.0).reshape(3, 4)
    for given_ in (x, x.T, x[::2, ::-1], x.astype(">f8")):
        got = wire.decode(wire.encode(given_))
        np.testing.assert_array_equal(got, given_)
        got[0, 0] = 99
        assert got.dtype.isnative


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, lambda: 0, np.array(["a"]), np.array([object()]), np.datetime64("2020-01-01"), np.longdouble(1),
     np.zeros(2, "i4,f8"), pytest.param(10 ** (10**6), id="huge"), np.zeros((1,) * 9)],
)  # fmt: skip
def test_what_cannot_cross_says_so(value):
    with pytest.raises(wire.WireError, match=r"cannot cross|may cross"):
        wire.encode([value])


def test_depth_size_and_loops_are_bounded(monkeypatch):
    deep: list = []
    for _ in range(wire.MAX_DEPTH - 1):
        deep = [deep]
    assert same(wire.decode(wire.encode(deep)), deep)
    with pytest.raises(wire.WireError, match="deeper"):
        wire.encode([deep])
    loop: list = []
    loop.append(loop)
    with pytest.raises(wire.WireError, match="deeper"):
        wire.encode(loop)
    with pytest.raises(wire.WireError, match="1,000"):
        wire.encode(b"x" * 1001, limit=1000)
    monkeypatch.setattr(wire, "MAX_ITEMS", 10_000)
    bomb: list = [None] * 10
    for _ in range(20):
        bomb = [bomb] * 10
    with pytest.raises(wire.WireError, match="more than"):
        wire.encode(bomb)


@pytest.mark.parametrize(
    "body",
    [
        b"l" + struct.pack("<I", 2**32 - 1),
        b"F" + struct.pack("<I", 2**32 - 1),
        b"s" + struct.pack("<I", 2**31) + b"x",
        b"d" + struct.pack("<I", 1) + b"l" + struct.pack("<I", 0) + b"0",  # a list as a key
        b"a" + bytes([11, 1]) + struct.pack("<Q", 2**61) + b"x" * 64,  # bytes overflow 64 bits
        b"a" + bytes([11, 2]) + struct.pack("<QQ", 0, 2**63),
        b"a" + bytes([11, 65]) + bytes(65 * 8),
        b"a" + bytes([99, 0]) + b"x" * 8,
        b"l\1\0\0\0" * 100 + b"0",
        b"s\2\0\0\0\xff\xff",
        b"00",
    ],
)
def test_claims_that_the_bytes_do_not_hold(body):
    with pytest.raises(wire.WireError):
        wire.decode(body)


def test_a_bool_is_true_or_false_only():
    got = wire.decode(b"a" + bytes([0, 1]) + struct.pack("<Q", 3) + bytes([0, 1, 255]))
    assert got.tobytes() == b"\0\1\1"


def test_dict_keys_cannot_be_made_to_collide():
    """hash(k * (2**61 - 1)) is 0 for every k: 200,000 such keys would take minutes in the trusted process."""
    evil = [b"i" + struct.pack("<q", k * (2**61 - 1)) + b"0" for k in range(-4, 5)] * 30000
    start = time.monotonic()
    with pytest.raises(wire.WireError, match="keys"):
        wire.decode(b"d" + struct.pack("<I", len(evil)) + b"".join(evil))
    with pytest.raises(wire.WireError, match="keys"):
        wire.encode({k: 0 for k in range(wire.MAX_KEYS + 1)})
    assert time.monotonic() - start < 20


def test_nan_and_infinity_are_exact():
    got = wire.decode(wire.encode([math.inf, -math.inf, math.nan, -0.0, "end"]))
    assert got[:2] == [math.inf, -math.inf]
    assert math.isnan(got[2])
    assert math.copysign(1, got[3]) == -1
