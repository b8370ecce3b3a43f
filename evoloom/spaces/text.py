"""Any text as a genome: prompts, configurations, programs of other languages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from evoloom.core.errors import UsageError
from evoloom.core.rng import Rng
from evoloom.spaces.source_key import dice, digest

_TOKEN = re.compile(r"\w+|[^\w\s]")


class Text:
    """Texts of at most `max_characters`. Blanks at line ends do not tell two texts apart.

    Args:
        starts: texts to draw from; the space knows no others (`sample` needs at least one).
    """

    def __init__(self, starts: str | Sequence[str] = (), *, max_characters: int = 20_000):
        self.starts = (starts,) if isinstance(starts, str) else tuple(starts)
        self.max_characters = max_characters
        for s in self.starts:
            reason = self.check(s)
            if reason:
                raise UsageError(f"a start is not a text of its own space: {reason}")

    def sample(self, rng: Rng, n: int) -> list[str]:
        if not self.starts:
            raise UsageError("this space has no starts to sample from: Text(['...'])")
        return [self.starts[i] for i in rng.integers(0, len(self.starts), (n,))]

    def check(self, genome: Any) -> str | None:
        """Why it is no text of this space, or None."""
        if not isinstance(genome, str):
            return f"expected a text, got {type(genome).__name__}"
        if not genome.strip():
            return "the text is empty"
        if len(genome) > self.max_characters:
            return f"{len(genome)} characters, at most {self.max_characters} are allowed"
        return None

    def encode(self, genome: str) -> str:
        return genome

    def decode(self, data: str) -> str:
        return data

    def key(self, genome: str) -> bytes:
        return digest("\n".join(line.rstrip() for line in genome.strip().split("\n")))

    def distance(self, a: str, b: str) -> float:
        """0 to 1: Dice distance of the multisets of words, and of pairs of neighbouring words."""
        return dice(_grams(a), _grams(b))


def _grams(text: str) -> Counter[tuple[str, ...]]:
    words = _TOKEN.findall(text)
    return Counter([*((w,) for w in words), *pairwise(words)])
