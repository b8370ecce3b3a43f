"""`evoloom.toml`: the optional settings of a task directory, checked."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from evoloom.core.errors import UsageError, near
from evoloom.spaces import source_vocabulary
from evoloom.spaces.source_types import Primitive, Vocabulary

VOCABULARIES = sorted(k for k, v in vars(source_vocabulary).items() if isinstance(v, Vocabulary))


class PrimitiveRow(BaseModel):
    """One more expression that typed edits may write, as in `evoloom.spaces.source_types.Primitive`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    template: str
    args: tuple[str, ...]
    result: str
    lift: bool = False
    weight: float = Field(1.0, gt=0)


class Settings(BaseModel):
    """Everything has a default: an empty file, or none, is fine."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = ""  # shown in reports; the directory's name by default
    entry: str = ""  # the function that is called; needed only where program.py has several
    functions: tuple[str, ...] = ()  # the functions that may change; all, by default (markers in the file come first)
    minimize: bool = False  # the score is a cost: lower is better
    unit: str = ""  # of the score, for people
    target: float | None = None  # stop when this score is reached
    seconds: float = Field(10.0, gt=0)  # wall time of one judgement
    memory_mb: int = Field(1024, ge=64)
    modules: tuple[str, ...] = ()  # to have imported beforehand, beside what the two files import
    measures: dict[str, tuple[float, float]] = {}  # name = [low, high]: keys of the score's dict that archives map
    cases: tuple[str, ...] = ()  # names, in the order of the score's list "cases"
    signals: tuple[str, ...] = ()  # more numeric keys of the score's dict, to be stored with each candidate
    repeats: int = Field(1, ge=1, le=10_000)  # judgements of each program; their mean counts
    stages: tuple[float, ...] = ()  # scores to be reached in evaluate_stage1, evaluate_stage2, ... before evaluate
    stage_price: float = Field(0.1, gt=0)  # of one stage, in evaluations
    cache: bool = False  # a program that behaves on probe() as an earlier one did has its score
    max_nodes: int = Field(200, ge=1)  # most syntax nodes of the evolved parts
    vocabulary: tuple[str, ...] = ()  # by name; by default what fits the imports of program.py
    constants: tuple[int | float, ...] = ()  # numbers that edits may write
    primitives: tuple[PrimitiveRow, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> Settings:
        for name, (low, high) in self.measures.items():
            if not low < high:
                raise ValueError(f"measures.{name} = [{low}, {high}]: the first number must be below the second")
        for name in self.vocabulary:
            if name not in VOCABULARIES:
                raise ValueError(f"no vocabulary is called '{name}'.{near(name, VOCABULARIES)}")
        reserved = {"score", "feedback", "cases", "size"} & {*self.measures, *self.signals}
        if reserved or set(self.measures) & set(self.signals):
            taken = sorted(reserved or set(self.measures) & set(self.signals))
            raise ValueError(
                f"names of measures and signals must be distinct and not score, feedback, cases, size: {taken}"
            )
        return self

    def words(self, usual: Vocabulary) -> Vocabulary:
        """What typed edits may write: the named vocabularies (else the usual one), and the file's own rows."""
        own = Vocabulary(tuple(Primitive(**row.model_dump()) for row in self.primitives), self.constants)
        named = sum((getattr(source_vocabulary, name) for name in self.vocabulary), Vocabulary())
        return (named if self.vocabulary else usual) + own


def read_settings(path: Path) -> Settings:
    """The settings in a file; the defaults where there is none.

    Raises:
        UsageError: no TOML, an unknown key (with near matches), or a value of the wrong kind (with its place).
    """
    if not path.exists():
        return Settings.model_validate({})
    try:
        return Settings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise UsageError(f"{path} is not TOML: {e}") from None
    except ValidationError as e:
        raise UsageError(f"{path}: " + "; ".join(_said(x) for x in e.errors())) from None


def _said(error: Any) -> str:
    """One complaint of pydantic in our words."""
    where = ".".join(str(x) for x in error["loc"])
    if error["type"] == "extra_forbidden":
        known = Settings.model_fields if len(error["loc"]) == 1 else PrimitiveRow.model_fields
        return f"unknown key '{where}'.{near(str(error['loc'][-1]), known)}"
    text = error["msg"].removeprefix("Value error, ")
    return f"{where}: {text}, got {error['input']!r}" if where else text
