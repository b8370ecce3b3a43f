"""Workers: where making and judging happen. Results, and failures as values, are posted to whoever asked.

`Inline` here and now; `Threads` for waiting (model calls); `Processes` for computing. All three keep the promise of
`contracts.Workers`: whatever a tool does, its task ends in exactly one `Outcome`, and other tasks are not touched.
A tool may have a `close()`; it is called, in the process that used it, when the workers are closed.
"""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from evoloom.core.contracts import NotMade, Outcome
from evoloom.core.errors import UsageError

Tools = Mapping[str, Callable[..., Any]]
Post = Callable[[Outcome], None]


def perform(tag: Any, tool: Callable[..., Any], args: tuple[Any, ...]) -> Outcome:
    """Run a tool; what it raises becomes a value. An interrupt of the user passes."""
    try:
        return Outcome(tag, tool(*args))
    except NotMade as e:
        return Outcome(tag, refused=e)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return Outcome(tag, error=traceback.format_exc(limit=-12))


def close_tools(tools: Tools) -> None:
    for tool in tools.values():
        close = getattr(tool, "close", None)
        if close is not None:
            close()


def checked(n: int) -> int:
    if n < 1:
        raise UsageError(f"the number of workers must be at least 1, got {n}")
    return n


class Inline:
    """One task at a time, in the caller's thread: `submit` returns when the outcome is posted."""

    n = 1

    def start(self, tools: Tools, post: Post) -> None:
        self._tools, self._post = tools, post

    def submit(self, tag: Any, tool: str, *args: Any) -> None:
        self._post(perform(tag, self._tools[tool], args))

    def close(self, now: bool = False) -> None:
        close_tools(self._tools)


class Threads:
    """n threads of this process."""

    def __init__(self, n: int):
        self.n = checked(n)

    def start(self, tools: Tools, post: Post) -> None:
        self._tools, self._post = tools, post
        self._tasks: queue.SimpleQueue[tuple[Any, str, tuple[Any, ...]] | None] = queue.SimpleQueue()
        self._silent = False
        self._threads = [
            threading.Thread(target=self._work, name=f"evoloom-worker-{i}", daemon=True) for i in range(self.n)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, tag: Any, tool: str, *args: Any) -> None:
        self._tasks.put((tag, tool, args))

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            tag, tool, args = task
            outcome = perform(tag, self._tools[tool], args)
            if self._silent:
                return
            self._post(outcome)

    def close(self, now: bool = False) -> None:
        """Finish what was submitted; `now`: drop it, post nothing of what still runs (threads cannot be killed)."""
        self._silent = now
        if now:
            drain(self._tasks)
        for _ in self._threads:
            self._tasks.put(None)
        if not now:
            for thread in self._threads:
                thread.join()
        close_tools(self._tools)


def drain(tasks: queue.SimpleQueue[Any]) -> None:
    try:
        while True:
            tasks.get_nowait()
    except queue.Empty:
        return
