"""How a search begins: the problem's start genomes once, then samples, until there is something to breed from.

Several parts need this (breed, islands, portfolio), and only one of them may do it in a run: a combinator takes the
starts itself and hands `Startless(problem)` to its parts, so that no genome is judged twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from evoloom.core.contracts import Problem
from evoloom.core.rng import Rng

Sample = Callable[[Rng, int], Sequence[Any]]  # (rng, n) -> n genomes: `problem.space.sample` is one


class Starts(NamedTuple):
    """Counts of parentless rows, and the start genomes that are still to be asked."""

    pending: tuple[Any, ...]
    n_start: int  # rows to ask before breeding
    wave: int  # rows that must be told before an empty archive is sampled again
    asked: int = 0
    told: int = 0


def begin(problem: Problem, rng: Rng, n_start: int, sample: Sample | None) -> Starts:
    """The state before the first ask. Without `sample` no more than the problem's own starts can be asked."""
    genomes = tuple(problem.start(rng))
    n_start = n_start if sample is not None else 0
    return Starts(genomes, n_start, max(1, n_start, len(genomes)))


def next_starts(
    starts: Starts, filled: bool, n: int, sample: Sample | None, rng: Rng
) -> tuple[Sequence[Any] | None, Starts]:
    """At most n parentless genomes; empty = go on and breed; None = wait (the state is unchanged).

    While the first wave is out and nothing is kept yet, waiting is better than sampling: a window would otherwise be
    filled with random genomes beside a good start. If the whole wave fails, sampling goes on without a pause.
    """
    if starts.pending:
        rows, rest = starts.pending[:n], starts.pending[n:]
        return rows, starts._replace(pending=rest, asked=starts.asked + len(rows))
    if filled and starts.asked >= starts.n_start:
        return (), starts
    if sample is None or starts.told < starts.wave <= starts.asked:
        return None, starts
    missing = starts.n_start - starts.asked
    rows = sample(rng, min(n, missing) if missing > 0 else n)
    return rows, starts._replace(asked=starts.asked + len(rows))


def starts_told(starts: Starts, n: int) -> Starts:
    """After n parentless rows were told."""
    return starts._replace(told=starts.told + n)


class Startless:
    """A problem without start genomes; everything else is the problem's own."""

    def __init__(self, problem: Problem):
        self._problem = problem

    def start(self, rng: Rng) -> Sequence[Any]:
        return ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_problem":
            raise AttributeError(name)
        return getattr(self._problem, name)
