"""Whatever is written, with whatever pauses: events come back, tables follow, queries are right."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from evoloom.core.contracts import Verdict
from evoloom.core.ledger import CandidateRow, JudgedRow, Ledger, Reader, RunInfo, schema

INFO = RunInfo("alpha", 0.0, "s", "p", {}, 0, "0")
SCOPES = (None, "[1,2]", '{"b": 1, "a": 2}')
FITNESS = st.one_of(st.none(), st.integers(-3, 3).map(float), st.floats())
STEP = st.one_of(
    st.tuples(
        st.just("asked"), st.lists(st.tuples(st.sampled_from([None, "m", "c"]), st.text(), st.data()), max_size=3)
    ),
    st.tuples(
        st.just("made"), st.integers(0, 99), st.one_of(st.none(), st.text()), st.lists(st.floats(0, 9), max_size=4)
    ),
    st.tuples(
        st.just("judged"),
        st.sampled_from(SCOPES),
        st.lists(st.tuples(st.integers(0, 99), st.sampled_from(list(Verdict)), FITNESS), max_size=4),
    ),
    st.tuples(st.just("told")),
    st.tuples(st.just("note"), st.sampled_from(["started", "snapshot", "stopped"])),
    st.tuples(st.sampled_from(["flush", "reopen", "rebuild"])),
)


def tables(led: Ledger) -> dict[str, list]:
    led.flush()
    with led._engine.connect() as connection:
        return {t.name: sorted(map(tuple, connection.execute(t.select())), key=repr) for t in schema.PROJECTIONS}


class Model:
    """What the ledger should say, by brute force over plain lists."""

    def __init__(self) -> None:
        self.events: list[tuple] = []
        self.parents: dict[int, tuple[int, ...]] = {}
        self.operator: dict[int, str | None] = {}
        self.content: dict[int, str | None] = {}
        self.judged: list[tuple] = []  # scope, id, verdict, fitness

    def lineage(self, id: int) -> list[int]:
        out, near = [], {id}
        while near:
            near = {p for i in near for p in self.parents[i]} - set(out) - {id}
            out += sorted(near)
        return out

    def top(self, scope: str | None) -> list[tuple[int, float]]:
        latest = {i: f for s, i, _, f in self.judged if s == scope}
        return sorted(((i, f) for i, f in latest.items() if f is not None), key=lambda x: (-x[1], x[0]))

    def curve(self) -> list[tuple]:
        best, out, n = None, [], 0
        for scope, i, verdict, f in self.judged:
            if verdict in (Verdict.UNMADE, Verdict.REPEAT):
                continue
            n += 1
            if scope is None and f is not None and (best is None or f > best):
                best = f
                out.append((n, f, i))
        return out


def write(led: Ledger, model: Model, batch: int, step: tuple) -> None:
    kind, *rest = step
    body = {"batch": batch, "kind": kind}
    n = len(model.parents)
    if kind == "asked":
        rows = []
        for row, (operator, text, data) in enumerate(rest[0]):
            parents = tuple(data.draw(st.lists(st.integers(0, n - 1), max_size=3))) if n else ()
            id_ = len(model.parents)
            model.parents[id_], model.operator[id_], model.content[id_] = parents, operator, text
            rows.append(CandidateRow(id_, row, operator, led.put(text), parents))
        led.asked(batch, json.dumps(body), rows)
    elif kind == "made":
        at, text, cost = rest
        if not n:
            return
        model.content[at % n] = text
        led.made(
            batch, 0, at % n, None if text is None else led.put(text), None if text else "no", cost, json.dumps(body)
        )
    elif kind == "judged":
        scope, rows = rest
        rows = [(i % n, v, f) for i, v, f in rows] if n else []
        model.judged += [(scope, i, v, None if f is None or f != f else f) for i, v, f in rows]
        led.judged(batch, scope, json.dumps(body), [JudgedRow(i, v, f, 1.0) for i, v, f in rows])
    elif kind == "told":
        led.told(batch, json.dumps(body))
    else:
        kind = rest[0]
        led.note(kind, json.dumps(body), batch)
    model.events.append((kind, batch, body))


def check(led: Ledger, where: Path, model: Model) -> None:
    assert [(e.kind, e.batch, e.body) for e in led.replay()] == model.events
    with Reader(where) as r:
        assert r.count() == len(model.parents)
        for i, parents in model.parents.items():
            c = r.candidate(i)
            assert (c.parents, c.operator) == (parents, model.operator[i])
            assert (None if c.content is None else r.genome(i)) == model.content[i]
            assert r.lineage(i) == model.lineage(i)
            assert r.children(i) == sorted(k for k, ps in model.parents.items() if i in ps)
        for scope in SCOPES:
            assert r.top(99, scope and json.loads(scope)) == model.top(scope)
        assert [(p.n_judged, p.fitness, p.id) for p in r.curve()] == model.curve()
        assert sum(r.verdicts().values()) == len(model.judged)
        assert sum(o.judged for o in r.operators()) == sum(
            v not in (Verdict.UNMADE, Verdict.REPEAT) for _, _, v, _ in model.judged
        )


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, max_size=14))
def test_events_in_are_events_out_and_tables_follow(steps):
    where = Path(tempfile.mkdtemp())
    led, model = Ledger.create(where, INFO), Model()
    try:
        for batch, step in enumerate(steps):
            if step[0] == "flush":
                led.flush()
            elif step[0] == "reopen":
                led.close()
                led = Ledger.open(where)
            elif step[0] == "rebuild":
                led.rebuild()
            else:
                write(led, model, batch, step)
        written = tables(led)
        check(led, where, model)
        led.rebuild()
        assert tables(led) == written
        check(led, where, model)
    finally:
        led.close()
        shutil.rmtree(where)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=20), max_size=8))
def test_every_text_comes_back(texts):
    where = Path(tempfile.mkdtemp())
    try:
        with Ledger.create(where, INFO) as led:
            names = [led.put(t) for t in texts]
            assert [led.get(n) for n in names] == texts
            led.flush()
            assert [led.get(n) for n in names] == texts
        assert len(set(names)) == len(set(texts))
    finally:
        shutil.rmtree(where)
