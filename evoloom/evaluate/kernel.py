"""System calls that the standard library lacks, by ctypes. Part of the zygote: standard library only."""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Any

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

MACHINE = platform.machine()

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 8, 22, 36, 38
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_SETUID = 7


def syscall(number: int, *args: Any) -> int:
    """Raises OSError with the kernel's errno."""
    result = _libc.syscall(ctypes.c_long(number), *args)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def prctl(option: int, a: Any = 0, b: Any = 0) -> None:
    zero = ctypes.c_ulong(0)
    if isinstance(a, int):
        a = ctypes.c_ulong(a)
    if isinstance(b, int):
        b = ctypes.c_ulong(b)
    if _libc.prctl(option, a, b, zero, zero) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def set_capabilities(mask: int, permitted: int | None = None) -> None:
    """Effective capabilities (of the first 32) of this thread; nothing is left permitted beyond `permitted`."""
    permitted = mask if permitted is None else permitted
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(mask, permitted, 0, 0, 0, 0)  # effective, permitted, inheritable; low word, high word
    syscall(_CAPSET[MACHINE], header, data)


def drop_privileges(uid: int, keep_file_access: bool) -> None:
    """From root to a user id without any capability.

    `keep_file_access`: files are still opened as root's (the file-system user id stays 0): for a Python installed below
    root's own closed directory. Landlock then decides what may be opened; without it, nothing does.
    """
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    if keep_file_access:
        prctl(PR_SET_KEEPCAPS, 1)
    os.setresuid(uid, uid, uid)
    if keep_file_access:
        set_capabilities(1 << _CAP_SETUID)
        _libc.setfsuid(0)
    set_capabilities(0)
