"""Reading a task directory: every way in which it can be wrong has a message of its own."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from evoloom.core.errors import UsageError, near

if TYPE_CHECKING:
    from evoloom.problems.directory.settings import Settings

PROGRAM, EVALUATE, SETTINGS = "program.py", "evaluate.py", "evoloom.toml"


def folder(path: str) -> Path:
    """The directory, if it is a task. Raises UsageError."""
    place = Path(path)
    remedy = f"'evoloom init {path}' writes a working example."
    if not place.exists():
        raise UsageError(f"{path}: no such directory. {remedy}")
    if not place.is_dir():
        raise UsageError(f"{path} is a file. Give the directory that holds {PROGRAM} and {EVALUATE}.")
    missing = [name for name in (PROGRAM, EVALUATE) if not (place / name).is_file()]
    if missing:
        have = sorted(p.name for p in place.glob("*.py"))
        has = f"it has {', '.join(have)}" if have else "it has no Python files"
        raise UsageError(
            f"{path}: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing; {has}. {remedy}"
        )
    return place


def text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(f"{path} cannot be read as UTF-8 text: {e}") from None


def parsed(path: Path, source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as e:
        raise UsageError(f"{path}, line {e.lineno}: {e.msg}: {(e.text or '').strip()}") from None
    except (RecursionError, MemoryError, ValueError) as e:
        raise unreadable(path, e) from None


def unreadable(path: Path, e: BaseException) -> UsageError:
    """Python's own reader, or ours, cannot cope with a text."""
    why = "it is nested too deeply" if isinstance(e, (RecursionError, MemoryError)) else str(e)
    return UsageError(f"{path} cannot be read as a Python program: {why}")


def functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def contract(path: Path, tree: ast.Module) -> bool:
    """Whether evaluate.py is two-sided; the functions are there and take what they are given. Raises UsageError."""
    have = functions(tree)
    one, two = "evaluate" in have, "inputs" in have or "score" in have
    if one and two:
        raise UsageError(f"{path} defines evaluate() and also inputs() or score(): keep one contract.")
    if not one and not ("inputs" in have and "score" in have):
        found = f"it defines {', '.join(f'{n}()' for n in have)}." if have else "it defines no functions."
        close = next(
            (near(n, ["evaluate", "inputs", "score"]) for n in have if near(n, ["evaluate"]).startswith(" Did")), ""
        )
        raise UsageError(
            f"{path} must define evaluate(program), or both inputs() and score(inputs, outputs); {found}{close}"
        )
    takes = {"evaluate": 1, "held_out": 1, "inputs": 0, "held_out_inputs": 0, "score": 2}
    for name, n in takes.items():
        if name in have:
            check_call(path, have[name], n, seed=name in ("evaluate", "inputs"))
    return not one


def check_call(path: Path, function: ast.FunctionDef, n: int, seed: bool = False) -> None:
    """It can be called with n arguments, and where `seed` allows it with a seed after them. Raises UsageError."""
    if not _accepts(function.args, n + (seed and takes_seed(function))):
        form = ("", "program", "inputs, outputs")[n]
        raise UsageError(f"{path}, line {function.lineno}: {function.name} must be called as {function.name}({form})")


def takes_seed(function: ast.FunctionDef) -> bool:
    """Its last argument is called `seed`: it wants one that differs from judgement to judgement."""
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    return names[-1:] == ["seed"]


def extras(path: Path, tree: ast.Module, two_sided: bool, options: Settings) -> None:
    """What `stages`, `cache` and `repeats` of evoloom.toml need is in evaluate.py. Raises UsageError."""
    have = functions(tree)
    whole = "inputs" if two_sided else "evaluate"
    found = sorted(n for n in have if re.fullmatch(rf"{whole}_stage\d+", n))
    wanted = [f"{whole}_stage{k}" for k in range(1, len(options.stages) + 1)]
    if sorted(wanted) != found:
        defined = ", ".join(f"{n}()" for n in found) or f"no {whole}_stage1()"
        raise UsageError(
            f"{path} defines {defined}, and 'stages' in {SETTINGS} has {len(wanted)} thresholds: give one for each "
            f"of {whole}_stage1, {whole}_stage2, ..."
        )
    for name in wanted:
        check_call(path, have[name], 0 if two_sided else 1, seed=True)
    if not options.cache:
        return
    probe = "probe_inputs" if two_sided else "probe"
    if probe not in have:
        remedy = "return a few inputs" if two_sided else "return what the program does with a few inputs"
        raise UsageError(
            f"{path} defines no {probe}(), which 'cache = true' in {SETTINGS} needs to tell which programs behave "
            f"alike: {remedy} from it."
        )
    check_call(path, have[probe], 0 if two_sided else 1)
    if options.repeats > 1 or any(takes_seed(have[n]) for n in (whole, *wanted)):
        raise UsageError(f"{path}: 'cache = true' remembers scores, so they must not be noisy: no repeats and no seed.")


def _accepts(args: ast.arguments, n: int) -> bool:
    most = len(args.posonlyargs) + len(args.args)
    required_keywords = any(d is None for d in args.kw_defaults)
    return (most - len(args.defaults) <= n) and (n <= most or args.vararg is not None) and not required_keywords


def only_function(path: Path, tree: ast.Module) -> str:
    """The function that a two-sided judgement calls, where there is no doubt. Raises UsageError."""
    have = list(functions(tree))
    if len(have) == 1:
        return have[0]
    if not have:
        raise UsageError(f"{path} defines no function to call with the inputs.")
    raise UsageError(
        f'{path} defines {", ".join(have)}: say in {SETTINGS} which one is called with the inputs, entry = "{have[-1]}"'
    )


def modules(path: Path, trees: list[ast.Module], options: Settings) -> tuple[str, ...]:
    """What the candidate's process imports beforehand: the imports of the files that run there, and the listed ones.

    Raises:
        UsageError: one is not installed, or is a file of the directory (which the sandbox does not see).
    """
    found = list(options.modules)
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found += [a.name for a in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.append(node.module)
    for name in found:
        if (path / f"{name.split('.')[0]}.py").exists():
            raise UsageError(
                f"{path}: '{name}' is a file of the directory, which code in the sandbox cannot import. Move what it "
                f"defines into {PROGRAM} or {EVALUATE}, or use the two-sided contract."
            )
        if not _installed(name):
            raise UsageError(f"{path}: module '{name}' is imported but not installed. Install it: pip install {name}")
    return tuple(dict.fromkeys(name for name in found if name != "__future__"))


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name.split(".")[0]) is not None
    except (ImportError, ValueError):
        return False


@contextlib.contextmanager
def _importing_from(path: Path) -> Iterator[None]:
    sys.path.insert(0, str(path.resolve()))
    try:
        yield
    finally:
        sys.path.remove(str(path.resolve()))


def imported(path: Path, source: str) -> ModuleType:
    """The trusted evaluator as a module; files beside it can be imported. Raises UsageError."""
    module = ModuleType("evoloom_evaluate_" + hashlib.blake2b(str(path.resolve()).encode(), digest_size=6).hexdigest())
    module.__file__ = str(path.resolve())
    sys.modules[module.__name__] = module  # dataclasses and pickling look their module up
    try:
        with _importing_from(path.parent):
            exec(compile(source, module.__file__, "exec"), module.__dict__)
    except (Exception, SystemExit) as e:
        raise UsageError(f"{path} cannot be imported: {type(e).__name__}: {e}{line(e)}") from e
    return module


def line(e: BaseException) -> str:
    """Where in evaluate.py it happened."""
    own = [f for f in traceback.extract_tb(e.__traceback__) if Path(f.filename).name == EVALUATE]
    return f" (line {own[-1].lineno}: {own[-1].line or ''})".replace(": )", ")") if own else ""
