"""`Reader`: questions about a run, also while it is being written."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Connection, and_, exists, func, literal, or_, select
from sqlalchemy.sql import Select

from evoloom.core.errors import LedgerError
from evoloom.core.ledger import contents, places, schema
from evoloom.core.ledger.rows import Candidate, Event, Json, Judged, OperatorRow, Point, RunInfo
from evoloom.core.ledger.texts import scope_text

PAGE = 2000


class Reader:
    """Read-only view of one run; may be used from several threads. Every answer is of one moment."""

    def __init__(self, where: str | os.PathLike[str], run: str | None = None):
        """where: run directory or SQLAlchemy URL. run: its name where the ledger holds several.

        Raises:
            LedgerError: missing, damaged, foreign or newer ledger, or unknown run.
        """
        self._place = places.place_of(where)
        places.require(self._place)
        self._engine = places.engine_of(self._place, "ro")
        try:
            with self._read() as connection:
                row = places.find_run(connection, self._place, run)
        except BaseException:
            self._engine.dispose()
            raise
        self.info: RunInfo = places.info_of(row)
        self._run: int = row.id
        self._blobs = places.blob_folder(self._place, row.blobs)

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with places.explained(self._place), self._engine.connect() as connection:
            yield connection

    def _all(self, query: Select) -> Sequence[Any]:
        with self._read() as connection:
            return connection.execute(query).all()

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # The run as a whole

    def outcome(self) -> Json:
        """Body of the last `stopped` event, None where the run has not stopped."""
        m, e = schema.marks.c, schema.events.c
        last = select(func.max(m.seq)).where(m.run == self._run, m.kind == "stopped").scalar_subquery()
        rows = self._all(select(e.body).where(e.run == self._run, e.seq == last))
        return json.loads(rows[0].body) if rows else None

    def count(self) -> int:
        """Candidates asked so far."""
        o = schema.operators.c
        return int(self._all(select(func.coalesce(func.sum(o.proposed), 0)).where(o.run == self._run))[0][0])

    def verdicts(self) -> dict[int, int]:
        """Judgements by verdict code."""
        v = schema.verdicts.c
        return {k: n for k, n in self._all(select(v.verdict, v.n).where(v.run == self._run).order_by(v.verdict))}

    def operators(self) -> list[OperatorRow]:
        """What became of every operator's children, by name."""
        o = schema.operators.c
        query = select(o.operator, o.proposed, o.unmade, o.judged, o.ok, o.best).where(o.run == self._run)
        return [OperatorRow(name or None, *rest) for name, *rest in self._all(query.order_by(o.operator))]

    def curve(self) -> list[Point]:
        """The points at which the best whole judgement improved."""
        p = schema.curve.c
        query = select(p.n_judged, p.seconds, p.fitness, p.id).where(p.run == self._run).order_by(p.n_judged)
        return [Point(*row) for row in self._all(query)]

    def events(self, since: int = 0, kinds: Collection[str] | None = None) -> Iterator[Event]:
        """Events with a sequence number above `since`, in order; all kinds or some."""
        e, after = schema.events.c, since
        query = select(e.seq, e.kind, e.batch, e.row, e.at, e.seconds, e.body).where(e.run == self._run)
        if kinds is not None:
            query = query.where(e.kind.in_(list(kinds)))
        while rows := self._all(query.where(e.seq > after).order_by(e.seq).limit(PAGE)):
            for r in rows:
                yield Event(r.seq, r.kind, r.batch, r.row, r.at, r.seconds, json.loads(r.body))
            after = rows[-1].seq

    # Candidates

    def candidate(self, id: int) -> Candidate:
        """Raises LedgerError where there is none with that id."""
        found = list(self._candidates(schema.candidates.c.id == int(id)))
        if not found:
            raise LedgerError(f"the run '{self.info.run}' has no candidate {id}.")
        return found[0]

    def candidates(self) -> Iterator[Candidate]:
        """All of them, by id."""
        c, after = schema.candidates.c, -1
        while page := list(self._candidates(c.id > after, PAGE)):
            yield from page
            after = page[-1].id

    def _candidates(self, which: Any, limit: int = 1) -> Iterator[Candidate]:
        c, p = schema.candidates.c, schema.parents.c
        query = select(c.id, c.batch, c.operator, c.content, c.why).where(c.run == self._run, which)
        with self._read() as connection:
            rows = connection.execute(query.order_by(c.id).limit(limit)).all()
            parents: dict[int, list[int]] = {}
            if rows:
                span = p.child.between(rows[0].id, rows[-1].id)
                edges = select(p.child, p.parent).where(p.run == self._run, span).order_by(p.child, p.rank)
                for child, parent in connection.execute(edges):
                    parents.setdefault(child, []).append(parent)
        for id_, batch, operator, content, why in rows:
            yield Candidate(id_, batch, operator or None, content, tuple(parents.get(id_, ())), why)

    def genome(self, id: int) -> str:
        """The candidate's content: the JSON text of its encoded genome.

        Raises:
            LedgerError: no such candidate, or it has not been made.
        """
        candidate = self.candidate(id)
        if candidate.content is None:
            why = candidate.why or "it is still being made, or its process ended before it was"
            raise LedgerError(f"candidate {id} of the run '{self.info.run}' has no genome: {why}.")
        return self.get(candidate.content)

    def get(self, name: str) -> str:
        """The content with that hash."""
        with self._read() as connection:
            return contents.read(connection, self._blobs, name)

    def texts(self, names: Collection[str]) -> dict[str, str]:
        """Many contents at once, by hash."""
        with self._read() as connection:
            return contents.read_many(connection, self._blobs, names)

    def children(self, id: int) -> list[int]:
        """Ids of those that name this candidate as a parent, ascending."""
        p = schema.parents.c
        query = select(p.child).where(p.run == self._run, p.parent == int(id)).distinct().order_by(p.child)
        return [child for (child,) in self._all(query)]

    def lineage(self, id: int) -> list[int]:
        """Ids of all ancestors, the nearest generation first, ascending inside a generation; each once."""
        p = schema.parents.c
        line = select(literal(int(id), BigInteger).label("id")).cte("line", recursive=True)
        line = line.union(select(p.parent).where(p.run == self._run, p.child == line.c.id))
        edges = select(p.child, p.parent).select_from(line).join(schema.parents, p.child == line.c.id)
        parents: dict[int, list[int]] = {}
        for child, parent in self._all(edges.where(p.run == self._run)):
            parents.setdefault(child, []).append(parent)
        seen, near, order = {int(id)}, [int(id)], []
        while near:
            near = sorted({q for i in near for q in parents.get(i, ())} - seen)
            seen.update(near)
            order += near
        return order

    # Judgements

    def top(self, k: int, scope: Json = None) -> list[tuple[int, float]]:
        """The k best (id, fitness) under a scope, ties to the lower id. A candidate counts by its latest judgement."""
        j, later = schema.judgements, schema.judgements.alias("later")
        after = or_(later.c.seq > j.c.seq, and_(later.c.seq == j.c.seq, later.c.row > j.c.row))
        # `|| ''` keeps the planner on the key (run, id): through the index on scope this would be quadratic.
        same = and_(later.c.run == j.c.run, later.c.id == j.c.id, later.c.scope.concat("") == j.c.scope)
        query = (
            select(j.c.id, j.c.fitness)
            .where(j.c.run == self._run, j.c.scope == scope_text(scope), j.c.fitness.is_not(None))
            .where(~exists(select(later.c.id).where(same, after)))
            .order_by(j.c.fitness.desc(), j.c.id)
            .limit(k)
        )
        return [(id_, fitness) for id_, fitness in self._all(query)]

    def judgements(self, id: int | None = None) -> Iterator[Judged]:
        """Of one candidate, or of all, by id and then in the order in which they came."""
        j, after = schema.judgements.c, (-1, -1, -1)
        query = select(j.seq, j.id, j.scope, j.verdict, j.fitness, j.cost, j.row).where(j.run == self._run)
        query = query if id is None else query.where(j.id == int(id))
        query = query.order_by(j.id, j.seq, j.row).limit(PAGE)
        while True:
            i, s, r = after
            beyond = or_(j.id > i, and_(j.id == i, or_(j.seq > s, and_(j.seq == s, j.row > r))))
            rows = self._all(query.where(j.id >= i, beyond))
            for seq, id_, scope, *rest, _ in rows:
                yield Judged(seq, id_, json.loads(scope), *rest)
            if len(rows) < PAGE:
                return
            after = (rows[-1].id, rows[-1].seq, rows[-1].row)


def runs(where: str | os.PathLike[str]) -> list[RunInfo]:
    """The runs at an URL, in a run directory, or in a directory of run directories, oldest first.

    A ledger that cannot be read is left out with a warning.
    """
    place = places.place_of(where)
    if place.path is None or place.path.is_file():
        return _runs_of(place)
    found: list[RunInfo] = []
    for file in sorted(Path(where).glob(f"*/{places.FILE}")):
        try:
            found += _runs_of(places.place_of(file.parent))
        except LedgerError as e:
            warnings.warn(str(e), stacklevel=2)
    return sorted(found, key=lambda r: (r.created, r.run))


def _runs_of(place: places.Place) -> list[RunInfo]:
    engine = places.engine_of(place, "ro")
    try:
        with places.explained(place), engine.connect() as connection:
            places.check_schema(connection, place)
            return [places.info_of(r) for r in connection.execute(select(schema.runs).order_by(schema.runs.c.id))]
    finally:
        engine.dispose()
