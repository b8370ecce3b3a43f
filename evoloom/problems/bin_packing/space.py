"""The programs among which bin-packing searches: the body of `priority`, elementwise in the residuals."""

from __future__ import annotations

from evoloom.problems.bin_packing.heuristics import BEST_FIT
from evoloom.spaces.program import ProgramSpace
from evoloom.spaces.source_types import Primitive, Vocabulary
from evoloom.spaces.source_vocabulary import numpy_elementwise

# A reduction that leaves a program elementwise: a fresh bin is always on offer, so this is the capacity.
CAPACITY = Primitive("np.max(_0)", ("float[]",), "float", weight=0.5)
CONSTANTS = (0.0, 0.5, 1.0, 2.0, 10.0, 100.0)


def program_space() -> ProgramSpace:
    """`priority(item, bins)`, starting from Best-Fit. No other reductions: they would cost the fast path."""
    vocabulary = numpy_elementwise + Vocabulary((CAPACITY,), CONSTANTS)
    return ProgramSpace(BEST_FIT, entry="priority", vocabulary=vocabulary, max_nodes=120)
