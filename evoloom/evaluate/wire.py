"""Plain data over a pipe: what a trusted process and a candidate may say to each other.

A frame is `length u32 | kind u8 | number u32 | body`, little-endian; a body is one value. Values are None, bool, int,
float, complex, str, bytes, list, tuple, dict, NumPy arrays and NumPy scalars of bool and numeric types. Nothing else
crosses, and never pickle: decoding hostile bytes yields plain data or `WireError`, within bounded time and memory.

Subclasses (named tuples, ordered dicts, enums of int) cross as their plain base. This module imports only the standard
library, so that the zygote stays small; NumPy is met only where an array is.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from typing import Any

MAX_DEPTH = 64
MAX_ITEMS = 1 << 20  # of all containers of one body together: a list costs 60 bytes for the 5 that describe it
MAX_KEYS = 4096  # dictionary keys other than str and bytes: their hashes are not salted, so they can be made to collide
MAX_INT_BYTES = 1 << 16
MAX_BODY = 1 << 30

HEADER = struct.Struct("<IBI")
DTYPES = ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")

_pack_u32 = struct.Struct("<BI").pack
_pack_int = struct.Struct("<Bq").pack
_pack_float = struct.Struct("<Bd").pack
_u32 = struct.Struct("<I").unpack_from
_i64 = struct.Struct("<q").unpack_from
_f64 = struct.Struct("<d").unpack_from
_array_heads = [struct.Struct(f"<BBB{n}Q") for n in range(9)]

# Tags: one letter each.
_INT, _BIG, _FLOAT, _COMPLEX, _STR, _BYTES, _LIST, _TUPLE, _DICT = b"iIfcsbltd"
_FLOATS, _INTS, _ARRAY, _SCALAR = b"FJag"  # lists of nothing but floats or 64-bit ints; arrays; array scalars


class WireError(ValueError):
    """The value cannot cross, or the bytes are no value. The message is for people."""


def frame(kind: int, number: int, body: bytes) -> bytes:
    return HEADER.pack(len(body), kind, number) + body


def encode(value: Any, limit: int = MAX_BODY) -> bytes:
    """One value as bytes.

    Raises:
        WireError: of a type that does not cross, nested deeper than MAX_DEPTH, or larger than `limit` bytes.
    """
    out: list[bytes] = []
    _encode(value, out, MAX_DEPTH)
    size = sum(map(len, out))
    if size > limit:
        raise WireError(f"the value takes {size:,} bytes; at most {limit:,} may cross")
    return b"".join(out)


def decode(body: bytes | bytearray, start: int = 0) -> Any:
    """The value that bytes describe. Arrays are fresh and writable.

    Raises:
        WireError: the bytes are no value, or one beyond the bounds of this module.
    """
    try:
        value, end = _DECODE[body[start]](body, start + 1, [MAX_ITEMS, MAX_KEYS, MAX_DEPTH])
    except WireError:
        raise
    except (struct.error, IndexError, KeyError, ValueError, TypeError, OverflowError) as e:
        raise WireError(f"bytes that describe no value: {type(e).__name__}: {e}") from None
    if end != len(body):
        raise WireError(f"{len(body) - end} bytes follow the value")
    return value


def _encode(x: Any, out: list[bytes], depth: int) -> None:
    encoder = _ENCODE.get(type(x))
    if encoder is None:
        encoder = _encoder_of(x)
    encoder(x, out, depth)


def _encoder_of(x: Any) -> Callable[[Any, list[bytes], int], None]:
    """For a type met first: array types once NumPy is loaded, else the plain base of a subclass."""
    np = sys.modules.get("numpy")
    if np is not None:
        if np.ndarray not in _ENCODE:
            _load_arrays(np)
        if isinstance(x, np.ndarray):
            return _ENCODE[np.ndarray]
        if isinstance(x, np.generic):
            return _encode_scalar
    for base in (int, float, complex, str, bytes, list, tuple, dict):
        if isinstance(x, base):
            return _ENCODE[base]
    if isinstance(x, (bytearray, memoryview)):
        return lambda x, out, depth: _encode_bytes(bytes(x), out, depth)
    raise WireError(f"a value of type {type(x).__name__!r} cannot cross: return numbers, text, lists, dicts or arrays")


def _encode_int(x: int, out: list[bytes], depth: int) -> None:
    if -0x8000000000000000 <= x <= 0x7FFFFFFFFFFFFFFF:
        out.append(_pack_int(_INT, x))
        return
    n = x.bit_length() // 8 + 1
    if n > MAX_INT_BYTES:
        raise WireError(f"an integer of {n:,} bytes; at most {MAX_INT_BYTES:,} may cross")
    out.append(_pack_u32(_BIG, n))
    out.append(int(x).to_bytes(n, "little", signed=True))


def _encode_str(x: str, out: list[bytes], depth: int) -> None:
    data = x.encode("utf-8", "surrogatepass")
    out.append(_pack_u32(_STR, len(data)))
    out.append(data)


def _encode_bytes(x: bytes, out: list[bytes], depth: int) -> None:
    out.append(_pack_u32(_BYTES, len(x)))
    out.append(x)


def _inner(depth: int, out: list[bytes]) -> int:
    if depth <= 0:
        raise WireError(f"nested deeper than {MAX_DEPTH}")
    if len(out) > 2 * MAX_ITEMS:
        raise WireError(f"more than {MAX_ITEMS:,} items: return an array instead")
    return depth - 1


def _encode_list(x: list[Any], out: list[bytes], depth: int) -> None:
    depth = _inner(depth, out)
    kinds = set(map(type, x)) if len(x) > 3 else ()
    if len(kinds) == 1:
        kind = next(iter(kinds))
        if kind is float:
            out.append(_pack_u32(_FLOATS, len(x)) + struct.pack(f"<{len(x)}d", *x))
            return
        if kind is int and min(x) >= -0x8000000000000000 and max(x) <= 0x7FFFFFFFFFFFFFFF:
            out.append(_pack_u32(_INTS, len(x)) + struct.pack(f"<{len(x)}q", *x))
            return
    _encode_items(x, _LIST, out, depth)


def _encode_tuple(x: tuple[Any, ...], out: list[bytes], depth: int) -> None:
    _encode_items(x, _TUPLE, out, _inner(depth, out))


def _encode_items(x: Any, tag: int, out: list[bytes], depth: int) -> None:
    if len(x) > MAX_ITEMS:
        raise WireError(f"{len(x):,} items; at most {MAX_ITEMS:,} may cross: return an array instead")
    out.append(_pack_u32(tag, len(x)))
    for item in x:
        _encode(item, out, depth)


def _encode_dict(x: dict[Any, Any], out: list[bytes], depth: int) -> None:
    depth = _inner(depth, out)
    if 2 * len(x) > MAX_ITEMS:
        raise WireError(f"a dict of {len(x):,} entries; at most {MAX_ITEMS // 2:,} may cross")
    if sum(1 for k in x if type(k) is not str and type(k) is not bytes) > MAX_KEYS:
        raise WireError(f"more than {MAX_KEYS:,} keys that are not text: return a list of pairs, or arrays")
    out.append(_pack_u32(_DICT, len(x)))
    for k, v in x.items():
        _encode(k, out, depth)
        _encode(v, out, depth)


_ENCODE: dict[type, Callable[[Any, list[bytes], int], None]] = {
    type(None): lambda x, out, depth: out.append(b"0"),
    bool: lambda x, out, depth: out.append(b"2" if x else b"1"),
    int: _encode_int,
    float: lambda x, out, depth: out.append(_pack_float(_FLOAT, x)),
    complex: lambda x, out, depth: out.append(struct.pack("<Bdd", _COMPLEX, x.real, x.imag)),
    str: _encode_str,
    bytes: _encode_bytes,
    list: _encode_list,
    tuple: _encode_tuple,
    dict: _encode_dict,
}
_codes: dict[Any, int] = {}  # dtype -> place in DTYPES
_dtypes: list[Any] = []


def _load_arrays(np: Any) -> None:
    if not _dtypes:
        _dtypes.extend(np.dtype("<" + name) for name in DTYPES)
        _codes.update({dtype: code for code, dtype in enumerate(_dtypes)})
    _ENCODE[np.ndarray] = _encode_array
    _ENCODE[np.float64] = _encode_scalar  # a subclass of float, but its own type on the other side too


def _code_of(dtype: Any) -> int:
    code = _codes.get(dtype)
    if code is None:
        code = _codes.get(dtype.newbyteorder("<"))
    if code is None:
        raise WireError(f"an array of type {str(dtype)!r} cannot cross: use bool, int, float or complex numbers")
    return code


def _encode_array(x: Any, out: list[bytes], depth: int) -> None:
    dtype = x.dtype
    code = _code_of(dtype)
    if dtype.byteorder == ">":
        x = x.astype(_dtypes[code])
    shape = x.shape
    if len(shape) >= len(_array_heads):
        raise WireError(f"an array of {len(shape)} dimensions; at most {len(_array_heads) - 1} may cross")
    out.append(_array_heads[len(shape)].pack(_ARRAY, code, len(shape), *shape))
    out.append(x.tobytes())


def _encode_scalar(x: Any, out: list[bytes], depth: int) -> None:
    code = _code_of(x.dtype)
    out.append(bytes((_SCALAR, code)) + x.astype(_dtypes[code]).tobytes())


# Decoders: (body, place after the tag, [items left, keys left, depth left]) -> (value, place after the value).
def _take(b: Any, i: int, left: list[int]) -> tuple[Any, int]:
    """The bytes of a `u32 length` field."""
    (n,) = _u32(b, i)
    i += 4
    if n > len(b) - i:
        raise WireError("cut short")
    return b[i : i + n], i + n


def _decode_big(b: Any, i: int, left: list[int]) -> tuple[Any, int]:
    data, i = _take(b, i, left)
    if len(data) > MAX_INT_BYTES:
        raise WireError("integer too large")
    return int.from_bytes(data, "little", signed=True), i


def _decode_str(b: Any, i: int, left: list[int]) -> tuple[Any, int]:
    data, i = _take(b, i, left)
    return data.decode("utf-8", "surrogatepass"), i


def _decode_bytes(b: Any, i: int, left: list[int]) -> tuple[Any, int]:
    data, i = _take(b, i, left)
    return bytes(data), i


def _enter(b: Any, i: int, left: list[int], width: int = 1) -> int:
    """Number of items of a container that has room for them in the bytes, the items and the depth left."""
    (n,) = _u32(b, i)
    left[0] -= n * width
    left[2] -= 1
    if n * width > len(b) - i or left[0] < 0 or left[2] < 0:
        raise WireError("more items or a deeper nesting than may cross")
    return n


def _decode_list(b: Any, i: int, left: list[int]) -> tuple[Any, int]:
    n = _enter(b, i, left)
    i += 4
    items = []
    for _ in range(n):
        item, i = _DECODE[b[i]](b, i + 1, left)
        items.append(item)
    left[2] += 1
    return items, i


def _decode_tuple(b: Any, i: int, left: list[int]) -> tuple[Any, int]:
    items, i = _decode_list(b, i, left)
    return tuple(items), i


def _decode_dict(b: Any, i: int, left: list[int]) -> tuple[Any, int]:
    n = _enter(b, i, left, 2)
    i += 4
    items = {}
    for _ in range(n):
        tag = b[i]
        if tag != _STR and tag != _BYTES:
            left[1] -= 1
            if left[1] < 0:
                raise WireError(f"more than {MAX_KEYS:,} keys that are not text")
        key, i = _DECODE[tag](b, i + 1, left)
        items[key], i = _DECODE[b[i]](b, i + 1, left)
    left[2] += 1
    return items, i


def _decode_packed(letter: str) -> Callable[[Any, int, list[int]], tuple[Any, int]]:
    def decode_packed(b: Any, i: int, left: list[int]) -> tuple[Any, int]:
        (n,) = _u32(b, i)
        i += 4
        if 8 * n > len(b) - i:
            raise WireError("cut short")
        return list(struct.unpack_from(f"<{n}{letter}", b, i)), i + 8 * n

    return decode_packed


def _decode_array(b: Any, i: int, left: list[int]) -> tuple[Any, int]:
    np = _numpy()
    dtype = _dtypes[b[i]]
    n_dims = b[i + 1]
    if n_dims >= len(_array_heads):
        raise WireError("too many dimensions")
    shape = struct.unpack_from(f"<{n_dims}Q", b, i + 2)
    i += 2 + 8 * n_dims
    count = 1
    for n in shape:
        count *= n
    size = count * dtype.itemsize
    if size > len(b) - i:
        raise WireError("cut short")
    if not size:
        return np.empty(shape, dtype), i
    flat = np.frombuffer(b, dtype, count, i)
    if dtype.kind == "b":  # a byte other than 0 and 1 would be a bool that is neither
        return (np.frombuffer(b, np.uint8, count, i) != 0).reshape(shape), i + size
    return (flat if n_dims == 1 else flat.reshape(shape)).copy(), i + size


def _decode_scalar(b: Any, i: int, left: list[int]) -> tuple[Any, int]:
    np = _numpy()
    dtype = _dtypes[b[i]]
    if dtype.kind == "b":
        return np.bool_(b[i + 1] != 0), i + 2
    return np.frombuffer(b, dtype, 1, i + 1)[0], i + 1 + dtype.itemsize


def _numpy() -> Any:
    import numpy

    if not _dtypes:
        _load_arrays(numpy)
    return numpy


_DECODE: dict[int, Callable[[Any, int, list[int]], tuple[Any, int]]] = {
    ord("0"): lambda b, i, left: (None, i),
    ord("1"): lambda b, i, left: (False, i),
    ord("2"): lambda b, i, left: (True, i),
    _INT: lambda b, i, left: (_i64(b, i)[0], i + 8),
    _BIG: _decode_big,
    _FLOAT: lambda b, i, left: (_f64(b, i)[0], i + 8),
    _COMPLEX: lambda b, i, left: (complex(*struct.unpack_from("<dd", b, i)), i + 16),
    _STR: _decode_str,
    _BYTES: _decode_bytes,
    _LIST: _decode_list,
    _TUPLE: _decode_tuple,
    _DICT: _decode_dict,
    _FLOATS: _decode_packed("d"),
    _INTS: _decode_packed("q"),
    _ARRAY: _decode_array,
    _SCALAR: _decode_scalar,
}
