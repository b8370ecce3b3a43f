"""Every registered system: any whole number in any option runs, or is refused as a usage error; never a traceback."""

import typing

import pytest

from evoloom import api
from evoloom.core import registry
from evoloom.core.errors import UsageError


def whole_options():
    for entry in registry.entries("system"):
        for name, parameter in entry.options.items():
            kinds = typing.get_args(parameter.annotation) or (parameter.annotation,)
            if int in kinds or float in kinds:
                yield pytest.param(entry.name, name, id=f"{entry.name}-{name}")


@pytest.mark.parametrize(("system", "option"), list(whole_options()))
@pytest.mark.parametrize("value", [-1, 0, 1])
def test_numbers_out_of_range_are_usage_errors(system, option, value):
    said, result = "", None
    try:
        result = api.run("sphere", system, evaluations=12, settings={f"system.{option}": value, "problem.dim": 2})
    except UsageError as e:
        said = str(e)
    assert (result.evaluations > 0) if result else (str(value) in said), f"the message must say what came: {said}"
