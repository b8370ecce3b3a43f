"""Level `none`: the program runs in this process, with nothing between it and everything you own."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

from evoloom.core.contracts import Failed, Limits, Verdict
from evoloom.evaluate import candidate


class TrustedBox:
    """For programs that you wrote yourself, and for debugging them. No limit is kept."""

    level = "none"

    def open(self, source: str, entry: str, limits: Limits = Limits()) -> TrustedSession:
        return TrustedSession(source, entry)

    def close(self) -> None:
        """Nothing to end."""


class TrustedSession:
    """A `contracts.Session` without a process. Values are handed over as they are."""

    def __init__(self, source: str, entry: str):
        self._source, self._entry = source, entry
        self._function: Callable[..., Any] | None = None
        self._printed = io.StringIO()

    def __enter__(self) -> TrustedSession:
        return self

    def __exit__(self, *exc: Any) -> None:
        self._function = None

    @property
    def printed(self) -> str:
        return self._printed.getvalue()

    def call(self, *args: Any) -> Any:
        try:
            with contextlib.redirect_stdout(self._printed):
                if self._function is None:
                    self._function = candidate.load(self._source, self._entry)
                return self._function(*args)
        except KeyboardInterrupt:
            raise
        except BaseException as e:
            verdict, why = candidate.judge(e)
            raise Failed(Verdict(verdict), why) from None
