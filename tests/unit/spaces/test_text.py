from __future__ import annotations

import pytest

from evoloom.core.errors import UsageError
from evoloom.core.rng import root
from evoloom.spaces.text import Text
from evoloom.testing.spaces import check_space


def test_the_contract_of_spaces_holds():
    check_space(Text(["one two three", "two three four", "something else"]))


def test_reasons_and_distance():
    s = Text("be brief", max_characters=20)
    assert "got int" in (s.check(3) or "")
    assert "empty" in (s.check(" \n") or "")
    assert "21 characters" in (s.check("x" * 21) or "")
    assert s.key("be brief  ") == s.key("be brief")
    assert 0 < s.distance("a b c", "a b d") < s.distance("a b c", "x y z") == 1.0
    with pytest.raises(UsageError, match="no starts"):
        Text().sample(root(0), 1)
    with pytest.raises(UsageError, match="empty"):
        Text([""])
