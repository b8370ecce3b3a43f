"""generations: methods that think in whole generations, inside any window.

A `Whole` samples a generation and is updated with a generation. The wrapper hands rows out as there is room, collects
what is told in whatever order, and updates once the last row of a generation is in. A generation that the budget cuts
short is judged and kept by the archive all the same; it updates nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from evoloom.core.contracts import Added, Archive, Operator, Problem, Proposals, Room, Told, View, rows_of, stack
from evoloom.core.errors import ContractError
from evoloom.core.rng import Rng

S = TypeVar("S")


class Whole(Protocol[S]):
    """What the author of a generational method writes. State, configuration and ownership as in a Proposer."""

    operators: Mapping[str, Operator]
    needs: frozenset[str]
    wants: frozenset[str]

    def init(self, problem: Problem, archive: Archive, rng: Rng) -> S: ...
    def sample(self, state: S, archive: Archive, rng: Rng, room: Room, view: View) -> tuple[Proposals | None, S]:
        """The next generation, all of it, however small the room is; None, with the state unchanged, where there is no
        room for a single row (`room.rows(scope)`) or nothing more to sample."""
        ...

    def update(self, state: S, archive: Archive, rng: Rng, told: Told, added: Added, view: View) -> S:
        """All rows of the last sampled generation, in its order. Rows may be invalid, all may be."""
        ...


class Generation(NamedTuple):
    """State. `batch` is the generation on its way, None between two."""

    inner: Any
    batch: Proposals | None = None
    number: int = 0
    asked: int = 0  # rows of it handed out
    rows: tuple[np.ndarray, ...] = ()  # places of the rows told so far, piece by piece
    told: tuple[Told, ...] = ()
    added: tuple[Added, ...] = ()


class Generations:
    """See `generations`."""

    def __init__(self, whole: Whole):
        self.whole = whole
        self.operators: Mapping[str, Operator] = whole.operators
        self.needs: frozenset[str] = frozenset(whole.needs)
        self.wants: frozenset[str] = frozenset(whole.wants)

    def init(self, problem: Problem, archive: Archive, rng: Rng) -> Generation:
        return Generation(self.whole.init(problem, archive, rng))

    def ask(
        self, state: Generation, archive: Archive, rng: Rng, room: Room, view: View
    ) -> tuple[Proposals | None, Generation]:
        if state.batch is None:
            batch, inner = self.whole.sample(state.inner, archive, rng, room, view)
            if batch is None:
                return None, state
            state = Generation(inner, batch, state.number)
        else:
            batch = state.batch
        n = min(batch.n - state.asked, room.rows(batch.scope))
        if n < 1:
            if state.asked == 0:
                raise ContractError(
                    f"{type(self.whole).__name__}.sample gave a generation of {batch.n} rows where there is room for "
                    f"{room.rows(batch.scope)}: it must return None, unchanged, unless at least one row can start"
                )
            return None, state  # what is left of the generation is in flight, or cannot be afforded
        rows = np.arange(state.asked, state.asked + n)
        piece = cut(batch, rows)
        aux = {**piece.aux, "generation": np.full(n, state.number, np.int64), "member": rows}
        return piece._replace(aux=aux), state._replace(asked=state.asked + n)

    def tell(self, state: Generation, archive: Archive, rng: Rng, told: Told, added: Added, view: View) -> Generation:
        batch = state.batch
        if batch is None or int(told.proposals.aux["generation"][0]) != state.number:
            return state
        state = state._replace(
            rows=(*state.rows, np.asarray(told.proposals.aux["member"])),
            told=(*state.told, told._replace(evaluation=told.evaluation._replace(traces=None))),
            added=(*state.added, added),
        )
        if sum(len(r) for r in state.rows) < batch.n:
            return state
        place = np.argsort(np.concatenate(state.rows))
        whole = joined(batch, state.told, place)
        answer = Added(*(np.concatenate(x)[place] for x in zip(*state.added)))
        return Generation(self.whole.update(state.inner, archive, rng, whole, answer, view), None, state.number + 1)

    def stats(self, state: Generation) -> Mapping[str, Any]:
        more = getattr(self.whole, "stats", None)
        return {"generations": state.number, **(more(state.inner) if more else {})}


def cut(batch: Proposals, rows: np.ndarray) -> Proposals:
    """Some rows of a batch."""

    def some(x: Any) -> Any:
        return x if x is None or not len(x) else [x[r] for r in rows]

    return batch._replace(
        genomes=some(batch.genomes),
        parents=some(batch.parents),
        known=some(batch.known),
        operators=some(batch.operators),
        aux={k: np.asarray(v)[rows] for k, v in batch.aux.items()},
    )


def joined(batch: Proposals, pieces: Sequence[Told], place: np.ndarray) -> Told:
    """The pieces of a generation as one Told in the order of the generation. place: (n,) rows of the joined pieces."""

    def each(xs: list[Any]) -> list[Any]:
        return [xs[r] for r in place]

    return Told(
        batch,
        np.concatenate([t.ids for t in pieces])[place],
        rows_of(stack([t.evaluation for t in pieces]), place),
        each([c for t in pieces for c in t.make_cost]) if all(len(t.make_cost) for t in pieces) else (),
        each([w for t in pieces for w in t.why]) if all(len(t.why) for t in pieces) else (),
    )


def generations(whole: Whole) -> Generations:
    """A proposer around a whole-generation method. Aux columns: `generation` and `member`."""
    return Generations(whole)
