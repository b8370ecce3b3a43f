"""Errors say what was expected, what came, the likely cause and the remedy. All of them derive from `EvoloomError`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EvoloomError(Exception):
    """Base of everything evoloom raises on purpose."""


class UsageError(EvoloomError):
    """A name, an option, a file or an argument is not usable. The command line exits with 2."""


class CompositionError(UsageError):
    """Parts that do not fit together (an archive that needs measures on a problem that has none)."""


class ContractError(EvoloomError):
    """A plug-in broke a contract of `evoloom.core.contracts`; the message names the part and the rule."""


class LedgerError(EvoloomError):
    """The ledger cannot be opened, read or continued."""


class InfrastructureError(EvoloomError):
    """Judging or making failed for a reason that is not the candidate's fault. Never told to a strategy."""


class MissingExtra(EvoloomError):
    """An optional dependency is not installed; the message holds the install line."""

    def __init__(self, package: str, extra: str, purpose: str):
        super().__init__(f"{purpose} needs the package '{package}'. Install it with: pip install 'evoloom[{extra}]'")


def near(name: str, known: Iterable[str], n: int = 3) -> str:
    """`" Did you mean 'grid'?"` or the list of what exists: the tail of every unknown-name message."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=n, cutoff=0.5)
    if close:
        return " Did you mean " + " or ".join(f"'{c}'" for c in close) + "?"
    return f" Known: {', '.join(known)}." if known else " None are known."
