"""Children of given parents: made in the ask, or left as drafts for workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from evoloom.core.contracts import Draft, Made, NotMade, Proposals, Record, Room, Vary, View
from evoloom.core.rng import Rng

Parents = tuple[int, ...]


def affordable(room: Room, n: int, operator: str) -> int:
    """How many of n children by a paid operator the budget covers; n where it is free."""
    if operator not in room.prices:
        return n
    while n and not room.affords(n, operator=operator):
        n -= 1
    return n


def children(
    vary: Vary, parents: list[Parents], others: Callable[[Rng], Parents], rng: Rng, view: View, tries: int
) -> Proposals:
    """One child per row of parents.

    A child that the operator refuses inside the ask is tried again with `others(rng)` as parents; after `tries`
    refusals it is left as a draft: a worker tries once more, and a failure there is on record and charged.
    """
    draft = Draft(vary.name)
    names = [vary.name] * len(parents)
    if vary.draft:
        return Proposals([draft] * len(parents), parents)
    sources = [[view.record(i) for i in row] for row in parents]
    many = getattr(vary, "many", None)
    if many is not None:
        try:
            return Proposals(list(many(rng, sources)), parents, operators=names)
        except NotMade:
            pass  # of which row is not known: one by one below
    genomes: list[Any] = []
    used: list[Parents] = []
    for row, (one, ids) in enumerate(zip(sources, parents)):
        made, ids = _child(vary, one, ids, others, rng.fold(row), view, tries)
        genomes.append(draft if made is None else made.genome)
        used.append(ids if made is None or made.used is None else ids[: made.used])
        if made is not None and made.operator is not None:
            names[row] = made.operator
    return Proposals(genomes, used, operators=names)


def _child(
    vary: Vary, sources: Sequence[Record], ids: Parents, others: Callable[[Rng], Parents], rng: Rng, view: View,
    tries: int,
) -> tuple[Made | None, Parents]:  # fmt: skip
    """(what was made or None, the parents that were offered)."""
    draft = Draft(vary.name)
    for attempt in range(tries):
        if attempt:
            ids = others(rng.fold(2 * attempt))
            sources = [view.record(i) for i in ids]
        try:
            child = vary(rng.fold(2 * attempt + 1), sources, draft)
        except NotMade:
            continue
        return (child if isinstance(child, Made) else Made(child)), ids
    return None, ids
