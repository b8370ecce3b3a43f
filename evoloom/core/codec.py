"""Messages to and from JSON text, and a digest of any state. What goes in comes out equal, floats to the last bit."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evoloom.core.contracts import Draft, Evaluation, Json, Notes, Proposals


def dumps(x: Json) -> str:
    """Compact JSON; numpy scalars and arrays are converted. NaN and infinities stay as Python's JSON spells them."""
    return json.dumps(x, separators=(",", ":"), default=_plain, ensure_ascii=False)


def _plain(x: Any) -> Any:
    if isinstance(x, (np.ndarray, np.generic)):
        return x.tolist()
    raise TypeError(f"{type(x).__name__} cannot be stored in the ledger: use None, bool, int, float, str, list or dict")


def _list(x: Any) -> Json:
    return None if x is None else np.asarray(x).tolist()


def _array(x: Json) -> Any:
    return None if x is None else np.asarray(x, dtype=np.float64)


def proposals_json(p: Proposals, contents: Sequence[str | None]) -> dict[str, Json]:
    """A batch as data; made genomes by the hash of their content."""
    genomes = [
        {"draft": [g.operator, g.about, list(g.reads)]} if isinstance(g, Draft) else c
        for g, c in zip(p.genomes, contents)
    ]
    return {
        "genomes": genomes,
        "parents": [[int(i) for i in ids] for ids in p.parents],
        "aux": {k: [str(np.asarray(v).dtype), _list(v)] for k, v in p.aux.items()},
        "known": None if p.known is None else [None if k is None else int(k) for k in p.known],
        "scope": p.scope,
        "given": p.given,
        "operators": list(p.operators),
    }


def evaluation_json(e: Evaluation, rows: Sequence[int]) -> dict[str, Json]:
    """Judged rows of a batch as data."""
    return {
        "rows": [int(r) for r in rows],
        "fitness": _list(e.fitness),
        "verdict": _list(e.verdict),
        "measures": _list(e.measures),
        "cases": _list(e.cases),
        "signals": {k: _list(v) for k, v in e.signals.items()},
        "cost": _list(e.cost),
        "notes": [None if x is None else [x.text, dict(x.artifacts)] for x in e.notes],
    }


def evaluation_of(body: Mapping[str, Any]) -> Evaluation:
    """The evaluation in a judged event's body."""
    return Evaluation(
        _array(body["fitness"]),
        np.asarray(body["verdict"], dtype=np.int8),
        _array(body["measures"]),
        _array(body["cases"]),
        {k: np.asarray(v, dtype=np.float64) for k, v in body["signals"].items()},
        _array(body["cost"]),
        None,
        [None if x is None else Notes(x[0], x[1]) for x in body["notes"]],
    )


def digest(state: Any) -> str:
    """Hash of everything in a state: equal states, equal digests, in any process. Generators are left out (streams
    come from the loop)."""
    h = hashlib.blake2b(digest_size=16)
    _feed(h, state)
    return h.hexdigest()


def _feed(h: Any, x: Any) -> None:
    if x is None or isinstance(x, (bool, int, float, str, bytes)):
        h.update(f"{type(x).__name__}:{x!r};".encode("utf-8", "surrogatepass"))
    elif isinstance(x, (np.ndarray, np.generic)):
        x = np.ascontiguousarray(x)
        h.update(f"array:{x.dtype.str}{x.shape};".encode())
        h.update(repr(x.tolist()).encode() if x.dtype.hasobject else x.tobytes())
    elif isinstance(x, (list, tuple)):
        h.update(f"{type(x).__name__}{len(x)}[".encode())
        for y in x:
            _feed(h, y)
    elif isinstance(x, Mapping):
        h.update(f"map{len(x)}[".encode())
        for k in sorted(x, key=repr):
            _feed(h, k)
            _feed(h, x[k])
    elif isinstance(x, (set, frozenset)):
        _feed(h, sorted(x, key=repr))
    elif isinstance(x, (np.random.Generator, np.random.RandomState, np.random.BitGenerator)) or callable(x):
        h.update(type(x).__name__.encode())
    elif dataclasses.is_dataclass(x):
        _feed(h, {f.name: getattr(x, f.name) for f in dataclasses.fields(x)})
    else:
        h.update(type(x).__qualname__.encode())
        _feed(h, vars(x) if hasattr(x, "__dict__") else repr(x))
