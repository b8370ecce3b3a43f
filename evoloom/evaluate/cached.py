"""Answers remembered: the same content, or the same behaviour, is judged once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from evoloom.core.contracts import Evaluation, Job, Problem, rows_of, stack
from evoloom.core.errors import UsageError
from evoloom.evaluate import wire
from evoloom.evaluate.cascade import part
from evoloom.evaluate.wrapper import Wrapper

Probe = Callable[[Any, Job], Any]


class Cached(Wrapper):
    """The inner problem's evaluation by content key, and by functional hash where `probe` is given or the problem has a
    method `functional_probe(genome, job)`.

    `probe(genome, job)`: the genome's outputs on probe inputs, as plain data, or None where there are none; genomes
    with equal outputs are taken to be worth the same. Right only where the inner problem is deterministic and its probe
    inputs tell genomes apart that differ in fitness. A remembered answer is the same Evaluation, its cost included:
    what a run spends must not depend on which worker remembers what.
    """

    def __init__(self, inner: Problem, probe: Probe | None = None, size: int = 10_000):
        if size < 1:
            raise UsageError(f"the cache must hold at least 1 answer, got size={size}")
        super().__init__(inner)
        self._probe = probe if probe is not None else getattr(inner, "functional_probe", None)
        self._size = size
        self._known: OrderedDict[bytes, Evaluation] = OrderedDict()
        self.hits = 0

    def evaluate(self, job: Job) -> Evaluation:
        if job.given is not None:  # depends on more than the genome
            return self.inner.evaluate(job)
        rows: list[Evaluation | None] = []
        fresh: dict[bytes, int] = {}  # key -> the first row of this job that has it
        keys = []
        for i, genome in enumerate(job.genomes):
            content = self._digest("content", job.scope, self.inner.key(genome))
            row, names = self._recall(content), [content]
            if row is None and self._probe is not None:
                behaviour = self._digest("behaviour", job.scope, self._probe(genome, job))
                row, names = self._recall(behaviour), [content, behaviour]
            names = [k for k in names if k is not None]
            if row is not None:
                self._store(names, row)
            rows.append(row)
            keys.append(names)
            if row is None:
                for k in names:
                    fresh.setdefault(k, i)
        leaders = [min((fresh.get(k, i) for k in names), default=i) for i, names in enumerate(keys)]
        ask = [i for i, row in enumerate(rows) if row is None and leaders[i] == i]
        if ask:
            judged = self.inner.evaluate(part(job, np.array(ask), job.scope))
            for at, i in enumerate(ask):
                rows[i] = rows_of(judged, [at])
                self._store(keys[i], rows[i])
        for i, row in enumerate(rows):
            if row is None:
                rows[i] = rows[leaders[i]]
        self.hits += len(rows) - len(ask)
        return stack([r for r in rows if r is not None])

    def _recall(self, key: bytes | None) -> Evaluation | None:
        if key is None or key not in self._known:
            return None
        self._known.move_to_end(key)
        return self._known[key]

    def _store(self, keys: list[bytes], row: Evaluation | None) -> None:
        for key in keys:
            self._known[key] = row  # type: ignore[assignment]
            self._known.move_to_end(key)
        while len(self._known) > self._size:
            self._known.popitem(last=False)

    @staticmethod
    def _digest(kind: str, scope: Any, data: Any) -> bytes | None:
        if data is None:
            return None
        return hashlib.blake2b(wire.encode((kind, scope, data)), digest_size=16).digest()
