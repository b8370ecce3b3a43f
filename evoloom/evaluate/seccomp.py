"""The system calls that a candidate may not make, as a BPF program. Part of the zygote: standard library only.

Two answers: the process dies (starting processes, sockets, reaching into other processes, the kernel's own doors), or
the call fails with EPERM (calls that a library may try in good faith and survive). Calls newer than this table fail
with ENOSYS, as does clone3, whose flags a filter cannot see; the C library then falls back to clone, which may start
threads only. Numbers: `asm/unistd_64.h` and `asm-generic/unistd.h`.
"""

from __future__ import annotations

import ctypes
import struct
from typing import NamedTuple

from evoloom.evaluate.kernel import MACHINE, PR_SET_SECCOMP, prctl

_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_EPERM, _ENOSYS = 1, 38
_NEWEST = 451  # cachestat, Linux 6.5: later ones (fchmodat2, setxattrat, ...) were not examined
_X32 = 0x40000000
_CLONE_THREAD = 0x00010000

# name: (x86_64, aarch64); None where the architecture has no such call.
_FATAL: dict[str, tuple[int | None, int | None]] = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242), "sendmsg": (46, 211), "sendmmsg": (307, 269),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None), "uselib": (134, None),
    "lookup_dcookie": (212, 18), "nfsservctl": (180, 42),
}  # fmt: skip
_DENIED: dict[str, tuple[int | None, int | None]] = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, None), "fchown": (93, 55),
    "lchown": (94, None), "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "utime": (132, None),
    "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88), "truncate": (76, 45),
    "setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119), "sched_setparam": (142, 118), "sched_setattr": (314, 274),
    "migrate_pages": (256, 238), "move_pages": (279, 239), "personality": (135, 92), "syslog": (103, 116),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "io_setup": (206, 0), "io_submit": (209, 2),
    "mq_open": (240, 180), "mq_unlink": (241, 181), "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195),
    "semget": (64, 190), "semop": (65, 193), "semtimedop": (220, 192), "semctl": (66, 191), "msgget": (68, 186),
    "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143),
    "setresuid": (117, 147), "setresgid": (119, 149), "setfsuid": (122, 151), "setfsgid": (123, 152),
    "setgroups": (116, 159), "capset": (126, 91),
}  # fmt: skip
_ABSENT = {"clone3": (435, 435), "openat2": (437, 437)}
_ARCHES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

# Arguments examined: (which argument, mask, values, answer where the masked value is among them, answer otherwise).
_OWN = -1  # stands for the process id, filled in by `install`
_FCNTL_OWNERS = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX: signals to others by way of a file
_PRCTL_KEPT = (1, 35, 36, 62)  # PDEATHSIG, MM, CHILD_SUBREAPER, SCHED_CORE
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x802C542A)  # TCGETS, winsize, FIONREAD, FIONBIO, CLOEXEC
_TRUNCATING = (0o1000, 0o1003)  # O_TRUNC without write access, which Landlock sees only from ABI 3 on


class _Check(NamedTuple):
    numbers: tuple[int | None, int | None]
    argument: int
    mask: int | None
    values: tuple[int, ...]
    matched: int
    otherwise: int


_EXAMINED = (
    _Check((56, 220), 0, _CLONE_THREAD, (_CLONE_THREAD,), _ALLOW, _KILL),  # clone
    _Check((62, 129), 0, None, (_OWN,), _ALLOW, _KILL),  # kill
    _Check((234, 131), 0, None, (_OWN,), _ALLOW, _KILL),  # tgkill
    _Check((302, 261), 0, None, (0, _OWN), _ALLOW, _ERRNO | _EPERM),  # prlimit64
    _Check((157, 167), 0, None, _PRCTL_KEPT, _ERRNO | _EPERM, _ALLOW),  # prctl
    _Check((72, 25), 1, None, _FCNTL_OWNERS, _ERRNO | _EPERM, _ALLOW),  # fcntl
    _Check((16, 29), 1, None, _IOCTLS, _ALLOW, _ERRNO | _EPERM),  # ioctl
    _Check((2, None), 1, 0o1003, _TRUNCATING, _ERRNO | _EPERM, _ALLOW),  # open
    _Check((257, 56), 2, 0o1003, _TRUNCATING, _ERRNO | _EPERM, _ALLOW),  # openat
)

_LOAD, _AND, _JUMP_EQ, _JUMP_GE, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_instruction = struct.Struct("<HBBI")


class Filter:
    """The program for this machine, ready to be installed in one child after another."""

    def __init__(self, machine: str = MACHINE):
        """Raises OSError on an architecture without a table."""
        if machine not in _ARCHES:
            raise OSError(f"no system-call table for {machine!r}; known: {', '.join(_ARCHES)}")
        self._column, self._arch = _ARCHES[machine]
        self._code: list[bytes] = []
        self._own: list[int] = []  # instructions whose constant is the process id
        self._write()

    def _add(self, code: int, constant: int, yes: int = 0, no: int = 0) -> None:
        if constant == _OWN:
            self._own.append(len(self._code))
            constant = 0
        self._code.append(_instruction.pack(code, yes, no, constant))

    def _answer(self, number: int, answer: int) -> None:
        self._add(_JUMP_EQ, number, 0, 1)
        self._add(_RETURN, answer)

    def _write(self) -> None:
        self._add(_LOAD, 4)  # seccomp_data.arch
        self._add(_JUMP_EQ, self._arch, 1, 0)
        self._add(_RETURN, _KILL)
        self._add(_LOAD, 0)  # seccomp_data.nr
        self._add(_JUMP_GE, _X32, 0, 1)
        self._add(_RETURN, _KILL)
        self._add(_JUMP_GE, _NEWEST + 1, 0, 1)
        self._add(_RETURN, _ERRNO | _ENOSYS)
        for table, answer in ((_ABSENT, _ERRNO | _ENOSYS), (_FATAL, _KILL), (_DENIED, _ERRNO | _EPERM)):
            for numbers in table.values():
                number = numbers[self._column]
                if number is not None:
                    self._answer(number, answer)
        for check in _EXAMINED:
            if check.numbers[self._column] is not None:
                self._examine(check)
        self._add(_RETURN, _ALLOW)

    def _examine(self, check: _Check) -> None:
        """Both architectures are little-endian and every examined argument is an int, so its low word tells."""
        masked = check.mask is not None
        self._add(_JUMP_EQ, check.numbers[self._column] or 0, 0, 3 + masked + len(check.values))
        self._add(_LOAD, 16 + 8 * check.argument)  # low word of seccomp_data.args[argument]
        if masked:
            self._add(_AND, check.mask or 0)
        n = len(check.values)
        for i, value in enumerate(check.values):
            self._add(_JUMP_EQ, value, n - i, 0)
        self._add(_RETURN, check.otherwise)
        self._add(_RETURN, check.matched)

    def program(self, pid: int) -> bytes:
        code = list(self._code)
        for i in self._own:
            op, yes, no, _ = _instruction.unpack(code[i])
            code[i] = _instruction.pack(op, yes, no, pid)
        return b"".join(code)

    def install(self, pid: int) -> None:
        """For this thread and all it will ever start. Needs no_new_privs."""
        code = ctypes.create_string_buffer(self.program(pid))
        program = struct.pack("<HxxxxxxQ", len(self._code), ctypes.addressof(code))
        prctl(PR_SET_SECCOMP, 2, ctypes.c_char_p(program))  # mode 2: filter
