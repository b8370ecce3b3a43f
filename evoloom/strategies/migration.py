"""Who leaves an island, and where to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from evoloom.core.errors import UsageError

Migrate = Callable[[Sequence[int]], Sequence[int]]  # ids that an island keeps, best first -> ids that travel
Topology = Callable[[int, int], Sequence[int]]  # (island, n_islands) -> islands that its migrants reach


def emigrants(n: int = 1, rate: float = 0.0) -> Migrate:
    """The best `n` kept, or the best share `rate` of them if that is more."""
    if n < 1 or not 0.0 <= rate <= 1.0:
        raise UsageError(f"emigrants needs n of at least 1 and a rate from 0 to 1, got n={n!r}, rate={rate!r}")

    def choose(kept: Sequence[int]) -> Sequence[int]:
        return kept[: max(n, round(rate * len(kept)))]

    return choose


def ring(island: int, n_islands: int) -> Sequence[int]:
    """The next island."""
    return ((island + 1) % n_islands,)


def two_way_ring(island: int, n_islands: int) -> Sequence[int]:
    """Both neighbours."""
    return tuple(dict.fromkeys(((island + 1) % n_islands, (island - 1) % n_islands)))


def complete(island: int, n_islands: int) -> Sequence[int]:
    """All others."""
    return tuple(i for i in range(n_islands) if i != island)
