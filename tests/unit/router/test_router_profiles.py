"""Profiles: shipped ones are whole, wrong ones are named by file, path, found and allowed."""

from __future__ import annotations

import pytest

from contracts.errors import Wrong
from contracts.kinds import KINDS
from router import profiles

BASE = 'base = "cn-default"\nname = "mine"\n'


@pytest.mark.parametrize("name", profiles.names())
def test_shipped_profiles_name_every_kind_with_its_source(name: str) -> None:
    profile = profiles.load(name)
    assert profile.name == name
    assert set(profile.kinds) == set(KINDS)
    assert all(k.source and k.name_zh and k.name_en and k.limit for k in profile.kinds.values())


def test_the_two_published_codings_disagree_and_both_are_here() -> None:
    default, yuncheng = profiles.load("cn-default"), profiles.load("cn-yuncheng")
    assert (default.kinds["flooding"].code, yuncheng.kinds["flooding"].code) == ("04-06", "05-06")
    assert default.kinds["flooding"].limit == yuncheng.kinds["flooding"].limit


def test_safety_kinds_run_day_and_night() -> None:
    profile = profiles.load("cn-default")
    for kind in ("severed_cable", "flooding", "high_altitude_throw", "manhole_cover_displaced"):
        limit = profile.kinds[kind].limit
        assert limit is not None
        assert profile.calendars[limit.calendar].continuous


def test_a_citys_own_says_only_the_differences() -> None:
    mine = profiles.parse(BASE + "[kinds.flooding.limit]\ndispose_h = 1.5\n", "profile.toml")
    limit = mine.kinds["flooding"].limit
    assert limit is not None
    assert (limit.dispose_h, limit.accept_h) == (1.5, 0.1)
    assert mine.kinds["flooding"].code == "04-06"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = [", "not readable as TOML"),
        ('base = "nowhere"', "allowed: cn-default, cn-yuncheng"),
        ("base = 3", r"\$.base"),
        (BASE + "remind = 1", r"\$.remind: unknown field"),
        (BASE + "remind_before = 1.5", "0 < x < 1"),
        (BASE + "escalate_to = []", "at least one role"),
        (BASE + "[kinds.floding]", "unknown kind.*flooding"),
        (BASE + '[kinds.flooding]\nlane = "fast"', "self, direct, joint"),
        (BASE + '[kinds.flooding.limit]\ncalendar = "lunar"', "continuous, working"),
        (BASE + "[kinds.flooding.limit]\naccept_h = -1", "above 0"),
        (BASE + '[kinds.flooding.limit]\naccept_h = "soon"', "Expected"),
        (BASE + "[kinds.flooding.limit]\nacept_h = 1", r"limit.acept_h: unknown field.*accept_h"),
        (BASE + '[calendars.working]\nhours = ["18:00-8:00"]', "is not HH:MM"),
        (BASE + '[calendars.working]\nhours = ["8-12"]', "HH:MM"),
        (BASE + "[calendars.working]\nweekdays = [0]", "Monday"),
        (BASE + '[calendars.working]\nholidays = ["1 May"]', "YYYY-MM-DD"),
        (BASE + '[calendars.continuous]\nhours = ["08:00-12:00"]', "continuous = false"),
    ],
)
def test_a_wrong_profile_is_refused_with_file_path_and_what_is_allowed(
    text: str, says: str
) -> None:
    with pytest.raises(Wrong, match=says) as told:
        profiles.parse(text, "profile.toml")
    assert told.value.where.startswith("profile.toml")


def test_an_unknown_shipped_profile_names_the_shipped_ones() -> None:
    with pytest.raises(Wrong, match="cn-default"):
        profiles.load("cn-nowhere")
