"""Landlock: which files a process may reach, decided by itself and for ever. Part of the zygote: standard library only.

Documented in the kernel's `userspace-api/landlock`. ABI 1 is Linux 5.13; newer rights are asked for only where the
kernel knows them. What Landlock leaves open (modes and owners, truncation before ABI 3) the seccomp filter closes.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

from evoloom.evaluate.kernel import syscall

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION_FLAG, _PATH_BENEATH = 1, 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}  # 5 and later: 16 rights
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
REMOVE_DIR = 1 << 4
READ = _READ_FILE | _READ_DIR
WRITE = ((1 << 15) - 1) & ~_EXECUTE  # make, change, remove and read everything beneath; nothing may be executed


def abi() -> int:
    """Version that this kernel speaks; 0 where Landlock is absent or switched off."""
    try:
        return syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))
    except OSError:
        return 0


class Ruleset:
    """Rights granted so far; `restrict()` takes everything else from this process and all it will ever start."""

    def __init__(self, version: int):
        self._handled = _RIGHTS_BY_ABI.get(version, (1 << 16) - 1)
        # No TCP at all (ABI 4); no signals and no abstract sockets out of the domain (ABI 6).
        attributes = struct.pack("<QQQ", self._handled, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
        size = 8 if version < 4 else 16 if version < 6 else 24
        self._fd = syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))

    def allow(self, path: str, rights: int) -> None:
        """Grant rights beneath a path. A path that is not there is passed over: there is nothing to reach."""
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return
        try:
            self.allow_fd(fd, rights if stat.S_ISDIR(os.fstat(fd).st_mode) else rights & _FILE_RIGHTS)
        finally:
            os.close(fd)

    def allow_fd(self, fd: int, rights: int) -> None:
        rule = struct.pack("<Qi", rights & self._handled, fd)
        syscall(_ADD_RULE, self._fd, _PATH_BENEATH, rule, ctypes.c_uint32(0))

    def allow_all(self, paths: Iterable[str], rights: int) -> None:
        for path in paths:
            self.allow(path, rights)

    def restrict(self) -> None:
        """Needs no_new_privs (or CAP_SYS_ADMIN)."""
        syscall(_RESTRICT_SELF, self._fd, ctypes.c_uint32(0))
        os.close(self._fd)
