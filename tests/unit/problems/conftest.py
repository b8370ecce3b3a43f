"""What tests of task directories share."""

import textwrap

import pytest
from tasks import ONE_SIDED, PROGRAM


@pytest.fixture
def task(tmp_path):
    """A task directory of the given texts; returns its path."""

    def write(evaluate=ONE_SIDED, program=PROGRAM, settings=None, **others) -> str:
        texts = {"evaluate": evaluate, "program": program, **others}
        for name, text in texts.items():
            if text is not None:
                (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        if settings is not None:
            (tmp_path / "evoloom.toml").write_text(textwrap.dedent(settings))
        return str(tmp_path)

    return write
