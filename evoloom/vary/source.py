"""Variation of Python source without a model: typed edits as operators, one by one or as a mixture.

    edits = source_edits(space)                  # {"constant": Vary, "subtree": Vary, "crossover": Vary, ...}
    vary = mixture(edits, WEIGHTS)               # draws one per child, tries others where it does not apply

A child is never equal to a parent by key, stays within `space.max_nodes`, and equals its first parent outside the
regions. An edit that finds no place raises NotMade.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from evoloom.core.contracts import Draft, Made, NotMade, Record
from evoloom.core.errors import UsageError, near
from evoloom.core.rng import Rng
from evoloom.spaces.program import ProgramSpace
from evoloom.spaces.source_grow import pick_weighted
from evoloom.vary import source_crossover, source_expression, source_statement
from evoloom.vary.source_expression import Edit

EDITS: dict[str, Edit] = {
    "constant": source_expression.constant,
    "operator": source_expression.operator,
    "comparison": source_expression.comparison,
    "variable": source_expression.variable,
    "call": source_expression.call,
    "subtree": source_expression.subtree,
    "grow": source_expression.grow,
    "shrink": source_expression.shrink,
    "hoist": source_expression.hoist,
    "exchange": source_expression.exchange,
    "insert": source_statement.insert,
    "update": source_statement.update,
    "extract": source_statement.extract,
    "inline": source_statement.inline,
    "delete": source_statement.delete,
    "duplicate": source_statement.duplicate,
    "swap": source_statement.swap,
    "wrap_if": source_statement.wrap_if,
    "wrap_for": source_statement.wrap_for,
    "unwrap": source_statement.unwrap,
    "idiom": source_statement.idiom,
    "crossover": source_crossover.subtrees,
    "join": source_crossover.join,
    "blocks": source_crossover.blocks,
}
CROSSOVERS = ("crossover", "join", "blocks")

# Shares of the edits in a mixture: half crossover and new subtrees, a quarter numbers, the rest small steps.
WEIGHTS: dict[str, float] = {
    "constant": 5, "operator": 1, "comparison": 1, "variable": 1, "call": 1, "subtree": 4, "grow": 3, "shrink": 1,
    "hoist": 2, "exchange": 0.5, "insert": 0.4, "update": 0.6, "extract": 0.2, "inline": 0.2, "delete": 0.4,
    "duplicate": 0.2, "swap": 0.2, "wrap_if": 0.3, "wrap_for": 0.1, "unwrap": 0.2, "idiom": 3, "crossover": 8,
    "join": 2, "blocks": 0.5,
}  # fmt: skip


class SourceEdit:
    """One typed edit as an operator. The edit is drawn up to `tries` times until it gives a new program."""

    draft = False  # about half a millisecond

    def __init__(self, space: ProgramSpace, name: str, edit: Edit, arity: int = 1, tries: int = 4):
        self.space, self.name, self.edit, self.arity, self.tries = space, name, edit, arity, tries

    def __repr__(self) -> str:
        return f"SourceEdit({self.name!r})"

    def __call__(self, rng: Rng, sources: Sequence[Record], draft: Draft | None = None) -> str:
        if len(sources) < self.arity:
            raise NotMade(f"{self.name} needs {self.arity} parents, got {len(sources)}")
        genomes = [s.genome for s in sources[: self.arity]]
        readings = [self.space.read(g) for g in genomes]
        if None in readings:
            raise NotMade(f"{self.name}: a parent is not a program of this space")
        gen, why = rng.generator(), "it does not apply to this program"
        parents = {self.space.key(g) for g in genomes}
        for _ in range(self.tries):
            bodies = self.edit(gen, self.space, readings)  # type: ignore[arg-type]
            if bodies is None:
                continue
            if self.space.tree_key(bodies) in parents:
                why = "the child equals a parent"
                continue
            size = self.space.tree_size(bodies)
            if size > self.space.max_nodes:
                why = f"the child has {size} nodes, at most {self.space.max_nodes} are allowed"
                continue
            return self.space.write(genomes[0], bodies)
        raise NotMade(f"{self.name}: {why}")


def source_edits(space: ProgramSpace, *, only: Sequence[str] | None = None, tries: int = 4) -> dict[str, SourceEdit]:
    """All typed edits (or those named) as operators by name.

    Raises:
        UsageError: an edit has no such name.
    """
    for name in only or ():
        if name not in EDITS:
            raise UsageError(f"no source edit is called '{name}'.{near(name, EDITS)}")
    names = EDITS if only is None else only
    return {n: SourceEdit(space, n, EDITS[n], 2 if n in CROSSOVERS else 1, tries) for n in names}


class Mixture:
    """One operator that draws among others; where one does not apply it draws again, up to `tries` times.

    again: chance that the child is changed once more (and then once more, ...), so that some children are further away.
    """

    draft = False

    def __init__(self, varies: Mapping[str, Any], weights: Mapping[str, float] | None = None, *, name: str = "mixture",
                 tries: int = 8, again: float = 0.0, most: int = 4):  # fmt: skip
        unknown = [n for n in weights or () if n not in varies]
        if unknown:
            raise UsageError(f"weight for '{unknown[0]}', which is not among the operators.{near(unknown[0], varies)}")
        chosen = {n: (weights or {}).get(n, 0.0 if weights else 1.0) for n in varies}
        if not any(w > 0 for w in chosen.values()) or any(w < 0 for w in chosen.values()):
            raise UsageError(f"weights must be positive for at least one operator and never negative, got {weights}")
        self.varies, self.name, self.tries, self.again, self.most = dict(varies), name, tries, again, most
        self.names = [n for n, w in chosen.items() if w > 0]
        self.cumulative = list(accumulate(chosen[n] for n in self.names))
        self.arity = max(varies[n].arity for n in self.names)
        self.draft = any(varies[n].draft for n in self.names)

    def __call__(self, rng: Rng, sources: Sequence[Record], draft: Draft | None = None) -> Made:
        gen = rng.generator()
        genome, vary = self._one(rng.fold(0), gen, sources, draft)
        made_by, used = vary.name, vary.arity
        for k in range(1, self.most):
            if self.again <= 0 or gen.random() >= self.again:
                break
            try:
                genome, vary = self._one(rng.fold(k), gen, [sources[0]._replace(genome=genome), *sources[1:]], draft)
            except NotMade:
                break
            made_by, used = "several", max(used, vary.arity)
        return Made(genome, operator=made_by, used=used)

    def _one(self, rng: Rng, gen: Any, sources: Sequence[Record], draft: Draft | None) -> tuple[Any, Any]:
        """(genome, the operator that made it)."""
        why = ""
        for k in range(self.tries):
            vary = self.varies[pick_weighted(gen, self.names, self.cumulative)]
            if len(sources) < vary.arity:
                continue
            try:
                out = vary(rng.fold(k), sources[: vary.arity], draft)
            except NotMade as e:
                why = e.why
                continue
            return (out.genome if isinstance(out, Made) else out), vary
        raise NotMade(f"none of {self.tries} operators applied; the last: {why or 'it needs more parents'}")


def mixture(varies: Mapping[str, Any], weights: Mapping[str, float] | None = None, *, name: str = "mixture",
            tries: int = 8, again: float = 0.0) -> Mixture:  # fmt: skip
    """See `Mixture`. Without weights all operators are equally likely; operators without a weight are left out."""
    return Mixture(varies, weights, name=name, tries=tries, again=again)


def source_mixture(space: ProgramSpace, *, weights: Mapping[str, float] | None = None, again: float = 0.2) -> Mixture:
    """All typed edits with the usual shares (those in `weights` changed): what a system takes that does not care."""
    return mixture(source_edits(space), {**WEIGHTS, **(weights or {})}, name="source", again=again)
