"""`Ledger`: the single writer of a run."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import IntegrityError

from evoloom.core.errors import LedgerError
from evoloom.core.ledger import contents, lease, places, schema
from evoloom.core.ledger.projections import Projector, Statements, clear
from evoloom.core.ledger.rows import MARKS, CandidateRow, Event, JudgedRow, RunInfo
from evoloom.core.ledger.texts import canonical, dumps, fitness_of, storable

COMMIT_S = 0.02  # group commit: a write that comes later than this after the last commit commits,
COMMIT_ROWS = 1500  # and so does one that fills the buffer to this many rows (about 500 events of small batches)
PAGE = 2000  # events read at a time


class Ledger:
    """Appends what happens to a run, in order; a killed process loses at most what was not committed yet.

    Made by `create` or `open`. All methods belong to one thread at a time. Writes are held until a group commit (20 ms
    after the last one, or 1,500 rows), which happens inside a write: call `flush` before waiting for anything long.
    """

    def __init__(self, place: places.Place, engine: Engine, row: Any, connection: Connection, force: bool):
        """Internal: `connection` is inside the transaction that takes the lease."""
        self.info: RunInfo = places.info_of(row)
        self._place, self._engine, self._run = place, engine, row.id
        self._blobs = places.blob_folder(place, row.blobs)
        self._token = lease.acquire(connection, row.id, row.run, self, force)
        last = select(schema.events.c.seq, schema.events.c.seconds).where(schema.events.c.run == row.id)
        end = connection.execute(last.order_by(schema.events.c.seq.desc()).limit(1)).first()
        self._seq, before = (0, 0.0) if end is None else end
        self._projector = Projector.load(connection, row.id)
        self._statements = Statements(engine.dialect)
        self._events: list[tuple] = []
        self._contents: dict[str, tuple[str, int, bytes | None]] = {}
        self._rows = 0
        self._started = time.monotonic() - before
        self._committed = time.monotonic()
        self._pid = os.getpid()
        self._broken: str | None = None
        self._connection: Connection | None = None

    # Opening

    @classmethod
    def create(
        cls, where: str | os.PathLike[str], info: RunInfo, blobs: str | os.PathLike[str] | None = None
    ) -> Ledger:
        """Begin a run.

        where: a directory (made where it does not exist) or an SQLAlchemy URL. blobs: folder of contents above 8 KiB;
        by default `blobs` beside an SQLite file, and none (everything in the database) on a server.

        Raises:
            LedgerError: the run exists, or something else lies there.
        """
        place = places.place_of(where)
        if place.path is not None:
            place.path.parent.mkdir(parents=True, exist_ok=True)
            if place.path.is_file():
                places.probe(place, empty_is_fine=True)
            blobs = "blobs" if blobs is None else str(Path(blobs).absolute())
        with places.explained(place):
            engine = places.engine_of(place, "rwc")
            try:
                with engine.begin() as connection:
                    schema.metadata.create_all(connection)
                    if connection.execute(select(schema.version.c.version)).first() is None:
                        connection.execute(insert(schema.version).values(version=schema.SCHEMA))
                    places.check_schema(connection, place)
                    row = places.enter(connection, place, info, None if blobs is None else str(blobs))
                    self = cls(place, engine, row, connection, force=False)
            except BaseException:
                engine.dispose()
                raise
        return self._connected()

    @classmethod
    def open(cls, where: str | os.PathLike[str], run: str | None = None, *, force: bool = False) -> Ledger:
        """Continue a run. run: its name where the ledger holds several. force: take the lease of another host.

        Raises:
            LedgerError: missing, damaged, foreign or newer ledger, unknown run, or another writer holds it.
        """
        place = places.place_of(where)
        places.require(place)
        places.probe(place)
        with places.explained(place):
            engine = places.engine_of(place, "rw")
            try:
                with engine.begin() as connection:
                    self = cls(place, engine, places.find_run(connection, place, run), connection, force)
            except BaseException:
                engine.dispose()
                raise
        return self._connected()

    def _connected(self) -> Ledger:
        self._connection = self._engine.connect()
        return self

    # Writing

    def put(self, text: str) -> str:
        """Store a content; equal texts are stored once. Returns its hash, the blake2b-128 of its UTF-8."""
        data = contents.to_bytes(text)
        name = contents.hash_of(data)
        if name not in self._contents:
            self._ready()
            if len(data) > contents.INLINE_BYTES and self._blobs is not None:
                contents.write_file(self._blobs, name, data)
                self._contents[name] = (name, len(data), None)
            else:
                self._contents[name] = (name, len(data), data)
            self._rows += 1
        return name

    def get(self, name: str) -> str:
        """The content with that hash, committed or not.

        Raises:
            LedgerError: it was never put, or its file is missing or damaged.
        """
        held = self._contents.get(name)
        if held is not None and held[2] is not None:
            return contents.to_text(held[2])
        if held is not None:
            self.flush()
        connection = self._ready()
        with places.explained(self._place):
            try:
                return contents.read(connection, self._blobs, name)
            finally:
                connection.rollback()

    def asked(self, batch: int, body_text: str, rows: Sequence[CandidateRow]) -> None:
        """A batch begins. rows: its new candidates only, not those that are judged again."""
        facts = [[int(r[0]), int(r[1]), r[2], r[3], [int(p) for p in r[4]]] for r in rows]
        self._event("asked", batch, -1, body_text, facts, 2 * len(facts))

    def made(
        self,
        batch: int,
        row: int,
        id: int,
        content: str | None,
        why: str | None,
        cost: Sequence[float],
        body_text: str,
    ) -> None:
        """A draft became a genome (`content`), or could not (`why`). cost: evaluations, calls, tokens, usd."""
        costs = [float(x) for x in cost] + [0.0] * (4 - len(cost))
        why = None if why is None else storable(why)
        self._event("made", batch, int(row), body_text, [int(id), content, why, costs], 1)

    def judged(self, batch: int, scope_text: str | None, body_text: str, rows: Sequence[JudgedRow]) -> None:
        """Judgements of a batch under one scope (None: the whole judgement). A NaN fitness is stored as none."""
        facts = [[int(r[0]), int(r[1]), fitness_of(r[2]), float(r[3])] for r in rows]
        self._event("judged", batch, -1, body_text, [canonical(scope_text), facts], len(facts))

    def told(self, batch: int, body_text: str) -> None:
        """The strategy has taken the batch in."""
        self._event("told", batch, -1, body_text)

    def note(self, kind: str, body_text: str, batch: int = -1) -> None:
        """A rare event: started, resumed, stopped, held_out or snapshot."""
        if kind not in MARKS:
            raise LedgerError(f"'{kind}' is not a kind of note; they are {', '.join(MARKS)}.")
        self._event(kind, batch, -1, body_text)

    def _event(self, kind: str, batch: int, row: int, body: str, facts: Any = None, n_rows: int = 0) -> None:
        self._ready()
        seq, now, batch = self._seq + 1, time.monotonic(), int(batch)
        seconds = now - self._started
        self._projector.apply(kind, seq, batch, seconds, facts)
        text = None if facts is None else dumps(facts)
        self._events.append((self._run, seq, time.time(), seconds, kind, batch, row, storable(body), text))
        self._seq = seq
        self._rows += 1 + n_rows
        if self._rows >= COMMIT_ROWS or now - self._committed >= COMMIT_S:
            self.flush()

    def flush(self) -> None:
        """Commit everything written so far.

        Raises:
            LedgerError: it cannot be committed. What was committed before is safe; except after a second writer was
                noticed, nothing held is lost and `flush` may be tried again.
        """
        connection = self._ready()
        if not self._rows:
            return
        try:
            with places.explained(self._place), connection.begin():
                if self._contents:
                    connection.exec_driver_sql(self._statements.contents, list(self._contents.values()))
                if self._events:
                    connection.exec_driver_sql(self._statements.events, self._events)
                self._projector.write(connection, self._statements)
        except IntegrityError as e:
            self._broken = (
                f"another process has continued the run '{self.info.run}' in {self._place.name}; this one may not "
                f"write to it any more. Its last {len(self._events)} events were not stored."
            )
            raise LedgerError(self._broken) from e
        self._events, self._contents, self._rows = [], {}, 0
        self._projector.written()
        self._committed = time.monotonic()

    def _ready(self) -> Connection:
        if self._connection is None:
            raise LedgerError(f"the ledger of the run '{self.info.run}' is closed.")
        if self._broken is not None:
            raise LedgerError(self._broken)
        if os.getpid() != self._pid:
            raise LedgerError("a ledger cannot be used in a forked child of the process that opened it.")
        return self._connection

    # Reading back

    def replay(self) -> Iterator[Event]:
        """Every event of the run in order, from the first."""
        self.flush()
        for row in self._pages():
            seq, kind, batch, at_row, at, seconds, body, _ = row
            yield Event(seq, kind, batch, at_row, at, seconds, json.loads(body))

    def _pages(self) -> Iterator[Any]:
        """Events in pages by key, so that no cursor stays open while the caller writes."""
        e, after, pid = schema.events.c, 0, os.getpid()
        columns = (e.seq, e.kind, e.batch, e.row, e.at, e.seconds, e.body, e.facts)
        while pid == self._pid:
            connection = self._ready()
            query = select(*columns).where(e.run == self._run, e.seq > after).order_by(e.seq).limit(PAGE)
            with places.explained(self._place):
                rows = connection.execute(query).all()
                connection.rollback()
            if not rows:
                return
            yield from rows
            after = rows[-1].seq

    def rebuild(self) -> None:
        """Throw the projections of this run away and read them from the events again, in one transaction."""
        self.flush()
        connection = self._ready()
        e, after, projector = schema.events.c, 0, Projector(self._run)
        columns = (e.kind, e.seq, e.batch, e.seconds, e.facts)
        with places.explained(self._place), connection.begin():
            clear(connection, self._run)
            while True:
                query = select(*columns).where(e.run == self._run, e.seq > after).order_by(e.seq).limit(PAGE)
                rows = connection.execute(query).all()
                if not rows:
                    break
                for kind, seq, batch, seconds, facts in rows:
                    projector.apply(kind, seq, batch, seconds, None if facts is None else json.loads(facts))
                projector.write(connection, self._statements)
                projector.written()
                after = rows[-1].seq
        self._projector = projector

    # Ending

    def close(self) -> None:
        """Commit, give the lease back, close. Closing twice is harmless."""
        if self._connection is None:
            return
        try:
            if self._broken is None:
                self.flush()
        finally:
            connection, self._connection = self._connection, None
            try:
                with places.explained(self._place), connection.begin():
                    lease.release(connection, self._token)
            finally:
                connection.close()
                self._engine.dispose()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
