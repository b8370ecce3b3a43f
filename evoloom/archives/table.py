"""What every archive shares: a table of numbers, one slot per kept candidate, and the door through which rows enter.

An archive is a `Table` plus one rule, `place`, which says for every row of a batch whether it is kept and in which
slot. The door does the rest, once for all rules: rows that are not OK or not finite are refused and counted by reason,
a row whose id is already inside replaces its old judgement, parents are credited, and kept rows are written.

Symbols in shapes: n rows of a batch, m objectives, k measures, c cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from evoloom.archives.trees import map_leaves
from evoloom.core.contracts import Added, Array, Evaluation, Status, Verdict
from evoloom.core.errors import ContractError, UsageError, near
from evoloom.core.ops import put
from evoloom.core.value import static, value

# What an empty slot holds; other columns hold nan (floats) or -1 (integers).
FILLS: Mapping[str, float] = {"fitness": -np.inf, "children": 0, "curiosity": 0.0, "near": np.inf}
REASONS = tuple(v for v in Verdict if v != Verdict.OK)
OK, NONFINITE = int(Verdict.OK), int(Verdict.NONFINITE)
REFUSED, REJECTED, IMPROVED, NEW = (np.int8(s) for s in Status)


class Batch(NamedTuple):
    """The rows of one insert as the rules see them. Rows where `ok` is false must get no slot."""

    ids: Array  # (n,) int64
    ok: Array  # (n,) bool: OK, finite in all that the archive reads, and the last row of its id
    values: Mapping[
        str, Array
    ]  # (n, ...) by column name: fitness, entered, children, curiosity, what the archive reads

    @property
    def n(self) -> int:
        return len(self.ids)

    @property
    def fitness(self) -> Array:
        return self.values["fitness"]


class Placed(NamedTuple):
    """A rule's answer. `table` may be grown, or have lost members; the rows themselves are not written yet."""

    table: Any
    added: Added
    own: Mapping[str, Array] = {}  # (n, ...) values of columns that only this rule knows


@value
class Table:
    """Base of all archives; subclasses are final and define `place`.

    Credit: where `aux` holds "parents", (n, arity) ids with -1 for none, every parent inside gets +1 `children` per
    valid child, and `curiosity` +1 per child that the archive took, -0.5 per child that it did not (Cully and Demiris
    2018, Quality and Diversity Optimization, section III-B). A slot starts both at 0 when its candidate enters.
    """

    ids: Array  # (slots,) int64, -1 = empty
    columns: dict[str, Array]  # (slots, ...) by name
    refused: Array  # (verdicts,) int64: refused rows by Verdict
    newest: Array  # () int64: highest id seen
    entries: Array  # () int64: rows seen, which numbers the order of entry
    stacked: Any  # pytree (slots, ...) of what `column` carried, or None
    signals: tuple[str, ...] = static()

    reads: ClassVar[frozenset[str]] = frozenset({"fitness"})

    @property
    def needs(self) -> frozenset[str]:
        """Columns of an evaluation that the rule reads or the table keeps."""
        return self.reads | frozenset(self.signals)

    @property
    def filled(self) -> Array:
        """(slots,) bool."""
        return self.ids >= 0

    @property
    def n(self) -> int:
        """Candidates inside."""
        return int(np.count_nonzero(self.filled))

    @property
    def fitness(self) -> Array:
        """(slots,) or (slots, m); -inf in empty slots."""
        return self.columns["fitness"]

    @property
    def names(self) -> frozenset[str]:
        """What `column` offers: compare a select's `needs` with it."""
        return frozenset(self.columns) | {"id"}

    def column(self, name: str) -> Array:
        """(slots, ...) values under a name; empty slots hold no meaning. Read only, until the next insert.

        Raises:
            UsageError: there is no such column.
        """
        if name == "id":
            return self.ids
        try:
            return self.columns[name]
        except KeyError:
            raise UsageError(
                f"{type(self).__name__.lower()} archive has no column '{name}', only {', '.join(sorted(self.names))}."
                f"{near(name, self.names)} Signals of a problem are kept where the archive is made with signals=(...)."
            ) from None

    def top(self, k: int = 1) -> Array:
        """Ids of the k best, best first, ties to the first that entered; many objectives: by the first one."""
        f = self.fitness if self.fitness.ndim == 1 else self.fitness[:, 0]
        best = np.lexsort((self.columns["entered"], -f))
        return self.ids[best[: min(k, self.n)]]

    def stats(self) -> dict[str, Any]:
        """0-d numbers under fixed keys. `best` is nan while nothing is inside."""
        out: dict[str, Any] = {"filled": self.n}
        best = self.fitness.max(axis=0, initial=-np.inf)
        if self.fitness.ndim == 1:
            out["best"] = float(best) if np.isfinite(best) else float("nan")
        else:
            out |= {f"best_{j}": float(b) if np.isfinite(b) else float("nan") for j, b in enumerate(best)}
        out["refused"] = int(self.refused.sum())
        return out | {f"refused_{v.name.lower()}": int(self.refused[v]) for v in REASONS}

    def place(self, batch: Batch) -> Placed:
        """The rule: judge every row against the table as it stands, and give slots to those that stay."""
        raise NotImplementedError(f"{type(self).__name__} must define place(batch)")

    def insert(self, ids: Array, evaluation: Evaluation, column: Any = None, aux: Mapping[str, Array] | None = None):
        """The archive with a batch inside, and its answer per row. Takes ownership of self.

        ids: (n,) not negative. Statuses and gains are judged against the archive before the batch; a row with status
        > 0 and slot -1 would have entered but was beaten inside its batch. An id that is inside is judged again: the
        old judgement goes first, then the new one competes like any row, with its age and credit kept.
        """
        ids = np.asarray(ids, dtype=np.int64)
        if not len(ids):
            return self, Added.none(0)
        ok, values = self._admit(ids, evaluation)
        table, old = self, None
        if ids[0] <= self.newest or (len(ids) > 1 and not (ids[1:] > ids[:-1]).all()):
            ok, at = _last(ids, ok), locate(self.ids, ids)
            again = ok & (at >= 0)
            if again.any():
                old = np.where(_tail(again, self.fitness), self.fitness[at], np.nan)
                for name in ("entered", "children", "curiosity"):
                    values[name] = np.where(again, self.columns[name][at], values[name])
                table = table.without(at[again])
        placed = table.place(Batch(ids, ok, values))
        table, added = placed.table, placed.added
        if old is not None:
            added = _judged_again(added, old, values["fitness"])
        if aux and "parents" in aux:
            table._credit(np.asarray(aux["parents"]), ok, added)
        kept = table._written(ids, {**values, **placed.own}, added.slot, column)
        return table.replace(newest=max(self.newest, ids.max()), entries=self.entries + len(ids), **kept), added

    def without(self, slots: Array) -> Any:
        """The table with some slots emptied. Rules that keep more than columns about a member extend it."""
        self.ids[slots] = -1
        for name, col in self.columns.items():
            col[slots] = _fill(name, col)
        return self

    def grown(self, n: int) -> tuple[Any, Array]:
        """Room for n more rows, doubling where needed, and n free slots, lowest first."""
        free = np.flatnonzero(self.ids < 0)
        if len(free) >= n:
            return self, free[:n]
        more = max(len(self.ids), n - len(free))
        free = np.concatenate([free, len(self.ids) + np.arange(more)])[:n]

        def longer(x: Array, fill: Any = 0) -> Array:
            return np.concatenate([x, np.full((more, *x.shape[1:]), fill, x.dtype)])

        table = self.replace(  # type: ignore[attr-defined]
            ids=longer(self.ids, -1),
            columns={name: longer(col, _fill(name, col)) for name, col in self.columns.items()},
            stacked=None if self.stacked is None else map_leaves(longer, self.stacked),
        )
        return table, free

    def _admit(self, ids: Array, evaluation: Evaluation) -> tuple[Array, dict[str, Array]]:
        """Which rows may enter, and the values that the table may keep; counts the refused by reason."""
        verdict = np.asarray(evaluation.verdict)
        ok = verdict == OK
        values = {"fitness": np.asarray(evaluation.fitness, dtype=np.float64)}
        for name in self.needs - {"fitness"}:
            x = getattr(evaluation, name) if name in ("measures", "cases") else evaluation.signals.get(name)
            if x is None:
                raise ContractError(
                    f"{type(self).__name__.lower()} archive needs '{name}', but the evaluation has none"
                )
            values[name] = np.asarray(x, dtype=np.float64)
        finite = ok
        for name, x in values.items():
            col = self.columns.get(name)
            if col is not None and x.shape[1:] != col.shape[1:]:
                raise ContractError(
                    f"{type(self).__name__.lower()} archive holds '{name}' with rows of shape {col.shape[1:]}, got "
                    f"{x.shape[1:]}: only whole judgements (scope None) may be inserted"
                )
            finite = finite & (np.isfinite(x) if x.ndim == 1 else np.isfinite(x).all(axis=1))
        if not finite.all():
            np.add.at(self.refused, np.where(ok & ~finite, NONFINITE, verdict)[~finite], 1)
        values["entered"] = self.entries + np.arange(len(ids))
        values["children"] = values["curiosity"] = np.zeros(len(ids))
        return finite, values

    def _credit(self, parents: Array, ok: Array, added: Added) -> None:
        """Children and curiosity of the parents inside; a parent named twice by a child counts once."""
        parents = parents.reshape(len(ok), -1)
        at = locate(self.ids, parents.ravel()).reshape(parents.shape)
        for j in range(1, parents.shape[1]):
            at[(at[:, :j] == at[:, j : j + 1]).any(axis=1), j] = -1
        rows, _ = inside = np.nonzero(at >= 0)
        slots = at[inside]
        np.add.at(self.columns["children"], slots[ok[rows]], 1)
        np.add.at(self.columns["curiosity"], slots, np.where(added.status[rows] > 0, 1.0, -0.5))

    def _written(self, ids: Array, values: Mapping[str, Array], slot: Array, column: Any) -> dict[str, Any]:
        """The fields that change when the kept rows go into their slots."""
        rows = np.flatnonzero(slot >= 0)
        if not len(rows):
            return {}
        at = slot[rows]
        stacked = self.stacked
        if column is not None or stacked is not None:
            if column is None:
                raise ContractError("this archive carries a stacked column; insert got none for the new rows")
            if stacked is None:
                stacked = map_leaves(lambda x: np.zeros((len(self.ids), *x.shape[1:]), x.dtype), column)
            stacked = map_leaves(lambda col, x: put(col, at, x[rows]), stacked, column)
        columns = {name: put(col, at, values[name][rows]) for name, col in self.columns.items()}
        return {"ids": put(self.ids, at, ids[rows]), "columns": columns, "stacked": stacked}


def blank(
    slots: int, spec: Mapping[str, tuple[int, ...]] | None = None, signals: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The fields of an empty `Table`. spec: trailing shape per float column beside the usual ones."""
    shapes = {"fitness": (), "curiosity": (), **dict.fromkeys(signals, ()), **(spec or {})}
    columns: dict[str, Array] = {
        name: np.full((slots, *tail), FILLS.get(name, np.nan), np.float64) for name, tail in shapes.items()
    }
    columns["children"] = np.zeros(slots, np.int64)
    columns["entered"] = np.full(slots, -1, np.int64)
    return {
        "ids": np.full(slots, -1, np.int64), "columns": columns, "refused": np.zeros(len(Verdict), np.int64),
        "newest": np.int64(-1), "entries": np.int64(0), "stacked": None, "signals": tuple(signals),
    }  # fmt: skip


def locate(inside: Array, ids: Array) -> Array:
    """Slot of every id, -1 where it is not inside. inside: (slots,), ids: (n,) -> (n,) int."""
    if len(ids) <= 16:
        hit = ids[:, None] == inside[None, :]
        at = np.where(hit.any(axis=1), hit.argmax(axis=1), -1)
    else:
        by = np.argsort(inside, kind="stable")
        at = by[np.minimum(np.searchsorted(inside, ids, sorter=by), len(by) - 1)]
        at = np.where(inside[at] == ids, at, -1)
    return np.where(ids >= 0, at, -1)


def _fill(name: str, col: Array) -> float:
    return FILLS.get(name, np.nan if col.dtype.kind == "f" else -1)


def _tail(mask: Array, like: Array) -> Array:
    """A row mask shaped so that it broadcasts over the trailing axes of `like`."""
    return mask.reshape(-1, *(1,) * (like.ndim - 1))


def _last(ids: Array, ok: Array) -> Array:
    """Of rows with the same id only the last admitted one counts."""
    rows = np.flatnonzero(ok)[::-1]
    _, first = np.unique(ids[rows], return_index=True)
    keep = np.zeros(len(ids), bool)
    keep[rows[first]] = True
    return keep


def _judged_again(added: Added, old: Array, fitness: Array) -> Added:
    """Rows that replaced their own judgement: improved by how much every objective rose, else rejected."""
    gain = fitness - old  # nan for rows that were not inside
    gain = gain if gain.ndim == 1 else gain.min(axis=1)
    status = np.where(np.isnan(gain), added.status, np.where(gain > 0, IMPROVED, REJECTED))
    return Added(status, np.where(np.isnan(gain), added.gain, np.maximum(gain, 0.0)), added.slot)


def answer(ok: Array, won: Array, fresh: Array, gain: Array, slot: Array) -> Added:
    """An `Added` from a rule's masks. ok, won, fresh: (n,) bool: admitted, would enter, nothing was there before."""
    status = np.where(won, np.where(fresh, NEW, IMPROVED), np.where(ok, REJECTED, REFUSED))
    return Added(status, np.where(won, gain, 0.0), slot)
