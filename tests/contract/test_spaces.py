"""Every space of the library under `check_space`, and spaces broken on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from evoloom.core import registry
from evoloom.core.errors import ContractError
from evoloom.spaces.permutation import Permutation
from evoloom.spaces.text import Text
from evoloom.spaces.vector import Box
from evoloom.testing import check_space

SPACES = {
    "box": Box([-1.0, 0.0, 1e-300], [1.0, 1e300, 2e-300]),
    "box of tiny numbers": Box(0.0, 1e-200, 3),
    "box float32": Box(-3, 7, 5, np.float32),
    "box of integers": Box([0, -9], [1, 9], dtype=np.int64),
    "permutation": Permutation(7),
    "permutation of one": Permutation(1),
    "text": Text(["one text", "another", "a third\nline"]),
}


@pytest.mark.parametrize("name", SPACES)
def test_every_space_keeps_the_rules(name):
    check_space(SPACES[name])


@pytest.mark.parametrize("name", [n for n in registry.names("problem") if n != "directory"])
def test_every_registered_problem_has_a_sound_space(name):
    check_space(registry.get("problem", name).make().space, n=10)


class Rounding(Box):
    def encode(self, genome):
        return [round(x, 6) for x in genome.tolist()]


class Salted(Box):
    n = 0

    def key(self, genome):
        self.n += 1
        return b"%d" % self.n


class OneKey(Box):
    def key(self, genome):
        return b"x"


class Raising(Box):
    def check(self, genome):
        return None if (genome >= self.low).all() else "low"


class Lenient(Box):
    def check(self, genome):
        return None


class Arrays(Box):
    def encode(self, genome):
        return genome


class Strays(Box):
    def sample(self, rng, n):
        return [x + 10 for x in super().sample(rng, n)]


class Unseeded(Box):
    source = np.random.default_rng(5)

    def sample(self, rng, n):
        return list(self.source.uniform(self.low, self.high, (n, self.dim)))


class Sided(Box):
    def distance(self, a, b):
        return float(max(0.0, (a - b).max()))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Rounding, r"rule 'round_trips'.*is not g"),
        (Salted, r"rule 'keys'.*different keys"),
        (OneKey, r"rule 'keys'.*all have the same key"),
        (Raising, r"rule 'checks'.*raised TypeError"),
        (Lenient, r"rule 'checks'.*None stands for"),
        (Arrays, r"rule 'round_trips'.*plain JSON"),
        (Strays, r"rule 'samples'.*refuses the sample"),
        (Unseeded, r"rule 'samples'.*same rng"),
        (Sided, r"rule 'distances'.*symmetric"),
    ],
)
def test_check_space_names_what_is_broken(broken, message):
    with pytest.raises(ContractError, match=message):
        check_space(broken(-1, 1, 3))
