"""`check_archive`: what every archive promises, tried on random streams with ties, failures and non-finite values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from evoloom.core.contracts import Axis, Columns, Evaluation, Problem, Status, Verdict, rows_of
from evoloom.core.errors import ContractError, UsageError
from evoloom.core.value import fork

Factory = Callable[[Problem], Any]


class Offering(Problem):
    """A problem that offers every kind of column, for archives to be tried on. It judges nothing."""

    name = "offering"

    def __init__(self, n_objectives: int = 1, n_measures: int = 2, n_cases: int = 4):
        self.n_objectives = n_objectives
        self.columns = Columns(
            measures=tuple(Axis(f"m{j}", -1.0, 1.0) for j in range(n_measures)),
            cases=tuple(f"case {j}" for j in range(n_cases)),
            signals=("size", "return"),
        )


def rows(problem: Problem, rng: np.random.Generator, n: int, bad: float = 0.2, step: float = 0.25) -> Evaluation:
    """n judged rows on a lattice of width `step`, so that ties are common; a share `bad` failed or is not finite."""

    def draw(*shape: int) -> np.ndarray:
        return np.round(rng.uniform(-1.2, 1.2, shape) / step) * step

    fitness = draw(n) if problem.n_objectives == 1 else draw(n, problem.n_objectives)
    measures = draw(n, len(problem.columns.measures)) if problem.columns.measures else None
    cases = draw(n, len(problem.columns.cases)) if problem.columns.cases else None
    signals = {name: rng.integers(1, 9, n).astype(float) for name in problem.columns.signals}
    fate = rng.random(n)
    verdict = np.where(fate < bad / 2, rng.integers(1, len(Verdict), n), 0).astype(np.int8)
    fitness[verdict > 0] = np.nan
    floats = [x for x in (fitness, measures, cases) if x is not None]
    for i in np.flatnonzero((fate >= bad / 2) & (fate < bad)):
        floats[rng.integers(0, len(floats))][i] = rng.choice([np.nan, np.inf, -np.inf])
    return Evaluation(fitness, verdict, measures, cases, signals)


def stream(problem: Problem, seed: int, batches: int = 12, largest: int = 9) -> Iterator[tuple[np.ndarray, Evaluation]]:
    """Batches of fresh ids and judged rows; some are empty."""
    rng, first = np.random.default_rng(seed), 0
    for _ in range(batches):
        n = int(rng.integers(0, largest + 1))
        yield np.arange(first, first + n), rows(problem, rng, n)
        first += n


def check_archive(
    factory: Factory,
    problem: Problem | None = None,
    *,
    sequential: bool = True,
    first_of_tie: bool = True,
    streams: int = 10,
) -> None:
    """Try an archive on `streams` random streams.

    Args:
        factory: problem -> empty archive.
        problem: its columns and objectives shape the rows; default `Offering()`.
        sequential: the rule promises that a batch leaves the members that its rows would leave one by one.
        first_of_tie: the rule promises that an equal newcomer never takes a member's place.

    Raises:
        ContractError: naming the archive and the rule that it breaks.
    """
    problem = problem or Offering()
    for check in (_empty, _protocol, _all_invalid, _nonfinite, _judged_again):
        check(factory, problem)
    for seed in range(streams):
        _consistent(factory, problem, seed)
        _forked(factory, problem, seed)
        if sequential:
            _sequential(factory, problem, seed)
        if first_of_tie:
            _ties(factory, problem, seed)


def _demand(holds: Any, archive: Any, rule: str, seen: Any = None) -> None:
    if not holds:
        raise ContractError(f"archive {type(archive).__name__}: {rule}" + ("" if seen is None else f"; got {seen}"))


def _empty(factory: Factory, problem: Problem) -> None:
    a = factory(problem)
    _demand(not np.asarray(a.filled).any(), a, "a new archive must be empty", a.ids)
    nothing = rows(problem, np.random.default_rng(0), 0)
    b, added = a.insert(np.arange(0), nothing, None, {})
    _demand(not np.asarray(b.filled).any(), b, "an empty batch must change nothing")
    _demand(all(len(x) == 0 for x in added), b, "an empty batch must get an empty answer", added)


def _protocol(factory: Factory, problem: Problem) -> None:
    a = factory(problem)
    missing = a.needs - problem.columns.offered
    _demand(not missing, a, "`needs` must name columns that the problem offers", sorted(missing))
    keys = _numbers(a)
    for ids, e in stream(problem, 0):
        a, _ = a.insert(ids, e, None, {})
    _demand(_numbers(a) == keys, a, "stats must have the same keys at all times", sorted(_numbers(a) ^ keys))
    _demand(len(a.column("fitness")) == len(a.ids), a, "column('fitness') must have one row per slot")
    try:
        a.column("no such column")
    except UsageError as error:
        _demand("fitness" in str(error), a, "the error of an unknown column must list those present", error)
    else:
        _demand(False, a, "column() of an unknown name must raise UsageError")


def _numbers(archive: Any) -> set[str]:
    stats = archive.stats()
    for name, x in stats.items():
        _demand(
            np.ndim(x) == 0 and np.asarray(x).dtype.kind in "iuf", archive, f"stats['{name}'] must be one number", x
        )
    return set(stats)


def _all_invalid(factory: Factory, problem: Problem) -> None:
    a = factory(problem)
    e = rows(problem, np.random.default_rng(1), 6, bad=0.0)
    e = e._replace(verdict=np.arange(1, 7).astype(np.int8), fitness=np.full_like(e.fitness, np.nan))
    a, added = a.insert(np.arange(6), e, None, {})
    _demand(not a.filled.any(), a, "a batch in which nothing is OK must leave the archive empty", a.ids)
    _demand((added.status == Status.REFUSED).all(), a, "rows that are not OK must be REFUSED", added.status)
    _demand((added.slot == -1).all() and (added.gain == 0).all(), a, "refused rows have slot -1 and gain 0", added)


def _nonfinite(factory: Factory, problem: Problem) -> None:
    for name in sorted({"fitness", "measures", "cases"} & (factory(problem).needs | {"fitness"})):
        for odd in (np.nan, np.inf, -np.inf):
            e = rows(problem, np.random.default_rng(2), 1, bad=0.0)
            e = e._replace(**{name: np.full_like(getattr(e, name), odd)})
            a, added = factory(problem).insert(np.arange(1), e, None, {})
            refused = added.status[0] == Status.REFUSED and not a.filled.any()
            _demand(refused, a, f"a row with {odd} in its {name} must be REFUSED", added)


def _judged_again(factory: Factory, problem: Problem) -> None:
    a = factory(problem)
    for ids, e in stream(problem, 3):
        a, _ = a.insert(ids, e, None, {})
    inside = a.ids[a.filled]
    again = rows(problem, np.random.default_rng(4), len(inside), bad=0.0)
    a, added = a.insert(inside, again, None, {})
    _unique(a)
    _stored(a, inside, again, added)
    _demand((added.status != Status.REFUSED).all(), a, "a valid row whose id is inside must be judged, not refused")


def _consistent(factory: Factory, problem: Problem, seed: int) -> None:
    a, told = factory(problem), set()
    for ids, e in stream(problem, seed):
        a, added = a.insert(ids, e, None, {})
        told |= set(ids.tolist())
        _unique(a)
        _demand(set(a.ids[a.filled].tolist()) <= told, a, "only ids that were told may be inside", a.ids)
        _demand(all(len(x) == len(ids) for x in added), a, "the answer must have one row per child", added)
        f = np.asarray(e.fitness)
        sound = (np.asarray(e.verdict) == Verdict.OK) & (np.isfinite(f) if f.ndim == 1 else np.isfinite(f).all(axis=1))
        taken = added.status != Status.REFUSED
        _demand(not (taken & ~sound).any(), a, "rows that are not OK or not finite must be REFUSED", added.status)
        lost = (added.status <= Status.REJECTED) & (added.gain != 0)
        _demand(np.isfinite(added.gain).all() and not lost.any(), a, "gains are finite, and 0 where not kept", added)
        _stored(a, ids, e, added)


def _unique(a: Any) -> None:
    _demand(np.array_equal(a.filled, a.ids >= 0), a, "filled must be where ids are not -1", a.ids)
    inside = a.ids[a.filled]
    _demand(len(set(inside.tolist())) == len(inside), a, "an id must not be inside twice", inside)


def _stored(a: Any, ids: np.ndarray, e: Evaluation, added: Any) -> None:
    at = np.flatnonzero(added.slot >= 0)
    _demand(np.array_equal(a.ids[added.slot[at]], ids[at]), a, "slot must say where the row is stored", added)
    same = np.array_equal(a.column("fitness")[added.slot[at]], np.asarray(e.fitness)[at])
    _demand(same, a, "a stored row must hold the fitness it was told")
    absent = ~np.isin(ids, a.ids[a.filled])
    _demand((added.slot[absent] == -1).all(), a, "a row that is not inside must have slot -1", added)


def _forked(factory: Factory, problem: Problem, seed: int) -> None:
    parts = list(stream(problem, seed))
    a = factory(problem)
    for ids, e in parts[:6]:
        a, _ = a.insert(ids, e, None, {})
    copy = fork(a)
    frozen = {"ids": copy.ids.copy(), "fitness": np.array(copy.column("fitness")), **copy.stats()}
    for ids, e in parts[6:]:
        a, _ = a.insert(ids, e, None, {})
    now = {"ids": copy.ids, "fitness": copy.column("fitness"), **copy.stats()}
    same = all(np.array_equal(now[k], frozen[k], equal_nan=k != "ids") for k in frozen)
    _demand(same, a, "a forked copy must not change when the original goes on")
    for ids, e in parts[6:]:
        copy, _ = copy.insert(ids, e, None, {})
    _demand(np.array_equal(copy.ids, a.ids), a, "a forked copy, told the same, must end the same: its fields are all")


def _sequential(factory: Factory, problem: Problem, seed: int) -> None:
    whole, single = factory(problem), factory(problem)
    for ids, e in stream(problem, seed):
        whole, _ = whole.insert(ids, e, None, {})
        for i in range(len(ids)):
            single, _ = single.insert(ids[i : i + 1], rows_of(e, [i]), None, {})
        a, b = (set(x.ids[x.filled].tolist()) for x in (whole, single))
        _demand(a == b, whole, "a batch must leave the members that its rows leave one by one", sorted(a ^ b))


def _ties(factory: Factory, problem: Problem, seed: int) -> None:
    a, kept = factory(problem), {}
    for ids, e in stream(problem, seed):
        a, _ = a.insert(ids, e, None, {})
        kept |= {int(i): rows_of(e, [r]) for r, i in enumerate(ids)}
    for i in a.ids[a.filled].tolist():
        b, _ = fork(a).insert(np.array([10_000]), kept[i], None, {})
        _demand((b.ids == i).any(), b, "an equal newcomer must not take a member's place", i)
