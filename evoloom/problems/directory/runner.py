"""Judges a candidate inside its own process, for the one-sided contract. This file's text is the sandbox's program.

It must run alone: standard library only, no import of evoloom.
"""

import linecache
import random
import sys
import traceback
import types

PROGRAM = "program.py"


def load(name, file, text):
    """A module of the given text, with tracebacks that show its lines."""
    module = types.ModuleType(name)
    module.__file__ = file
    sys.modules[name] = module
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec", dont_inherit=True), module.__dict__)
    return module


def run(evaluate_file, evaluate_text, program_text, function, takes_seed, seed):
    """What the evaluator's function says of the program: {"value": ...}; or why there is no value: {"invalid": why},
    {"wrong": why} where the evaluator asserts in vain, {"error": trace}."""
    try:
        compile(program_text, PROGRAM, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
        line = f", line {e.lineno}" if isinstance(e, SyntaxError) else ""
        return {"invalid": f"not a Python program{line}: {e.args[0] if e.args else type(e).__name__}"}
    try:
        candidate = load("program", PROGRAM, program_text)
        judge = load("evaluate", evaluate_file, evaluate_text)
        seed_generators(seed)
        return {"value": getattr(judge, function)(candidate, *([seed] if takes_seed else []))}
    except MemoryError:
        raise  # a verdict of its own
    except Exception as e:
        last = traceback.extract_tb(e.__traceback__)[-1]
        if isinstance(e, AssertionError) and last.filename == evaluate_file:
            return {"wrong": str(e) or f"the assertion in line {last.lineno} of evaluate.py does not hold"}
        return {"error": trace(e, {PROGRAM: PROGRAM, evaluate_file: "evaluate.py"})}


def seed_generators(seed):
    """The global generators, where each judgement is to have its own randomness; else they begin alike in all."""
    if seed is None:
        return
    random.seed(seed)
    np_random = sys.modules.get("numpy.random")
    if np_random is not None:
        np_random.seed(seed)


def trace(error, shown):
    """The traceback as far as it lies in the two files of the task. `shown`: file name -> what to call it."""
    lines = [
        f"{shown[f.filename]}, line {f.lineno}, in {f.name}: {(f.line or '')[:200]}"
        for f in traceback.extract_tb(error.__traceback__)
        if f.filename in shown
    ]
    if len(lines) > 8:
        lines[4:-4] = [f"... {len(lines) - 8} more ..."]
    return "\n".join([*lines, f"{type(error).__name__}: {str(error)[:1000]}"])
