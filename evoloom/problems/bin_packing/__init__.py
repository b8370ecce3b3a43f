"""Online bin packing: a priority function decides, item by item, into which bin each arriving item goes.

`instances` are sequences of sizes; `packing` plays them on the trusted side, either by asking for every item (exact)
or from a table (numba, in `kernels`); `candidate` is the candidate's side: how it is called, and the probe that shows
whether a table can stand for it; `heuristics` are the known rules, as candidates; `problem` joins them.
"""

from evoloom.problems.bin_packing.problem import BinPacking

__all__ = ["BinPacking"]
