"""A level that does not hold what it promises is refused."""

import pytest

from evoloom.core.errors import InfrastructureError
from evoloom.evaluate import launch


def test_confined_needs_landlock(monkeypatch):
    """The zygote is another process, so its report is what can be changed here."""
    loads = launch.json.loads

    def without(text):
        hello = loads(text)
        return hello | {"landlock": 0} if "landlock" in hello else hello

    monkeypatch.setattr(launch.json, "loads", without)
    with pytest.raises(InfrastructureError, match="no Landlock"):
        launch.start("confined", launch.plan(("numpy",)))
