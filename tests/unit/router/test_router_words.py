"""Texts for people: each language whole, told apart by machines and by readers."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from contracts.kinds import NAMES
from router.deadlines import Clocks
from router.words import apart, one_line
from tests.scenarios.town import town


def test_what_was_put_on_one_line_comes_apart_again() -> None:
    assert apart(one_line("Flooding at a", "道路积水（a）")) == ("Flooding at a", "道路积水（a）")
    assert apart("only one") == ("only one", "only one")


@pytest.mark.parametrize("kind", ["flooding", "high_altitude_throw", "loud_sound"])
def test_the_reason_of_the_deadlines_names_the_kind_in_each_language(kind: str) -> None:
    clocks = Clocks(town().profile, ZoneInfo("Asia/Shanghai"))
    _, reason = clocks.open(kind, datetime(2026, 11, 20, 2, tzinfo=UTC))
    zh, en = NAMES[kind]
    whose = (en.lower(), zh) if reason["rule"] == kind else ("any other kind", "其他类别")
    assert whose[0] in reason["text_en"]
    assert whose[1] in reason["text_zh"]
    assert kind not in reason["text_zh"]
