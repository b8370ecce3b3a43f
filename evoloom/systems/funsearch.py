"""FunSearch: islands of clusters that behave alike, the weaker half founded anew from time to time."""

from __future__ import annotations

from evoloom.archives.clusters import clusters
from evoloom.core.contracts import Problem, Strategy
from evoloom.core.registry import system
from evoloom.select import cluster_softmax
from evoloom.strategies import islands, keep
from evoloom.strategies.defaults import proposer


@system(
    "funsearch",
    paper="Romera-Paredes et al., Mathematical discoveries from program search with large language models, Nature 625",
    year=2024,
)
def funsearch(
    problem: Problem,
    *,
    n_islands: int = 10,
    temperature: float = 1.0,
    period: int = 30_000,
    scale: str = "std",
    reset_every: int = 3000,
    n_start: int = 200,
    polished: bool = True,
    batch: int = 4,
) -> Strategy:
    """Programs with equal scores on all inputs form a cluster; good clusters and short programs are preferred.

    Constants of the official code: 10 islands, a softmax temperature that falls to 0 over 30,000 programs and begins
    again, the weaker half re-founded from a random survivor's best. Differs: two parents go to typed edits and
    crossover, and constants are polished in between, where the paper shows two programs to a language model; scores are
    counted in standard deviations of the cluster scores, so that a temperature means the same for every unit of fitness
    (here 1.0 of them; the official 0.1 is in the problem's own unit, `scale=1.0` in `cluster_softmax`); resets come
    every `reset_every` evaluations instead of four hours; islands begin with random programs beside the start, because
    typed edits, unlike a language model, do not bring diversity of their own.
    """
    size = "size" if "size" in problem.columns.signals else None
    select = cluster_softmax(temperature, period, scale=scale)
    founders = n_start // max(1, n_islands)
    one = keep(clusters(size=size), proposer(problem, select, n_start=founders, batch=batch, polished=polished))
    return islands(one, n_islands, reset_every=reset_every)
