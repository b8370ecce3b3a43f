"""Packing a suite of instances from a table, and the known rules on it. Nothing here runs a candidate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from evoloom.problems.bin_packing import heuristics
from evoloom.problems.bin_packing.instances import Grid, Instance, grid_of
from evoloom.problems.bin_packing.packing import Packed, pack_exactly

Rule = Callable[[float, np.ndarray], np.ndarray]


class Suite(NamedTuple):
    """Instances of one capacity, on one grid where they have one."""

    instances: Sequence[Instance]
    grid: Grid | None

    @classmethod
    def of(cls, instances: Sequence[Instance]) -> Suite:
        return cls(instances, grid_of(np.concatenate([i.items for i in instances]), instances[0].capacity))

    @property
    def n(self) -> int:
        return len(self.instances)

    def sizes(self, case: int) -> np.ndarray:
        """(n,) sizes of one instance in the unit of the packing: steps of the grid, or as they are."""
        items = self.instances[case].items
        return items if self.grid is None else self.grid.steps(items)

    @property
    def capacity(self) -> float:
        """In the unit of the packing."""
        return self.instances[0].capacity if self.grid is None else float(self.grid.top)

    def excess(self, packed: Sequence[Packed]) -> list[float]:
        return [i.excess(p.used) for i, p in zip(self.instances, packed)]


def pack(suite: Suite, cases: Sequence[int], form: str, row_of: np.ndarray, table: np.ndarray) -> list[Packed]:
    """Pack instances from a table of priorities: see `kernels.pack_residuals` for shapes."""
    from evoloom.problems.bin_packing import kernels

    sizes = [suite.sizes(c).astype(np.int64) for c in cases]
    kernel = kernels.pack_residuals if form == "residuals" else kernels.pack_in_order
    order = kernels.preferences(table)
    rows = kernel(np.concatenate(sizes), np.cumsum([len(s) for s in sizes]), row_of, table, order)
    return [Packed(int(used), int(full)) for used, full in rows]


def pack_rule(suite: Suite, form: str, rule: Rule) -> list[Packed]:
    """Pack all instances by a trusted elementwise rule."""
    cases = range(suite.n)
    if suite.grid is None:
        return [pack_exactly(suite.sizes(c), suite.capacity, form, rule) for c in cases]
    grid, top = suite.grid, suite.grid.top
    table = np.full((top + 1, top + 1), -np.inf)
    for s in np.unique(np.concatenate([suite.sizes(c) for c in cases])).astype(int):
        table[s, s:] = rule(grid.size(float(s)), grid.sizes(np.arange(s, top + 1.0)))
    return pack(suite, cases, form, np.arange(top + 1), table)


def compiled(source: str) -> Rule:
    """The function of one of our own rules. Never of a candidate."""
    names: dict = {}
    exec(compile(source, "<heuristics>", "exec"), names)
    return names["priority"]


def known(suite: Suite, dataset: str) -> dict[str, float]:
    """Mean excess of the known rules, in per cent: "first_fit", "best_fit", "reference"."""
    rules = {
        "first_fit": ("all", heuristics.FIRST_FIT),
        "best_fit": ("residuals", heuristics.BEST_FIT),
        "reference": ("residuals", heuristics.reference(dataset)),
    }
    return {
        name: float(np.mean(suite.excess(pack_rule(suite, form, compiled(source)))))
        for name, (form, source) in rules.items()
    }
