"""Cap sets: the greedy builder against a literal one, the check against brute force, both candidate forms."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from in_process import InProcessBox

from evoloom.core.contracts import Job, Verdict
from evoloom.core.door import admit
from evoloom.core.errors import UsageError
from evoloom.core.rng import root
from evoloom.problems.cap_set import CapSet
from evoloom.problems.cap_set.problem import STARTS, by_array
from evoloom.problems.cap_set.sets import BEST_KNOWN, all_vectors, greedy, lines

BY_ZEROS = "def priority(el, n):\n    return abs(el.count(0) - 1)\n"


def literal(priorities, n):
    """The definition: the highest priority that is left, first of equals, if it closes no line."""
    vectors = list(itertools.product(range(3), repeat=n))
    chosen = []
    for i in sorted(range(3**n), key=lambda i: -priorities[i]):
        v = vectors[i]
        closes = any(
            all((a + b + c) % 3 == 0 for a, b, c in zip(v, vectors[j], vectors[k]))
            for j, k in itertools.combinations(chosen, 2)
        )
        if priorities[i] > -np.inf and not closes:
            chosen.append(i)
    return chosen


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(0, 10**6), st.booleans())
def test_greedy_is_the_literal_construction(n, seed, ties):
    priorities = np.random.default_rng(seed).normal(size=3**n)
    if ties:
        priorities = np.round(priorities)
        priorities[::7] = -np.inf
    assert greedy(priorities, n).tolist() == literal(priorities, n)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, 3**n - 1)))))
def test_lines_are_counted_as_brute_force_counts_them(case):
    n, members = case
    vectors = all_vectors(n)
    expected = sum(
        ((vectors[a] + vectors[b] + vectors[c]) % 3 == 0).all()
        for a, b, c in itertools.combinations(sorted(members), 3)
    )
    assert lines(np.array(sorted(members), dtype=int), n) == expected


def test_lines_sees_a_single_line_in_the_largest_space():
    members = greedy(np.zeros(3**8), 8)
    assert len(members) == 256  # {0, 1}^8, as with FunSearch's trivial priority
    assert lines(members, 8) == 0
    assert lines(np.append(members, 2), 8) == 1  # (0..0, 2) with (0..0, 0) and (0..0, 1)


@pytest.mark.parametrize("n", range(1, 7))
def test_no_order_beats_the_proven_optimum(n):
    rng = np.random.default_rng(n)
    sizes = [len(greedy(rng.normal(size=3**n), n)) for _ in range(50)]
    assert max(sizes) <= BEST_KNOWN[n]
    assert max(sizes) == BEST_KNOWN[n] or n > 3


FREE = ["0123", "0125", "0367", "0567", "1346", "1456", "2347", "2457"]
MIRRORED_ONCE = [
    *("0127", "0126", "0137", "0167", "0157", "0236", "0267", "0256"),
    *("1247", "1246", "1347", "1467", "1457", "2346", "2467", "2456"),
]
ZEROS_OF_FIVE = ["047", "024", "014", "046", "126", "267", "127", "167"]


def in_published_512(v):
    """Membership in the 512-cap of Romera-Paredes et al. (2024), Supplementary Information: four families of 128."""
    zeros = "".join(str(i) for i in range(8) if v[i] == 0)
    support = "".join(str(i) for i in range(8) if v[i] != 0)
    mirrored = (v[1] == v[7]) + (v[2] == v[6]) + (v[3] == v[5])
    if len(support) == 8:
        return mirrored >= 2
    if support in FREE:
        return True
    if support in MIRRORED_ONCE:
        return mirrored == 1
    if zeros in ZEROS_OF_FIVE:
        return mirrored <= 1 and v[1] * v[7] % 3 != 1 and v[2] * v[6] % 3 != 1
    return False


def test_funsearch_s_512_vectors_are_built_and_pass_the_check():
    priorities = np.array([float(in_published_512(v)) for v in all_vectors(8).tolist()])
    members = greedy(priorities, 8)
    assert priorities.sum() == 512
    assert len(members) == 512
    assert priorities[members].all()
    assert lines(members, 8) == 0


def judge(problem, *sources):
    return admit(problem.evaluate(Job(sources, box=InProcessBox())), problem, len(sources))


@pytest.mark.parametrize("n", [1, 3, 6])
def test_both_forms_start_from_the_same_set(n):
    each, whole = CapSet(n=n), CapSet(n=n, form="array")
    e = judge(each, STARTS["scalar"], STARTS["array"])
    assert e.fitness.tolist() == [2**n, 2**n]
    assert (e.cases[:, 0] == e.fitness).all()
    for problem in (each, whole):
        assert [problem.space.check(s) for s in problem.start(root(0))] == [None]


def test_the_form_is_read_off_the_signature():
    assert by_array("def priority(v, n) -> np.ndarray: ...")
    assert not by_array("def helper() -> np.ndarray: ...\ndef priority(v: tuple[int, ...], n: int) -> float: ...")
    whole = "import numpy as np\ndef priority(v, n) -> np.ndarray:\n    return np.abs(np.sum(v == 0, axis=1) - 1)\n"
    problem = CapSet(n=3)
    assert judge(problem, BY_ZEROS).fitness[0] == judge(problem, whole).fitness[0]


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        ("def priority(el, n):\n    return None", Verdict.OUTPUT),
        ("def priority(el, n):\n    return el", Verdict.OUTPUT),
        ("def priority(el, n):\n    return '1'", Verdict.OUTPUT),
        ("def priority(el, n):\n    return [0] * sum(el)", Verdict.OUTPUT),
        ("def priority(el, n):\n    return float('nan')", Verdict.NONFINITE),
        ("def priority(el, n):\n    return el[n]", Verdict.ERROR),
        ("def f(el, n):\n    return 0", Verdict.INVALID),
        ("import numpy as np\ndef priority(el, n) -> np.ndarray:\n    return np.zeros(5)", Verdict.OUTPUT),
    ],
)
def test_failures_have_their_own_verdict(source, verdict):
    e = judge(CapSet(n=3), source, STARTS["scalar"])
    assert e.verdict.tolist() == [verdict, Verdict.OK]


def test_nothing_chosen_is_an_empty_set_not_a_failure():
    e = judge(CapSet(n=3), "def priority(el, n):\n    return -float('inf')")
    assert e.verdict[0] == Verdict.OK
    assert e.fitness[0] == 0


@pytest.mark.parametrize("n", [0, 9])
def test_dimensions_out_of_reach_are_refused(n):
    with pytest.raises(UsageError, match="1 to 8"):
        CapSet(n=n)


def test_targets_are_proven_optima_only():
    assert CapSet(n=6).target == 112
    assert CapSet(n=8).target is None


def test_random_programs_of_both_spaces_are_judged():
    for form in ("scalar", "array"):
        problem = CapSet(n=4, form=form)
        e = judge(problem, *problem.space.sample(root(1), 40))
        assert e.valid.sum() > 25
        assert 8 <= e.fitness[e.valid].max() <= 20
