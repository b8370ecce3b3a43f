"""From events to tables. The writer and `rebuild` both go through `Projector.apply`, so they cannot disagree.

What an event adds to the tables is its *facts*: plain lists that survive JSON exactly.

    asked   [[id, row, operator | None, content | None, [parent, ...]], ...]
    made    [id, content | None, why | None, [evaluations, calls, tokens, usd]]
    judged  [scope as canonical JSON text, [[id, verdict, fitness | None, cost], ...]]
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.engine import Dialect

from evoloom.core.contracts import Verdict
from evoloom.core.errors import LedgerError
from evoloom.core.ledger import schema
from evoloom.core.ledger.rows import MARKS
from evoloom.core.ledger.schema import insert_text, update_text
from evoloom.core.ledger.texts import WHOLE

_MADE = ("content", "why", "evaluations", "calls", "tokens", "usd")
_NOT_JUDGED = (int(Verdict.UNMADE), int(Verdict.REPEAT))  # rows of a batch that nothing was spent on
_OK = int(Verdict.OK)


class Projector:
    """Holds the rows that events add until `write` puts them into the open transaction, and the running aggregates."""

    def __init__(self, run: int):
        self.run = run
        self.operator_of: dict[int, str] = {}
        self.totals: dict[str, list[Any]] = {}  # operator -> [proposed, unmade, judged, ok, best]
        self.counts: dict[int, int] = {}
        self.n_judged = 0
        self.best: float | None = None
        self._clear()

    def _clear(self) -> None:
        self._candidates: dict[int, tuple] = {}
        self._made: list[tuple] = []
        self._parents: list[tuple] = []
        self._judgements: list[tuple] = []
        self._curve: list[tuple] = []
        self._marks: list[tuple] = []
        self._totals: set[str] = set()  # changed since the last write
        self._counts: set[int] = set()

    @classmethod
    def load(cls, connection: Connection, run: int) -> Projector:
        """The projector of a run that is to be continued."""
        self = cls(run)
        c, o, v, p = schema.candidates.c, schema.operators.c, schema.verdicts.c, schema.curve.c
        self.operator_of = {i: name for i, name in connection.execute(select(c.id, c.operator).where(c.run == run))}
        columns = (o.operator, o.proposed, o.unmade, o.judged, o.ok, o.best)
        self.totals = {name: rest for name, *rest in connection.execute(select(*columns).where(o.run == run))}
        self.counts = {k: n for k, n in connection.execute(select(v.verdict, v.n).where(v.run == run))}
        self.n_judged = sum(n for k, n in self.counts.items() if k not in _NOT_JUDGED)
        self.best = connection.execute(
            select(p.fitness).where(p.run == run).order_by(p.n_judged.desc()).limit(1)
        ).scalar()
        return self

    def apply(self, kind: str, seq: int, batch: int, seconds: float, facts: Any) -> None:
        """One event. Raises LedgerError, and changes nothing, where it contradicts what came before."""
        if kind == "asked":
            self._asked(batch, facts)
        elif kind == "made":
            self._made_row(*facts)
        elif kind == "judged":
            self._judged(seq, seconds, *facts)
        elif kind in MARKS:
            self._marks.append((self.run, seq, kind, batch))

    def _total(self, operator: str) -> list[Any]:
        self._totals.add(operator)
        total = self.totals.get(operator)
        if total is None:
            total = self.totals[operator] = [0, 0, 0, 0, None]
        return total

    def _asked(self, batch: int, rows: list) -> None:
        run, known = self.run, self.operator_of
        for row in rows:
            if row[0] in known:
                raise LedgerError(f"candidate {row[0]} was asked before: every new candidate needs an id of its own.")
        for id_, row, operator, content, parents in rows:
            operator = operator or ""
            known[id_] = operator
            self._candidates[id_] = (run, id_, batch, row, operator, content, None, 0.0, 0.0, 0.0, 0.0)
            for rank, parent in enumerate(parents):
                self._parents.append((run, id_, rank, parent))
            self._total(operator)[0] += 1

    def _made_row(self, id_: int, content: str | None, why: str | None, cost: list[float]) -> None:
        operator = self.operator_of.get(id_)
        if operator is None:
            raise LedgerError(f"candidate {id_} was made, but never asked.")
        if why is not None:
            self._total(operator)[1] += 1
        pending = self._candidates.get(id_)
        if pending is not None:
            self._candidates[id_] = (*pending[:5], content, why, *cost)
        else:
            self._made.append((content, why, *cost, self.run, id_))

    def _judged(self, seq: int, seconds: float, scope: str, rows: list) -> None:
        run, operator_of, counts = self.run, self.operator_of, self.counts
        for row in rows:
            if row[0] not in operator_of:
                raise LedgerError(f"candidate {row[0]} was judged, but never asked.")
        for at, (id_, verdict, fitness, cost) in enumerate(rows):
            self._judgements.append((run, id_, seq, at, scope, verdict, fitness, cost))
            counts[verdict] = counts.get(verdict, 0) + 1
            self._counts.add(verdict)
            if verdict in _NOT_JUDGED:
                continue
            self.n_judged += 1
            total = self._total(operator_of[id_])
            total[2] += 1
            total[3] += verdict == _OK
            if fitness is None or scope != WHOLE:
                continue
            if total[4] is None or fitness > total[4]:
                total[4] = fitness
            if self.best is None or fitness > self.best:
                self.best = fitness
                self._curve.append((run, self.n_judged, seconds, fitness, id_))

    def write(self, connection: Connection, statements: Statements) -> None:
        """Everything held, into the open transaction. Call `written` once it is committed."""
        run, put = self.run, connection.exec_driver_sql
        if self._candidates:
            put(statements.candidates, list(self._candidates.values()))
        if self._made:
            put(statements.made, self._made)
        if self._parents:
            put(statements.parents, self._parents)
        if self._judgements:
            put(statements.judgements, self._judgements)
        if self._curve:
            put(statements.curve, self._curve)
        if self._marks:
            put(statements.marks, self._marks)
        if self._totals:
            put(statements.operators, [(run, name, *self.totals[name]) for name in sorted(self._totals)])
        if self._counts:
            put(statements.verdicts, [(run, k, self.counts[k]) for k in sorted(self._counts)])

    def written(self) -> None:
        self._clear()


class Statements:
    """The prepared texts of one dialect."""

    def __init__(self, dialect: Dialect):
        self.events = insert_text(schema.events, dialect)
        self.contents = insert_text(schema.contents, dialect, "ignore")
        self.candidates = insert_text(schema.candidates, dialect)
        self.made = update_text(schema.candidates, _MADE, dialect)
        self.parents = insert_text(schema.parents, dialect)
        self.judgements = insert_text(schema.judgements, dialect)
        self.curve = insert_text(schema.curve, dialect)
        self.marks = insert_text(schema.marks, dialect)
        self.operators = insert_text(schema.operators, dialect, "replace")
        self.verdicts = insert_text(schema.verdicts, dialect, "replace")


def clear(connection: Connection, run: int) -> None:
    """Delete every projection of a run, in the open transaction."""
    for table in schema.PROJECTIONS:
        connection.execute(table.delete().where(table.c.run == run))
