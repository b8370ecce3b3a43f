"""Circle packing: n circles in the unit square, sum of radii as large as possible. Two genomes, one exact judge.

`circle-packing` evolves a program `pack(n) -> (n, 3) array of x, y, r` (AlphaEvolve, 2025, appendix B.12, and its
successors); `circle-layout` evolves the centres themselves, with radii by a linear program. Whatever floats come out,
the judge makes the packing exactly feasible (`circle_packing_exact.shrink`) and scores that; a packing that would need
more than `repair` off one radius is INVALID, with the rules that it breaks.
"""

from __future__ import annotations

import math
from itertools import islice
from pathlib import Path

import numpy as np

from evoloom.core.contracts import Axis, Box, Columns, Evaluation, Failed, Job, Limits, Notes, Problem, Verdict
from evoloom.core.errors import UsageError
from evoloom.core.registry import problem
from evoloom.core.rng import Rng
from evoloom.problems import circle_packing_exact as exact
from evoloom.problems import circle_packing_tools as tools
from evoloom.problems._program import needed, program_size
from evoloom.problems.judging import Row, judge_each, number_array
from evoloom.spaces.program import ProgramSpace
from evoloom.spaces.source_types import Idiom, Primitive, Vocabulary
from evoloom.spaces.vector import Box as VectorBox

TOOLS = "evoloom.problems.circle_packing_tools"
AXES = (Axis("radius spread", 0.0, 0.6), Axis("share at the walls", 0.2, 1.0))

START = f'''\
from {TOOLS} import best_radii, better, hop, jitter, polish, relocate, rows


def pack(n: int) -> "Packing":
    """n circles in the unit square, as an (n, 3) array of x, y, r."""
    best = best_radii(rows(n, 5, 0.5))
    for seed in range(10):
        best = better(best, best_radii(jitter(best, 0.02, seed)))
    return best
'''

# A candidate's process sees no file of evoloom: the idioms go in as text, under the name that the program imports.
DRIVER = f'''\
import sys
import types


def run(idioms, program, n):
    module = types.ModuleType("{TOOLS}")
    exec(compile(idioms, "circle_packing_tools.py", "exec"), module.__dict__)
    sys.modules[module.__name__] = module
    names = {{"__name__": "program"}}
    exec(compile(program, "program.py", "exec"), names)
    return names["pack"](n)
'''

VOCABULARY = Vocabulary(
    primitives=(
        Primitive("rows(_0, _1, _2)", ("int", "int", "float"), "Packing"),
        Primitive("best_radii(_0)", ("Packing",), "Packing"),
        Primitive("polish(_0)", ("Packing",), "Packing", weight=2.0),
        Primitive("jitter(_0, _1, _2)", ("Packing", "float", "int"), "Packing"),
        Primitive("relocate(_0, _1, _2)", ("Packing", "int", "int"), "Packing", weight=2.0),
        Primitive("hop(_0, _1, _2, _3)", ("Packing", "int", "int", "int"), "Packing", weight=2.0),
        Primitive("better(_0, _1)", ("Packing", "Packing"), "Packing"),
        Primitive("_0 + _1", ("int", "int"), "int"),
        Primitive("_0 * _1", ("int", "int"), "int"),
        Primitive("_0 // _1", ("int", "int"), "int", weight=0.3),
        Primitive("_0 % _1", ("int", "int"), "int", weight=0.3),
        Primitive("_0 * _1", ("float", "float"), "float", weight=0.3),
    ),
    constants=(1, 2, 3, 5, 6, 10, 30, 0.5, 0.02),
    idioms=(
        Idiom("_0 = better(_0, hop(_1, _2, _3, _4))", ("var Packing", "Packing", "int", "int", "int")),
        Idiom("_0 = polish(_0)", ("var Packing",)),
    ),
)


def _checked(n: int, repair: float) -> None:
    if not 1 <= n <= tools.MAX_CIRCLES:
        raise UsageError(f"n must be 1 to {tools.MAX_CIRCLES} circles, got {n}")
    if not 0 <= repair <= 1e-3:
        raise UsageError(f"repair must be 0 (strict) to 0.001, got {repair}: it mends rounding, not overlaps")


def judge_packing(circles: np.ndarray, repair: float) -> tuple[np.ndarray, Row]:
    """The exactly feasible packing that is scored, and its row. circles: (n, 3) finite.

    Raises:
        Failed: INVALID, with the broken rules, where mending would take more than `repair` off one radius.
    """
    mended = exact.shrink(circles)
    centres = circles[:, :2]
    lost = float((circles[:, 2] - mended[:, 2]).max(initial=0.0))
    if (centres < 0).any() or (centres > 1).any() or (circles[:, 2] < 0).any() or lost > repair:
        broken = list(islice(exact.violations(circles), 4))
        more = ", ..." if len(broken) == 4 else ""
        raise Failed(Verdict.INVALID, ", ".join(map(str, broken[:3])) + more)
    return mended, Row(
        math.fsum(mended[:, 2]),
        measures=describe(mended),
        signals={"shrunk": float((circles[:, 2] - mended[:, 2]).sum())},
    )


def describe(circles: np.ndarray) -> tuple[float, float]:
    """Measures: standard deviation of the radii over their mean; share of circles that touch a wall (within 1e-6)."""
    r = circles[:, 2]
    to_wall = np.minimum(circles[:, :2], 1 - circles[:, :2]).min(1) - r
    return float(r.std() / max(r.mean(), 1e-300)), float((to_wall < 1e-6).mean())


@problem("circle-packing")
class CirclePacking(Problem):
    """n circles in the unit square: a program `pack(n)`, scored by the exact sum of radii."""

    name = "circle-packing"
    unit = "sum of radii"
    untrusted = True
    modules = ("numpy", "scipy.optimize", "scipy.sparse")
    columns = Columns(AXES, signals=("size", "shrunk"))
    default_system = "regularized-evolution"
    default_settings = {"population": 30, "tournament_size": 8, "n_start": 20}  # judgements take seconds here
    reduce_tests = 0

    def __init__(self, *, n: int = 26, seconds: float = 10.0, repair: float = 1e-6):
        """
        Args:
            n: number of circles.
            seconds: time limit of one `pack(n)`.
            repair: most that the judge may take off one radius to make a packing exactly feasible; 0 = strict.
        """
        _checked(n, repair)
        self.n, self.repair = n, repair
        self.limits = Limits(seconds=seconds)
        self.space = ProgramSpace(START, entry="pack", vocabulary=VOCABULARY)

    def start(self, rng: Rng) -> list[str]:
        return [START]

    def packing(self, source: str, box: Box | None) -> tuple[np.ndarray, Row]:
        """What a program packs, made exactly feasible, and its row.

        Raises:
            Failed: the program fails, or its packing is INVALID.
        """
        with needed(box, self.name).open(DRIVER, "run", self.limits) as session:
            value = session.call(Path(tools.__file__).read_text(encoding="utf-8"), source, self.n)
        return judge_packing(number_array(value, (self.n, 3), f"pack({self.n})"), self.repair)

    def evaluate(self, job: Job) -> Evaluation:
        def judge(source: str) -> Row:
            circles, row = self.packing(source, job.box)
            proof = Notes(f"sum of radii {row.fitness!r}, exact", {"certificate.py": exact.certificate(circles)})
            return row._replace(signals={**row.signals, "size": program_size(source, "pack")}, notes=proof)

        return judge_each(job.genomes, judge, self.columns)

    def certificate(self, genome: str, box: Box) -> str:
        """A stand-alone program that proves what the candidate reached. Raises Failed where it reached nothing."""
        return exact.certificate(self.packing(genome, box)[0])

    def settings(self) -> dict[str, float]:
        return {"n": self.n, "seconds": self.limits.seconds, "repair": self.repair}


class Relocate:
    """Vary a layout: one to three circles into other gaps (rarely: a fresh row pattern), then to the local optimum.

    This is basin hopping (Wales and Doye, J. Phys. Chem. A 101, 1997) over packings: 20 to 30 ms for 26 circles.
    """

    name, arity, draft = "relocate", 1, True

    def __init__(self, n: int, fresh_rate: float = 0.03):
        self.n, self.fresh_rate = n, fresh_rate

    def __call__(self, rng: Rng, sources: list, draft: object) -> np.ndarray:
        g = rng.generator()
        seed = int(g.integers(2**31))
        if g.random() < self.fresh_rate:
            moved = _row_pattern(self.n, g)
        else:
            centres = sources[0].genome.reshape(self.n, 2)
            moved = tools.relocate(np.c_[centres, np.zeros(self.n)], int(g.integers(1, 4)), seed)
        return tools.polish(moved)[:, :2].ravel()


def _row_pattern(n: int, g: np.random.Generator) -> np.ndarray:
    side = math.sqrt(n)
    n_rows = int(g.integers(max(1, math.floor(side) - 1), math.ceil(side) + 2))
    return tools.jitter(tools.rows(n, n_rows, float(g.random())), 0.02, int(g.integers(2**31)))


@problem("circle-layout")
class CircleLayout(Problem):
    """n circles in the unit square: their centres as a vector, radii by a linear program, the exact sum of radii."""

    name = "circle-layout"
    unit = "sum of radii"
    columns = Columns(AXES, signals=("shrunk",))
    default_system = "hill-climb"

    def __init__(self, *, n: int = 26):
        """
        Args:
            n: number of circles; a genome is x_0, y_0, x_1, y_1, ...
        """
        _checked(n, 0.0)
        self.n = n
        self.space = VectorBox(0.0, 1.0, dim=2 * n)

    def operators(self) -> dict[str, Relocate]:
        return {"relocate": Relocate(self.n)}

    def start(self, rng: Rng) -> list[np.ndarray]:
        return [tools.polish(_row_pattern(self.n, r.generator()))[:, :2].ravel() for r in rng.split(8)]

    def packing(self, genome: np.ndarray) -> tuple[np.ndarray, Row]:
        """The exactly feasible packing on the centres, and its row."""
        centres = np.asarray(genome, dtype=float).reshape(self.n, 2)
        return judge_packing(tools.best_radii(np.c_[centres, np.zeros(self.n)]), 1e-3)

    def evaluate(self, job: Job) -> Evaluation:
        return judge_each(job.genomes, lambda genome: self.packing(genome)[1], self.columns)

    def certificate(self, genome: np.ndarray, box: Box | None = None) -> str:
        """A stand-alone program that holds the packing and proves its sum."""
        return exact.certificate(self.packing(genome)[0])

    show = certificate

    def settings(self) -> dict[str, int]:
        return {"n": self.n}
