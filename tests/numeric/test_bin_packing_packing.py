"""Three ways to pack (literal simulation, asking for every item, kernels) agree; known rules give known excess."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoloom.core.rng import root
from evoloom.problems.bin_packing import heuristics
from evoloom.problems.bin_packing.instances import Instance, generate
from evoloom.problems.bin_packing.packing import pack_as_foreseen, pack_exactly
from evoloom.problems.bin_packing.tables import Suite, compiled, pack, pack_rule


def literal(items, capacity, form, rule):
    """The definition, bin by bin: lists, and nothing clever. Returns the contents of the bins used."""
    bins = [[] for _ in items]
    for item in items:
        left = [capacity - sum(b) for b in bins]
        fits = [k for k, r in enumerate(left) if r >= item]
        if form == "residuals":  # one bin for each distinct residual
            fits = [left.index(r) for r in sorted({left[k] for k in fits} | {capacity})]
        k = int(np.argmax(rule(item, np.array([left[k] for k in fits], float))))
        bins[fits[k]].append(item)
    bins = [b for b in bins if b]
    assert sorted(x for b in bins for x in b) == sorted(items)
    assert all(sum(b) <= capacity for b in bins)
    return bins


def table_rule(seed, ties):
    """A random elementwise rule over whole numbers up to 40; `ties`: few distinct values."""
    values = np.random.default_rng(seed).normal(size=(41, 41))
    values = np.round(values) if ties else values
    return lambda item, bins: values[int(item), bins.astype(int)]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=60),
    st.sampled_from(["residuals", "all"]),
    st.one_of(
        st.builds(table_rule, st.integers(0, 10**6), st.booleans()),
        st.sampled_from([compiled(s) for s in (heuristics.BEST_FIT, heuristics.FIRST_FIT, heuristics.WORST_FIT)]),
        st.just(lambda item, bins: np.full(len(bins), -np.inf)),
    ),
)
def test_kernel_exact_path_and_literal_simulation_agree(items, form, rule):
    expected = literal(items, 40, form, rule)
    full = sum(sum(b) == 40 for b in expected)
    assert tuple(pack_exactly(np.array(items, float), 40.0, form, rule)) == (len(expected), full)
    instance = Instance("x", np.array(items, float), 40.0)
    assert [tuple(p) for p in pack_rule(Suite.of([instance]), form, rule)] == [(len(expected), full)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=60), st.sampled_from(["residuals", "all"]))
def test_sizes_without_a_grid_pack_as_defined(items, form):
    """Powers of two keep the sums exact, so that the definition and the running residuals see the same numbers."""
    items = [max(1, round(x * 2**20)) / 2**20 for x in items]
    for rule in (compiled(heuristics.BEST_FIT), compiled(heuristics.FIRST_FIT)):
        assert pack_exactly(np.array(items), 1.0, form, rule).used == len(literal(items, 1.0, form, rule))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_a_rule_of_the_company_packs_as_defined(items):
    rule = compiled(heuristics.FUNSEARCH_WEIBULL)
    for form in ("residuals", "all"):
        assert pack_exactly(np.array(items, float), 40.0, form, rule).used == len(literal(items, 40, form, rule))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=60),
    st.sampled_from(["residuals", "all"]),
    st.builds(table_rule, st.integers(0, 10**6), st.booleans()),
    st.builds(table_rule, st.integers(0, 10**6), st.booleans()),
    st.integers(1, 200),
)
def test_packing_as_foreseen_is_exact_or_says_no(items, form, rule, other, batch):
    def call_many(sizes, residuals, ends):
        return np.concatenate([rule(s, r) for s, r in zip(sizes, np.split(residuals, ends[:-1]))])

    sizes = np.array(items, float)
    exact = pack_exactly(sizes, 40.0, form, rule)
    assert pack_as_foreseen(sizes, 40.0, form, rule, call_many, batch) == exact
    assert pack_as_foreseen(sizes, 40.0, form, other, call_many, batch) in (None, exact)


def test_several_instances_in_one_call_are_packed_apart():
    instances = [Instance(str(i), np.array(x, float), 10.0) for i, x in enumerate([[6, 5, 4], [5, 5, 5], [1] * 30])]
    suite = Suite.of(instances)
    best_fit = compiled(heuristics.BEST_FIT)
    assert [p.used for p in pack_rule(suite, "residuals", best_fit)] == [2, 2, 3]
    table = np.zeros((11, 11))
    assert [p.used for p in pack(suite, [2, 0], "all", np.arange(11), table)] == [3, 2]


def mean_excess(suite, form, source):
    return float(np.mean(suite.excess(pack_rule(suite, form, compiled(source)))))


@pytest.fixture(scope="module")
def weibull():
    return Suite.of(generate("weibull", "train", 5, 5000, 100.0, root(0)))


@pytest.fixture(scope="module")
def orlib():
    return Suite.of(generate("or", "train", 20, 500, 150.0, root(0)))


def test_weibull_rules_have_the_published_excess(weibull):
    """Published, on 5 instances: Best-Fit 3.98 %, First-Fit 4.23 %, FunSearch 0.68 %."""
    assert 3.8 < mean_excess(weibull, "residuals", heuristics.BEST_FIT) < 4.15
    assert mean_excess(weibull, "all", heuristics.BEST_FIT) == mean_excess(weibull, "residuals", heuristics.BEST_FIT)
    assert 4.0 < mean_excess(weibull, "all", heuristics.FIRST_FIT) < 4.6
    assert mean_excess(weibull, "residuals", heuristics.RESIDUAL_TARGET) < 0.9


def test_funsearch_heuristic_in_its_own_form(weibull):
    rule = compiled(heuristics.FUNSEARCH_WEIBULL)
    used = [pack_exactly(weibull.sizes(c), 100.0, "all", rule) for c in range(5)]
    assert 0.55 < np.mean(weibull.excess(used)) < 0.75


def test_or_rules_have_the_published_excess(orlib):
    """Published, on the 20 instances of u500: Best-Fit 5.37 %, First-Fit 5.74 %, FunSearch 3.11 %."""
    assert 4.7 < mean_excess(orlib, "residuals", heuristics.BEST_FIT) < 5.9
    assert 5.1 < mean_excess(orlib, "all", heuristics.FIRST_FIT) < 6.3
    assert 2.7 < mean_excess(orlib, "all", heuristics.FUNSEARCH_OR) < 3.5


def test_generated_sizes_follow_their_distributions(weibull, orlib):
    items = np.concatenate([i.items for i in weibull.instances])
    assert items.min() >= 1
    assert items.max() <= 100
    # P(floor(X) <= k) = 1 - exp(-((k + 1) / 45)^3)
    k = np.arange(10, 90, 10)
    observed = (items[:, None] <= k).mean(0)
    assert np.abs(observed - (1 - np.exp(-(((k + 1) / 45) ** 3)))).max() < 1.63 / np.sqrt(len(items))  # Kolmogorov, 1 %
    items = np.concatenate([i.items for i in orlib.instances])
    assert set(items) == set(range(20, 101))
    assert abs(items.mean() - 60) < 4 * np.sqrt((81**2 - 1) / 12 / len(items))


def test_lower_bound_is_exact_for_decimal_sizes():
    assert Instance("x", np.array([0.1] * 10), 1.0).bound == 1
    assert Instance("x", np.array([0.1] * 11), 1.0).bound == 2
    assert Instance("x", np.array([50.0, 50.0, 1.0]), 100.0).excess(3) == 50.0
