"""What a genome is.

A space answers six questions about one kind of genome: draw some (`sample`), is this one (`check`, with the reason why
not), write it down and read it back (`encode`, `decode`: JSON), is it the same as another (`key`), how far apart are
two (`distance`). Nothing else of evoloom looks inside a genome, except the operators written for its space.

    vector.Box            numbers within bounds
    permutation.Permutation   orders of n things
    program.ProgramSpace  Python source: frozen texts around regions that may change
    text.Text             any text

Python source has its own few rooms: `source_tree` finds regions and copies trees, `source_types` names types and the
vocabulary, `source_sites` reads what stands where, `source_grow` writes new expressions, `source_key` compares,
`source_simplify` and `source_reduce` tidy up. `patch` is an edit as data, whoever made it.
"""
