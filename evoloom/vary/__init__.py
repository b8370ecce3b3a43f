"""How a child is made.

A *vary* is an operator with a name and an arity: `vary(rng, sources, draft) -> genome`, where `sources` are the records
of as many parents. It may raise NotMade. Cheap ones run inside the ask; slow ones (`draft = True`) are put down as
drafts and made by workers. Operators compose: `mixture({name: vary}, weights)` is one vary that draws among several.
A *proposer* is vary with a memory: `polish` tunes the numbers of a good program over several judgements.

    vector, permutation   steps and crossovers of numbers and orders
    source                typed edits of Python programs, without a model
    polish                numbers of programs, by an evolution strategy
    defaults              what a problem gets when a system does not say
"""
