"""Inside a candidate's process: run its source, answer calls. Part of the zygote: standard library only.

Nothing here is trusted by anyone: the candidate shares this process and may change all of it. It can only send frames,
and whatever it sends is data to the other side.
"""

from __future__ import annotations

import linecache
import os
import random
import resource
import sys
import types
from collections.abc import Callable
from typing import Any

from evoloom.evaluate import wire

CHANNEL = 3  # file descriptor of the session
# Kinds of frames. Down: OPEN, CALL. Up: READY (confined, source not yet run), BROKEN (cannot be confined), RESULT, FAIL
OPEN, CALL, READY, BROKEN, RESULT, FAIL = range(1, 7)
# Verdicts a candidate's own process may report, as in `contracts.Verdict`.
INVALID, ERROR, MEMORY, OUTPUT, KILLED = 1, 3, 5, 6, 8
NAME, FILENAME = "candidate", "<candidate>"
_MAX_TEXT, _MB = 4000, 1 << 20
_left: list[bytes] = []  # read beyond the last frame


class Failure(Exception):
    """What becomes a FAIL frame: verdict and text."""


def send(kind: int, number: int, body: bytes) -> None:
    data = memoryview(wire.frame(kind, number, body))
    while data:
        data = data[os.write(CHANNEL, data) :]


def receive() -> tuple[int, int, Any]:
    """The next frame: kind, number, value."""
    data, size = _left.pop() if _left else _read(1 << 16), wire.HEADER.size
    while len(data) < size:
        data += _read(1 << 16)
    length, kind, number = wire.HEADER.unpack_from(data)
    end = size + length
    if len(data) < end:
        whole = bytearray(data)
        while len(whole) < end:
            whole += _read(min(1 << 20, end - len(whole)))
        return kind, number, wire.decode(whole, size)
    if len(data) > end:
        _left.append(data[end:])
        data = data[:end]
    return kind, number, wire.decode(data, size)


def _read(most: int) -> bytes:
    data = os.read(CHANNEL, most)
    if not data:
        os._exit(0)  # the session was left
    return data


def serve(base_memory: int) -> None:
    """Answer frames until the channel closes. Never returns. `base_memory`: address space before the program."""
    _, _, (source, entry, limit, seconds, memory_mb, files_mb) = receive()
    lower(resource.RLIMIT_AS, base_memory + memory_mb * _MB)
    lower(resource.RLIMIT_CPU, int(seconds) + 2)  # only a second net: the clock of the session ends it first
    lower(resource.RLIMIT_FSIZE, files_mb * _MB)
    seed_generators()
    try:
        function = load(source, entry)
    except BaseException as e:
        fail(0, e)
        sys.stdout.flush()
        os._exit(0)
    while True:
        number = 0
        try:
            _, number, args = receive()
            body = wire.encode(function(*args), limit)
            sys.stdout.flush()
            send(RESULT, number, body)
        except BaseException as e:
            fail(number, e)


def lower(what: int, most: int) -> None:
    """A resource limit that cannot be raised again."""
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def seed_generators() -> None:
    """The global generators begin alike in every candidate, so that judging again gives the same answer."""
    random.seed(0)
    np_random = sys.modules.get("numpy.random")
    if np_random is not None:
        np_random.seed(0)


def load(source: str, entry: str) -> Callable[..., Any]:
    """Run the source as a module and find its function."""
    linecache.cache[FILENAME] = (len(source), None, source.splitlines(keepends=True), FILENAME)
    try:
        code = compile(source, FILENAME, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError) as e:
        line = f", line {e.lineno}" if isinstance(e, SyntaxError) else ""
        raise Failure(INVALID, f"not a Python program{line}: {e.args[0] if e.args else e}") from None
    module = types.ModuleType(NAME)
    sys.modules[NAME] = module
    exec(code, module.__dict__)
    function = module.__dict__.get(entry)
    if not callable(function):
        found = [k for k, v in module.__dict__.items() if isinstance(v, types.FunctionType)]
        raise Failure(INVALID, f"no function {entry!r} in the program; it defines: {', '.join(found[:10]) or 'none'}")
    return function


def fail(number: int, error: BaseException) -> None:
    """Report an exception as a verdict. Its own methods may raise or lie: it is only text."""
    try:
        verdict, text = judge(error)
    except BaseException as e:
        verdict, text = ERROR, f"{type(error).__name__} (and its text cannot be had: {type(e).__name__})"
    del error
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        text += " (standard output is closed)"
    send(FAIL, number, wire.encode((verdict, text[:_MAX_TEXT])))


def judge(error: BaseException) -> tuple[int, str]:
    if isinstance(error, Failure):
        return error.args[0], error.args[1]
    if isinstance(error, wire.WireError):
        return OUTPUT, str(error)
    if isinstance(error, MemoryError):
        return MEMORY, f"MemoryError: {error}" if str(error) else "MemoryError"
    if isinstance(error, SystemExit):
        return KILLED, f"asked to exit with {error.code!r}"
    return ERROR, describe(error)


def describe(error: BaseException) -> str:
    """The traceback, as far as it lies in the candidate's own lines."""
    lines, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == FILENAME:
            at = linecache.getline(FILENAME, trace.tb_lineno).strip()
            lines.append(f"line {trace.tb_lineno}, in {code.co_name}: {at[:200]}")
        trace = trace.tb_next
    if len(lines) > 8:
        lines[4:-4] = [f"... {len(lines) - 8} more ..."]
    return "\n".join([*lines, f"{type(error).__name__}: {str(error)[:1000]}"])
