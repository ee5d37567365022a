"""Residents by the code on a wall: what they see, what becomes of what they send, what they do not
see. The router, the decoder and the detector of reports behind it are the real ones."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from center.pages.resident.codes import ALPHABET, LETTERS, Codes, shown
from center.pages.resident.follow import VALID, Follow, Follows
from center.pages.resident.spots import sort_of, spots
from center.pages.resident.status import OF_STAGE, leading, steps
from center.server import CenterServer
from center.settings import CenterSettings
from contracts.clock import ManualClock, epoch_ms, iso
from contracts.event import Event, Place, event_id
from contracts.geo import Point
from contracts.kinds import STAGES
from contracts.spots import Spot
from tests.unit.center.conftest import TOKENS, VIEWER, Client
from tests.unit.center.routed import RoutedScene
from tests.unit.center.scene import LAT, LON, START, STEP, town

SECRET = "a-secret-of-sixteen-letters"
Serve = Callable[..., Client]


@pytest.fixture
def scene(tmp_path: Path) -> RoutedScene:
    return RoutedScene(tmp_path / "evidence", ManualClock(START))


@pytest.fixture
def serve(scene: RoutedScene) -> Iterator[Serve]:
    started: list[CenterServer] = []

    def start(**more: Any) -> Client:
        settings = CenterSettings(port=0, evidence_secret=SECRET, **more)
        started.append(scene.server(settings))
        started[-1].start()
        return Client(started[-1])

    yield start
    for server in started:
        server.stop(2.0)


def code_of(ident: str, **settings: Any) -> str:
    city = town()
    spot = next(s for s in spots(city) if s.id == ident)
    return Codes(city, CenterSettings(**settings), SECRET).code(spot)


DRAIN = code_of("drain:n4")
PLACE = f"/api/v1/places/{DRAIN}"


def flooding(scene: RoutedScene, metres_east: float = 0.0, severity: int = 4) -> str:
    """A sensor sees water beside the drain n4; the ticket's id."""
    now = scene.desk.clock.now()
    drain = scene.city.drains.nodes["n4"].point  # type: ignore[union-attr]
    place = Place(drain.lon + metres_east / 96_000, drain.lat)
    known = set(scene.desk.nouns)
    scene.desk.send(
        Event(
            id=event_id("flooding", "lvl-4", now), rev=1, kind="flooding", site="drain-a",
            device="lvl-4", at=now, severity=severity, place=place, phase="opened",
            evidence={"value": 0.4},
        )
    )  # fmt: skip
    (ticket,) = set(scene.desk.nouns) - known
    return ticket


def body(**more: Any) -> dict[str, Any]:
    return {"key": "k" * 20, "ts": epoch_ms(START), "kind": "flooding", **more}


def reported(client: Client, **more: Any) -> str:
    answer = client.post(f"{PLACE}/reports", body(**more))
    assert answer.status == 202, answer.body
    return str(answer.json["follow"])


def followed(client: Client, link: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/follows/{link}")
    assert answer.status == 200, answer.body
    told: dict[str, Any] = answer.json
    return told


def jpeg(with_exif: bool = False) -> str:
    ok, data = cv2.imencode(".jpg", np.full((480, 640, 3), 90, np.uint8))
    assert ok
    raw = data.tobytes()
    if with_exif:
        said = b"Exif\x00\x00GPS 30.27 120.15 iPhone of Zhang San"
        raw = raw[:2] + b"\xff\xe1" + (len(said) + 2).to_bytes(2, "big") + said + raw[2:]
    return base64.b64encode(raw).decode()


# --- codes --------------------------------------------------------------------------------------


def test_every_place_has_a_code_of_its_own_that_stays() -> None:
    city = town()
    codes = Codes(city, CenterSettings(), SECRET)
    all_codes = [codes.code(spot) for spot in spots(city)]
    assert len(set(all_codes)) == len(all_codes) == 12 + 14 + 11
    assert all(len(code) == LETTERS and set(code) <= set(ALPHABET) for code in all_codes)
    assert [Codes(city, CenterSettings(), SECRET).code(s) for s in spots(city)] == all_codes


def test_a_code_is_read_as_hands_write_it() -> None:
    codes = Codes(town(), CenterSettings(), SECRET)
    for written in (DRAIN, DRAIN.lower(), shown(DRAIN), shown(DRAIN).replace("-", " ")):
        assert codes.find(written).id == "drain:n4"  # type: ignore[union-attr]
    confused = DRAIN.replace("0", "O").replace("1", "I")
    assert codes.find(confused).id == "drain:n4"  # type: ignore[union-attr]
    assert codes.find("0" * 12) is None
    assert codes.find("x" * 5_000) is None


def test_a_salt_voids_one_code_or_all_of_them() -> None:
    assert code_of("drain:n4", place_salts={"drain:n4": "2"}) != DRAIN
    assert code_of("drain:n5", place_salts={"drain:n4": "2"}) == code_of("drain:n5")
    assert code_of("drain:n5", place_salt="2") != code_of("drain:n5")
    assert code_of("drain:n4", place_secret="another-secret-of-ours") != DRAIN


def test_places_are_the_citys_own_its_smallest_grids_drains_and_poles() -> None:
    city = town()
    own = Spot(id="place:gate", what="gate", zh="东门", en="East gate", point=Point(LON, LAT))
    city.extra["places"] = (own,)
    found = list(spots(city))
    assert found[0] is own
    assert {sort_of(spot) for spot in found} == {"place", "grid", "drain", "pole"}
    (grid,) = (spot for spot in found if spot.id == "grid:g00")
    assert grid.point.lon == pytest.approx(LON + STEP / 2)
    assert grid.point.lat == pytest.approx(LAT + STEP)


# --- links --------------------------------------------------------------------------------------


def test_a_link_says_what_was_put_in_until_its_time_has_passed() -> None:
    follows = Follows(SECRET)
    follow = Follow(code=DRAIN, event="e-0123456789abcdef0123", at=START, photo="a" * 64)
    link = follows.make(follow)
    assert follows.read(link, START + VALID) == follow
    assert follows.read(link, START + VALID + timedelta(seconds=1)) is None
    assert Follows("another-secret-of-ours").read(link, START) is None
    for at in range(len(link)):
        other = "0" if link[at] != "0" else "1"
        assert follows.read(link[:at] + other + link[at + 1 :], START) is None


# --- what is known ------------------------------------------------------------------------------


def test_who_scans_sees_what_is_known_here_and_that_somebody_comes(
    scene: RoutedScene, serve: Serve
) -> None:
    ticket = flooding(scene, metres_east=28)
    scene.act(ticket, "accept", str(scene.desk.nouns[ticket].worker))
    told = serve().get(PLACE).json
    assert (told["zh"], told["en"]) == ("雨水井 n4", "Drain n4")
    assert told["here"] == [
        {"kind": "flooding", "state": "onway", "since": iso(START), "metres": 30}
    ]


def test_what_is_far_or_long_over_is_not_known_here(scene: RoutedScene, serve: Serve) -> None:
    flooding(scene, metres_east=400)
    client = serve()
    assert client.get(PLACE).json["here"] == []
    grid = code_of("grid:" + str(next(iter(scene.desk.nouns.values())).grid))
    (known,) = client.get(f"/api/v1/places/{grid}").json["here"]
    assert (known["kind"], known["metres"]) == ("flooding", None)


def test_what_is_finished_is_told_for_two_hours(scene: RoutedScene, serve: Serve) -> None:
    ticket = flooding(scene)
    worker = str(scene.desk.nouns[ticket].worker)
    for action in ("accept", "arrive", "dispose"):
        assert scene.act(ticket, action, worker).ok
    assert scene.act(ticket, "verify", "desk", reason="seen").ok
    assert scene.act(ticket, "close", "desk").ok
    client = serve()
    assert [h["state"] for h in client.get(PLACE).json["here"]] == ["finished"]
    scene.desk.clock.advance_to(START + timedelta(hours=2, seconds=1))  # type: ignore[union-attr]
    assert client.get(PLACE).json["here"] == []


# --- reports ------------------------------------------------------------------------------------


def test_a_report_joins_the_incident_that_is_open_there(scene: RoutedScene, serve: Serve) -> None:
    ticket = flooding(scene, metres_east=20)
    client = serve()
    told = followed(client, reported(client, text="水没过脚踝"))
    assert list(scene.desk.nouns) == [ticket], "nobody else is sent"
    assert scene.desk.nouns[ticket].severity == 5, "people confirm it: it is graver"
    assert (told["kind"], told["state"], told["sensed"]) == ("flooding", "sending", True)
    assert [step["state"] for step in told["steps"]] == ["taken", "sending"]


def test_a_report_of_something_new_sends_somebody_and_is_followed(
    scene: RoutedScene, serve: Serve
) -> None:
    client = serve()
    link = reported(client, kind="street_light_out")
    (ticket,) = scene.desk.nouns
    worker = str(scene.desk.nouns[ticket].worker)
    told = followed(client, link)
    assert (told["kind"], told["state"], told["others"]) == ("street_light_out", "sending", 0)
    for action, state in (("accept", "onway"), ("arrive", "onsite"), ("dispose", "done")):
        scene.desk.clock.advance_to(  # type: ignore[union-attr]
            scene.desk.clock.now() + timedelta(minutes=1)
        )
        assert scene.act(ticket, action, worker).ok
        told = followed(client, link)
        assert told["state"] == told["steps"][-1]["state"] == state
    assert told["may_rate"]
    assert told["may_deny"]
    assert [s["state"] for s in told["steps"]] == ["taken", "sending", "onway", "onsite", "done"]


def test_two_who_report_the_same_are_told_of_each_other(scene: RoutedScene, serve: Serve) -> None:
    client = serve()
    first = reported(client)
    reported(client, key="j" * 20)
    assert len(scene.desk.nouns) == 1
    assert followed(client, first)["others"] == 1


def test_sending_it_again_is_the_same_report(scene: RoutedScene, serve: Serve) -> None:
    client = serve()
    links = {reported(client) for _ in range(3)}
    # Also by another process of the center, which does not remember the answer.
    links |= {reported(serve())}
    assert len(links) == 1
    events = [e for e in scene.desk.things["events"].values() if e["kind"] == "citizen_report"]
    assert len(events) == len(scene.desk.nouns) == 1


def test_the_photograph_comes_without_what_the_telephone_hid_in_it(
    scene: RoutedScene, serve: Serve
) -> None:
    client = serve()
    link = reported(client, photo=jpeg(with_exif=True))
    followed(client, link)
    (ticket,) = scene.desk.nouns.values()
    (shown_,) = ticket.reason["photos"]["near"]
    kept = (scene.evidence / shown_["ref"]).read_bytes()
    assert b"Exif" not in kept
    assert b"Zhang" not in kept
    followed(client, link)
    assert len(next(iter(scene.desk.nouns.values())).reason["photos"]["near"]) == 1
    sent = json.loads(scene.desk.reports[0][1])
    assert base64.b64decode(sent["photo"]) == kept


def test_the_photograph_reaches_the_ticket_without_the_telephone(
    scene: RoutedScene, serve: Serve
) -> None:
    reported(serve(), photo=jpeg())
    until = time.monotonic() + 5
    while not any(t.reason.get("photos") for t in scene.desk.nouns.values()):
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"kind": None}, "$.text"),
        ({"kind": "sensor_silent"}, "$.kind"),
        ({"key": "short"}, "$.key"),
        ({"text": "x" * 501}, "$.text"),
        ({"contact": "call me maybe"}, "$.contact"),
        ({"photo": "AAAA"}, "$.photo"),
        ({"homepage": "http://spam.example"}, "$.homepage"),
        ({"ts": epoch_ms(START - timedelta(hours=25))}, "$.ts"),
        ({"ts": epoch_ms(START + timedelta(minutes=3))}, "$.ts"),
        ({"ts": 10**17}, "$.ts"),
        ({"lon": 500.0, "lat": 30.0}, "$.lon"),
        ({"severity": 5}, "$"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_filed(
    scene: RoutedScene, serve: Serve, wrong: dict[str, Any], path: str
) -> None:
    answer = serve().post(f"{PLACE}/reports", body(**wrong))
    assert answer.status == 400
    if "photo" not in wrong:  # pictures have one message for all pages
        assert answer.json.get("path") == path
    assert not scene.desk.reports


def test_a_position_counts_within_reach_of_the_place(scene: RoutedScene, serve: Serve) -> None:
    client = serve()
    drain = scene.city.drains.nodes["n4"].point  # type: ignore[union-attr]
    reported(client, lon=drain.lon + 0.0005, lat=drain.lat)
    reported(client, key="f" * 20, lon=drain.lon + 0.05, lat=drain.lat)
    near, far = (json.loads(payload) for _, payload in scene.desk.reports)
    assert near["lon"] == pytest.approx(drain.lon + 0.0005)
    assert far["lon"] == pytest.approx(drain.lon), "who is elsewhere means the place"


def test_a_number_to_call_back_is_kept_where_personal_data_are(
    scene: RoutedScene, serve: Serve
) -> None:
    client = serve(tokens=TOKENS)
    link = reported(client, contact="138 0013 8000")
    (event,) = (e for e in scene.desk.things["events"].values() if e["kind"] == "citizen_report")
    assert event["evidence"]["reporter"] == "138 0013 8000"
    open_to_all = [
        client.get(f"/api/v1/follows/{link}").body, client.get(PLACE).body,
        client.get(f"/api/v1/events/{event['id']}").body,
    ]  # fmt: skip
    assert not any(b"138 0013" in said for said in open_to_all)


def test_no_answer_names_anybody_or_repeats_their_words(scene: RoutedScene, serve: Serve) -> None:
    ticket = flooding(scene)
    worker = str(scene.desk.nouns[ticket].worker)
    scene.act(ticket, "accept", worker, note="老李 13912345678 已出发")
    client = serve()
    link = reported(client, text="我是张三，住3幢502", contact="13800138000")
    said = client.get(PLACE).body + client.get(f"/api/v1/follows/{link}").body
    said += client.get(f"/r/{DRAIN}").body
    names = [w.name for w in scene.city.workers.values()] + [worker]
    hidden = ["13912345678", "13800138000", "张三", "502", "老李", *names, ticket]
    text = said.decode()
    assert not [word for word in hidden if word in text]


# --- refusals -----------------------------------------------------------------------------------


def test_a_wrong_code_is_said_in_words_and_guessing_is_slowed(serve: Serve) -> None:
    client = serve()
    answer = client.get("/api/v1/places/000000000000")
    assert (answer.status, answer.json["error"]) == (404, "unknown_place")
    assert "请重新扫码" in answer.json["reason"]
    statuses = [client.get("/api/v1/places/000000000001").status for _ in range(10)]
    assert 429 in statuses
    assert client.get(PLACE).status == 200, "who has a right code is not kept out"


def test_a_wrong_link_shows_nothing(serve: Serve) -> None:
    client = serve()
    assert client.get(f"/api/v1/follows/{DRAIN}~{'0' * 20}~1~~{'A' * 22}").status == 403
    assert client.get("/api/v1/follows/nothing").status == 403


def test_reports_are_limited_and_say_when_to_try_again(scene: RoutedScene, serve: Serve) -> None:
    client = serve(place_reports_per_minute=12.0)
    answers = [client.post(f"{PLACE}/reports", body(key=f"key-number-{n:06}")) for n in range(6)]
    assert [a.status for a in answers[:3]] == [202] * 3
    assert answers[-1].status == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert len(scene.desk.reports) == sum(a.status == 202 for a in answers)
    again = client.post(f"{PLACE}/reports", body(key="key-number-000000"))
    assert again.status == 202, "what was taken is answered again"


def test_reporting_needs_no_account_where_everything_else_does(
    scene: RoutedScene, serve: Serve
) -> None:
    client = serve(tokens=TOKENS)
    assert client.post("/api/v1/reports", {"text": "x", "lon": 1, "lat": 1}).status == 401
    link = reported(client)
    assert followed(client, link)["state"] == "sending"


def test_a_foreign_page_cannot_send_a_form(serve: Serve) -> None:
    answer = serve().post(f"{PLACE}/reports", b"key=x", headers={"Content-Type": "text/plain"})
    assert answer.status == 415


# --- afterwards ---------------------------------------------------------------------------------


def finished(scene: RoutedScene, client: Client, last: str = "dispose") -> tuple[str, str]:
    """A report whose work is done; (its link, its ticket)."""
    link = reported(client, kind="street_light_out")
    (ticket,) = scene.desk.nouns
    worker = str(scene.desk.nouns[ticket].worker)
    for action, by in (
        ("accept", worker), ("arrive", worker), ("dispose", worker), ("verify", "desk"),
        ("close", "desk"),
    ):  # fmt: skip
        answer = scene.act(ticket, action, by)
        assert answer.ok, answer
        if action == last:
            break
    return link, ticket


def test_who_reported_rates_it_once_it_is_done(scene: RoutedScene, serve: Serve) -> None:
    client = serve()
    link, ticket = finished(scene, client)
    path = f"/api/v1/follows/{link}/rating"
    assert client.post(path, {"score": 6}).status == 400
    assert client.post(path, {"score": 4}).json["rated"] == 4
    assert client.post(path, {"score": 4}).json["rated"] == 4
    assert client.post(path, {"score": 2, "text": "又坏了"}).json["rated"] == 2
    given = scene.desk.nouns[ticket].reason["satisfaction"]
    assert [entry["score"] for entry in given] == [4, 2], "the same again is no second one"
    assert len({entry["by"] for entry in given}) == 1


def test_what_is_not_done_yet_cannot_be_rated(serve: Serve) -> None:
    client = serve()
    link = reported(client)
    answer = client.post(f"/api/v1/follows/{link}/rating", {"score": 5})
    assert (answer.status, answer.json["error"]) == (409, "not_done_yet")


def test_a_closed_case_is_opened_again_by_who_reported_it(scene: RoutedScene, serve: Serve) -> None:
    client = serve()
    link, ticket = finished(scene, client, last="close")
    said = {"key": "n" * 20, "text": "灯还是不亮", "ts": epoch_ms(START)}
    answer = client.post(f"/api/v1/follows/{link}/not-done", said)
    assert answer.json == {"follow": link}
    assert scene.desk.nouns[ticket].stage == "reworked"
    assert followed(client, link)["state"] == "onsite"


def test_work_said_to_be_done_and_not_sends_somebody_anew(scene: RoutedScene, serve: Serve) -> None:
    client = serve()
    link, ticket = finished(scene, client)
    said = {"key": "n" * 20, "text": "灯还是不亮", "ts": epoch_ms(START)}
    answer = client.post(f"/api/v1/follows/{link}/not-done", said)
    other = answer.json["follow"]
    assert other != link
    assert client.post(f"/api/v1/follows/{link}/not-done", said).json["follow"] == other
    assert len(scene.desk.nouns) == 2
    told = followed(client, other)
    assert (told["state"], told["kind"]) == ("sending", "street_light_out")
    assert scene.desk.nouns[ticket].stage == "disposed"


def test_a_case_closed_too_long_ago_becomes_a_new_report(scene: RoutedScene, serve: Serve) -> None:
    client = serve()
    link, _ = finished(scene, client, last="close")
    scene.desk.clock.advance_to(START + timedelta(hours=25))  # type: ignore[union-attr]
    said = {"key": "n" * 20, "text": "灯还是不亮"}
    told = followed(client, link)
    assert (told["may_rate"], told["may_deny"]) == (False, True)
    late = client.post(f"/api/v1/follows/{link}/rating", {"score": 5})
    assert (late.status, late.json["error"]) == (409, "too_late")
    answer = client.post(f"/api/v1/follows/{link}/not-done", said)
    assert answer.status == 200
    assert answer.json["follow"] != link
    assert len(scene.desk.nouns) == 2


def test_while_people_are_at_it_there_is_nothing_to_deny(serve: Serve) -> None:
    client = serve()
    link = reported(client)
    said = {"key": "n" * 20, "text": "还没好"}
    assert client.post(f"/api/v1/follows/{link}/not-done", said).status == 409


# --- pieces -------------------------------------------------------------------------------------


def test_every_stage_of_the_loop_has_its_plain_word() -> None:
    assert set(OF_STAGE) == set(STAGES)


def test_after_a_rework_the_way_is_told_as_it_stands() -> None:
    def at(minute: int) -> str:
        return iso(datetime(2026, 7, 14, 12, minute, tzinfo=UTC))

    walked = ("dispatched", "accepted", "arrived", "disposed", "reworked")
    ticket = {
        "stage": "reworked", "updated_at": at(9),
        "timeline": [{"change": c, "at": at(n)} for n, c in enumerate(walked, 1)],
    }  # fmt: skip
    told = steps(ticket, START)
    assert [(s["state"], s["at"]) for s in told[1:]] == [
        ("sending", at(1)), ("onway", at(2)), ("onsite", at(5)),
    ]  # fmt: skip


def test_of_several_tickets_the_one_that_goes_on_tells() -> None:
    void = {"id": "v", "stage": "void", "parent": None}
    closed = {"id": "c", "stage": "closed", "parent": None}
    going = {"id": "g", "stage": "accepted", "parent": None}
    part = {"id": "p", "stage": "dispatched", "parent": "g"}
    assert leading([part, void, closed, going]) == going
    assert leading([void, closed]) == closed
    assert leading([]) is None


def test_replies_are_not_kept_by_caches(serve: Serve) -> None:
    assert serve().get(PLACE).headers["cache-control"] == "no-store"


def test_reports_of_one_millisecond_are_told_apart(scene: RoutedScene, serve: Serve) -> None:
    client = serve()
    kinds = ("street_light_out", "pole_tilt", "flooding")
    links = [reported(client, key=f"key-number-{n:06}", kind=k) for n, k in enumerate(kinds)]
    assert [followed(client, link)["kind"] for link in links] == list(kinds)


def test_what_a_resident_wrote_is_withheld_from_who_may_not_see_it(
    scene: RoutedScene, serve: Serve
) -> None:
    client = serve(tokens=TOKENS)
    reported(client, text="我是张三")
    (event,) = (e for e in scene.desk.things["events"].values() if e["kind"] == "citizen_report")
    assert "张三" not in client.get(f"/api/v1/events/{event['id']}").body.decode()
    assert "张三" in client.get(f"/api/v1/events/{event['id']}", token=VIEWER).body.decode()
