"""Claims: definition, the rule, storing, staleness, the page, and the command."""

import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

from evoloom.claims import Arm, Claim, _evidence, _verify
from evoloom.claims._claim import find
from evoloom.cli.app import app
from evoloom.core import registry
from evoloom.core.errors import UsageError
from evoloom.report import statistics


def draw(mean):
    return lambda seed, scale: float(np.random.default_rng(seed).normal(mean * scale, 0.1))


def true_claim():
    return Claim(
        says="Ours is better by one.", evidence="closed form", arms={"ours": draw(2.0), "other": draw(1.0)},
        against="other", threshold=0.5, paired=True,
    )  # fmt: skip


def false_claim():
    return Claim(
        says="Ours is better | by three.", evidence="closed form", arms={"ours": draw(2.0), "other": draw(1.0)},
        against="other", threshold=3.0, differs="Smaller.",
    )  # fmt: skip


@pytest.fixture
def claims(monkeypatch):
    registry.load("claim")
    monkeypatch.setattr(registry, "_entries", {**registry._entries, "claim": {}})
    for name, make in (("good", true_claim), ("good.more", false_claim)):
        registry._entries["claim"][name] = registry.Entry("claim", name, make, {"system": "good"})


BASE = dict(says="s", evidence="closed form", threshold=0.0, arms={"a": draw(0), "b": draw(0)})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"statistic": "medain", "against": "b"}, "Did you mean 'median"),
        ({"evidence": "closed", "against": "b"}, "Did you mean 'closed form'"),
        ({}, "`against` must be one of"),
        ({"against": "a"}, "`against` must be one of"),
        ({"statistic": "median", "against": "b"}, "leave out against"),
    ],
)
def test_a_claim_is_checked_when_it_is_made(change, says):
    with pytest.raises(UsageError, match=says):
        Claim(**{**BASE, **change})


def test_two_arms_orientation():
    small, large = [1.0, 1.1, 1.2, 1.3, 1.4], [2.0, 2.1, 2.2, 2.3, 2.4]
    for minimize, sign in ((True, 1), (False, -1)):
        f = find(Claim(**BASE, against="b", minimize=minimize), {"a": small, "b": large})
        assert f.effect == pytest.approx(sign * 1.0)
        assert f.holds == minimize
        assert f.p == pytest.approx(1 / 252 if minimize else 1.0)
    f = find(Claim(**BASE, against="b", minimize=True, statistic="a12"), {"a": small, "b": large})
    assert (f.effect, f.ci) == (1.0, (1.0, 1.0))
    f = find(Claim(**BASE, against="b", minimize=True, statistic="median ratio"), {"a": small, "b": large})
    assert f.effect == pytest.approx(2.2 / 1.2)


def test_holds_needs_the_whole_interval():
    a, b = [0.0, 1, 2, 3, 4, 5, 6, 7], [0.0, 0, 0, 1, 1, 1, 9, 9]
    c = Claim(**BASE, against="b")
    f = find(c, {"a": a, "b": b})
    assert f.effect > 0 > f.ci[0]
    assert not f.holds
    assert f.ci == statistics.bootstrap(statistics.median_difference, a, b)


def test_one_arm_is_native():
    values = {"a": [1.0, 1.1, 0.9, 1.0, 1.05], "b": [0.0] * 5}
    one = {**BASE, "statistic": "median", "minimize": True}
    assert find(Claim(**{**one, "threshold": 1.2}), values).holds
    f = find(Claim(**{**one, "threshold": 0.95}), values)
    assert (f.effect, f.p, f.holds) == (1.0, None, False)
    worst = find(Claim(**{**one, "statistic": "worst", "threshold": 1.2}), values)
    assert (worst.effect, worst.holds) == (1.1, True)


def test_seeds_that_found_nothing_are_the_worst():
    nan = math.nan
    f = find(Claim(**BASE, against="b"), {"a": [1.0, 1.0, 1.0], "b": [nan, nan, nan]})
    assert (f.effect, f.holds) == (math.inf, True)
    f = find(Claim(**BASE, against="b"), {"a": [nan, nan, nan], "b": [nan, nan, nan]})
    assert f.effect == 0.0


def test_verify_stores_and_the_page_tells(claims, tmp_path):
    good, bad = (_verify.verify(n) for n in ("good", "good.more"))
    expected = statistics.median_difference(*(good["arms"][k]["values"] for k in ("ours", "other")))
    assert good["effect"] == pytest.approx(expected) == pytest.approx(1.0)
    assert (good["holds"], good["seeds"], good["system"]) == (True, 10, "good")
    assert good["arms"]["ours"]["values"][3] == draw(2.0)(3, 1.0)
    _evidence.store(good, tmp_path)
    page = _evidence.page(tmp_path)
    assert "Claims: 2; run: 1; hold: 1." in page
    assert "| `good.more` | not run yet |" in page
    _evidence.store(bad, tmp_path)
    page = _evidence.page(tmp_path)
    assert "**does not hold**" in page
    assert "Differs from the paper: Smaller." in page
    assert f"commit `{good['commit']}`" in page


def test_a_changed_claim_is_stale(claims, tmp_path):
    e = _verify.verify("good")
    _evidence.store({**e, "definition": "other"}, tmp_path)
    assert "holds (stale" in _evidence.page(tmp_path)


def test_trials_are_not_evidence(claims, tmp_path):
    e = _verify.verify("good", seeds=3, scale=0.5)
    assert e["reduced"]
    assert e["effect"] == pytest.approx(0.5)
    with pytest.raises(UsageError, match="not stored"):
        _evidence.store(e, tmp_path)


def test_infinite_values_survive_storing(tmp_path):
    e = {"claim": "x", "reduced": False, "effect": math.inf, "arms": {"a": {"values": [math.nan, 1.0]}}}
    file = _evidence.store(e, tmp_path)
    strict = json.loads(file.read_text(), parse_constant=lambda s: pytest.fail(s))
    assert (strict["effect"], strict["arms"]["a"]["values"]) == ("inf", ["nan", 1.0])


def test_command(claims, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    r = CliRunner().invoke(app, ["verify", "good", "--json"])
    assert r.exit_code == 5  # one of the two does not hold
    good, bad = (json.loads(line) for line in r.stdout.splitlines())
    assert set(good) >= {
        "event",
        "system",
        "claim",
        "arms",
        "effect",
        "ci95",
        "p",
        "threshold",
        "holds",
        "seeds",
        "seconds",
    }
    assert (good["holds"], bad["holds"]) == (True, False)
    assert (tmp_path / "evidence/good.json").is_file()
    r = CliRunner().invoke(app, ["verify", "--write-docs", "docs/e.md"])
    assert r.exit_code == 0
    assert "**does not hold**" in (tmp_path / "docs/e.md").read_text()
    r = CliRunner().invoke(app, ["verify", "good.more", "--seeds", "4"])
    assert r.exit_code == 5
    assert "DOES NOT HOLD" in r.stdout
    assert "not stored" in r.stdout


def test_arm_runs_a_problem():
    pytest.importorskip("evoloom.evaluate.workers")
    value = Arm("sphere", "random-search", evaluations=40, settings={"dim": 3})(0, 0.5)
    from evoloom import api

    assert value == api.run("sphere", "random-search", evaluations=20, seed=0, settings={"dim": 3}).best.native
