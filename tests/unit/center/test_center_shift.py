"""Resources and shift handovers over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from center.pages.shift.duty import duty, spans
from contracts.city import City, Resource
from contracts.clock import ManualClock, iso
from contracts.geo import Point
from tests.unit.center.conftest import OPERATOR, TOKENS, VIEWER, Client, Serve
from tests.unit.center.scene import LAT, LON, START, STEP, Scene

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def stocked(scene: Scene, serve: Serve) -> Client:
    """Pumps at three places; two of the first are out with a flooding."""
    scene.city = msgspec.structs.replace(
        scene.city,
        resources={
            f"pump-{n}": Resource(
                id=f"pump-{n}", what="pump", name=f"{n}号泵", count=3, owner="water",
                point=Point(LON + n * STEP, LAT + STEP),
            )
            for n in (1, 2, 5)
        }
        | {"crew-1": Resource(id="crew-1", what="crew", name="抢险队", point=Point(LON, LAT))},
    )  # fmt: skip
    ticket = scene.happen("flooding")
    taken = {"resource": "pump-1", "count": 2, "by": "w-03", "at": iso(START)}
    reason = {**scene.desk.nouns[ticket].reason, "resources": {"taken": [taken]}}
    scene.desk.amend(ticket, reason=reason)
    return serve(tokens=TOKENS)


def test_what_is_out_is_told_with_its_ticket_who_took_it_and_what_is_left(
    scene: Scene, stocked: Client
) -> None:
    told = stocked.get("/api/v1/resources?what=pump", token=OPERATOR).json
    first = next(one for one in told["items"] if one["id"] == "pump-1")
    assert (first["left"], first["count"], first["state"]) == (1, 3, "some")
    (out,) = first["out"]
    assert (out["ticket"], out["count"], out["by"]) == ("t-1", 2, scene.city.workers["w-03"].name)
    assert (out["kind"], out["rev"], out["grid_name"]) == ("flooding", 2, "第5网格")
    assert {one["state"] for one in told["items"]} == {"some", "free"}
    assert [one["id"] for one in told["sorts"]] == ["crew", "pump"]
    assert told["sorts"][1]["zh"] == "水泵"


def test_the_nearest_resource_comes_first(stocked: Client) -> None:
    near = f"{LON + 5 * STEP},{LAT + STEP}"
    told = stocked.get(f"/api/v1/resources?near={near}", token=OPERATOR).json["items"]
    assert [one["id"] for one in told] == ["pump-5", "pump-2", "pump-1", "crew-1"]
    assert told[0]["distance_m"] == 0
    bad = stocked.get("/api/v1/resources?near=here", token=OPERATOR)
    assert (bad.status, bad.json["path"]) == (400, "near")


def test_a_resource_is_offered_the_open_tickets_the_nearest_first(
    scene: Scene, stocked: Client
) -> None:
    far = scene.happen("severed_cable")
    told = stocked.get("/api/v1/resources/pump-1/tickets", token=OPERATOR).json["items"]
    assert [one["id"] for one in told] == ["t-1", far]
    assert told[0]["distance_m"] < told[1]["distance_m"]
    assert stocked.get("/api/v1/resources/pump-9/tickets", token=OPERATOR).status == 404


def staffed(*shifts: str) -> City:
    from tests.unit.center.scene import town

    city = town()
    some = list(city.workers.values())[: len(shifts)]
    workers = {
        w.id: msgspec.structs.replace(w, shift=shift) for w, shift in zip(some, shifts, strict=True)
    }
    return msgspec.structs.replace(city, workers=workers)


def test_who_is_on_and_who_comes_follows_from_the_shifts_over_midnight() -> None:
    city = staffed("08:00-20:00", "20:00-08:00", "", "09:00-12:00;13:00-17:00")
    night = datetime(2026, 7, 14, 17, 30, tzinfo=UTC)  # 01:30 of the 15th in Shanghai
    found = duty(city, night, city.workers.values())
    assert [(one["id"], one["until"]) for one in found["on"]] == [
        ("w-01", "2026-07-15T00:00:00Z"),
        ("w-02", None),
    ]
    assert [(one["id"], one["since"]) for one in found["next"]] == [
        ("w-00", "2026-07-15T00:00:00Z"),
        ("w-03", "2026-07-15T01:00:00Z"),
    ]
    noon = datetime(2026, 7, 14, 4, 30, tzinfo=UTC)  # 12:30: between the two halves
    found = duty(city, noon, city.workers.values())
    assert [one["id"] for one in found["on"]] == ["w-00", "w-02"]
    assert [(one["id"], one["since"]) for one in found["next"]] == [
        ("w-03", "2026-07-14T05:00:00Z"),
        ("w-01", "2026-07-14T12:00:00Z"),
    ]


def test_a_shift_that_ends_when_it_begins_lasts_a_day() -> None:
    now = datetime(2026, 7, 14, tzinfo=UTC)
    assert all(b - a == timedelta(days=1) for a, b in spans("08:00-08:00", now, SHANGHAI))


def test_the_handover_shows_what_is_open_and_waits_for_whom(scene: Scene, serve: Serve) -> None:
    clock = scene.desk.clock
    assert isinstance(clock, ManualClock)
    small = scene.happen("loud_sound", severity=2)
    grave = scene.happen("flooding", severity=5)
    late = scene.happen("severed_cable", severity=3, opened_s_ago=7200)
    scene.desk.step(grave, "accepted", "w-10")
    done = scene.happen("fibre_break")
    for stage in ("accepted", "arrived", "disposed", "verified", "closed"):
        scene.desk.step(done, stage, "w-05")
    told = serve(tokens=TOKENS).get("/api/v1/shift", token=OPERATOR).json
    assert [one["id"] for one in told["open"]] == [late, grave, small]
    assert told["open"][0]["overdue"] and told["open"][0]["waits"] == "accept"
    assert (told["open"][1]["waits"], told["open"][1]["whose"]) == ("arrive", "doer")
    assert "市政排水公司" in told["open"][1]["who"]
    assert told["counts"]["open"] == 3 and told["counts"]["overdue"] == 1
    assert len(told["on"]) == len(scene.city.workers)
    assert told["waiting"] is None


def test_two_people_sign_and_what_they_signed_stays(scene: Scene, serve: Serve) -> None:
    client = serve(tokens=TOKENS)
    ticket = scene.happen("flooding")
    body = {"leaving": "王", "notes": "二号泵在南门"}
    made = client.post("/api/v1/shift/handovers", body, token=OPERATOR)
    assert made.status == 201, made.json
    assert [one["id"] for one in made.json["body"]["open"]] == [ticket]
    second = client.post("/api/v1/shift/handovers", body, token=OPERATOR)
    assert second.status == 409 and "尚未签收" in second.json["reason"]
    path = f"/api/v1/shift/handovers/{made.json['id']}"
    same = client.post(f"{path}/take", {"coming": " 王"}, token=OPERATOR)
    assert (same.status, same.json["path"]) == (409, "$.coming")
    taken = client.post(f"{path}/take", {"coming": "李", "remarks": "已清点"}, token=OPERATOR)
    assert (taken.status, taken.json["coming"], taken.json["remarks"]) == (200, "李", "已清点")
    assert client.post(f"{path}/take", {"coming": "赵"}, token=OPERATOR).status == 409
    scene.desk.step(ticket, "accepted", "w-05")
    kept = client.get(path, token=OPERATOR).json
    assert kept["body"]["open"][0]["stage"] == "dispatched"
    assert (kept["leaving"], kept["notes"]) == ("王", "二号泵在南门")
    shift = client.get("/api/v1/shift", token=OPERATOR).json
    assert shift["waiting"] is None and [one["id"] for one in shift["before"]] == [kept["id"]]
    assert client.get("/api/v1/shift/handovers/h-none", token=OPERATOR).status == 404


def test_who_may_not_act_hands_nothing_over(serve: Serve) -> None:
    client = serve(tokens=TOKENS)
    for path in ("shift", "resources"):
        assert client.get(f"/api/v1/{path}", token=VIEWER).status == 403
    assert client.post("/api/v1/shift/handovers", {"leaving": "x"}, token=VIEWER).status == 403
