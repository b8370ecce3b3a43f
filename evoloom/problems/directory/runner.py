"""Judges a candidate inside its own process, for the one-sided contract. This file's text is the sandbox's program.

It must run alone: standard library only, no import of evoloom.
"""

import linecache
import sys
import traceback
import types


def load(name, file, text):
    """A module of the given text, with tracebacks that show its lines."""
    module = types.ModuleType(name)
    module.__file__ = file
    sys.modules[name] = module
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), module.__dict__)
    return module


def run(evaluate_file, evaluate_text, program_text, function):
    """What the evaluator's function says of the program: {"value": ...}, or {"wrong": why} where it asserts in vain."""
    candidate = load("program", "program.py", program_text)
    judge = load("evaluate", evaluate_file, evaluate_text)
    try:
        return {"value": getattr(judge, function)(candidate)}
    except AssertionError as e:
        last = traceback.extract_tb(e.__traceback__)[-1]
        if last.filename != evaluate_file:
            raise  # the candidate's own assertion, or one of a library: an error like any other
        return {"wrong": str(e) or f"the assertion in line {last.lineno} of evaluate.py does not hold"}
