"""Cap sets: large subsets of Z_3^n in which no three distinct vectors sum to zero (no three lie on a line).

The candidate gives every vector a priority; the trusted side adds vectors greedily in that order, each unless it would
close a line, and counts. After Romera-Paredes et al., "Mathematical discoveries from program search with large language
models", Nature 625 (2024): the problem in which FunSearch found 512 vectors for n = 8, 16 more than were known.
"""

from evoloom.problems.cap_set.problem import CapSet

__all__ = ["CapSet"]
