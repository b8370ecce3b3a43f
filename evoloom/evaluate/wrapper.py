"""A problem around a problem: the base of cascade, cached and repeated.

Whatever a wrapper does not change is the inner problem's own: attributes, start, price, key, held-out, show.
"""

from __future__ import annotations

from typing import Any

from evoloom.core.contracts import Box, Evaluation, Job, Problem, Scope
from evoloom.core.rng import Rng


class Wrapper(Problem):
    """Forwards everything to `inner`. Subclasses override `evaluate`, and what else their meaning changes."""

    def __init__(self, inner: Problem):
        self.inner = inner
        for name in Problem.__annotations__:  # all that a problem declares, default_system and such included
            setattr(self, name, getattr(inner, name))

    def __getattr__(self, name: str) -> Any:
        # Only what Problem does not define arrives here: extras such as `operators`.
        if name == "inner" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.inner, name)

    def start(self, rng: Rng) -> Any:
        return self.inner.start(rng)

    def price(self, scope: Scope) -> float:
        return self.inner.price(scope)

    def evaluate(self, job: Job) -> Evaluation:
        return self.inner.evaluate(job)

    def key(self, genome: Any) -> bytes | None:
        return self.inner.key(genome)

    def held_out(self, genome: Any, box: Box | None = None) -> Evaluation | None:
        return self.inner.held_out(genome, box)

    def show(self, genome: Any) -> str:
        return self.inner.show(genome)

    def settings(self) -> Any:
        return self.inner.settings()
