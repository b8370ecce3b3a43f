"""Contents by their hash: small ones in the database, large ones as files. Equal content is stored once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from pathlib import Path

from sqlalchemy import Connection, select

from evoloom.core.errors import LedgerError
from evoloom.core.ledger.schema import contents

INLINE_BYTES = 8 * 1024  # larger contents become files
CHUNK = 500  # hashes per query


def to_bytes(text: str) -> bytes:
    """UTF-8. Lone surrogates pass, so that every Python string comes back as it was."""
    return text.encode("utf-8", "surrogatepass")


def to_text(data: bytes) -> str:
    return bytes(data).decode("utf-8", "surrogatepass")


def hash_of(data: bytes) -> str:
    """blake2b with 128 bits, in hexadecimal."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _file(folder: Path, name: str) -> Path:
    return folder / name[:2] / name


def write_file(folder: Path, name: str, data: bytes) -> None:
    """Store one blob. Whole or not at all: the name appears by an atomic rename.

    Not fsynced: a killed process loses nothing, a power cut may lose what the last seconds wrote; `read` notices.
    """
    path = _file(folder, name)
    if path.is_file() and path.stat().st_size == len(data):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{name}.{os.getpid()}")
    part.write_bytes(data)
    os.replace(part, path)


def read(connection: Connection, folder: Path | None, name: str) -> str:
    """The text of a content.

    Raises:
        LedgerError: never stored, or the blob file is missing or damaged.
    """
    return read_many(connection, folder, [name])[name]


def read_many(connection: Connection, folder: Path | None, names: Collection[str]) -> dict[str, str]:
    """The texts of several contents, by hash. Raises as `read`."""
    rows: dict[str, bytes | None] = {}
    ordered = sorted(set(names))
    for i in range(0, len(ordered), CHUNK):
        query = select(contents.c.hash, contents.c.data).where(contents.c.hash.in_(ordered[i : i + CHUNK]))
        rows.update((name, data) for name, data in connection.execute(query))
    for name in ordered:
        if name not in rows:
            raise LedgerError(f"the ledger has no content {name}.")
    return {n: _from_file(folder, n) if (data := rows[n]) is None else to_text(data) for n in ordered}


def _from_file(folder: Path | None, name: str) -> str:
    if folder is None:
        raise LedgerError(f"content {name} is in a blob folder, but this run names none.")
    path = _file(folder, name)
    try:
        data = path.read_bytes()
    except OSError as e:
        raise LedgerError(f"content {name} should be in {path}, which cannot be read: {e.strerror}.") from e
    if hash_of(data) != name:
        raise LedgerError(f"{path} is damaged: its {len(data)} bytes do not have the hash of its name.")
    return to_text(data)
