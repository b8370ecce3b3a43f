"""Clusters of candidates that behave alike: every valid candidate stays, grouped by signature.

Romera-Paredes et al. 2024, Mathematical discoveries from program search with large language models (FunSearch), section
"Programs database": inside an island, programs with equal scores on all inputs form a cluster, whose score is theirs.
The signature is the row of cases, or the fitness where a problem has no cases.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from typing import Any, ClassVar

import numpy as np

from evoloom.archives.fitting import require
from evoloom.archives.table import Batch, Placed, Table, answer, blank, locate
from evoloom.core.contracts import Array, Problem
from evoloom.core.value import static, value


@value
class Clusters(Table):
    """A cluster is named by the slot of one of its members, its head. A batch gives what its rows give one by one.

    Columns: "cluster" (head's slot), "cluster_score" (fitness of the cluster's founder), "length" (the signal that
    `size` names, 0 without one), and at heads "shortest" and "longest" length of the cluster. Statuses: NEW opens a
    cluster; REJECTED joins one: it brings nothing new, but is kept, in a slot.
    """

    size: str | None = static()
    by_cases: bool = static()

    reads: ClassVar[frozenset[str]] = frozenset({"fitness"})

    @classmethod
    def empty(cls, size: str | None = "size", by_cases: bool = False, signals: tuple[str, ...] = ()) -> Clusters:
        floats = ("cluster_score", "length", "shortest", "longest")
        fields = blank(64, {name: () for name in floats}, signals)
        fields["columns"] |= {name: np.full(64, -1, np.int64) for name in ("signature", "cluster")}
        return cls(**fields, size=size, by_cases=by_cases)

    @property
    def needs(self) -> frozenset[str]:
        more = {"cases"} if self.by_cases else set()
        return super().needs | more | ({self.size} if self.size else set())

    def place(self, batch: Batch) -> Placed:
        rows = np.flatnonzero(batch.ok)
        table, slots = self.grown(len(rows))
        columns = table.columns
        length = batch.values[self.size] if self.size else np.zeros(batch.n)
        signature = np.zeros(batch.n, np.int64)
        signature[rows] = [_digest(x) for x in batch.values["cases" if self.by_cases else "fitness"][rows]]
        found = locate(columns["signature"], signature[rows])
        heads = np.where(found >= 0, columns["cluster"][found], -1)
        founded: dict[int, int] = {}
        for i in np.flatnonzero(heads < 0):
            heads[i] = founded.setdefault(int(signature[rows[i]]), int(slots[i]))
        opens = heads == slots  # of the batch's rows with a new signature, the first
        columns["cluster_score"][slots[opens]] = batch.fitness[rows[opens]]
        columns["shortest"][slots[opens]], columns["longest"][slots[opens]] = np.inf, -np.inf
        np.minimum.at(columns["shortest"], heads, length[rows])
        np.maximum.at(columns["longest"], heads, length[rows])
        slot, fresh = np.full(batch.n, -1), np.zeros(batch.n, bool)
        slot[rows], fresh[rows] = slots, found < 0
        own = {"signature": signature, "length": length, "cluster": np.full(batch.n, -1)}
        own["cluster"][rows] = heads
        for name, at in (("cluster_score", heads), ("shortest", slots), ("longest", slots)):
            own[name] = np.full(batch.n, np.nan)
            own[name][rows] = columns[name][at]
        return Placed(table, answer(batch.ok, fresh, fresh, batch.fitness, slot), own)

    def without(self, slots: Array) -> Clusters:
        """Clusters that lose a member get their head and lengths anew."""
        touched = np.unique(self.columns["cluster"][slots])
        table = super().without(slots)
        columns = table.columns
        for head in touched[touched >= 0]:
            rest = np.flatnonzero(columns["cluster"] == head)
            if len(rest):
                columns["cluster"][rest] = rest[0]
                columns["shortest"][rest[0]] = columns["length"][rest].min()
                columns["longest"][rest[0]] = columns["length"][rest].max()
        return table

    @property
    def heads(self) -> Array:
        """Slots of the clusters' heads, ascending: (clusters,) int."""
        return np.flatnonzero(self.columns["cluster"] == np.arange(len(self.ids)))

    def stats(self) -> dict[str, Any]:
        """Adds `clusters`: distinct signatures inside."""
        return super().stats() | {"clusters": len(self.heads)}


def _digest(x: Any) -> int:
    """63 bits of a row's exact value; -0.0 counts as 0.0. Two of a million signatures collide with probability 5e-8."""
    data = (np.asarray(x, np.float64) + 0.0).tobytes()
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little") >> 1


def clusters(
    *, size: str | None = "size", by_cases: bool | None = None, signals: tuple[str, ...] = ()
) -> Callable[[Problem], Clusters]:
    """size: the signal that shorter programs have less of; None: no preference. by_cases: the signature is the row of
    cases, else the fitness; None: by cases where the problem has them."""
    return partial(_make, size=size, by_cases=by_cases, signals=tuple(signals))


def _make(problem: Problem, *, size: str | None, by_cases: bool | None, signals: tuple[str, ...]) -> Clusters:
    empty = Clusters.empty(size, bool(problem.columns.cases) if by_cases is None else by_cases, signals)
    require("clusters", problem, empty.needs)
    return empty
