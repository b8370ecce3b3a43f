"""Where a ledger lies, and the engines that open it. The one file that knows one database from another."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, func, insert, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from evoloom.core.errors import LedgerError, near
from evoloom.core.ledger import schema
from evoloom.core.ledger.rows import RunInfo
from evoloom.core.ledger.texts import dumps

FILE = "ledger.db"
BUSY_S = 30.0  # how long to wait for another connection's lock


class Place(NamedTuple):
    """A ledger's address: an SQLite file, or the URL of a database server."""

    name: str  # for people; never holds a password
    path: Path | None
    url: str | None = None

    @property
    def folder(self) -> Path | None:
        return None if self.path is None else self.path.parent


def place_of(where: str | os.PathLike[str]) -> Place:
    """A run directory, the ledger file inside it, or an SQLAlchemy URL.

    Raises:
        LedgerError: the URL cannot be understood, or names a database in memory.
    """
    if isinstance(where, str) and "://" in where:
        try:
            url = make_url(where)
            url.get_dialect()
        except (ArgumentError, NoSuchModuleError, ImportError) as e:
            raise LedgerError(f"cannot use the ledger address {where.split('@')[-1]!r}: {e}") from e
        if url.get_backend_name() != "sqlite":
            return Place(url.render_as_string(hide_password=True), None, where)
        if url.database in (None, "", ":memory:"):
            raise LedgerError(
                f"{where!r} is a database in memory, which ends with its process. Give a directory, e.g. 'runs/a'."
            )
        return Place(str(url.database), Path(str(url.database)))
    path = Path(where)
    path = path if path.name == FILE else path / FILE
    return Place(str(path), path)


def _sqlite(path: Path, mode: str) -> Engine:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    writes = mode in ("rw", "rwc")
    if mode == "ro" and not os.access(path.parent, os.W_OK) and not path.with_name(path.name + "-wal").exists():
        uri += "&immutable=1"  # a read-only medium: the helper files of WAL cannot be created there

    def connect() -> sqlite3.Connection:
        db = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        if writes:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")  # a killed process loses nothing; a power cut may
            db.execute("PRAGMA wal_autocheckpoint=4000")  # pages; the default of 1000 costs 15 % of the rate
        return db

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)
    # The driver's own transaction control would leave CREATE TABLE outside of it; IMMEDIATE takes the lock at once.
    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def engine_of(place: Place, mode: str) -> Engine:
    """mode: "ro" to read, "rw" to write what exists, "rwc" to create."""
    if place.path is None:
        assert place.url is not None
        return create_engine(place.url)
    return _sqlite(place.path, mode)


@contextmanager
def explained(place: Place) -> Iterator[None]:
    """Database errors as LedgerErrors; IntegrityError passes, because its meaning depends on the statement."""
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, sqlite3.Error) as e:
        raise LedgerError(_explain(place, e)) from e


def _explain(place: Place, error: Exception) -> str:
    said = str(getattr(error, "orig", None) or error)
    if "not a database" in said:
        return f"{place.name} is not a ledger: the file is no SQLite database. It was left as it is."
    if "malformed" in said or "disk I/O error" in said:
        return (
            f"the ledger {place.name} is damaged ({said}): it was cut off or overwritten by something else. "
            f"Nothing was changed. Restore it from a copy, or save what can be read with: sqlite3 {place.name} .recover"
        )
    if "locked" in said:
        return f"the ledger {place.name} stayed locked by another process for {BUSY_S:.0f} s ({said}). Try again later."
    if "full" in said:
        return f"the ledger {place.name} cannot grow ({said}): free some space; what was committed before is safe."
    return f"the ledger {place.name} cannot be used: {said}"


def require(place: Place) -> None:
    """Says kindly what is wrong where a ledger should lie, before anything is opened.

    Raises:
        LedgerError: nothing is there.
    """
    if place.path is None or place.path.is_file():
        return
    folder = place.path.parent
    if not folder.is_dir():
        siblings = [p.name for p in folder.parent.iterdir() if (p / FILE).is_file()] if folder.parent.is_dir() else []
        hint = near(folder.name, siblings) if siblings else ""
        raise LedgerError(f"no ledger at {place.name}: {folder} does not exist.{hint}")
    inside = sorted(p.parent.name for p in folder.glob(f"*/{FILE}"))
    if inside:
        shown = ", ".join(inside[:8]) + (", ..." if len(inside) > 8 else "")
        raise LedgerError(f"{folder} is a folder of {len(inside)} runs ({shown}), not a run: give one of them.")
    raise LedgerError(f"no ledger at {place.name}: {folder} holds no {FILE}, so it is not a run directory.")


def check_schema(connection: Connection, place: Place) -> None:
    """Raises LedgerError unless the tables are ours and of this version."""
    names = inspect(connection).get_table_names()
    if schema.version.name not in names:
        what = f"has other tables ({', '.join(sorted(names)[:5])})" if names else "is empty"
        raise LedgerError(f"{place.name} is not a ledger of evoloom: the database {what}. It was left as it is.")
    found = connection.execute(select(schema.version.c.version)).scalar()
    if found != schema.SCHEMA:
        older = isinstance(found, int) and found < schema.SCHEMA
        raise LedgerError(
            f"the ledger {place.name} has schema {found}, this evoloom reads schema {schema.SCHEMA}: it was written by "
            f"{'an older' if older else 'a newer'} evoloom. Open it with that version{'' if older else ', or upgrade'}."
        )


def info_of(row: Any) -> RunInfo:
    """A row of `runs` as the value it was made from."""
    config = json.loads(row.config)
    return RunInfo(row.run, row.created, row.system, row.problem, config, int(row.seed), row.version, row.parent_run)


def find_run(connection: Connection, place: Place, run: str | None) -> Any:
    """The row of `runs` with that name, or the only one.

    Raises:
        LedgerError: no such run, or no name given where there are several.
    """
    check_schema(connection, place)
    rows = connection.execute(select(schema.runs).order_by(schema.runs.c.id)).all()
    names = [r.run for r in rows]
    if run is None:
        if len(rows) == 1:
            return rows[0]
        if not rows:
            raise LedgerError(f"the ledger {place.name} holds no run.")
        raise LedgerError(f"the ledger {place.name} holds {len(rows)} runs, name one of them.{near('', names)}")
    if run not in names:
        raise LedgerError(f"the ledger {place.name} has no run called '{run}'.{near(run, names)}")
    return rows[names.index(run)]


def blob_folder(place: Place, stored: str | None) -> Path | None:
    """The folder that `runs.blobs` names: relative to the ledger's own folder, so that run directories can be moved."""
    if stored is None:
        return None
    return place.folder / stored if place.folder is not None else Path(stored)


def enter(connection: Connection, place: Place, info: RunInfo, blobs: str | None) -> Any:
    """Insert the run; returns its row."""
    if connection.execute(select(schema.runs.c.id).where(schema.runs.c.run == info.run)).first() is not None:
        raise LedgerError(
            f"the ledger {place.name} holds a run called '{info.run}' already: resume it, or choose another name."
        )
    values = info._asdict() | {"config": dumps(info.config), "seed": str(int(info.seed)), "blobs": blobs}
    key = connection.execute(insert(schema.runs).values(**values)).inserted_primary_key
    assert key is not None
    return connection.execute(select(schema.runs).where(schema.runs.c.id == key[0])).one()


def probe(place: Place, empty_is_fine: bool = False) -> None:
    """Look at an existing file without writing a byte: opening for writing would already change a foreign database."""
    with explained(place):
        engine = engine_of(place, "ro")
        try:
            with engine.connect() as connection:
                if empty_is_fine and not connection.dialect.get_table_names(connection):
                    return
                check_schema(connection, place)
                connection.execute(select(func.count()).select_from(schema.runs)).scalar()
        finally:
            engine.dispose()
