"""The part of a profile about people, departments and single days."""

from __future__ import annotations

import pytest

from contracts.errors import Wrong
from router import profiles

BASE = 'base = "cn-default"\n'


def test_the_shipped_roles_are_those_of_the_field() -> None:
    roles = profiles.charter("cn-default").roles
    duties = {duty: {r.id for r in roles.values() if r.duty == duty} for duty in ("lead", "liaise")}
    assert duties["lead"] == {"grid_head", "community", "street_center", "district_center"}
    assert len(duties["liaise"]) == 5, "four 对接员 and the general one"
    helpers = ("party_member", "elder", "volunteer", "resident")
    assert {roles[name].duty for name in helpers} <= {"help", "report"}
    assert all(role.name_zh and role.name_en for role in roles.values())
    assert {r.id for r in roles.values() if r.patrols} == {"grid_worker", "microgrid_worker"}


def test_every_rung_of_the_ladder_is_a_role_or_the_neighbour() -> None:
    charter = profiles.charter("cn-default")
    for rung in profiles.load("cn-default").escalate_to:
        assert rung == "neighbour" or charter.roles[rung].duty == "lead"


def test_the_shipped_responses() -> None:
    found = {response.id: response for response in profiles.charter("cn-default").responses}
    assert found["road-blocked"].when == "road_blocked"
    assert found["road-blocked"].departments == ("traffic-police",)
    assert (found["cable-down"].kind, found["cable-down"].helpers) == ("severed_cable", 2)
    assert found["flooded"].resources == ("pump", "barrier")


def test_a_city_says_only_what_differs() -> None:
    text = BASE + "[roles.microgrid_worker]\nmost_open = 3\n[responses.cable-down]\nhelpers = 4\n"
    mine = profiles.parse_charter(text, "mine.toml")
    assert mine.roles["microgrid_worker"].most_open == 3
    assert mine.roles["microgrid_worker"].patrols
    by_id = {response.id: response for response in mine.responses}
    assert (by_id["cable-down"].helpers, by_id["cable-down"].kind) == (4, "severed_cable")
    assert profiles.parse(text, "mine.toml") == profiles.parse(BASE, "mine.toml")


def test_single_days_override_the_calendar() -> None:
    text = BASE + '[overrides.working]\n"2026-05-06" = "off"\n"2026-05-05" = "on"\n'
    working = profiles.parse(text, "mine.toml").calendars["working"]
    assert "2026-05-06" in working.holidays
    assert "2026-05-05" not in working.holidays
    assert "2026-05-05" in working.workdays
    assert "2026-10-01" in working.holidays, "the others stay"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[roles.x]\nduty = "rule"', "dispose, help, lead"),
        ("[roles.x]\nspeed_mps = -1", "above 0"),
        ("[roles.x]\nmost_open = 0", "1 or more"),
        ("[roles.x]\nsped = 1", "unknown field"),
        ('roles = "all"', r"tables \[roles.ID\]"),
        ('[responses.x]\nkind = "floods"\nhelpers = 1', "flooding"),
        ('[responses.x]\nwhen = "storm"\nhelpers = 1', "road_blocked"),
        ("[responses.x]\nkind = 'flooding'", "nobody is called"),
        ("[responses.x]\nseverity = 0\nhelpers = 1", "1 minor"),
        ('[overrides.working]\n"1 May" = "off"', "YYYY-MM-DD"),
        ('[overrides.working]\n"2026-05-01" = "holiday"', "off, on"),
        ('[overrides.continuous]\n"2026-05-01" = "off"', "working"),
    ],
)
def test_a_wrong_charter_is_refused_with_file_path_and_what_is_allowed(
    text: str, says: str
) -> None:
    with pytest.raises(Wrong, match=says) as told:
        profiles.parse(BASE + text + "\n", "mine.toml")
    assert told.value.where.startswith("mine.toml $.")
