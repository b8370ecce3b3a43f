"""The filter as the kernel would run it, on both architectures: which calls live, which fail, which kill."""

from __future__ import annotations

import struct

import pytest

from evoloom.evaluate import seccomp

KILL, EPERM, ENOSYS, ALLOW = "kill", "eperm", "enosys", "allow"
ANSWERS = {0x80000000: KILL, 0x00050001: EPERM, 0x00050026: ENOSYS, 0x7FFF0000: ALLOW}
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
PID = 4321
# name: numbers on x86_64 and aarch64, from the kernel's own headers.
NR = {
    "read": (0, 63), "write": (1, 64), "mmap": (9, 222), "futex": (202, 98), "exit_group": (231, 94),
    "newfstat": (5, 80), "clone": (56, 220), "clone3": (435, 435), "execve": (59, 221), "socket": (41, 198),
    "ptrace": (101, 117), "kill": (62, 129), "tgkill": (234, 131), "tkill": (200, 130), "prlimit64": (302, 261),
    "prctl": (157, 167), "fcntl": (72, 25), "ioctl": (16, 29), "openat": (257, 56), "openat2": (437, 437),
    "io_uring_setup": (425, 425), "mount": (165, 40), "bpf": (321, 280), "keyctl": (250, 219),
    "perf_event_open": (298, 241), "fchmodat": (268, 53), "process_vm_readv": (310, 270), "unshare": (272, 97),
    "fchmodat2": (452, 452), "getpid": (39, 172),
}  # fmt: skip


def answer(machine: str, name: str | int, *args: int, arch: int | None = None) -> str:
    """Interpret the classic BPF program over one call."""
    number = name if isinstance(name, int) else NR[name][list(ARCH).index(machine)]
    data = struct.pack("<IIQ6Q", number, ARCH[machine] if arch is None else arch, 0, *args, *[0] * (6 - len(args)))
    code = list(struct.iter_unpack("<HBBI", seccomp.Filter(machine).program(PID)))
    at, a = 0, 0
    while True:
        op, yes, no, k = code[at]
        at += 1
        if op == 0x20:
            (a,) = struct.unpack_from("<I", data, k)
        elif op == 0x54:
            a &= k
        elif op == 0x15:
            at += yes if a == k else no
        elif op == 0x35:
            at += yes if a >= k else no
        else:
            assert op == 0x06
            return ANSWERS[k]


@pytest.mark.parametrize("machine", ARCH)
def test_answers(machine):
    for name in ("read", "write", "mmap", "futex", "exit_group", "newfstat", "getpid"):
        assert answer(machine, name) == ALLOW, name
    for name in ("execve", "socket", "ptrace", "tkill", "io_uring_setup", "mount", "bpf", "keyctl", "perf_event_open",
                 "process_vm_readv", "unshare"):  # fmt: skip
        assert answer(machine, name) == KILL, name
    for name in ("clone3", "openat2", "fchmodat2"):
        assert answer(machine, name) == ENOSYS, name
    assert answer(machine, "fchmodat") == EPERM


@pytest.mark.parametrize("machine", ARCH)
def test_arguments_are_examined(machine):
    def check(name, *args):
        return answer(machine, name, *args)

    assert check("clone", 0x3D0F00) == ALLOW  # what pthread_create passes
    assert check("clone", 0x1200011) == KILL  # what fork passes
    assert check("clone", 0x4111) == KILL  # vfork
    for name in ("kill", "tgkill"):
        assert check(name, PID) == ALLOW
        assert [check(name, x) for x in (0, 1, PID + 1, 2**32 - 1)] == [KILL] * 4
    assert [check("prlimit64", x) for x in (0, PID, 1)] == [ALLOW, ALLOW, EPERM]
    assert [check("prctl", x) for x in (1, 35, 36, 15, 38)] == [EPERM, EPERM, EPERM, ALLOW, ALLOW]
    assert [check("fcntl", 3, x) for x in (8, 10, 15, 1, 3, 4)] == [EPERM] * 3 + [ALLOW] * 3
    assert [check("ioctl", 1, x) for x in (0x5401, 0x541B, 0x5412, 0x8901)] == [ALLOW, ALLOW, EPERM, EPERM]
    flags = (0o0, 0o1000, 0o1001, 0o1002, 0o1003, 0o1101, 0o1100)
    assert [check("openat", 0, 0, x) for x in flags] == [ALLOW, EPERM, ALLOW, ALLOW, EPERM, ALLOW, EPERM]


@pytest.mark.parametrize("machine", ARCH)
def test_another_architecture_and_x32_are_killed(machine):
    assert answer(machine, "read", arch=0x40000003) == KILL
    assert answer(machine, 0x40000000 + 1) == KILL


def test_only_what_is_meant_is_not_allowed():
    """Every number once: the calls that are refused are those of the table, no more."""
    refused = sum(answer("x86_64", n) != ALLOW for n in range(452))
    tables = [
        t for t in (*seccomp._FATAL.values(), *seccomp._DENIED.values(), *seccomp._ABSENT.values()) if t[0] is not None
    ]
    # With arguments of 0, clone, kill, tgkill and ioctl are refused too.
    assert refused == len({t[0] for t in tables}) + 4


def test_unknown_architecture():
    with pytest.raises(OSError, match="no system-call table for 'riscv64'"):
        seccomp.Filter("riscv64")
