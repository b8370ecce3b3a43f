"""Starting a zygote: its command line, environment and view of the file system, per level."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from evoloom.core.errors import InfrastructureError, UsageError

HERE = Path(__file__).resolve().parent
START_S = 120.0  # for imports on a loaded machine
_SYSTEM = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS")
# What the zygote needs of root's powers to hand them all away in its children, and to end those.
_POWERS = ("SETUID", "SETGID", "KILL", "CHOWN", "DAC_OVERRIDE", "FOWNER")


class Plan(NamedTuple):
    """What a zygote imports and what candidates may read."""

    modules: tuple[str, ...]
    path: tuple[str, ...]  # sys.path beyond the standard library
    read: tuple[str, ...]
    hide: tuple[str, ...]


class Zygote(NamedTuple):
    """A running zygote as its owner sees it."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    facts: dict[str, Any]
    home: str | None  # a folder of ours to remove, where the sandbox has no file system of its own


def plan(modules: Sequence[str]) -> Plan:
    """Where the allow-listed modules and what they need are found.

    Raises:
        UsageError: a module is not installed.
    """
    python = [str(Path(sys.base_prefix) / "lib"), str(Path(sys.base_exec_prefix) / "lib"), sysconfig.get_path("stdlib")]
    site = [p for p in sys.path if Path(p).name in ("site-packages", "dist-packages") and Path(p).is_dir()]
    path, read = list(site), [*python, *site]
    for name in modules:
        try:
            spec = importlib.util.find_spec(name)
        except ImportError:
            spec = None
        if spec is None:
            raise UsageError(f"a candidate's process should import {name!r}, and no such module is installed")
        origin = spec.origin if spec.origin not in (None, "built-in", "frozen") else None
        if origin is None or any(Path(origin).is_relative_to(p) for p in read):
            continue
        # A module of the user's own folder: that module is opened, its neighbours are not.
        top = Path(importlib.util.find_spec(name.split(".")[0]).origin or origin)  # type: ignore[union-attr]
        package = top.parent if top.name == "__init__.py" else top
        path.append(str(package.parent))
        read.append(str(package))
    hide = [str(HERE.parent)]
    return Plan(tuple(modules), tuple(path), tuple(map(os.path.realpath, read)), tuple(hide))


def environment(home: str) -> dict[str, str]:
    """All variables of a candidate's process; none is the user's. A fixed hash seed, so that runs repeat exactly."""
    fixed = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**fixed, **dict.fromkeys(_THREADS, "1"), "HOME": home, "TMPDIR": home}


def start(level: str, plan: Plan) -> Zygote:
    """A zygote that is ready.

    Raises:
        InfrastructureError: it cannot be started at this level; the message says why.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    home = None if level == "bubblewrap" else tempfile.mkdtemp(prefix="evoloom-")
    with theirs, tempfile.TemporaryFile() as errors:
        try:
            if home:
                os.chmod(home, 0o711)
            argv, env = _command(level, plan, home or "/box")
            process = _spawner(os.getpid()).submit(_popen, argv, env, theirs, errors).result()
        except (OSError, InfrastructureError) as e:
            ours.close()
            _remove(home)
            raise InfrastructureError(f"sandbox level '{level}' cannot be started: {e}") from e
        theirs.close()
        ours.settimeout(START_S)
        try:
            hello = json.loads(ours.recv(1 << 16) or b"{}")
        except (OSError, ValueError):
            hello = {}
        if hello.get("ready") and level == "confined" and not hello.get("landlock"):
            hello = {"reason": "this kernel has no Landlock (Linux 5.13 has); files would be open to candidates"}
        if hello.get("ready"):
            ours.settimeout(None)
            return Zygote(process, ours, hello, home)
        ours.close()
        process.kill()
        process.wait()
        _remove(home)
        errors.seek(0)
        reason = hello.get("reason") or errors.read().decode(errors="replace").strip()[-2000:] or "it died at once"
        raise InfrastructureError(f"sandbox level '{level}' cannot be started: {reason}")


def stop(zygote: Zygote) -> None:
    """End the zygote and all of its children; returns when they are gone."""
    zygote.control.close()  # the zygote sees the end of its control channel, kills its children and exits
    try:
        zygote.process.wait(2.0)
    except subprocess.TimeoutExpired:
        zygote.process.kill()
        zygote.process.wait()
    _remove(zygote.home)


def _remove(home: str | None) -> None:
    if home:
        shutil.rmtree(home, ignore_errors=True)


@functools.cache
def _spawner(pid: int) -> ThreadPoolExecutor:
    """The thread that starts zygotes: they die with the thread that started them, so it must live as long as we do.

    Keyed by process: a forked worker has a thread of its own.
    """
    return ThreadPoolExecutor(1, thread_name_prefix="evoloom-zygotes")


def _popen(argv: list[str], env: dict[str, str], control: socket.socket, errors: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv, stdin=control.fileno(), stdout=subprocess.DEVNULL, stderr=errors, env=env, cwd="/", start_new_session=True
    )  # fmt: skip


def _command(level: str, plan: Plan, home: str) -> tuple[list[str], dict[str, str]]:
    python = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    config = {**plan._asdict(), "level": level, "home": home, "uid_base": (1 << 30) + (os.getpid() & 0x3FFFFF) * 256}
    # `-I` would be `-E -s -P`; the environment is ours alone, and one variable of it, the hash seed, must count.
    tail = ["-s", "-S", "-P", "zygote.py", json.dumps(config)]
    if level != "bubblewrap":
        tail[3] = str(HERE / "zygote.py")
        return [python, *tail], environment(home)
    tail[3] = "/zygote/zygote.py"
    return [*_bubblewrap(plan, python, home), python, *tail], {"PATH": "/usr/bin:/bin"}


def _bubblewrap(plan: Plan, python: str, home: str) -> list[str]:
    program = shutil.which("bwrap")
    if program is None:
        raise InfrastructureError("bubblewrap is not installed (Debian, Ubuntu: apt install bubblewrap)")
    argv = [program, "--die-with-parent", "--new-session", "--clearenv"]
    for name, value in environment(home).items():
        argv += ["--setenv", name, value]
    if _rootful():
        # As real root no user namespace: candidates then get user ids of their own, on which rlimits take hold.
        argv += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        for power in _POWERS:
            argv += ["--cap-add", f"CAP_{power}"]
    else:
        argv += ["--unshare-all", "--uid", "65534", "--gid", "65534"]
    for path in dict.fromkeys((*_SYSTEM, *plan.read, *plan.path, python)):
        if path not in plan.path or path in plan.read or Path(path).name in ("site-packages", "dist-packages"):
            argv += ["--ro-bind-try", path, path]
    for path in plan.hide:
        if any(Path(path).is_relative_to(p) for p in plan.read):
            argv += ["--tmpfs", path]
    size = ["--size", str(1 << 30)] if "--size" in _help(program) else []
    argv += ["--ro-bind", str(HERE), "/zygote", "--proc", "/proc", "--dev", "/dev"]
    return [*argv, "--perms", "0711", *size, "--tmpfs", home, "--chdir", home]


@functools.cache
def _help(program: str) -> str:
    return subprocess.run([program, "--help"], capture_output=True, text=True, check=False).stdout


def _rootful() -> bool:
    """Root with the power to mount; root of a common container has none and needs a user namespace like anyone."""
    if os.geteuid() != 0:
        return False
    with contextlib.suppress(OSError, ValueError), open("/proc/self/status") as f:
        mask = next(int(line.split()[1], 16) for line in f if line.startswith("CapEff"))
        return bool(mask >> 21 & 1)  # CAP_SYS_ADMIN
    return False
