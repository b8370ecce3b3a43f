"""The one-file report: complete, self-contained, and nothing of a candidate becomes markup."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from toys import NASTY

from evoloom import api
from evoloom.report import html, markup, pictures, story, svg
from evoloom.report.curves import Curve, best_so_far

pytestmark = pytest.mark.usefixtures("toys")


@pytest.fixture
def run(tmp_path, toys):
    return api.run("toy", "climb", evaluations=300, seed=1, where=tmp_path / "toy-1")


class Structure(HTMLParser):
    """Open tags, attributes and text of scripts; fails on a tag that is closed out of order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.scripts = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in markup.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)


def test_story_reads_what_the_run_said(run):
    s = story.read(run.where)
    assert s.best.id == run.best.id
    assert s.best.native == run.best.native
    assert s.best.text == run.best.text
    assert s.held_out == run.best.held_out
    assert s.curve.y[-1] == run.best.native
    assert s.curve.x[-1] == s.n_judged == 300
    assert s.line[0].parents == ()
    assert [b.parents[0] for b in s.line[1:]] == [a.id for a in s.line[:-1]]
    assert s.n_ancestors == len(s.line) - 1
    assert s.stopped == run.stop.value


def test_a_run_that_was_killed_has_a_story(run, tmp_path):
    from evoloom.core.ledger import Ledger, RunInfo

    config = story.read_info(run.where).config
    Ledger.create(tmp_path / "dead", RunInfo("dead", 0.0, "climb", "toy", config, 0, "0")).close()
    s = story.read(tmp_path / "dead")
    assert s.best is None
    assert "killed" in s.stopped
    assert "nothing valid" in html.page(s)


def test_page_is_well_formed_and_needs_nothing_else(run, tmp_path):
    text = html.write_html(run.where, tmp_path / "r.html").read_text()
    page = Structure(text)
    assert not re.search(r"(src|href)=", text)
    assert len(page.scripts) == 1
    digest = base64.b64encode(hashlib.sha256(page.scripts[0].encode()).digest()).decode()
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a)
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    for part in ("Best so far", "On held-out data", "first fit", "How it came about", "nudge", "Settings and versions"):
        assert part in text


def test_candidates_are_escaped_everywhere(run, tmp_path):
    text = html.write_html(run.where, tmp_path / "r.html").read_text()
    assert NASTY not in text
    assert "<b>bold" not in text
    assert "&lt;/script&gt;" in text


def test_simplified_winner_is_shown_with_its_original(run, monkeypatch):
    s = story.read(run.where)
    monkeypatch.setattr(type(s.problem.space), "simplify", lambda self, g: "def simple(): pass\n", raising=False)
    text = html.page(s)
    assert re.search(r'id="winner".*simple.*As it was evolved', text, re.S)


def test_diff_marks_what_changed():
    a, b = (story.Step(i, "x", (), 1.0, f"def f():\n    return {i}\n") for i in (0, 1))
    text = html.diff(a, b)
    assert '<span class="del">-    return 0</span><span class="add">+    return 1</span>' in text
    assert "same text" in html.diff(a, a)


def test_markup_escapes_unless_it_is_markup():
    assert (
        markup.tag("p", "<b>", markup.tag("i", "&"), title='"x"')
        == '<p title="&quot;x&quot;">&lt;b&gt;<i>&amp;</i></p>'
    )
    assert markup.tag("meta", name="a", http_equiv="b", hidden=True, no=None) == '<meta name="a" http-equiv="b" hidden>'


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 10, [0, 2, 4, 6, 8, 10]), (0.13, 0.29, [0.15, 0.2, 0.25]), (5, 5, [5]), (-3, 3, [-2, 0, 2])],
)
def test_ticks_are_round(low, high, expected):
    assert svg.ticks(low, high) == pytest.approx(expected)


def test_curve_clips_the_first_steps_and_bears_nothing():
    steps = best_so_far([(1, 1e6), (2, 5.0), (500, 4.0), (1000, 3.0)], minimize=True)
    low, high = svg.shown_range(steps)
    assert low < 3 < 5 < high < 6
    assert "Nothing valid" in svg.best_so_far(best_so_far([], True), "x", "y")
    assert "path" in svg.best_so_far(Curve(steps.x[:1], steps.y[:1]), "x", "y")


def test_heat_map_keeps_the_best_of_a_cell():
    from evoloom.core.contracts import Axis

    axes = (Axis("a", 0, 10), Axis("b", 0, 10))
    text = svg.heat_map([(1, 1, 5.0), (1, 1, 3.0), (9, 9, 4.0), (99, -5, 1.0)], axes, minimize=True)
    assert text.count('class="cell"') == 3
    assert "cell 2, 2: 3<" in text
    assert "cell 23, 0: 1<" in text  # outside of the range: the edge cell


def test_pictures_are_written_and_reproducible(run, tmp_path):
    s = story.read(run.where)
    points = story.judged_measures(run.where, s.problem)
    assert len(points) == s.verdicts["ok"]
    a, b = (pictures.save(pictures.overview(s, points), tmp_path / f"{k}.svg").read_bytes() for k in "ab")
    assert a == b
    assert (
        pictures.save(pictures.curves({"x": [s.curve], "y": [s.curve, s.curve]}, "f"), tmp_path / "c.png")
        .stat()
        .st_size
    )
