"""check_strategy: the rules that the loop relies on, for any strategy on any problem.

from evoloom.testing import check_strategy
check_strategy(my_system, my_problem)        # my_system(problem) -> Strategy
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from evoloom.core import codec
from evoloom.core.contracts import Box, Problem
from evoloom.core.errors import ContractError
from evoloom.testing.drive import Drive, Make, Plan, difference, drive

Rule = Callable[[Make, Problem, Plan], None]


def runs(make: Make, problem: Problem, plan: Plan) -> None:
    """It proposes, stays in its budget, and answers with ids that were judged OK, best first."""
    d = drive(make, problem, plan)
    _form(d)
    if not d.told:
        raise ContractError("it proposed nothing at all, with the whole budget free")
    if d.spent > plan.evaluations + 1e-9:
        raise ContractError(f"it spent {d.spent} evaluations of {plan.evaluations}")
    ids, scope = d.strategy.best(d.state)
    whole = [t for t in d.told if t.proposals.scope is None and t.evaluation.valid.any()]
    if whole and not len(ids):
        raise ContractError("candidates were judged OK, but best() is empty")
    fitness = []
    for id in ids:
        j = d.memory.record(id).of(scope)
        if j is None or j.fitness is None:
            raise ContractError(f"best() names candidate {id}, which has no OK judgement under scope {scope!r}")
        fitness.append(j.fitness)
    if problem.n_objectives == 1 and fitness != sorted(fitness, reverse=True):
        raise ContractError(f"best() must name the best first, got fitness {fitness[:5]}")


def one_row_at_a_time(make: Make, problem: Problem, plan: Plan) -> None:
    """A window of one row is enough to run."""
    if not drive(make, problem, plan._replace(window=1, chunk=1)).told:
        raise ContractError("with room for one row at a time it proposed nothing")


def almost_no_budget(make: Make, problem: Problem, plan: Plan) -> None:
    """Budgets of 1, 2 and 3.5 evaluations: it may propose little or nothing, never too much."""
    for evaluations in (1.0, 2.0, 3.5):
        drive(make, problem, plan._replace(evaluations=evaluations))


def room_is_kept(make: Make, problem: Problem, plan: Plan) -> None:
    """No batch is larger than its room, in narrow, uneven and open windows."""
    for window, chunk in ((3, 2), (7, 5), (1 << 30, 1 << 30)):
        drive(make, problem, plan._replace(window=window, chunk=chunk))


def same_twice(make: Make, problem: Problem, plan: Plan) -> None:
    """Equal seeds give equal proposals and equal states."""
    a, b = drive(make, problem, plan), drive(make, problem, plan)
    _equal(a, b, "the same run a second time")


def state_is_everything(make: Make, problem: Problem, plan: Plan) -> None:
    """A new strategy object with an exact copy of the state goes on as if nothing had happened."""
    a, b = drive(make, problem, plan), drive(make, problem, plan._replace(fresh=True))
    _equal(a, b, "a fresh strategy object with a copy of the state at every step (what is not in the state is lost)")


def all_invalid(make: Make, problem: Problem, plan: Plan) -> None:
    """When every judgement fails, it goes on or ends in peace, and has no answer."""
    d = drive(make, problem, plan._replace(spoil=True))
    ids, _ = d.strategy.best(d.state)
    if len(ids):
        raise ContractError(f"nothing was judged OK, but best() names {list(ids)[:5]}")
    _form(d)


def empty_ask_leaves_no_trace(make: Make, problem: Problem, plan: Plan) -> None:
    """An ask that returns None changes nothing: such asks are not recorded, so a resumed run does not repeat them."""
    drive(make, problem, plan._replace(watch=True, window=5, chunk=2))
    drive(make, problem, plan._replace(watch=True, window=5, chunk=2, spoil=True))


def adopts(make: Make, problem: Problem, plan: Plan) -> None:
    """Candidates that it never asked for are welcome at any time, or ignored."""
    d = drive(make, problem, plan._replace(adopt_every=2))
    if not d.told:
        raise ContractError("it proposed nothing after it was handed strangers to adopt")
    _form(d)


def any_order(make: Make, problem: Problem, plan: Plan) -> None:
    """Batches may be told in another order than they were asked; what follows depends on nothing else."""
    shuffled = plan._replace(shuffle=True, window=9, chunk=2)
    a, b = drive(make, problem, shuffled), drive(make, problem, shuffled._replace(fresh=True))
    _equal(a, b, "a run with shuffled tells, with a fresh object at every step")


RULES: Mapping[str, Rule] = {
    f.__name__: f
    for f in (
        runs,
        one_row_at_a_time,
        almost_no_budget,
        room_is_kept,
        same_twice,
        state_is_everything,
        all_invalid,
        empty_ask_leaves_no_trace,
        adopts,
        any_order,
    )
}


def check_strategy(
    make: Make,
    problem: Problem,
    *,
    evaluations: float = 60.0,
    seed: int = 1,
    rules: Sequence[str] = tuple(RULES),
    box: Box | None = None,
) -> None:
    """Drive a strategy through every rule, about 15 short runs.

    Args:
        make: problem -> a new strategy object, as a registered system is.
        problem: judged for real; choose a cheap one.
        evaluations: budget of one run.
        rules: names in `RULES`, to run only some.
        box: where an untrusted problem runs its candidates.

    Raises:
        ContractError: names the rule, what it says, and what was seen.
    """
    plan = Plan(evaluations=evaluations, seed=seed, box=box)
    for name in rules:
        try:
            RULES[name](make, problem, plan)
        except Exception as e:
            sentence = " ".join((RULES[name].__doc__ or "").split())
            raise ContractError(
                f"rule '{name}' is broken on problem '{problem.name}': {type(e).__name__}: {e}\n  The rule: {sentence}"
            ) from e


def _form(d: Drive) -> None:
    """What the loop reads from a strategy has the right form."""
    s = d.strategy
    for name in ("needs", "wants"):
        x = getattr(s, name)
        if not isinstance(x, frozenset) or not all(isinstance(k, str) for k in x):
            raise ContractError(f"{name} must be a frozenset of column names, got {x!r}")
    if s.repeats not in ("refuse", "reuse", "judge"):
        raise ContractError(f"repeats must be 'refuse', 'reuse' or 'judge', got {s.repeats!r}")
    for k, x in s.operators.items():
        if not isinstance(k, str) or not callable(x):
            raise ContractError(f"operators must map names to callables, got {k!r}: {type(x).__name__}")
    for k, x in s.stats(d.state).items():
        if np.ndim(x) != 0 or not isinstance(x, (int, float, np.number, bool)):
            raise ContractError(f"stats must be plain numbers, got {k}={x!r}")


def _equal(a: Drive, b: Drive, what: str) -> None:
    for i, (x, y) in enumerate(zip(a.asks, b.asks)):
        if x != y:
            at = next((k for k, (p, q) in enumerate(zip(x, y)) if p != q), min(len(x), len(y)))
            lo = max(0, at - 40)
            raise ContractError(f"{what} differs from batch {i} on: ...{x[lo : at + 40]}... != ...{y[lo : at + 40]}...")
    if len(a.asks) != len(b.asks):
        raise ContractError(f"{what} asked {len(b.asks)} batches instead of {len(a.asks)}")
    if (where := _state_difference(a.state, b.state)) is not None:
        raise ContractError(f"{what} asks the same but ends in another state: {where}")


def _state_difference(a: Any, b: Any) -> str | None:
    return None if codec.digest(a) == codec.digest(b) else difference(a, b) or "digests differ"
