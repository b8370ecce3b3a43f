"""check_problem: what the loop and the strategies assume of a problem."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from evoloom.core.contracts import Box, Evaluation, Job, Problem, Verdict
from evoloom.core.door import admit
from evoloom.core.errors import ContractError
from evoloom.core.rng import Rng, root
from evoloom.testing.drive import difference


class Case(NamedTuple):
    """A problem and genomes to try it on: its starts, then samples of its space."""

    problem: Problem
    genomes: Sequence[Any]
    rngs: Sequence[Rng]
    box: Box | None

    def judged(self, rows: Sequence[int] | None = None) -> Evaluation:
        rows = range(len(self.genomes)) if rows is None else rows
        job = Job([self.genomes[r] for r in rows], rngs=[self.rngs[r] for r in rows], box=self.box)
        return admit(self.problem.evaluate(job), self.problem, len(rows))


def declares(c: Case) -> None:
    """Name, objectives, columns, settings and price have their form."""
    p = c.problem
    if not isinstance(p.name, str) or not p.name:
        raise ContractError(f"name must be a word, got {p.name!r}")
    if p.n_objectives < 1 or (isinstance(p.minimize, tuple) and len(p.minimize) != p.n_objectives):
        raise ContractError(f"minimize={p.minimize!r} does not fit n_objectives={p.n_objectives}")
    for axis in p.columns.measures:
        if not axis.low < axis.high:
            raise ContractError(f"measure '{axis.name}' has an empty range: {axis.low} to {axis.high}")
    for what, names in (("measures", [a.name for a in p.columns.measures]), ("signals", p.columns.signals)):
        if len(set(names)) != len(names):
            raise ContractError(f"{what} must have different names, got {list(names)}")
    try:
        json.dumps(p.settings())
    except (TypeError, ValueError) as e:
        raise ContractError(f"settings() must be plain JSON data: {e}") from e
    price = p.price(None)
    if not (isinstance(price, (int, float)) and 0 <= price < math.inf):
        raise ContractError(f"price(None) must be a finite number, got {price!r}")


def starts(c: Case) -> None:
    """Start genomes are genomes of the space, and the same ones for the same rng."""
    p, rng = c.problem, root(7)
    first, second = list(p.start(rng)), list(p.start(rng))
    if where := difference(first, second, "start"):
        raise ContractError(f"start(rng) differs for the same rng: {where}")
    for i, g in enumerate(first):
        if (reason := p.space.check(g)) is not None:
            raise ContractError(f"start genome {i} is not of the space: {reason}")


def judges(c: Case) -> None:
    """evaluate gives one row per genome, every declared column, and costs of at most the price."""
    e = c.judged()
    if e.cost is not None and (np.asarray(e.cost) > c.problem.price(None) + 1e-9).any():
        raise ContractError(f"a judgement cost {np.max(e.cost)}, more than price(None) = {c.problem.price(None)}")
    if not e.valid.any():
        notes = [n.text for n in e.notes if n is not None][:2]
        verdicts = sorted({Verdict(int(v)).name for v in e.verdict})
        raise ContractError(f"none of {e.n} start or sampled genomes is OK: {', '.join(verdicts)}; notes {notes}")


def repeats_itself(c: Case) -> None:
    """A judgement is a function of the genome and its rng: the same again, alone or in a batch, in any order."""
    whole = c.judged()
    n = len(c.genomes)
    back = c.judged(list(range(n))[::-1])
    for row in range(n):
        alone = c.judged([row])
        for name in ("fitness", "verdict", "measures", "cases"):
            a, b, d = (getattr(e, name) for e in (whole, alone, back))
            if a is None:
                continue
            for what, x in (("alone", b[0]), ("in a batch of another order", d[n - 1 - row])):
                if not np.array_equal(a[row], x, equal_nan=True):
                    raise ContractError(f"genome {row} has {name} {a[row]} in the batch, but {x} when judged {what}")


def leaves_genomes_alone(c: Case) -> None:
    """evaluate does not change the genomes that it judges."""
    before = [c.problem.space.encode(g) for g in c.genomes]
    c.judged()
    after = [c.problem.space.encode(g) for g in c.genomes]
    for i, (a, b) in enumerate(zip(before, after)):
        if json.dumps(a) != json.dumps(b):
            raise ContractError(f"genome {i} is another one after it was judged")


def keys(c: Case) -> None:
    """Equal keys mean equal judgements."""
    f, seen = c.judged().fitness, {}
    for row, g in enumerate(c.genomes):
        key = c.problem.key(g)
        if key is not None and not isinstance(key, bytes):
            raise ContractError(f"key must be bytes or None, got {type(key).__name__}")
        first = seen.setdefault(key, row) if key is not None else row
        if not np.array_equal(f[first], f[row], equal_nan=True):
            raise ContractError(f"genomes {first} and {row} have one key but fitness {f[first]} and {f[row]}")


def shows(c: Case) -> None:
    """show(genome) is text."""
    for g in c.genomes[:3]:
        if not isinstance(text := c.problem.show(g), str):
            raise ContractError(f"show must return text, got {type(text).__name__}")


def holds_out(c: Case) -> None:
    """held_out(genome) is one row or None, and repeats itself."""
    e = c.judged()
    g = c.genomes[int(np.flatnonzero(e.valid)[0])]
    first = c.problem.held_out(g, c.box)
    if first is None:
        return
    one, two = (np.asarray(x.fitness) for x in (first, c.problem.held_out(g, c.box)) if x is not None)
    if first.n != 1 or not np.array_equal(one, two, equal_nan=True):
        raise ContractError(f"held_out must give the same single row each time, got {one} and {two}")


Rule = Callable[[Case], None]
RULES: Mapping[str, Rule] = {
    f.__name__: f for f in (declares, starts, judges, repeats_itself, leaves_genomes_alone, keys, shows, holds_out)
}


def check_problem(
    problem: Problem, *, n: int = 6, seed: int = 1, box: Box | None = None, rules: Sequence[str] = tuple(RULES)
) -> None:
    """Every rule, over the problem's starts and n samples of its space.

    Args:
        box: where an untrusted problem runs its candidates.
        rules: names in `RULES`; a problem that is noisy by declaration of its rng still repeats itself.

    Raises:
        ContractError: names the problem, the rule, what it says, and what was seen.
    """
    rng = root(seed)
    genomes = [*problem.start(rng.fold("start")), *problem.space.sample(rng.fold("sample"), n)]
    case = Case(problem, genomes, rng.fold("judge").split(len(genomes)), box)
    for name in rules:
        try:
            RULES[name](case)
        except Exception as e:
            sentence = " ".join((RULES[name].__doc__ or "").split())
            raise ContractError(
                f"problem '{problem.name}' breaks rule '{name}': {type(e).__name__}: {e}\n  The rule: {sentence}"
            ) from e
