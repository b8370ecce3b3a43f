"""Collisions of a hash function on three kinds of names. Two-sided: the function gets texts, we count."""

import random
from collections import Counter

N_BUCKETS = 4096


def names(kind: str, seed: int, n: int = 800) -> list[str]:
    """n different texts: numbered keys, words made of syllables, or paths."""
    draw = random.Random(seed)
    syllables = ["ba", "re", "ti", "lo", "mu", "ka", "ne", "si", "do", "ver", "lin", "tos"]
    if kind == "numbered":
        return [f"user{i}" for i in draw.sample(range(10 * n), n)]
    made: set[str] = set()
    while len(made) < n:
        word = "".join(draw.choices(syllables, k=draw.randint(2, 4)))
        made.add(word if kind == "words" else f"/{word}/{draw.choice('abcdefgh')}.txt")
    return sorted(made)


def texts(seed: int) -> list[tuple[list[str]]]:
    return [(names(kind, seed + i),) for i, kind in enumerate(["numbered", "words", "paths"])]


def inputs():
    return texts(1) + texts(11)


def held_out_inputs():
    return texts(1001) + texts(2001)


def score(inputs, outputs) -> dict:
    """Pairs that share a bucket, over the pairs that chance would put together: about 1 is ideal."""
    ratios = []
    for (names,), found in zip(inputs, outputs):
        assert len(found) == len(names), f"{len(found)} buckets for {len(names)} texts"
        assert all(isinstance(b, int) and 0 <= b < N_BUCKETS for b in found), "a bucket is no integer from 0 to 4095"
        counts = Counter(found).values()
        by_chance = len(names) * (len(names) - 1) / 2 / N_BUCKETS
        ratios.append(sum(c * (c - 1) / 2 for c in counts) / by_chance)
    said = ", ".join(f"{kind} {r:.2f}" for kind, r in zip(["numbered", "words", "paths"] * 2, ratios))
    return {"score": sum(ratios) / len(ratios), "feedback": f"collisions against chance: {said}"}
