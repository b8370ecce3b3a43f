"""Places where a ledger should be and is not, or is not whole: a clear error, and not one byte changed."""

from __future__ import annotations

import os
import sqlite3

import pytest

from evoloom.core.errors import LedgerError
from evoloom.core.ledger import CandidateRow, JudgedRow, Ledger, Reader, RunInfo

INFO = RunInfo("alpha", 0.0, "s", "p", {}, 0, "0")


def a_run(where, n=300):
    with Ledger.create(where, INFO) as led:
        for i in range(n):
            led.asked(i, "{}", [CandidateRow(i, 0, "m", led.put(f'"{i}{"x" * 100}"'), (i - 1,) if i else ())])
            led.judged(i, None, "{}", [JudgedRow(i, 0, float(i), 1.0)])
            led.told(i, "{}")


def refused(where, match):
    """Reader and writer both refuse; nothing in the folder changes (SQLite's empty helper files may appear)."""
    folder = where if where.is_dir() else where.parent

    def files():
        helpers = ("ledger.db-shm", "ledger.db-wal")
        return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file() and p.name not in helpers}

    before = files()
    for opening in (Reader, Ledger.open):
        with pytest.raises(LedgerError, match=match):
            opening(where)
    assert files() == before
    assert not any(p.stat().st_size for p in folder.glob("ledger.db-wal"))


def test_nothing_there(tmp_path):
    a_run(tmp_path / "night-run", 1)
    refused(tmp_path / "nigth-run", r"nigth-run does not exist. Did you mean 'night-run'\?")
    refused(tmp_path, r"is a folder of 1 runs \(night-run\), not a run")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "holds no ledger.db")


def test_an_empty_file_and_a_killed_creation(tmp_path):
    (tmp_path / "ledger.db").write_bytes(b"")
    refused(tmp_path, "not a ledger of evoloom: the database is empty")
    a_run(tmp_path, 3)  # creating over it is fine
    assert Reader(tmp_path).count() == 3


def test_another_file(tmp_path):
    (tmp_path / "ledger.db").write_text("this is a diary\n" * 1000)
    refused(tmp_path, "is not a ledger: the file is no SQLite database")
    with pytest.raises(LedgerError, match="no SQLite database"):
        Ledger.create(tmp_path, INFO)


def test_another_database(tmp_path):
    db = sqlite3.connect(tmp_path / "ledger.db")
    db.execute("create table accounts (x)")
    db.commit()
    db.close()
    refused(tmp_path, r"is not a ledger of evoloom: the database has other tables \(accounts\)")
    before = (tmp_path / "ledger.db").read_bytes()
    with pytest.raises(LedgerError, match="other tables"):
        Ledger.create(tmp_path, INFO)
    assert (tmp_path / "ledger.db").read_bytes() == before


@pytest.mark.parametrize(("version", "word"), [(99, "newer evoloom.*upgrade"), (0, "older evoloom")])
def test_another_schema(tmp_path, version, word):
    a_run(tmp_path, 1)
    db = sqlite3.connect(tmp_path / "ledger.db")
    db.execute("update evoloom_schema set version = ?", (version,))
    db.commit()
    db.close()
    refused(tmp_path, f"has schema {version}, this evoloom reads schema 1: .*{word}")


def test_a_file_cut_off(tmp_path):
    a_run(tmp_path)
    file = tmp_path / "ledger.db"
    whole = file.read_bytes()
    for share in (0.3, 0.7, 0.95):
        file.write_bytes(whole[: int(len(whole) * share)])
        refused(tmp_path, "damaged .*it was cut off or overwritten")
    file.write_bytes(whole)
    assert Reader(tmp_path).count() == 300


def test_pages_overwritten(tmp_path):
    a_run(tmp_path)
    file = tmp_path / "ledger.db"
    whole = bytearray(file.read_bytes())
    whole[4096 * 6 :] = b"\x7f" * (len(whole) - 4096 * 6)
    file.write_bytes(whole)
    with pytest.raises(LedgerError, match="damaged"), Ledger.open(tmp_path) as led:
        list(led.replay())
    with pytest.raises(LedgerError, match="damaged"):
        list(Reader(tmp_path).events())


def test_wrong_run_name(tmp_path):
    a_run(tmp_path, 1)
    for opening in (Reader, Ledger.open):
        with pytest.raises(LedgerError, match=r"has no run called 'alfa'. Did you mean 'alpha'"):
            opening(tmp_path, "alfa")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "nonsense://x", "sqlite:///a?b=c://"])
def test_addresses_that_cannot_be(url):
    with pytest.raises(LedgerError):
        Reader(url)


def test_passwords_are_not_shown():
    with pytest.raises(LedgerError) as e:
        Ledger.open("nosuchdb://me:secret@host/db")
    assert "secret" not in str(e.value)


def test_a_locked_ledger_says_so_and_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("evoloom.core.ledger.places.BUSY_S", 0.05)
    with Ledger.create(tmp_path, INFO) as led:
        led.told(0, "{}")
        led.flush()
        led.told(1, "{}")
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("begin immediate")
        with pytest.raises(LedgerError, match="stayed locked by another process"):
            led.flush()
        other.execute("rollback")
        other.close()
        led.flush()
        assert [e.batch for e in led.replay()] == [0, 1]


def test_a_read_only_folder_can_be_read(tmp_path, monkeypatch):
    a_run(tmp_path, 5)
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and access(path, mode))
    assert Reader(tmp_path).count() == 5
    assert not (tmp_path / "ledger.db-wal").exists()


def test_names_with_marks_of_addresses(tmp_path):
    where = tmp_path / "a?b=1#c %41"
    a_run(where, 2)
    assert Reader(where).count() == 2
