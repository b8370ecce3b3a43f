"""The zygote: a fresh interpreter that imports a problem's modules once and forks a confined process per candidate.

Run as a script, by `launch`, in an empty environment: `python -s -S -P zygote.py CONFIG`, control socket on
descriptor 0. It is trusted, single-threaded, holds no secret, and never sees a candidate's source: that comes over the
session's own channel, which the zygote closes after the fork. Control messages are JSON, one per packet:

    {"open": id}   a new child, with two descriptors: channel, output pipe
    {"end": id}    kill it, answer {"ended": id, "status": wait status, "rss_kb": most memory it had}
    {"drop": id}   kill it, no answer
    (end of file)  kill everything, exit

Standard library only, and only this folder's files of the zygote: `evoloom` itself is neither imported nor readable.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import shutil
import signal
import socket
import sys
import time
import types
from typing import Any

if __name__ == "__main__":  # stand-ins for the packages, so that the siblings load without the real `evoloom`
    for _name, _path in (("evoloom", []), ("evoloom.evaluate", [os.path.dirname(os.path.abspath(__file__))])):
        sys.modules[_name] = types.ModuleType(_name)
        sys.modules[_name].__path__ = _path  # type: ignore[attr-defined]

from evoloom.evaluate import candidate, kernel, landlock, seccomp, surroundings, wire

UNPREPARED = 70  # exit status of a child that could not be confined
_COMMON = ("math", "heapq", "bisect", "itertools", "functools", "collections", "typing", "dataclasses", "time")
_THREADS = 64
_FILES = 64
_READABLE = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")


class Zygote:
    """Children by session id. `config`: level, modules, path, read, hide, home, uid_base (see `launch.Plan`)."""

    def __init__(self, config: dict[str, Any], control: socket.socket):
        self.control = control
        self.pid = os.getpid()
        self.home = config["home"]
        self.hide = config["hide"]
        self.confined = config["level"] != "limits"
        self.read = [os.path.realpath(p) for p in (*config["read"], *_READABLE)]
        self.abi = landlock.abi() if self.confined else 0
        self.uid_base = surroundings.spare_users(config["uid_base"])
        # Where Python lies below root's own folder, another user could import nothing any more.
        self.keep_file_access = not all(map(surroundings.world_readable, (*config["read"], *config["path"])))
        self.filter = seccomp.Filter() if self.confined else None
        self.running: dict[int, int] = {}
        self.dying: dict[int, int] = {}
        sys.path[:] = [p for p in sys.path if os.path.isdir(p)] + config["path"]
        for module in (*_COMMON, *config["modules"]):
            importlib.import_module(module)
        if "numpy" in sys.modules:
            importlib.import_module("numpy.random")  # loaded late otherwise, and then not seeded
        with open("/proc/self/statm") as f:
            self.base_memory = int(f.read().split()[0]) * resource.getpagesize()
        self.limits = (
            (resource.RLIMIT_NOFILE, _FILES),
            (resource.RLIMIT_NPROC, _THREADS + surroundings.own_threads()),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_MEMLOCK, 0),
        )

    def confine(self) -> None:
        """The finest reading rules are laid on the zygote itself, once; every child inherits them."""
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        if not self.confined:
            return
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        if self.abi:
            rules = landlock.Ruleset(self.abi)
            for path in self.read:
                rules.allow_all(surroundings.less(path, self.hide), landlock.READ)
            rules.allow_all(_DEVICES, landlock.READ | landlock.WRITE)
            rules.allow(self.home, landlock.WRITE)
            rules.allow(os.path.dirname(self.home), landlock.REMOVE_DIR)
            rules.restrict()

    def owner_died(self, *_: object) -> None:
        """On SIGTERM: as if the control channel had closed, which other holders of its far end may prevent."""
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_RD)

    def serve(self) -> None:
        """Answer until the control channel closes, then leave nothing behind."""
        while True:
            self.reap()
            self.control.settimeout(0.02 if self.dying else None)
            try:
                data, fds, _, _ = socket.recv_fds(self.control, 1 << 16, 4)
            except TimeoutError:
                continue
            if not data:
                break
            message = json.loads(data)
            if "open" in message:
                self.open(message["open"], fds)
            elif "end" in message:
                self.end(message["end"])
            else:
                self.drop(message["drop"])
        for id in list(self.running):
            self.drop(id)
        while self.dying:
            self.reap()
            time.sleep(0.005)
        with contextlib.suppress(OSError):  # a mount point of its own, or its owner was faster
            os.rmdir(self.home)

    def open(self, id: int, fds: list[int]) -> None:
        home = f"{self.home}/{id}"
        os.mkdir(home, 0o700)
        uid = None
        if self.uid_base is not None:
            uid = self.uid_base + id % 256
            if not self.keep_file_access:
                os.chown(home, uid, uid)
        pid = os.fork()
        if pid == 0:
            try:
                self.prepare(fds, home, uid)
            except BaseException as e:
                candidate.send(candidate.BROKEN, 0, wire.encode(f"{type(e).__name__}: {e}"))
                os._exit(UNPREPARED)
            candidate.serve(self.base_memory)
        for fd in fds:
            os.close(fd)
        self.running[id] = pid

    def prepare(self, fds: list[int], home: str, uid: int | None) -> None:
        """In the child: give up everything that a candidate may not have. The order matters."""
        channel, output = fds
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.dup2(channel, candidate.CHANNEL) if channel != candidate.CHANNEL else None
        nothing = os.open("/dev/null", os.O_RDONLY)
        os.dup2(nothing, 0)
        os.closerange(candidate.CHANNEL + 1, 1 << 16)
        os.chdir(home)
        os.environ["HOME"] = os.environ["TMPDIR"] = home
        for what, most in self.limits:
            candidate.lower(what, most)
        rules = None
        if self.abi:  # coarser than the zygote's own rules, but with this candidate's folder alone to write in
            rules = landlock.Ruleset(self.abi)
            rules.allow_all(self.read, landlock.READ)
            rules.allow_all(_DEVICES, landlock.READ | landlock.WRITE)
            rules.allow(home, landlock.WRITE)
        if uid is not None:
            kernel.drop_privileges(uid, self.keep_file_access)
        elif os.geteuid() == 0:
            kernel.set_capabilities(0)
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)  # after the change of user, which clears it
        if os.getppid() != self.pid:
            os._exit(0)
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        if rules:
            rules.restrict()
        if self.filter:
            self.filter.install(os.getpid())
        candidate.send(candidate.READY, 0, b"")

    def end(self, id: int) -> None:
        """Kill, wait, and say how it ended: a child that had died before has its own status."""
        pid = self.running.pop(id, None)
        answer: dict[str, Any] = {"ended": id, "status": None, "rss_kb": 0}
        if pid is not None:
            _kill(pid)
            _, answer["status"], usage = os.wait4(pid, 0)
            answer["rss_kb"] = usage.ru_maxrss
            self.clean(id)
        self.control.settimeout(None)
        self.control.send(json.dumps(answer).encode())

    def drop(self, id: int) -> None:
        pid = self.running.pop(id, None)
        if pid is not None:
            _kill(pid)
            self.dying[id] = pid

    def reap(self) -> None:
        for id, pid in list(self.dying.items()):
            if os.waitpid(pid, os.WNOHANG)[0]:
                del self.dying[id]
                self.clean(id)

    def clean(self, id: int) -> None:
        home = f"{self.home}/{id}"
        try:
            os.rmdir(home)
        except OSError:
            shutil.rmtree(home, ignore_errors=True)
        if not self.confined:
            self.sweep()

    def sweep(self) -> None:
        """Without the filter a candidate can start processes; those that left its group were handed to us."""
        known = {*self.running.values(), *self.dying.values()}
        with open(f"/proc/self/task/{self.pid}/children") as f:
            strays = [int(pid) for pid in f.read().split() if int(pid) not in known]
        for pid in strays:
            _kill(pid)
            os.waitpid(pid, 0)


def _kill(pid: int) -> None:
    """The process and its group. One that has died but was not waited for still takes the signal."""
    os.kill(pid, signal.SIGKILL)
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it died before it had a group of its own


def _self_test(zygote: Zygote) -> str:
    """Why a child cannot be confined here, or nothing."""
    ours, theirs = socket.socketpair()
    zygote.open(0, [theirs.detach(), os.dup(1)])
    ours.settimeout(20)
    data = ours.recv(1 << 16)
    ours.close()
    zygote.drop(0)
    if not data:
        return "a test child died while it was confined"
    _, kind, _ = wire.HEADER.unpack_from(data)
    return "" if kind == candidate.READY else wire.decode(data, wire.HEADER.size)


def main() -> None:
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGTERM)  # there is something to clean up; children get SIGKILL
    config = json.loads(sys.argv[1])
    control = socket.socket(fileno=0)
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    zygote = Zygote(config, control)
    signal.signal(signal.SIGTERM, zygote.owner_died)
    zygote.confine()
    candidate.seed_generators()
    if "numpy" in sys.modules:
        wire.decode(wire.encode(sys.modules["numpy"].zeros(2)))
    reason = _self_test(zygote)
    gc.collect()
    gc.freeze()
    versions = {m: getattr(sys.modules[m], "__version__", "") for m in config["modules"]}
    facts = {"landlock": zygote.abi, "other_user": zygote.uid_base is not None, "versions": versions}
    control.send(json.dumps({"ready": not reason, "reason": reason, **facts}).encode())
    zygote.serve()


if __name__ == "__main__":
    main()
