"""Judge: the things to improve.

A problem is `(space, start, evaluate, held_out)` and nothing else: what a genome is, where search begins, what a genome
is worth, and what the answer is worth on data that the search never saw. It knows no strategy and no budget.

Where a genome is code, judging has two sides. The candidate's own process gets inputs only, through the `Box` of the
job, and gives back plain values; whatever decides the fitness (packing, verifying, comparing) happens here, on the
trusted side, so that a candidate can be wrong but cannot lie. A candidate that fails has a verdict, never a fitness.

One module (or package) per problem; every module here is imported at the first look-up of a problem's name, so heavy
libraries are imported inside functions or in submodules.
"""
