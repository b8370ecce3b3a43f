"""A run as one HTML file: no network, no scripts but our own, opens from disk, everything of the run escaped."""

from __future__ import annotations

import base64
import difflib
import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from evoloom.report import story as stories
from evoloom.report import svg
from evoloom.report.comparison import invalid_share
from evoloom.report.markup import Markup, join, table, tag, text
from evoloom.report.story import Step, Story
from evoloom.report.tables import duration, number, percent

SHOWN_STEPS = 12  # of the lineage; older ones are folded
MAP_LEAST = 5  # judged points from which a map of two measures says something


def write_html(where: Path | str, file: Path, run: str | None = None) -> Path:
    """Write the report of a stored run; returns `file`."""
    s = stories.read(where, run)
    points = stories.judged_measures(where, s.problem, run) if stories.axis_of(s.problem) else []
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page(s, points), encoding="utf-8")
    return file


def page(s: Story, points: list[tuple[float, float, float]] = []) -> str:  # noqa: B006 (read only)
    """The whole document."""
    css, js = asset("page.css"), asset("page.js")
    digest = base64.b64encode(hashlib.sha256(js.encode()).digest()).decode()
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        f"script-src 'sha256-{digest}'"
    )
    title = f"{s.info.problem}, {s.info.system}, seed {s.info.seed}"
    head = tag(
        "head", tag("meta", charset="utf-8"), tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"), tag("title", f"{title} – evoloom"),
        tag("style", Markup(css)),
    )  # fmt: skip
    made = datetime.fromtimestamp(s.info.created, UTC).strftime("%Y-%m-%d %H:%M UTC")
    top = join([tag("h1", title), tag("p", f"Run {s.info.run}, started {made}. {sentence(s.stopped)}", class_="dim")])
    minimize = s.problem.n_objectives == 1 and bool(s.problem.minimize)
    pictures = section("Best so far", svg.best_so_far(s.curve, "judgements", fitness_label(s)))
    if len(points) >= MAP_LEAST:
        chart = svg.heat_map(points, s.problem.columns.measures, minimize)
        pictures = tag("div", pictures, section("Best per cell of two measures", chart), class_="charts")
    parts = [
        top, kpis(s), pictures, held_out(s), winner(s), lineage(s, minimize),
        tag("div", verdicts(s), operators(s), class_="pair"), settings(s),
    ]  # fmt: skip
    foot = tag("footer", f"Written by evoloom {s.info.version}. This file needs no network.")
    body = tag("body", tag("main", *parts, foot), tag("script", Markup(js)))
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


@cache
def asset(name: str) -> str:
    """A file beside this module."""
    return files("evoloom.report").joinpath(name).read_text(encoding="utf-8")


def section(title: str, *content: Any) -> Markup:
    return tag("section", tag("h2", title), *content)


def sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def fitness_label(s: Story) -> str:
    return s.problem.unit or "fitness"


def native(value: Any, digits: int = 6) -> str:
    """Native fitness as text, several objectives separated."""
    if isinstance(value, (tuple, list)):
        return ", ".join(number(v, digits) for v in value)
    return number(value, digits)


def kpis(s: Story) -> Markup:
    """The numbers that one looks for first."""
    unit = f", {s.problem.unit}" if s.problem.unit else ""
    items = [(f"best fitness{unit}", native(s.best.native, 4) if s.best else "nothing valid")]
    if s.held_out and "fitness" in s.held_out:
        value = s.held_out["fitness"]
        items.append((f"held out{unit}", native(value, 4) if value == value else "failed"))
    rate = f"{number(s.evaluations / s.seconds, 3)} per second" if s.seconds else ""
    items += [
        ("evaluations", number(round(s.evaluations))),
        (f"running time, {rate}" if rate else "running time", duration(s.seconds)),
        ("of judgements invalid", percent(invalid_share(s.verdicts))),
        *([("times held-out data was opened", f"{s.n_held_out:,}")] if s.n_held_out else []),
    ]  # fmt: skip
    if s.best:
        items.append(("ancestors of the best", f"{s.n_ancestors:,}"))
    cost = (s.outcome or {}).get("cost") or {}
    if cost.get("usd"):
        items.append(("spent on models", f"${cost['usd']:.4f}"))
    cards = [
        tag("div", tag("b", value), tag("span", name), class_="kpi first" if not i else "kpi")
        for i, (name, value) in enumerate(items)
    ]
    return tag("div", *cards, class_="kpis")


def held_out(s: Story) -> Markup | None:
    """The answer on data that the search never saw, beside the baselines measured there."""
    if not s.held_out or not (others := stories.beside(s.held_out, s.problem)):
        return None
    values = {"fitness": s.held_out.get("fitness", float("nan")), **others}
    largest = max((abs(v) for v in values.values() if v == v), default=0.0) or 1.0
    rows = [
        [
            "this run's best" if k == "fitness" else k.replace("_", " "),
            number(v, 5),
            svg.bar(abs(v) / largest if v == v else 0.0),
        ]
        for k, v in values.items()
    ]
    return section("On held-out data", table(("", fitness_label(s), ""), rows, right=(1,)))


def winner(s: Story) -> Markup | None:
    """The winning candidate, simplified where the space can do that, with its original below."""
    if s.best is None:
        return None
    shown = simplified(s)
    button = tag("button", "Copy", type="button", data_copy="winner")
    title = "The winning program" if is_program(s) else "The winner"
    parts: list[Any] = [
        tag("div", tag("h2", title), button, class_="head"),
        tag("pre", highlighted(shown) if is_program(s) else text(shown), id="winner", class_="long"),
    ]
    if shown.strip() != s.best.text.strip():
        original = tag("pre", highlighted(s.best.text), class_="long")
        parts.append(
            tag("details", tag("summary", "As it was evolved, before simplification"), original, class_="more")
        )
    return tag("section", *parts)


def is_program(s: Story) -> bool:
    return s.best is not None and bool(re.search(r"^\s*(def|import|from|class|lambda)\b", s.best.text, re.M))


def simplified(s: Story) -> str:
    assert s.best is not None
    return s.best.text if s.best_genome is None else stories.readable(s.problem, s.best_genome)


def lineage(s: Story, minimize: bool) -> Markup | None:
    """The main line from the start to the winner; each step opens to its diff against its parent."""
    if len(s.line) < 2:
        return None
    items = []
    for before, step in reversed(list(zip(s.line, s.line[1:]))):
        summary = tag(
            "summary", tag("span", f"#{step.id}", class_="id"), tag("span", step.operator or "start"),
            tag("span", native(step.native), class_="n"), change(before, step, minimize),
        )  # fmt: skip
        other = f"Its other parents: {', '.join(f'#{p}' for p in step.parents[1:])}." if len(step.parents) > 1 else None
        items.append(tag("details", summary, tag("p", other, class_="dim") if other else None, diff(before, step)))
    start = s.line[0]
    summary = tag(
        "summary", tag("span", f"#{start.id}", class_="id"), tag("span", start.operator or "start"),
        tag("span", native(start.native), class_="n"), tag("span"),
    )  # fmt: skip
    items.append(tag("details", summary, tag("pre", highlighted(start.text))))
    if len(items) > SHOWN_STEPS:
        older = items[SHOWN_STEPS:]
        items[SHOWN_STEPS:] = [tag("details", tag("summary", f"{len(older)} older steps"), *older, class_="more")]
    intro = (
        f"{len(s.line) - 1} steps from the start to the winner, newest first, along the first parents; "
        f"{s.n_ancestors:,} ancestors in all. Open a step to see what it changed."
    )
    return section("How it came about", tag("p", intro, class_="dim"), *items)


def change(before: Step, step: Step, minimize: bool) -> Markup:
    """By how much a step is better or worse than its parent."""
    if not isinstance(before.native, float) or not isinstance(step.native, float):
        return tag("span")
    delta = step.native - before.native
    if delta == 0:
        return tag("span", "same", class_="n dim")
    better = delta < 0 if minimize else delta > 0
    return tag("span", f"{'+' if delta > 0 else ''}{number(delta, 3)}", class_=f"n {'better' if better else 'worse'}")


def diff(before: Step, step: Step) -> Markup:
    """Unified diff of two texts as coloured lines."""
    lines = list(difflib.unified_diff(before.text.splitlines(), step.text.splitlines(), lineterm="", n=3))[2:]
    if not lines:
        return tag("p", "The same text as its parent.", class_="dim")
    kinds = {"+": "add", "-": "del", "@": "hunk"}
    return tag("pre", *(tag("span", line, class_=kinds.get(line[:1], "same")) for line in lines))


def verdicts(s: Story) -> Markup:
    total = sum(s.verdicts.values()) or 1
    items = sorted(s.verdicts.items(), key=lambda kv: -kv[1])
    rows = [[k, f"{n:,}", percent(n / total), svg.bar(n / total)] for k, n in items if n]
    why = tag("p", f"The first failure: {s.why_invalid}", class_="dim") if s.why_invalid else None
    return section("How judging ended", table(("verdict", "count", "share", ""), rows, right=(1, 2)), why)


def operators(s: Story) -> Markup:
    """What became of each operator's children. `kept` (improved an archive) is known for runs that ended."""
    kept = (s.outcome or {}).get("operators") or {}
    from evoloom.core.door import native as natively

    rows = []
    for o in sorted(s.operators, key=lambda o: -o.proposed):
        name = o.operator or "start"
        best = natively(s.problem, o.best) if s.problem.n_objectives == 1 else o.best
        improved = (
            kept.get(o.operator or "?") or kept.get("start") if o.operator is None else kept.get(o.operator)
        ) or {}
        n = improved.get("improved")
        rows.append([
            name, f"{o.proposed:,}", percent(o.ok / o.proposed if o.proposed else None), "–" if n is None else f"{n:,}",
            number(best, 5),
        ])  # fmt: skip
    titles = ("operator", "children", "valid", "kept", "best")
    return section("What each operator made", table(titles, rows, right=(1, 2, 3, 4)))


def settings(s: Story) -> Markup:
    """Enough to make the run again."""
    config = s.info.config
    rows = [(k, v) for k, v in (("integrity of the score", s.integrity), ("sandbox level", s.sandbox)) if v]
    rows += [(k, v) for k, v in flat(config["recipe"]) if k != "sandbox"]
    rows += [(f"budget {k}", v) for k, v in config["budget"].items()]
    rows += [(f"version of {k}", v) for k, v in config["versions"].items()]
    if s.outcome and s.outcome.get("state_digest"):
        rows.append(("digest of the final state", s.outcome["state_digest"]))
    return section("Settings and versions", table(("", ""), [(k, "none" if v is None else str(v)) for k, v in rows]))


def flat(x: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """Nested settings as "a.b" names."""
    out: list[tuple[str, Any]] = []
    for k, v in x.items():
        name = f"{before}{k.replace('_', ' ')}"
        out += flat(v, f"{name}: ") if isinstance(v, Mapping) else [(name, v)]
    return out


TOKENS = {"Keyword": "k", "Operator.Word": "k", "String": "s", "Number": "m", "Comment": "c", "Name.Function": "f"}


def highlighted(source: str) -> Markup:
    """Python source with the few token classes that the style sheet knows."""
    from pygments.lexers import PythonLexer

    parts: list[Any] = []
    for kind, value in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):
        name = str(kind).removeprefix("Token.").replace("Literal.", "")
        style = next((c for prefix, c in TOKENS.items() if name == prefix or name.startswith(prefix + ".")), None)
        parts.append(tag("span", value, class_=style) if style else text(value))
    return join(parts)
