"""The ledger and its reader: what goes in comes out, and every answer is right."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from itertools import pairwise

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from evoloom.core.errors import LedgerError
from evoloom.core.ledger import Candidate, CandidateRow, JudgedRow, Ledger, OperatorRow, Reader, RunInfo, runs, schema
from evoloom.core.ledger.contents import INLINE_BYTES
from evoloom.core.ledger.schema import insert_text, update_text

INFO = RunInfo("alpha", 1000.0, "hill-climb", "sphere", {"window": None, "chunk": 4}, 2**70, "0.1", None)


def small_run(where, info=INFO):
    """0 and 1 are starts, 2 = mutate(0), 3 = cross(2, 1), 4 could not be made, 5 = mutate(3)."""
    led = Ledger.create(where, info)
    one, two = led.put('"one"'), led.put('"two"')
    led.note("started", "{}")
    led.asked(0, '{"a":0}', [CandidateRow(0, 0, None, led.put('"zero"')), CandidateRow(1, 1, None, one)])
    led.judged(0, None, "{}", [JudgedRow(0, 0, 1.0, 1.0), JudgedRow(1, 0, 3.0, 1.0)])
    led.told(0, "{}")
    led.asked(1, "{}", [CandidateRow(2, 0, "mutate", two, (0,)), CandidateRow(3, 1, "cross", None, (2, 1))])
    led.asked(
        2,
        "{}",
        [
            CandidateRow(4, 0, "cross", None, (1, 2)),
            CandidateRow(5, 1, "mutate", one, (3,)),
        ],
    )
    led.made(1, 1, 3, led.put('"three"'), None, (0, 2, 30, 0.5), "{}")
    led.made(2, 0, 4, None, "no \x00 idea \udc80", (0, 1), "{}")
    led.judged(1, None, "{}", [JudgedRow(2, 3, None, 1.0), JudgedRow(3, 0, 4.5, 1.0)])
    led.judged(2, "[1,  2]", "{}", [JudgedRow(5, 0, 9.0, 0.25)])
    led.judged(2, None, "{}", [JudgedRow(4, 9, None, 0.0), JudgedRow(5, 0, float("nan"), 1.0)])
    return led


def test_what_goes_in_comes_out_in_order(tmp_path):
    with small_run(tmp_path / "r") as led:
        events = list(led.replay())
    assert [e.seq for e in events] == list(range(1, 12))
    kinds = ["started", "asked", "judged", "told", "asked", "asked", "made", "made", "judged", "judged", "judged"]
    assert [e.kind for e in events] == kinds
    assert [e.batch for e in events] == [-1, 0, 0, 0, 1, 2, 1, 2, 1, 2, 2]
    assert [e.row for e in events][6:8] == [1, 0]
    assert events[1].body == {"a": 0}
    assert all(a.seconds <= b.seconds for a, b in pairwise(events))
    with Reader(tmp_path / "r") as r:
        assert r.info == INFO
        assert list(r.events()) == events
        assert [e.seq for e in r.events(since=9)] == [10, 11]
        assert [e.seq for e in r.events(since=2, kinds=("asked", "told"))] == [4, 5, 6]


def test_reader_answers(tmp_path):
    small_run(tmp_path).close()
    r = Reader(tmp_path)
    assert r.candidate(3) == Candidate(3, 1, "cross", r.candidate(3).content, (2, 1), None)
    assert r.candidate(0).operator is None
    assert r.candidate(4).why == "no \\u0000 idea \\udc80"
    assert [r.genome(i) for i in (0, 1, 2, 3, 5)] == ['"zero"', '"one"', '"two"', '"three"', '"one"']
    assert r.candidate(1).content == r.candidate(5).content
    assert list(r.candidates()) == [r.candidate(i) for i in range(6)]
    assert r.children(1) == [3, 4]
    assert r.children(5) == []
    assert r.lineage(5) == [3, 1, 2, 0]
    assert r.lineage(0) == []
    assert r.top(10) == [(3, 4.5), (1, 3.0), (0, 1.0)]  # 5 was judged, but its fitness is not a number
    assert r.top(1) == [(3, 4.5)]
    assert r.top(10, scope=[1, 2]) == [(5, 9.0)]
    assert [(p.n_judged, p.fitness, p.id) for p in r.curve()] == [(1, 1.0, 0), (2, 3.0, 1), (4, 4.5, 3)]
    assert r.verdicts() == {0: 5, 3: 1, 9: 1}
    assert r.operators() == [
        OperatorRow(None, 2, 0, 2, 2, 3.0),
        OperatorRow("cross", 2, 1, 1, 1, 4.5),
        OperatorRow("mutate", 2, 0, 3, 2, None),
    ]
    assert r.count() == 6
    assert r.outcome() is None
    assert [(j.id, j.scope, j.verdict, j.fitness, j.cost) for j in r.judgements(5)] == [
        (5, [1, 2], 0, 9.0, 0.25),
        (5, None, 0, None, 1.0),
    ]
    assert [j.id for j in r.judgements()] == [0, 1, 2, 3, 4, 5, 5]
    with pytest.raises(LedgerError, match="no candidate 77"):
        r.candidate(77)
    with pytest.raises(LedgerError, match=r"candidate 4 .* has no genome: no "):
        r.genome(4)


def test_top_counts_the_latest_judgement_and_breaks_ties_by_id(tmp_path):
    led = Ledger.create(tmp_path, INFO)
    led.asked(0, "{}", [CandidateRow(i, i, None, None) for i in range(4)])
    led.judged(0, None, "{}", [JudgedRow(i, 0, x, 1.0) for i, x in enumerate((9.0, 5.0, 5.0, 1.0))])
    led.judged(1, None, "{}", [JudgedRow(0, 0, 2.0, 1.0), JudgedRow(3, 0, 8.0, 1.0), JudgedRow(3, 0, 7.0, 1.0)])
    led.judged(2, None, "{}", [JudgedRow(2, 4, None, 1.0)])  # timed out this time
    led.close()
    assert Reader(tmp_path).top(9) == [(3, 7.0), (1, 5.0), (0, 2.0)]


def test_infinite_fitness_and_numpy_numbers(tmp_path):
    np = pytest.importorskip("numpy")
    led = Ledger.create(tmp_path, INFO)
    led.asked(0, "{}", [CandidateRow(np.int64(i), np.int32(i), "x", None, np.zeros(min(i, 1), int)) for i in range(3)])
    rows = zip(np.arange(3), np.zeros(3, np.int8), np.array([1.5, np.inf, -np.inf]), np.ones(3))
    led.judged(np.int64(0), None, "{}", [JudgedRow(*r) for r in rows])
    led.rebuild()
    led.close()
    r = Reader(tmp_path)
    assert r.top(3) == [(1, float("inf")), (0, 1.5), (2, -float("inf"))]
    assert r.children(0) == [1, 2]


def test_contents_are_stored_once_and_large_ones_as_files(tmp_path):
    large = json.dumps("x" * INLINE_BYTES)
    with Ledger.create(tmp_path, INFO) as led:
        names = [led.put(t) for t in ('"a"', large, '"a"', large)]
        assert names[0] == names[2] != names[1] == names[3]
        assert [led.get(n) for n in names[:2]] == ['"a"', large]  # not committed yet
        led.flush()
        assert [led.get(n) for n in names[:2]] == ['"a"', large]
        with pytest.raises(LedgerError, match="no content 00ff"):
            led.get("00ff")
    files = [p for p in (tmp_path / "blobs").rglob("*") if p.is_file()]
    assert [p.name for p in files] == [names[1]]
    db = sqlite3.connect(tmp_path / "ledger.db")
    assert sorted(db.execute("select size, data is null from contents")) == [(3, 0), (len(large), 1)]
    db.close()
    moved = tmp_path.with_name("moved")
    tmp_path.rename(moved)
    assert Reader(moved).get(names[1]) == large
    (moved / "blobs" / names[1][:2] / names[1]).write_text("y" * len(large))
    with pytest.raises(LedgerError, match="damaged"):
        Reader(moved).get(names[1])
    (moved / "blobs" / names[1][:2] / names[1]).unlink()
    with pytest.raises(LedgerError, match="cannot be read"):
        Reader(moved).get(names[1])


def test_blobs_elsewhere(tmp_path):
    with Ledger.create(tmp_path / "a", INFO, blobs=tmp_path / "store") as led:
        name = led.put("z" * 9000)
    assert (tmp_path / "store" / name[:2] / name).is_file()
    assert Reader(tmp_path / "a").get(name) == "z" * 9000


def test_reopening_continues_numbers_time_and_aggregates(tmp_path):
    small_run(tmp_path).close()
    with Ledger.open(tmp_path) as led:
        assert led.info == INFO
        before = list(led.replay())
        led.note("resumed", "{}")
        led.asked(3, "{}", [CandidateRow(6, 0, "cross", led.put('"six"'), (3, 5))])
        led.judged(3, None, "{}", [JudgedRow(6, 0, 4.0, 1.0)])
        led.told(3, "{}")
        led.note("stopped", '{"why": "EVALUATIONS"}')
        after = list(led.replay())
    assert after[: len(before)] == before
    assert [e.seq for e in after[len(before) :]] == [12, 13, 14, 15, 16]
    assert after[len(before)].seconds >= before[-1].seconds
    r = Reader(tmp_path)
    assert r.outcome() == {"why": "EVALUATIONS"}
    assert r.operators()[1] == OperatorRow("cross", 3, 1, 2, 2, 4.5)
    assert [p.id for p in r.curve()] == [0, 1, 3]  # 4.0 is no improvement on 4.5
    assert r.lineage(6) == [3, 5, 1, 2, 0]


def test_a_made_candidate_of_an_earlier_commit_is_updated(tmp_path):
    with Ledger.create(tmp_path, INFO) as led:
        led.asked(0, "{}", [CandidateRow(0, 0, "m", None)])
        led.flush()
        assert Reader(tmp_path).candidate(0).content is None
        name = led.put('"late"')
        led.made(0, 0, 0, name, None, (), "{}")
    assert Reader(tmp_path).genome(0) == '"late"'


def test_contradictions_are_refused_and_leave_nothing_behind(tmp_path):
    with Ledger.create(tmp_path, INFO) as led:
        led.asked(0, "{}", [CandidateRow(0, 0, "m", None)])
        with pytest.raises(LedgerError, match="candidate 0 was asked before"):
            led.asked(1, "{}", [CandidateRow(1, 0, "m", None), CandidateRow(0, 1, "m", None)])
        with pytest.raises(LedgerError, match="candidate 1 was judged, but never asked"):
            led.judged(0, None, "{}", [JudgedRow(0, 0, 1.0, 1.0), JudgedRow(1, 0, 1.0, 1.0)])
        with pytest.raises(LedgerError, match="candidate 2 was made, but never asked"):
            led.made(0, 0, 2, None, "x", (), "{}")
        with pytest.raises(LedgerError, match="'asked' is not a kind of note"):
            led.note("asked", "{}")
        led.told(0, "{}")
        assert [e.kind for e in led.replay()] == ["asked", "told"]
    r = Reader(tmp_path)
    assert (r.count(), r.verdicts()) == (1, {})


def test_bodies_keep_every_character(tmp_path):
    body = {"text": "snow ☃ \udc80 \x00 line\u2028", "inf": float("inf")}
    with Ledger.create(tmp_path, INFO) as led:
        led.told(0, json.dumps(body))
        led.told(1, json.dumps(body, ensure_ascii=False))
        assert [e.body for e in led.replay()] == [body, body]


def test_a_reader_looks_on_while_the_writer_writes(tmp_path):
    with Ledger.create(tmp_path, INFO) as led, Reader(tmp_path) as r:
        for i in range(5):
            led.asked(i, "{}", [CandidateRow(i, 0, None, led.put(f'"{i}"'))])
            led.judged(i, None, "{}", [JudgedRow(i, 0, float(i), 1.0)])
            led.flush()
            answers = []
            thread = threading.Thread(target=lambda: answers.append((r.top(1), r.count(), r.genome(i))))  # noqa: B023
            thread.start()
            thread.join()
            assert answers == [([(i, float(i))], i + 1, f'"{i}"')]


def test_readers_cannot_write(tmp_path):
    small_run(tmp_path).close()
    r = Reader(tmp_path)
    with pytest.raises(LedgerError, match="readonly"), r._read() as connection:
        connection.exec_driver_sql("DELETE FROM events")


def test_several_runs_in_one_ledger_do_not_mix(tmp_path):
    url = f"sqlite:///{tmp_path}/team.db"
    small_run(url, INFO).close()
    small_run(url, INFO._replace(run="beta", parent_run="alpha")).close()
    with pytest.raises(LedgerError, match=r"holds 2 runs, name one of them. Known: alpha, beta"):
        Reader(url)
    with pytest.raises(LedgerError, match=r"no run called 'bta'. Did you mean 'beta'"):
        Ledger.open(url, "bta")
    with Ledger.open(url, "beta") as led:
        led.asked(9, "{}", [CandidateRow(9, 0, "cross", None, (5,))])
        led.rebuild()
    a, b = Reader(url, "alpha"), Reader(url, "beta")
    assert (a.count(), b.count()) == (6, 7)
    assert (a.top(3), a.lineage(5)) == (b.top(3), b.lineage(5))
    assert [r.run for r in runs(url)] == ["alpha", "beta"]
    with pytest.raises(LedgerError, match="holds a run called 'alpha' already"):
        Ledger.create(url, INFO)


def test_runs_lists_a_directory_and_warns_of_a_bad_one(tmp_path):
    for i, name in enumerate(("b", "a")):
        small_run(tmp_path / name, INFO._replace(run=name, created=float(i))).close()
    assert [r.run for r in runs(tmp_path)] == ["b", "a"]
    assert [r.run for r in runs(tmp_path / "a")] == ["a"]
    assert runs(tmp_path / "nothing") == []
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "ledger.db").write_bytes(b"rubbish" * 1000)
    with pytest.warns(UserWarning, match="not a ledger"):
        assert len(runs(tmp_path)) == 2


def test_one_writer_at_a_time_in_this_process(tmp_path):
    led = small_run(tmp_path)
    led.flush()
    with pytest.raises(LedgerError, match=rf"written by process {os.getpid()} on .* since .* this very process"):
        Ledger.open(tmp_path)
    del led  # dropped without close, as after an exception: nobody holds it any more
    with Ledger.open(tmp_path) as led:
        assert len(list(led.replay())) == 11
    led.close()
    with pytest.raises(LedgerError, match="closed"):
        led.told(0, "{}")


HOLD = """
import sys, time
from evoloom.core.ledger import Ledger
led = Ledger.open(sys.argv[1])
led.note("resumed", "{}")
led.flush()
print("held", flush=True)
time.sleep(60)
"""


def test_another_process_holds_the_lease_until_it_dies(tmp_path):
    small_run(tmp_path).close()
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    with pytest.raises(LedgerError, match=rf"written by process {child.pid} on .* Wait for it to end or stop it"):
        Ledger.open(tmp_path)
    assert Reader(tmp_path).count() == 6
    child.kill()  # not waited for: a zombie holds nothing either
    child.stdout.read()
    with Ledger.open(tmp_path) as led:
        assert [e.kind for e in led.replay()][-1] == "resumed"
    child.wait()
    child.stdout.close()


def test_a_lease_of_another_host_needs_force_and_the_key_fences_the_loser(tmp_path):
    first = small_run(tmp_path)
    first.flush()
    db = sqlite3.connect(tmp_path / "ledger.db")
    db.execute("update leases set host = 'elsewhere', pid = 7")
    db.commit()
    db.close()
    with pytest.raises(LedgerError, match=r"process 7 on elsewhere since .* force=True"):
        Ledger.open(tmp_path)
    second = Ledger.open(tmp_path, force=True)
    second.told(2, '"second"')
    second.flush()

    def write() -> None:
        first.told(2, '"first"')  # commits by itself where the last commit is long ago
        first.flush()

    with pytest.raises(LedgerError, match="another process has continued the run 'alpha'"):
        write()
    with pytest.raises(LedgerError, match="another process has continued"):
        first.told(2, "{}")
    first.close()
    second.told(3, "{}")
    assert [e.body for e in second.replay()][-2:] == ["second", {}]
    second.close()


def test_a_forked_child_may_not_write(tmp_path):
    with small_run(tmp_path) as led:
        pid = os.fork()
        if pid == 0:
            try:
                led.told(0, "{}")
            except LedgerError:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_the_schema_and_statements_are_no_dialect_of_sqlite():
    dialect = postgresql.dialect(paramstyle="pyformat")
    for table in schema.metadata.sorted_tables:
        text = str(CreateTable(table).compile(dialect=dialect))
        assert "rowid" not in text.lower()
        for index in table.indexes:
            str(CreateIndex(index).compile(dialect=dialect))
    assert insert_text(schema.verdicts, dialect, "replace") == (
        'INSERT INTO verdicts ("run", "verdict", "n") VALUES (%s, %s, %s) '
        'ON CONFLICT ("run", "verdict") DO UPDATE SET "n" = excluded."n"'
    )
    assert update_text(schema.candidates, ("why",), dialect) == (
        'UPDATE candidates SET "why" = %s WHERE "run" = %s AND "id" = %s'
    )
