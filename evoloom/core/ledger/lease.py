"""Who writes a run. The key of the events already stops a second writer; the lease says kindly who the first one is.

A lease of a process of this host that is gone is taken over silently, so a killed run can be resumed at once. Of
another host nothing can be known: there the user decides (`force`).
"""

from __future__ import annotations

import os
import socket
import time
import uuid
import weakref
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from evoloom.core.errors import LedgerError
from evoloom.core.ledger.schema import leases

GRACE_S = 0.3  # a process that was just killed takes a moment to be gone

_mine: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()  # token -> the writer that holds it


def born(pid: int) -> str | None:
    """Start time of a live process in clock ticks since boot, "?" where that is not known; None: no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
        return "?" if _answers(pid) else None
    except OSError:
        return None
    state, *rest = stat.rpartition(")")[2].split()
    return None if state in "ZX" else rest[18]  # zombies hold nothing; field 22 of proc(5)


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _held(lease: Any) -> bool:
    """Whether its process may still be writing."""
    if lease.host != socket.gethostname():
        return True
    if lease.pid == os.getpid():
        return lease.token in _mine
    until = time.monotonic() + GRACE_S
    while (now := born(lease.pid)) is not None and now == lease.born:
        if time.monotonic() > until:
            return True
        time.sleep(0.02)
    return False


def acquire(connection: Connection, run: int, name: str, owner: Any, force: bool = False) -> str:
    """Take the lease of a run in the open transaction; returns its token. `owner` is only watched, not kept alive.

    Raises:
        LedgerError: somebody else holds it.
    """
    old = connection.execute(select(leases).where(leases.c.run == run)).first()
    if old is not None:
        if not force and _held(old):
            raise LedgerError(_refusal(old, name))
        connection.execute(delete(leases).where(leases.c.run == run, leases.c.token == old.token))
    token, pid = uuid.uuid4().hex, os.getpid()
    row = dict(run=run, token=token, host=socket.gethostname(), pid=pid, born=born(pid), since=time.time())
    try:
        connection.execute(insert(leases).values(**row))
    except IntegrityError as e:
        raise LedgerError(f"the run '{name}' was opened by another process at this very moment.") from e
    _mine[token] = owner
    return token


def release(connection: Connection, token: str) -> None:
    connection.execute(delete(leases).where(leases.c.token == token))
    _mine.pop(token, None)


def _refusal(lease: Any, name: str) -> str:
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(lease.since))
    text = f"the run '{name}' is being written by process {lease.pid} on {lease.host} since {since}."
    if lease.host != socket.gethostname():
        return text + " That is another host: if the process is surely gone, open the ledger with force=True."
    if lease.pid == os.getpid():
        return text + " That is this very process: close the other Ledger first."
    return text + " Wait for it to end or stop it; reading is possible at any time."
