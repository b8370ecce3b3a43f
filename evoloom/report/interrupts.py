"""Ctrl-C seen from beside: whether it was pressed, even where the code that runs takes it as a wish and returns."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def watched() -> Iterator[Callable[[], bool]]:
    """A function that says whether Ctrl-C has been pressed since. Changes no handler: a run ends early on the first
    Ctrl-C and returns as if it were done, so its caller cannot tell otherwise. Outside of the main thread always False.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        old = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        seen = False

        def pressed() -> bool:
            nonlocal seen
            with contextlib.suppress(BlockingIOError):
                seen = signal.SIGINT in ours.recv(4096) or seen
            return seen

        try:
            yield pressed
        finally:
            signal.set_wakeup_fd(old)
