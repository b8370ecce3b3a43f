"""What the zygote finds out about where it runs. Standard library only."""

from __future__ import annotations

import os

from evoloom.evaluate import kernel


def spare_users(first: int) -> int | None:
    """Start of 256 user ids that root may become: far from any real one, else (few ids are mapped) below 65534."""
    if os.geteuid() != 0:
        return None
    for base in (first, 60000):
        pid = os.fork()
        if pid == 0:
            try:
                kernel.drop_privileges(base + 255, keep_file_access=False)
            except OSError:
                os._exit(1)
            os._exit(0)
        if os.waitpid(pid, 0)[1] == 0:
            return base
    return None


def world_readable(path: str) -> bool:
    """Whether any user may read beneath a path."""
    if not os.path.exists(path):
        return True
    parts = os.path.realpath(path)
    if not os.stat(parts).st_mode & 0o004:
        return False
    while parts != "/":
        parts = os.path.dirname(parts)
        if not os.stat(parts).st_mode & 0o001:
            return False
    return True


def own_threads() -> int:
    """Threads of this user now: the limit on processes counts them. 0 for root, whose candidates get other ids."""
    if os.geteuid() == 0:
        return 0
    count = 0
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.stat(f"/proc/{name}").st_uid == os.geteuid():
                count += len(os.listdir(f"/proc/{name}/task"))
        except OSError:
            continue  # ended meanwhile
    return count


def less(path: str, hide: list[str]) -> list[str]:
    """The paths that cover a folder except what is hidden: problems hold seeds and answers. All are real paths."""
    if path in hide:
        return []
    if not any(h.startswith(path.rstrip("/") + "/") for h in hide):
        return [path]
    return [part for name in os.listdir(path) for part in less(os.path.join(path, name), hide)]
