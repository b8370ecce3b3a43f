"""Judging of bin-packing candidates: paths, verdicts, cases, held-out data."""

import numpy as np
import pytest
from in_process import InProcessBox

from evoloom.core import registry
from evoloom.core.contracts import Job, Verdict
from evoloom.core.door import admit
from evoloom.core.errors import UsageError
from evoloom.core.rng import root
from evoloom.problems.bin_packing import BinPacking, heuristics
from evoloom.problems.bin_packing.heuristics import program

SMALL = {"n_items": 300, "n_instances": 3}


@pytest.fixture(scope="module")
def small():
    return BinPacking(**SMALL)


@pytest.fixture(scope="module")
def small_all():
    return BinPacking(bins="all", **SMALL)


def judge(problem, *sources, scope=None):
    return admit(problem.evaluate(Job(sources, scope, box=InProcessBox())), problem, len(sources), scope)


def tabulated(problem, source):
    e = problem.evaluate(Job([source], box=InProcessBox()))
    assert e.verdict[0] == Verdict.OK, e.notes
    return e.notes[0] is None


ELEMENTWISE = {
    "capacity": program("return -np.abs(bins - np.max(bins) * item / 100)"),
    "branch": program("if item > 30:\n    return bins\nreturn -bins"),
    "shifted by its company": program("return (item - bins) - np.mean(bins)"),
    "softmax": program("e = np.exp((item - bins) / 50)\nreturn e / e.sum()"),
    "infinite": program("return np.where(bins == item, np.inf, -np.inf)"),
    "integers": program("return (bins < 50).astype(np.int8)"),
    "a list of floats": program("return [-float(b) for b in bins]"),
}
OTHERS = {
    "smallest": program("return np.where(bins == np.min(bins) + 3, 1.0, -bins)"),
    "number of bins": program("return bins if len(bins) > 20 else -bins"),
    "neighbours": heuristics.FUNSEARCH_WEIBULL,
    "rank": program("return np.arange(len(bins)) % 7"),
    "random": program("return np.random.random(len(bins))"),
    "counter": "import numpy as np\nseen = []\n" + program("seen.append(0)\nreturn bins * (-1) ** len(seen)"),
    "first call": "import numpy as np\nseen = {}\n"
    + program("seen[item] = 1 + seen.get(item, 0)\nreturn bins * (2 - seen[item])"),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_rule_whose_order_does_not_depend_on_company_is_tabulated_in_both_forms(small, small_all, name):
    assert tabulated(small, ELEMENTWISE[name])
    assert tabulated(small_all, ELEMENTWISE[name])


@pytest.mark.parametrize("name", OTHERS)
def test_any_other_rule_is_asked_for_every_item(small, name):
    assert not tabulated(small, OTHERS[name])


def test_position_matters_in_opening_order(small_all):
    assert not tabulated(small_all, program("return -np.arange(len(bins)) * bins"))


def test_mutating_the_arguments_harms_nobody(small):
    spoiled = program("out = item - bins\nbins[:] = 0\nreturn out")
    e = judge(small, spoiled, heuristics.BEST_FIT)
    assert e.valid.all()
    assert e.fitness[0] == e.fitness[1]


@pytest.mark.parametrize(
    ("body", "verdict", "says"),
    [
        ("return 0.0", Verdict.OUTPUT, "shape ()"),
        ("return bins[:-1]", Verdict.OUTPUT, "for"),
        ("return None", Verdict.OUTPUT, "object"),
        ("return bins * 1j", Verdict.OUTPUT, "complex"),
        ("return np.array(['a'] * len(bins))", Verdict.OUTPUT, "<U"),
        ("return np.log(bins - 1000)", Verdict.NONFINITE, "item 3"),
        ("return bins[99999]", Verdict.ERROR, "IndexError"),
    ],
)
def test_failures_have_their_own_verdict_and_say_why(small, body, verdict, says):
    e = small.evaluate(Job([program(body), heuristics.BEST_FIT], box=InProcessBox()))
    assert e.verdict.tolist() == [verdict, Verdict.OK]
    assert np.isnan(e.fitness[0])
    assert np.isfinite(e.fitness[1])
    assert says in e.notes[0].text


@pytest.mark.parametrize("source", ["def priority(item, bins:", "x = 1", "class priority: pass", 7, "def f(): \0"])
def test_what_is_no_program_with_the_entry_is_invalid(small, source):
    assert judge(small, source).verdict[0] == Verdict.INVALID


def test_a_failure_on_the_exact_path_keeps_its_verdict(small):
    late = program("if len(bins) == 3 and item > 20:\n    raise KeyError(item)\nreturn bins * (len(bins) % 2 - 0.5)")
    assert judge(small, late).verdict[0] == Verdict.ERROR


def test_scope_is_a_part_of_the_whole(small):
    whole = judge(small, heuristics.RESIDUAL_TARGET)
    part = judge(small, heuristics.RESIDUAL_TARGET, scope=[2, 0])
    assert part.cases[0].tolist() == whole.cases[0][[2, 0]].tolist()
    assert part.fitness[0] == pytest.approx(whole.cases[0][[2, 0]].mean())
    assert small.price([2, 0]) == pytest.approx(2 / 3)
    assert small.price(None) == 1.0


def test_fitness_is_the_mean_excess_and_behind_the_door_less_is_better(small):
    e = judge(small, heuristics.BEST_FIT, heuristics.WORST_FIT)
    assert e.fitness[0] > e.fitness[1]
    assert np.allclose(e.fitness, e.cases.mean(1))
    size, full = e.measures[0]
    assert size == e.signals["size"][0] == 4  # return, minus, two names
    assert 0 < full < 1


def test_size_leaves_docstrings_out_and_counts_all_functions(small):
    plain = judge(small, "def priority(item, bins):\n    return -bins").signals["size"][0]
    documented = "def twice(x):\n    return x * 2\n\ndef priority(item, bins):\n    'A text.'\n    return -bins"
    assert judge(small, documented).signals["size"][0] == plain + 4


def test_held_out_asks_for_every_item_and_brings_the_known_rules(small):
    box = InProcessBox()
    e = small.held_out(heuristics.BEST_FIT, box)
    assert box.opened == (1 + 3) + (1 + 1)  # per suite one for the table; one per instance, the large one included
    signals = {k: v[0] for k, v in e.signals.items()}
    assert e.fitness[0] == pytest.approx(signals["best_fit"])
    assert signals["large"] == signals["best_fit_large"]
    assert signals["reference_large"] < 0.2 < 3 < signals["best_fit_large"] < signals["first_fit_large"]


def test_held_out_of_a_rule_that_leaves_its_table_is_what_asking_one_by_one_gives(small):
    """Priorities change at the 200th call: the probe (about 140 calls) does not see it, the trajectory does."""
    late = program("seen.append(0)\nreturn item - bins if len(seen) < 200 else bins").replace("\n\n\n", "\nseen = []\n")
    box = InProcessBox()
    assert tabulated(small, late)
    e = small.held_out(late, box)
    expected = [small._exactly(late, small.held, c, InProcessBox()).used for c in range(3)]
    assert e.cases[0].tolist() == [i.excess(u) for i, u in zip(small.held.instances, expected)]
    assert box.opened == (1 + 6) + (1 + 2)
    assert e.fitness[0] > e.signals["best_fit"][0] + 5


def test_held_out_failure_beyond_the_table_keeps_its_verdict(small):
    late = program("seen.append(0)\nreturn bins[: None if len(seen) < 200 else -1]")
    late = late.replace("\n\n\n", "\nseen = []\n")
    assert tabulated(small, late)
    assert small.held_out(late, InProcessBox()).verdict[0] == Verdict.OUTPUT


def test_held_out_data_are_not_the_training_data(small):
    assert not np.array_equal(small.train.instances[0].items, small.held.instances[0].items)
    again = BinPacking(**SMALL)
    assert again.settings() == small.settings()
    assert BinPacking(data_seed=1, **SMALL).settings() != small.settings()


def test_held_out_of_a_failing_candidate_is_a_verdict(small):
    e = small.held_out(program("return bins[5:]"), InProcessBox())
    assert e.verdict[0] == Verdict.OUTPUT


def test_no_box_is_refused(small):
    with pytest.raises(UsageError, match="open_box"):
        small.evaluate(Job([heuristics.BEST_FIT]))


@pytest.mark.parametrize("bins", ["residuals", "all"])
@pytest.mark.parametrize("dataset", ["weibull", "or"])
def test_starts_and_arms_are_programs_of_the_space(dataset, bins):
    problem = BinPacking(dataset=dataset, bins=bins, n_items=100, n_instances=2)
    sources = [*problem.start(root(0)), *problem.arms.values()]
    assert [problem.space.check(s) for s in sources] == [None] * len(sources)
    assert judge(problem, *sources).valid.all()


def test_random_programs_of_the_space_stay_on_the_fast_path(small):
    sources = small.space.sample(root(3), 60)
    e = small.evaluate(Job(sources, box=InProcessBox()))
    ok = e.verdict == Verdict.OK
    assert ok.sum() > 40
    assert all(n is None for n, good in zip(e.notes, ok) if good)


def test_it_is_registered_with_its_options():
    entry = registry.get("problem", "bin-packing")
    assert {"dataset", "n_items", "n_instances", "bins", "items", "capacity"} <= set(entry.options)
    assert isinstance(entry.make(n_items=50, n_instances=1), BinPacking)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"dataset": "weibul"}, "weibull"),
        ({"bins": "open"}, "residuals"),
        ({"levels": 1}, "levels"),
        ({"n_items": -1}, "at least 1"),
        ({"items": "sizes.txt"}, "capacity"),
        ({"column": "size"}, "items"),
    ],
)
def test_bad_options_say_what_is_expected(options, says):
    with pytest.raises(UsageError, match=says):
        BinPacking(**options)
