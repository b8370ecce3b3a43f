"""The house's rule: a folder imports only from itself and from folders before it; systems never import each other."""

import ast
from pathlib import Path

import pytest

import evoloom

PACKAGE = Path(evoloom.__file__).parent
ORDER = [
    "core", "spaces", "learn", "models", "archives", "select", "vary", "strategies", "evaluate", "problems", "systems",
    "api", "report", "claims", "testing", "cli", "web",
]  # fmt: skip
TOP = {"__init__": 99, "options": ORDER.index("api") - 0.5, "api": ORDER.index("api"), "__main__": 99}
# `evoloom/__init__.py` only forwards to `api`, lazily; `evoloom.__version__` may be read from anywhere.


def place(parts: tuple[str, ...]) -> float:
    """Position in the order of the folder that a module of evoloom lives in."""
    head = parts[0]
    return TOP[head] if head in TOP else ORDER.index(head)


def imports(path: Path) -> list[tuple[int, tuple[str, ...]]]:
    """(line, module parts below evoloom) of every evoloom import, also those inside functions."""
    out = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            known = (PACKAGE / Path(*node.module.split(".")[1:])).is_dir()
            names = [f"{node.module}.{a.name}" for a in node.names] if known else [node.module]
        else:
            continue
        for name in names:
            parts = tuple(name.split("."))
            if parts[0] == "evoloom" and len(parts) > 1 and parts[1] != "__version__":
                out.append((node.lineno, parts[1:]))
    return out


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_only_from_folders_before_it(path):
    here = path.relative_to(PACKAGE).with_suffix("").parts
    assert here[0] in ORDER or here[0] in TOP, f"folder '{here[0]}' is not in the house's plan"
    for line, target in imports(path):
        assert target[0] in ORDER or target[0] in TOP, f"{path}:{line} imports unknown evoloom.{'.'.join(target)}"
        assert place(target) <= place(here), f"{path}:{line}: '{here[0]}' may not import 'evoloom.{'.'.join(target)}'"
        if here[0] == "systems" and target[0] == "systems":
            raise AssertionError(f"{path}:{line}: a system imports another; make the part they share")


def test_the_rule_can_fail(tmp_path):
    wrong = tmp_path / "x.py"
    wrong.write_text("def f():\n    from evoloom.systems import funsearch\n")
    assert imports(wrong) == [(2, ("systems", "funsearch"))]
    assert place(("systems", "funsearch")) > place(("core",))
