"""The programs among which bin-packing searches: the body of `priority`, elementwise in the residuals."""

from __future__ import annotations

from evoloom.problems.bin_packing.heuristics import program
from evoloom.spaces.program import ProgramSpace
from evoloom.spaces.source_types import Vocabulary
from evoloom.spaces.source_vocabulary import numpy_elementwise


def start(capacity: float) -> str:
    """Best-Fit, with names for two facts that packing rules speak of: what stays free, which bins are in use."""
    return program(f"gap = bins - item\nopened = bins < {float(capacity)!r}\nreturn -gap")


def program_space(capacity: float) -> ProgramSpace:
    """`priority(item, bins)`, starting from Best-Fit. No reductions: they would cost the fast path."""
    vocabulary = numpy_elementwise + Vocabulary((), (0.0, 0.5, 1.0, 2.0, 10.0, float(capacity)))
    return ProgramSpace(start(capacity), entry="priority", vocabulary=vocabulary, max_nodes=120)
