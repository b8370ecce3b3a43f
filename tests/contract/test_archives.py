"""The contract suite over every archive that ships, and proof that the suite can fail."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoloom import archives
from evoloom.archives.population import Population
from evoloom.core.contracts import Added, Status, rows_of
from evoloom.core.errors import ContractError
from evoloom.core.value import value
from evoloom.testing.archives import Offering, check_archive, stream

ONE, MANY = Offering(), Offering(n_objectives=2)

# factory, problem, batch = one by one, first of a tie wins
SHIPPED = {
    "best": (archives.best(3), ONE, True, True),
    "best-1": (archives.best(), ONE, True, True),
    "best-last": (archives.best(3, ties="last"), ONE, True, False),
    "population": (archives.population(10, signals=("size",)), ONE, True, True),
    "aging": (archives.aging(5), ONE, True, False),
    "everything": (archives.everything(), ONE, True, True),
    "grid": (archives.grid((4, 3)), ONE, True, True),
    "cvt": (archives.cvt(12, samples=200), ONE, True, True),
    "unstructured": (archives.unstructured(0.2), ONE, True, True),
    "unstructured-3": (archives.unstructured(0.1, k=3), ONE, True, True),
    "novelty": (archives.novelty(0.2, k=3), ONE, True, True),
    "pareto": (archives.pareto(), MANY, True, True),
    "pareto-3": (archives.pareto(), Offering(n_objectives=3), True, True),
    "pareto-capacity": (archives.pareto(4), MANY, False, False),
    "cases": (archives.cases(), ONE, True, True),
    "cases-first": (archives.cases(ties="first"), ONE, True, True),
    "clusters": (archives.clusters(), ONE, True, True),
    "clusters-fitness": (archives.clusters(size=None, by_cases=False), ONE, True, True),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_archive_keeps_the_contract(name):
    factory, problem, sequential, first = SHIPPED[name]
    check_archive(factory, problem, sequential=sequential, first_of_tie=first, streams=4)


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(sorted(SHIPPED)), seed=st.integers(0, 2**32), largest=st.integers(1, 40))
def test_streams_of_any_shape(name, seed, largest):
    """Batch = one by one, and members are unique, whatever the cut into batches."""
    factory, problem, sequential, _ = SHIPPED[name]
    if not sequential:
        return
    parts = list(stream(problem, seed, batches=4, largest=largest))
    whole, single = factory(problem), factory(problem)
    for ids, e in parts:
        whole, _ = whole.insert(ids, e)
        for i in range(len(ids)):
            single, _ = single.insert(ids[i : i + 1], rows_of(e, [i]))
    assert set(whole.ids.tolist()) == set(single.ids.tolist())
    for name_, x in whole.stats().items():
        np.testing.assert_allclose(x, single.stats()[name_], rtol=1e-12, err_msg=name_)
    by = {i: r for r, i in enumerate(single.ids.tolist())}
    at = np.flatnonzero(whole.filled)
    for column in whole.names - {"cluster", "shortest", "longest"}:  # these name slots, or live at a head's slot
        other = single.column(column)[[by[i] for i in whole.ids[at].tolist()]]
        np.testing.assert_array_equal(whole.column(column)[at], other, err_msg=column)


def _broken(**overrides):
    cls = value(type("Broken", (Population,), overrides))
    return lambda problem: cls(**Population.empty(4).__dict__)


def _keeps_failures(self, ids, evaluation, column=None, aux=None):
    evaluation = evaluation._replace(verdict=np.zeros(evaluation.n, np.int8), fitness=np.nan_to_num(evaluation.fitness))
    return Population.insert(self, ids, evaluation, column, aux)


def _says_new(self, ids, evaluation, column=None, aux=None):
    a, added = Population.insert(self, ids, evaluation, column, aux)
    return a, Added(np.full(len(ids), Status.NEW, np.int8), added.gain, added.slot)


def _shared(self, memo):
    return self


def _growing_stats(self):
    return {f"seen_{self.n}": self.n}


@pytest.mark.parametrize(
    ("overrides", "rule"),
    [
        ({"insert": _keeps_failures}, "nothing is OK"),
        ({"insert": _says_new}, "must be REFUSED"),
        ({"__deepcopy__": _shared}, "forked copy"),
        ({"stats": _growing_stats}, "same keys"),
        ({"column": lambda self, name: self.fitness}, "unknown name"),
    ],
)
def test_suite_names_the_broken_rule(overrides, rule):
    with pytest.raises(ContractError, match=rule):
        check_archive(_broken(**overrides))


def test_suite_sees_an_order_dependence_and_a_stolen_tie():
    with pytest.raises(ContractError, match="one by one"):
        check_archive(archives.pareto(3), Offering(n_objectives=3), first_of_tie=False)
    with pytest.raises(ContractError, match="equal newcomer"):
        check_archive(archives.best(2, ties="last"))
