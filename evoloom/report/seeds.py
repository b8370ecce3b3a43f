"""Seeds as processes: the same work on many items, each in a fresh process's memory, results as they come."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from evoloom.core.errors import InfrastructureError, UsageError

T = TypeVar("T")
R = TypeVar("R")


def prepare() -> None:
    """In a new process, before numpy is imported: one thread each (equal budgets), and die with the parent."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def spread(work: Callable[[T], R], items: Sequence[T], workers: int = 1) -> Iterator[tuple[T, R]]:
    """(item, work(item)) in order of completion. One worker: here and in order; more: spawned processes.

    `work` must be importable by name and items must pickle. What `work` raises is raised here; the rest is dropped.

    Raises:
        InfrastructureError: a process died.
    """
    if workers < 1:
        raise UsageError(f"workers must be at least 1, got {workers}")
    if workers == 1:
        for item in items:
            yield item, work(item)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    # Spawned, not forked: numba and BLAS keep threads that a fork would leave half alive.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(items) or 1), mp_context=context, initializer=prepare)
    try:
        futures = {pool.submit(work, item): item for item in items}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool as e:
        raise InfrastructureError("a process that ran a seed died: out of memory, or killed from outside") from e
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
