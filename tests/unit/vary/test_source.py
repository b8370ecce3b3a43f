"""Typed edits: children are new, valid, equal outside the regions, the same for the same rng."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from evoloom.core.contracts import Draft, NotMade, Record
from evoloom.core.errors import UsageError
from evoloom.core.rng import root
from evoloom.spaces.program import ProgramSpace
from evoloom.spaces.source_types import Idiom, Vocabulary
from evoloom.spaces.source_vocabulary import numpy_elementwise, numpy_reductions, python_scalars
from evoloom.vary.source import EDITS, WEIGHTS, mixture, source_edits, source_mixture

ARRAYS = '''import numpy as np
CAPACITY = 100.0


def priority(item: float, bins: np.ndarray) -> np.ndarray:
    """One number per bin."""
    # the gap
    gap = bins - item
    gap = gap * 2.0
    half = gap / 2.0
    if item > 50.0:
        gap = gap + np.sqrt(np.abs(gap))
    for i in range(3):
        gap = gap * 0.5
    return np.where(np.logical_and(gap > 3.0, half < 20.0), 5.0 * half, -gap)
'''
SCALARS = '''"""Two blocks."""
import math

# EVOLVE-BLOCK-START
def helper(x: float, k: int = 2) -> float:
    return math.sqrt(abs(x)) + k


def f(x: float, y: float) -> float:
    a = helper(x)
    total = 0.0
    for i in range(3):
        total = total + a * i if x > y else total - 1.0
    if total > 10.0:
        return min(total, y)
    return total
# EVOLVE-BLOCK-END


def g(x: float) -> float:
    # EVOLVE-BLOCK-START
    z = x * 2.0
    w = z + 1.0
    # EVOLVE-BLOCK-END
    return w  # stays
'''
IDIOMS = (
    Idiom("for new_0 in range(_0):\n    _1 = _1 * 0.9", ("int", "var float[]")),
    Idiom("_0 = _0 + _1", ("var float", "float")),
)
SPACES = {
    "arrays": ProgramSpace(
        ARRAYS, entry="priority", vocabulary=numpy_elementwise + Vocabulary(constants=(100.0,), idioms=IDIOMS)
    ),
    "reductions": ProgramSpace(ARRAYS, entry="priority", vocabulary=numpy_elementwise + numpy_reductions),
    "scalars": ProgramSpace(SCALARS, entry="f", vocabulary=python_scalars + Vocabulary(idioms=IDIOMS)),
}


def parents(space: ProgramSpace, i: int) -> list[Record]:
    """The start, or a random program; and a second parent."""
    samples = space.sample(root(i), 4)
    first = space.start if i % 2 else samples[3]
    return [Record(0, first), Record(1, samples[2] if i % 3 else space.start)]


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("which", SPACES)
def test_children_are_new_valid_and_reproducible(which: str, name: str):
    space = SPACES[which]
    edit = source_edits(space, only=[name])[name]
    made = 0
    for i in range(24):
        sources = parents(space, i)
        try:
            child = edit(root(i), sources, Draft(name))
        except NotMade:
            continue
        made += 1
        assert space.check(child) is None, child
        assert space.key(child) not in {space.key(s.genome) for s in sources[: edit.arity]}
        frozen = space.layout.frozen
        texts = space.layout.split(child)
        assert texts is not None
        assert space.layout.join(texts) == child
        assert child.startswith(frozen[0])
        assert child.endswith(frozen[-1])
        assert edit(root(i), sources, Draft(name)) == child
        before, after = space.read(sources[0].genome), space.read(child)
        assert before is not None
        assert after is not None
        assert after.undefined <= before.undefined | {n for p in sources for n in space.read(p.genome).undefined}  # type: ignore[union-attr]
    if name != "idiom" or which != "reductions":
        assert made > 0


@pytest.mark.parametrize("which", SPACES)
def test_long_walks_stay_valid(which: str):
    """200 edits in a row: types and scopes hold however the program looks by then."""
    space = SPACES[which]
    vary = source_mixture(space, again=0.5)
    genome = space.start
    for i in range(200):
        try:
            genome = vary(root(i), [Record(0, genome), Record(1, space.start)]).genome
        except NotMade:
            continue
        assert space.check(genome) is None, genome
        assert space.read(genome).undefined == frozenset()  # type: ignore[union-attr]


def test_children_run_and_have_the_declared_shape():
    """Types hold when the programs run, too: whatever is returned has the shape of `bins`."""
    space, bins = SPACES["arrays"], np.linspace(1.0, 100.0, 9)
    vary, ran = source_mixture(space), 0
    for i in range(150):
        genome = vary(root(i), parents(space, i)).genome
        names: dict = {}
        exec(genome, names)
        try:
            with np.errstate(all="ignore"):
                out = names["priority"](30.0, bins.copy())
        except (ZeroDivisionError, OverflowError, TypeError):
            continue  # what Python's scalars do where arrays give inf; a fractional power of a negative one is complex
        ran += 1
        assert np.shape(out) == bins.shape, genome
    assert ran > 120


def test_globals_are_never_assigned():
    """`CAPACITY = CAPACITY * 2` in a function would read an unbound local."""
    space = SPACES["arrays"]
    body = ARRAYS[: ARRAYS.index("    # the gap")] + "    return bins * CAPACITY\n"
    for name in ("update", "idiom"):
        for i in range(40):
            child = source_edits(space)[name](root(i), [Record(0, body)])
            assert "    CAPACITY = " not in child


def test_the_child_is_one_edit_away():
    space = SPACES["arrays"]
    edits = source_edits(space)
    child = edits["constant"](root(1), [Record(0, ARRAYS)])
    numbers = [[n.value for n in ast.walk(ast.parse(g)) if isinstance(n, ast.Constant)] for g in (ARRAYS, child)]
    assert sum(a != b for a, b in zip(*numbers)) <= 1
    child = edits["delete"](root(1), [Record(0, ARRAYS)])
    assert len(child.split("\n")) < len(ARRAYS.split("\n"))


def test_crossover_takes_parts_of_both():
    space = SPACES["arrays"]
    other = ARRAYS[: ARRAYS.index("    # the gap")] + "    return np.exp(bins) * 77.0\n"
    start = ARRAYS[: ARRAYS.index("    # the gap")] + "    return bins - item\n"
    children = {source_edits(space)[n](root(i), [Record(0, start), Record(1, other)]) for n in ("crossover", "join")
                for i in range(12)}  # fmt: skip
    assert any("77.0" in c and "item" in c.split('"""')[2] for c in children)


def test_two_regions_from_two_parents():
    space = SPACES["scalars"]
    a = SCALARS.replace("z + 1.0", "z + 5.0")
    b = SCALARS.replace("k\n", "k + 3.0\n")
    children = {source_edits(space)["blocks"](root(i), [Record(0, a), Record(1, b)]) for i in range(20)}
    assert SCALARS.replace("z + 1.0", "z + 5.0").replace("k\n", "k + 3.0\n").count("5.0") == 1
    both = ProgramSpace(SCALARS, entry="f")
    assert any("z + 5.0" in c and "k + 3.0" in c for c in children)
    assert all(both.check(c) is None for c in children)


def test_a_child_that_is_too_large_is_not_made():
    space = ProgramSpace(ARRAYS, entry="priority", max_nodes=SPACES["arrays"].size(ARRAYS))
    with pytest.raises(NotMade, match="at most"):
        source_edits(space)["duplicate"](root(0), [Record(0, ARRAYS)])


def test_mixture_tries_others_and_says_when_none_applies():
    space = ProgramSpace("def f(x: float) -> float:\n    return x\n", entry="f")
    edits = source_edits(space)
    start = Record(0, space.start)
    with pytest.raises(NotMade, match="none of 8"):
        mixture({"delete": edits["delete"], "swap": edits["swap"]})(root(0), [start])
    both = mixture({"delete": edits["delete"], "grow": edits["grow"]}, {"delete": 0.9, "grow": 0.1}, tries=60)
    made = both(root(0), [start])
    assert space.check(made.genome) is None
    assert (made.operator, made.used) == ("grow", 1)
    assert source_mixture(space).arity == 2
    alone = source_mixture(space)(root(0), [start])  # one parent: crossovers are passed over
    assert space.check(alone.genome) is None
    assert alone.used == 1


def test_unknown_names_are_refused():
    with pytest.raises(UsageError, match="Did you mean 'constant'"):
        source_edits(SPACES["arrays"], only=["constants"])
    with pytest.raises(UsageError, match="Did you mean 'grow'"):
        mixture(source_edits(SPACES["arrays"]), {"grows": 1.0})
    with pytest.raises(UsageError, match="positive"):
        mixture(source_edits(SPACES["arrays"]), {"grow": 0.0})


def test_every_edit_has_a_share():
    assert set(WEIGHTS) == set(EDITS)
