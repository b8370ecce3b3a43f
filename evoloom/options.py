"""Options of problems and systems by name: `bins=all`, `system.n_islands=4`, `problem.items=sizes.txt`.

Keyword-only parameters of a registered problem or system are its options; their annotations say how text becomes a
value. A bare name is looked up in both; a name that both have must say which it means.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from evoloom.core.errors import UsageError, near
from evoloom.core.registry import Entry


def split(settings: Mapping[str, Any], problem: Entry | None, system: Entry | None) -> tuple[dict, dict]:
    """Settings divided into (problem options, system options), values converted by annotation.

    Raises:
        UsageError: an unknown or ambiguous name, or a value that does not fit.
    """
    sides = {"problem": problem.options if problem else {}, "system": system.options if system else {}}
    found: dict[str, dict[str, Any]] = {"problem": {}, "system": {}}
    for full, text in settings.items():
        side, _, name = full.rpartition(".")
        if side and side not in sides:
            raise UsageError(f"option '{full}': the part before the dot must be 'problem' or 'system', got '{side}'")
        owners = [s for s in ([side] if side else sides) if name in sides[s]]
        if not owners:
            known = {*sides["problem"], *sides["system"]} if not side else set(sides[side])
            who = " or ".join(f"{e.kind} '{e.name}'" for e in (problem, system) if e and (not side or e.kind == side))
            raise UsageError(f"{who} has no option '{name}'.{near(name, known)}")
        if len(owners) > 1:
            raise UsageError(
                f"both the problem and the system have an option '{name}': say problem.{name} or system.{name}"
            )
        found[owners[0]][name] = convert(full, text, sides[owners[0]][name])
    return found["problem"], found["system"]


def convert(name: str, text: Any, parameter: inspect.Parameter) -> Any:
    """`text` as the parameter's annotated type. Values that are not text are checked too."""
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    if parameter.annotation is inspect.Parameter.empty:
        return text
    try:
        adapter = TypeAdapter(parameter.annotation, config=ConfigDict(arbitrary_types_allowed=True))
    except Exception:  # pydantic refuses a config where the annotation is a model itself
        adapter = TypeAdapter(parameter.annotation)
    try:
        if isinstance(text, str) and text.lstrip()[:1] in ("[", "{"):
            return adapter.validate_json(text)
        if isinstance(text, str) and text in ("none", "None", "null"):
            return adapter.validate_python(None)
        return adapter.validate_python(text)
    except ValidationError as e:
        reason = e.errors()[0]["msg"]
        kind = inspect.formatannotation(parameter.annotation)
        raise UsageError(f"option {name}={text}: expected {kind}, {reason[0].lower()}{reason[1:]}") from None
