"""The tables. Events and contents are the truth; the rest is read from events and can be rebuilt at any time.

Only plain types and portable SQL: integers, doubles, text, bytes; sequence numbers come from the writer. Tables of
short rows are stored in the order of their key where the database can do that (`sqlite_with_rowid=False`, ignored
elsewhere); events and contents are not, because their rows can be long.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.engine import Dialect

SCHEMA = 1  # raised with every change that an older evoloom could not read

metadata = MetaData()


def _key(name: str, type_: type = BigInteger) -> Column:
    return Column(name, type_, primary_key=True, autoincrement=False)


def _text(name: str) -> Column:
    return Column(name, Text, nullable=False)


def _int(name: str) -> Column:
    return Column(name, BigInteger, nullable=False)


def _float(name: str) -> Column:
    return Column(name, Double, nullable=False)


version = Table("evoloom_schema", metadata, _key("version", Integer))

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),  # short stand-in for the name in every other table
    Column("run", Text, nullable=False, unique=True),
    _float("created"),
    _text("system"),
    _text("problem"),
    _text("config"),
    _text("seed"),  # text: seeds may be longer than 64 bits
    _text("version"),
    Column("parent_run", Text),
    Column("blobs", Text),  # folder of large contents; relative to the ledger's own folder where it lies inside
)
leases = Table(
    "leases",
    metadata,
    _key("run", Integer),
    _text("token"),
    _text("host"),
    _int("pid"),
    Column("born", Text),  # start time of the process, so that a reused pid is not mistaken for it
    _float("since"),
)

events = Table(
    "events",
    metadata,
    _key("run", Integer),
    _key("seq"),  # the key that fences a second writer
    _float("at"),
    _float("seconds"),
    _text("kind"),
    _int("batch"),
    _int("row"),
    _text("body"),  # the loop's own account, as JSON text
    Column("facts", Text),  # the rows that the tables below are rebuilt from, as JSON text
)
contents = Table(
    "contents",
    metadata,
    _key("hash", Text),
    _int("size"),
    Column("data", LargeBinary),  # NULL: in the blob folder
)

candidates = Table(
    "candidates",
    metadata,
    _key("run", Integer),
    _key("id"),
    _int("batch"),
    _int("row"),
    _text("operator"),  # '' where none made it
    Column("content", Text),
    Column("why", Text),
    _float("evaluations"),  # what making it cost
    _float("calls"),
    _float("tokens"),
    _float("usd"),
    sqlite_with_rowid=False,
)
parents = Table(
    "parents",
    metadata,
    _key("run", Integer),
    _key("child"),
    _key("rank", Integer),
    _int("parent"),
    sqlite_with_rowid=False,
)
Index("parents_by_parent", parents.c.run, parents.c.parent)
judgements = Table(
    "judgements",
    metadata,
    _key("run", Integer),
    _key("id"),
    _key("seq"),
    _key("row", Integer),
    _text("scope"),  # canonical JSON text; 'null' is the whole judgement
    _int("verdict"),
    Column("fitness", Double),
    _float("cost"),
    sqlite_with_rowid=False,
)
Index("judgements_best", judgements.c.run, judgements.c.scope, judgements.c.fitness.desc(), judgements.c.id)

# Running aggregates: answers that would otherwise read every row.
operators = Table(
    "operators",
    metadata,
    _key("run", Integer),
    _key("operator", Text),
    _int("proposed"),
    _int("unmade"),
    _int("judged"),
    _int("ok"),
    Column("best", Double),
    sqlite_with_rowid=False,
)
verdicts = Table(
    "verdicts", metadata, _key("run", Integer), _key("verdict", Integer), _int("n"), sqlite_with_rowid=False
)
curve = Table(
    "curve",
    metadata,
    _key("run", Integer),
    _key("n_judged"),
    _float("seconds"),
    _float("fitness"),
    _int("id"),
    sqlite_with_rowid=False,
)
# Rare events by kind: where a run began, was resumed, stopped, saved its state.
marks = Table(
    "marks", metadata, _key("run", Integer), _key("seq"), _text("kind"), _int("batch"), sqlite_with_rowid=False
)

PROJECTIONS = (candidates, parents, judgements, operators, verdicts, curve, marks)


def insert_text(table: Table, dialect: Dialect, conflict: str = "") -> str:
    """INSERT of whole rows as prepared text: Core's per-row dictionaries would cost more than the insert itself.

    conflict: "" raises, "ignore" keeps the old row, "replace" overwrites what is not part of the key.
    """
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    names = [f'"{c.name}"' for c in table.columns]
    text = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"
    if conflict == "ignore":
        text += " ON CONFLICT DO NOTHING"
    elif conflict == "replace":
        key = ", ".join(f'"{c.name}"' for c in table.primary_key.columns)
        rest = ", ".join(f'"{c.name}" = excluded."{c.name}"' for c in table.columns if not c.primary_key)
        text += f" ON CONFLICT ({key}) DO UPDATE SET {rest}"
    return text


def update_text(table: Table, names: tuple[str, ...], dialect: Dialect) -> str:
    """UPDATE of some columns by key as prepared text; parameters: the columns, then the key."""
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    sets = ", ".join(f'"{n}" = {mark}' for n in names)
    key = " AND ".join(f'"{c.name}" = {mark}' for c in table.primary_key.columns)
    return f"UPDATE {table.name} SET {sets} WHERE {key}"
