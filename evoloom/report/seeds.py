"""Seeds as processes: the same work on many items, each in a fresh process's memory, results as they come."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

from evoloom.core.errors import InfrastructureError, UsageError
from evoloom.report.interrupts import watched

T = TypeVar("T")
R = TypeVar("R")


def prepare() -> None:
    """In a new process, before numpy is imported: one thread each (equal budgets), and die with the parent.

    Ctrl-C reaches every process of a terminal. Only the parent answers it: a seed that ended early on its own would
    come back as if it were whole.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def spread(work: Callable[[T], R], items: Sequence[T], workers: int = 1) -> Generator[tuple[T, R], None, None]:
    """(item, work(item)) in order of completion. One worker: here and in order; more: spawned processes.

    `work` must be importable by name and items must pickle. What `work` raises is raised here; the rest is dropped, and
    so are the processes that still run when the caller closes this iterator.

    Raises:
        InfrastructureError: a process died.
        KeyboardInterrupt: Ctrl-C; the item that ran is lost, even where `work` returned after it: it is not whole.
    """
    if workers < 1:
        raise UsageError(f"workers must be at least 1, got {workers}")
    if workers == 1:
        for item in items:
            with watched() as pressed:
                done = work(item)
                if pressed():
                    raise KeyboardInterrupt
            yield item, done
        return
    yield from in_processes(work, items, workers)


def in_processes(work: Callable[[T], R], items: Sequence[T], workers: int) -> Generator[tuple[T, R], None, None]:
    """`spread` over several processes."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    # Spawned, not forked: numba and BLAS keep threads that a fork would leave half alive.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(min(workers, len(items) or 1), mp_context=context, initializer=prepare)
    whole = False
    try:
        futures = {pool.submit(work, item): item for item in items}
        for future in as_completed(futures):
            yield futures[future], future.result()
        whole = True
    except BrokenProcessPool as e:
        raise InfrastructureError("a process that ran a seed died: out of memory, or killed from outside") from e
    finally:
        if not whole:  # nobody waits for what still runs
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
