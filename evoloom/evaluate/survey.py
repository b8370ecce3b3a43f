"""What this machine offers for confining code, and what to do where it offers too little."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from typing import NamedTuple

from evoloom.core.errors import InfrastructureError
from evoloom.evaluate import kernel, landlock, seccomp
from evoloom.evaluate.sandbox import LEVELS, open_box


class Fact(NamedTuple):
    """`good`: None where the fact is neither good nor bad. `remedy`: what to do, or empty."""

    name: str
    value: str
    good: bool | None = None
    remedy: str = ""


def survey() -> list[Fact]:
    """Kernel features, then every level tried for real, then the level that `auto` reaches. Takes about a second."""
    facts = [
        Fact("kernel", f"{platform.system()} {platform.release()} {kernel.MACHINE}"),
        _landlock(),
        _seccomp(),
        _bubblewrap(),
    ]
    reached = []
    for level in LEVELS[1:]:
        try:
            open_box(level).close()
        except InfrastructureError as e:
            facts.append(Fact(f"sandbox {level}", "does not work", False, _remedy(level, str(e))))
        else:
            reached.append(level)
            facts.append(Fact(f"sandbox {level}", "works", True))
    best = reached[-1] if reached else "none"
    enough = best in LEVELS[2:]
    says = "" if enough else "generated code is refused; with sandbox='limits' it could read and write your files"
    return [*facts, Fact("level reached", best, enough, says)]


def _landlock() -> Fact:
    version = landlock.abi()
    if version:
        return Fact("Landlock", f"ABI {version}", True)
    return Fact(
        "Landlock", "absent", False, "Linux 5.13 or later, with 'landlock' in the kernel's lsm= list; or use bubblewrap"
    )


def _seccomp() -> Fact:
    try:
        seccomp.Filter()
    except OSError as e:
        return Fact("seccomp", "no filter", False, str(e))
    with open("/proc/self/status") as f:
        known = any(line.startswith("Seccomp:") for line in f)
    return Fact(
        "seccomp", "filters" if known else "absent", known, "" if known else "a kernel with CONFIG_SECCOMP_FILTER"
    )


def _bubblewrap() -> Fact:
    program = shutil.which("bwrap")
    if program is None:
        return Fact("bubblewrap", "not installed", False, "apt install bubblewrap (or your system's package)")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return Fact("bubblewrap", version or program, True)


def _remedy(level: str, why: str) -> str:
    if level != "bubblewrap" or shutil.which("bwrap") is None:
        return why
    return f"{why}. {_namespaces()}"


def _namespaces() -> str:
    """Why an installed bubblewrap may fail: the kernel's switches for user namespaces."""
    if _switch("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "AppArmor keeps programs without a profile from making user namespaces (Ubuntu 23.10 and later): "
            "apt install apparmor-profiles, then "
            "ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ and "
            "apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict"
        )
    if _switch("/proc/sys/kernel/unprivileged_userns_clone") == "0":
        return "user namespaces are switched off: sysctl kernel.unprivileged_userns_clone=1"
    if _switch("/proc/sys/user/max_user_namespaces") == "0":
        return "user namespaces are switched off: sysctl user.max_user_namespaces=10000"
    if os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv"):
        return "inside a container: its own seccomp profile forbids namespaces; 'confined' does not need them"
    return "the kernel refused a namespace or a mount"


def _switch(path: str) -> str | None:
    try:
        with open(path) as f:
            return f.read().strip()
    except OSError:
        return None
