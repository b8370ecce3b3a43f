"""evoloom: evolve anything you can measure.

    import evoloom
    result = evoloom.run("bin-packing", seconds=60)
    print(result.best.text, result.best.held_out)

Everything heavy is imported at first use: `import evoloom` costs nothing.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0.dev0"
__all__ = ["judge", "resume", "run", "systems"]

if TYPE_CHECKING:
    from evoloom import systems
    from evoloom.api import judge, resume, run


def __getattr__(name: str) -> Any:
    import importlib

    if name in ("run", "resume", "judge"):
        return getattr(importlib.import_module("evoloom.api"), name)
    if name == "systems":
        return importlib.import_module("evoloom.systems")
    raise AttributeError(f"module 'evoloom' has no attribute '{name}'")
