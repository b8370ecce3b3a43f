"""FunSearch: islands of clusters that behave alike, the weaker half founded anew from time to time."""

from __future__ import annotations

from evoloom.archives.clusters import clusters
from evoloom.core.contracts import Problem, Strategy
from evoloom.core.registry import system
from evoloom.select import cluster_softmax
from evoloom.strategies import evolve, islands
from evoloom.vary.defaults import variation


@system(
    "funsearch",
    paper="Romera-Paredes et al., Mathematical discoveries from program search with large language models, Nature 625",
    year=2024,
)
def funsearch(
    problem: Problem,
    *,
    n_islands: int = 10,
    temperature: float = 0.1,
    period: int = 30_000,
    scale: str = "std",
    reset_every: int = 3000,
    n_start: int = 100,
    batch: int = 4,
) -> Strategy:
    """Programs with equal scores on all inputs form a cluster; good clusters and short programs are preferred.

    Constants of the official code: 10 islands, softmax temperature 0.1 falling to 0 over 30,000 programs and
    beginning again, weaker half re-founded from a random survivor's best. Differs: two parents go to typed edits and
    crossover where the paper shows them to a language model; scores are counted in standard deviations of the cluster
    scores, so that the temperature means the same for every unit of fitness (scale=1.0 in `cluster_softmax` is the
    official rule); resets come every `reset_every` evaluations instead of four hours; islands begin with random
    programs beside the start, because typed edits, unlike a language model, do not bring diversity of their own.
    """
    size = "size" if "size" in problem.columns.signals else None
    one = evolve(
        clusters(size=size), cluster_softmax(temperature, period, scale=scale), variation(problem),
        problem.space.sample, n_start=n_start // n_islands, batch=batch,
    )  # fmt: skip
    return islands(one, n_islands, reset_every=reset_every)
