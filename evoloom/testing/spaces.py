"""check_space: what everything else assumes of a space."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from evoloom.core.contracts import Space
from evoloom.core.errors import ContractError
from evoloom.core.rng import Rng, root
from evoloom.core.value import fork
from evoloom.testing.drive import difference

Rule = Callable[[Space, Sequence[Any], Rng], None]
JUNK = (None, object(), 0, math.nan, "", "\x00 not { a genome", b"\xff", [], [[]], {}, (), {"a": 1}, np.array(["a"]))


def samples(space: Space, genomes: Sequence[Any], rng: Rng) -> None:
    """sample(rng, n) gives n genomes, all of them genomes of the space, and the same ones for the same rng."""
    again = space.sample(rng.fold("samples"), len(genomes))
    for i, (a, b) in enumerate(zip(genomes, again)):
        if where := difference(a, b, f"genome {i}"):
            raise ContractError(f"sample gave something else for the same rng: {where}")
        if (reason := space.check(a)) is not None:
            raise ContractError(f"check refuses the sample {a!r}: {reason}")
    if len(again) != len(genomes) or len(space.sample(rng, 0)):
        raise ContractError("sample(rng, n) must give n genomes, none for n = 0")


def checks(space: Space, genomes: Sequence[Any], rng: Rng) -> None:
    """check(x) returns None or a reason, never raises, and changes nothing; None is never a genome."""
    for junk in JUNK:
        try:
            reason = space.check(junk)
        except Exception as e:
            raise ContractError(f"check({junk!r}) raised {type(e).__name__}: {e}") from e
        if reason is not None and (not isinstance(reason, str) or not reason):
            raise ContractError(f"check({junk!r}) must return None or a reason in words, got {reason!r}")
    if space.check(None) is None:
        raise ContractError("check(None) must say why: None stands for a child that was not made")
    for g in genomes:
        before = fork(g)
        space.check(g)
        if where := difference(before, g, "genome"):
            raise ContractError(f"check changed the genome: {where}")


def round_trips(space: Space, genomes: Sequence[Any], rng: Rng) -> None:
    """decode(encode(g)) equals g, type and last bit, after a way through JSON text."""
    for g in genomes:
        data = space.encode(g)
        try:
            text = json.dumps(data)
        except (TypeError, ValueError) as e:
            raise ContractError(f"encode must give plain JSON data, got {data!r}: {e}") from e
        back = space.decode(json.loads(text))
        if where := difference(g, back, "genome"):
            raise ContractError(f"decode(encode(g)) is not g: {where}")
        if (reason := space.check(back)) is not None:
            raise ContractError(f"check refuses a decoded genome: {reason}")


def keys(space: Space, genomes: Sequence[Any], rng: Rng) -> None:
    """key(g) is bytes or None, and equal for equal content."""
    for g in genomes:
        key, copy = space.key(g), space.key(space.decode(json.loads(json.dumps(space.encode(g)))))
        if key is not None and not isinstance(key, bytes):
            raise ContractError(f"key must be bytes or None, got {type(key).__name__}")
        if key != copy:
            raise ContractError(f"a genome and its decoded copy have different keys: {g!r}")
    whole = {space.key(g) for g in genomes}
    texts = {json.dumps(space.encode(g)) for g in genomes}
    if whole != {None} and len(texts) > 1 and len(whole) == 1:
        raise ContractError(f"{len(texts)} different genomes all have the same key")


def distances(space: Space, genomes: Sequence[Any], rng: Rng) -> None:
    """distance is finite, not negative, symmetric, and 0 from a genome to itself."""
    for a, b in pairwise(genomes):
        there, back = space.distance(a, b), space.distance(b, a)
        if not math.isfinite(there) or there < 0:
            raise ContractError(f"distance must be finite and not negative, got {there!r}")
        if not math.isclose(there, back, rel_tol=1e-9, abs_tol=1e-12):
            raise ContractError(f"distance must be symmetric, got {there} and {back}")
        if space.distance(a, fork(a)) != 0:
            raise ContractError(f"distance from a genome to itself must be 0, got {space.distance(a, fork(a))}")


RULES: Mapping[str, Rule] = {f.__name__: f for f in (samples, checks, round_trips, keys, distances)}


def check_space(space: Space, *, n: int = 30, seed: int = 1, rules: Sequence[str] = tuple(RULES)) -> None:
    """Every rule, over n samples.

    Raises:
        ContractError: names the space, the rule, what it says, and what was seen.
    """
    rng = root(seed)
    genomes = space.sample(rng.fold("samples"), n)
    for name in rules:
        try:
            RULES[name](space, genomes, rng)
        except Exception as e:
            sentence = " ".join((RULES[name].__doc__ or "").split())
            raise ContractError(
                f"{type(space).__name__} breaks rule '{name}': {type(e).__name__}: {e}\n  The rule: {sentence}"
            ) from e
