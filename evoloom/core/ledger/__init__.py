"""Everything that ever happened in a run, kept so that a killed process loses nothing that was paid for.

    events  =  started  (asked (made)* judged told)*  stopped          append-only, numbered, the truth
    tables  =  fold(apply, events)                                     candidates, parents, judgements, aggregates

An event's body belongs to the loop; the ledger reads only its *facts* (which candidates, which parents, which fitness)
and folds them into tables in the same transaction, so a reader never sees one without the other. Because the same
`Projector.apply` folds while writing and while rebuilding, tables can be thrown away at any time.

Contents (genomes, snapshots) lie beside the events under the hash of their text: equal content is stored once, a row
never holds more than a hash. One `Ledger` writes; any number of `Reader`s look on. SQLite is the default; everything
but `places.py` is plain SQLAlchemy Core that a database server takes as well.
"""

from evoloom.core.ledger.reader import Reader, runs
from evoloom.core.ledger.rows import (
    Candidate,
    CandidateRow,
    Event,
    Judged,
    JudgedRow,
    OperatorRow,
    Point,
    RunInfo,
)
from evoloom.core.ledger.writer import Ledger

__all__ = [
    "Candidate",
    "CandidateRow",
    "Event",
    "Judged",
    "JudgedRow",
    "Ledger",
    "OperatorRow",
    "Point",
    "Reader",
    "RunInfo",
    "runs",
]
