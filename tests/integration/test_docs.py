"""Documentation under test: what a page says exists, and what exists has a page.

A table whose first column is "option" lists all options of the page's problems or system, with their defaults: a value,
or a description where the default is None or empty. How examples are tried stands in `test_docs_run`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from documents import COMMANDS, DOCS, PAGES, ROOT, anchors, blocks, coded, links, literal, name, named, tables

from evoloom.core import registry

PAGE_OF = {
    "sphere": "functions", "rosenbrock": "functions", "rastrigin": "functions", "circle-layout": "circle-packing",
}  # fmt: skip
GIVEN_AS_PATH = {"directory": {"path"}}  # the argument itself: `evoloom run PATH`
SYSTEMS, PROBLEMS = registry.names("system"), registry.names("problem")


def page_of(problem: str) -> Path:
    if problem == "directory":
        return DOCS / "your-own-program.md"
    return DOCS / "problems" / f"{PAGE_OF.get(problem, problem)}.md"


def test_every_system_and_problem_has_a_page():
    pages = [DOCS / "systems" / f"{s}.md" for s in SYSTEMS] + [page_of(p) for p in PROBLEMS]
    assert [name(p) for p in pages if not p.is_file()] == []


def test_every_page_describes_something_registered():
    assert {p.stem for p in (DOCS / "systems").glob("*.md")} == set(SYSTEMS)
    assert set((DOCS / "problems").glob("*.md")) == {page_of(p) for p in PROBLEMS if p != "directory"}
    for problem in PROBLEMS:
        assert problem == "directory" or problem in page_of(problem).read_text().splitlines()[0]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_resolve(page):
    broken = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def test_navigation_has_every_page():
    import yaml

    def files(x):
        parts = x.values() if isinstance(x, dict) else x
        return [x] if isinstance(x, str) else [f for part in parts for f in files(part)]

    listed = files(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    assert sorted(listed) == sorted(str(p.relative_to(DOCS)) for p in DOCS.rglob("*.md"))


def test_the_site_builds(tmp_path):
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    r = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=300, env=env)
    assert r.returncode == 0, r.stdout + r.stderr
    assert (tmp_path / "index.html").is_file()


def test_the_reference_names_what_exists():
    text = (DOCS / "reference.md").read_text()
    for path, chosen in re.findall(r"^::: ([\w.]+)(?:\n    options: \{members: \[(.*?)\])?", text, re.M):
        for member in filter(None, chosen.split(", ")):
            assert hasattr(named(path), member), f"{path}.{member}"


def test_codes_levels_verdicts_and_stops_are_documented():
    from evoloom.cli import exits
    from evoloom.core.budget import Stop
    from evoloom.core.contracts import Verdict
    from evoloom.evaluate.sandbox import LEVELS

    codes = {r["code"] for t in tables(COMMANDS) if "code" in t[0] for r in t}
    assert codes == {str(v) for k, v in vars(exits).items() if k.isupper()}
    assert {s.name.lower() for s in Stop} <= set(coded(COMMANDS.read_text().partition("`stop` is one of")[2]))
    sandbox = tables(DOCS / "sandbox.md")
    assert [coded(r["level"])[0] for t in sandbox if "level" in t[0] for r in t] == list(reversed(LEVELS))
    verdicts = {v for t in sandbox if "verdict" in t[0] for r in t for v in coded(r["verdict"])}
    assert verdicts == {v.name.lower() for v in Verdict}


# Tables of options


def documented(page: Path, head: str = "option") -> dict[str, str]:
    """Option -> default, as its page says."""
    rows = [r for t in tables(page) if next(iter(t[0])) == head and "default" in t[0] for r in t]
    return {o: r["default"] for r in rows for o in coded(r[head])}


OPTION_PAGES = [("system", DOCS / "systems" / f"{s}.md") for s in SYSTEMS]
OPTION_PAGES += [("problem", page) for page in sorted({page_of(p) for p in PROBLEMS})]


@pytest.mark.parametrize(("kind", "page"), OPTION_PAGES, ids=lambda x: x if isinstance(x, str) else x.stem)
def test_tables_of_options(kind, page):
    names = [page.stem] if kind == "system" else [p for p in PROBLEMS if page_of(p) == page]
    real: dict[str, set[object]] = {}
    for n in names:
        for option, parameter in registry.get(kind, n).options.items():
            if option not in GIVEN_AS_PATH.get(n, ()):
                real.setdefault(option, set()).add(parameter.default)
    said = documented(page)
    assert set(said) == set(real)
    for option, default in said.items():
        value = literal(default)
        if value is None and default != "`None`":  # a description: there is no fixed value to tell
            assert real[option] <= {None, ""}, f"{option}: {default}"
        else:
            assert value in real[option], f"{option}: {default}"


def test_the_settings_of_a_task_are_documented():
    from evoloom.problems.directory.settings import Settings

    page = page_of("directory")
    assert set(documented(page, "key")) == set(Settings.model_fields)
    for text in blocks(page, "toml"):
        Settings(**tomllib.loads(text))


# Claims


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_has_a_claim_and_an_evidence_row(system):
    from evoloom.claims._claim import claims_of
    from evoloom.claims._evidence import state_of, stored

    page, found = (DOCS / "evidence.md").read_text(), stored(ROOT / "evidence")
    for claim in claims_of(system):
        assert claim in found, f"not run: evoloom verify {claim}"
        assert "stale" not in state_of(claim, found[claim]), f"run again: evoloom verify {claim}"
        assert re.search(rf"^\| \[`{re.escape(claim)}`\]", page, re.M), "evoloom verify --write-docs docs/evidence.md"
    assert "(../evidence.md)" in (DOCS / "systems" / f"{system}.md").read_text()


def test_the_evidence_page_is_what_is_stored():
    from evoloom.claims import _evidence

    assert (DOCS / "evidence.md").read_text() == _evidence.page(ROOT / "evidence")
