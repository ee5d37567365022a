"""Listings, single objects, actions and reports."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest

from contracts.kinds import APP_TYPES
from detectors.citizen_report.spec import CitizenReportConfig
from tests.unit.center.conftest import OPERATOR, TOKENS, VIEWER, Client, Serve
from tests.unit.center.scene import START, Scene


def test_a_listing_goes_page_by_page_newest_first(client: Client, scene: Scene) -> None:
    for _ in range(5):
        scene.happen("flooding")
    seen: list[str] = []
    path = "/api/v1/tickets?limit=2"
    for _ in range(3):
        page = client.get(path).json
        seen += [ticket["id"] for ticket in page["items"]]
        path = f"/api/v1/tickets?limit=2&after={page['next']}"
    assert seen == ["t-5", "t-4", "t-3", "t-2", "t-1"]
    assert page["next"] is None


def test_filters_reach_the_desk(client: Client, scene: Scene) -> None:
    scene.happen("flooding")
    scene.happen("severed_cable")
    items = client.get("/api/v1/tickets?kind=flooding&stage=dispatched").json["items"]
    assert [ticket["kind"] for ticket in items] == ["flooding"]
    assert client.get("/api/v1/incidents?kind=severed_cable").json["items"][0]["id"] == "i-2"


@pytest.mark.parametrize(
    ("query", "code", "path", "hint"),
    [
        ("colour=red", "unknown_parameter", "colour", "allowed: after, limit, kind, stage, sever"),
        ("limit=0", "bad_value", "limit", "1 to 500"),
        ("limit=501", "bad_value", "limit", "1 to 500"),
        ("limit=٣", "bad_value", "limit", "1 to 500"),
        ("kind=flood", "bad_value", "kind", "flooding"),
        ("stage=done", "bad_value", "stage", "accepted"),
        ("kind=flooding&kind=pole_tilt", "repeated_parameter", "kind", "more than once"),
        ("since=yesterday", "bad_time", "since", "ISO 8601"),
        ("since=2026-01-01T00:00:00", "bad_time", "since", "with a zone"),
        ("since=99999999999999999", "bad_time", "since", "ISO 8601"),
        ("after=x", "bad_query", None, "cursor"),
        ("grid=%00", "bad_value", "grid", "printable"),
    ],
)
def test_a_wrong_filter_is_refused_by_name(
    client: Client, query: str, code: str, path: str | None, hint: str
) -> None:
    from urllib.parse import quote

    reply = client.get(f"/api/v1/tickets?{quote(query, safe='=&%')}")
    assert reply.status == 400
    assert reply.json["error"] == code
    assert reply.json.get("path") == path
    assert hint in reply.json["reason"]


def test_a_ticket_comes_with_its_incident_events_and_links(client: Client, scene: Scene) -> None:
    ticket = scene.happen("high_altitude_throw")
    body = client.get(f"/api/v1/tickets/{ticket}").json
    assert body["incident_detail"]["id"] == body["incident"] == "i-1"
    (event,) = body["events"]
    assert event["origin"]["zone"] == "F17-3"
    assert event["links"]["clip"].startswith("/evidence/cam-1/throw.mp4?exp=")
    assert ("local", "tickets/t-1") in scene.desk.accesses


@pytest.mark.parametrize("id_", ["t-9", "a%2F..%2Fb", "x" * 65, "%00"])
def test_an_unknown_id_is_not_found(client: Client, id_: str) -> None:
    reply = client.get(f"/api/v1/tickets/{id_}")
    assert (reply.status, reply.json["error"]) == (404, "not_found")


def test_devices_and_workers_are_the_citys_with_what_was_heard(
    client: Client, scene: Scene
) -> None:
    scene.desk.things["devices"] = {"lvl-0": {"id": "lvl-0", "online": True}}
    scene.desk.things["workers"] = {"w-03": {"id": "w-03", "point": {"lon": 1.0, "lat": 2.0}}}
    device = client.get("/api/v1/devices/lvl-0").json
    assert (device["online"], device["type"]) == (True, "water_level")
    workers = {w["id"]: w for w in client.get("/api/v1/workers").json["items"]}
    assert len(workers) == 24
    assert workers["w-03"]["point"] == {"lon": 1.0, "lat": 2.0}
    assert workers["w-04"]["point"]["lat"] > 30
    page = client.get("/api/v1/workers?limit=23").json
    rest = client.get(f"/api/v1/workers?after={page['next']}").json
    assert [w["id"] for w in rest["items"]] == ["w-23"]
    inside = client.get("/api/v1/workers?grid=c1").json["items"]
    assert {w["grid"][:2] for w in inside} == {"g1"}


def test_an_action_moves_the_ticket(client: Client, scene: Scene) -> None:
    ticket = scene.happen("flooding")
    reply = client.post(
        f"/api/v1/tickets/{ticket}/actions", {"action": "accept", "by": "w-01", "rev": 1}
    )
    assert reply.status == 200
    assert (reply.json["stage"], reply.json["rev"]) == ("accepted", 2)
    (command,) = scene.desk.commands
    assert (command.by, command.rev, command.at) == ("w-01", 1, START)


def test_a_stale_action_is_refused_with_the_current_revision(client: Client, scene: Scene) -> None:
    ticket = scene.happen("flooding")
    path = f"/api/v1/tickets/{ticket}/actions"
    assert client.post(path, {"action": "accept", "by": "a", "rev": 1}).status == 200
    reply = client.post(path, {"action": "arrive", "by": "a", "rev": 1})
    assert reply.status == 409
    assert reply.json["rev"] == 2
    assert "you saw 1" in reply.json["reason"]


def test_an_action_nobody_answered_in_time_is_202(client: Client, scene: Scene) -> None:
    ticket = scene.happen("flooding")
    scene.desk.silent = True
    reply = client.post(
        f"/api/v1/tickets/{ticket}/actions", {"action": "accept", "by": "a", "rev": 1}
    )
    assert reply.status == 202
    assert reply.json["command"] == scene.desk.commands[0].id


GOOD = {"action": "accept", "by": "a", "rev": 1}


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        (GOOD | {"rev": "1"}, 400, "$.rev"),
        (GOOD | {"rev": 1.5}, 400, "$.rev"),
        (GOOD | {"colour": "red"}, 400, "$"),
        ({"action": "accept", "rev": 1}, 400, "$"),
        (GOOD | {"action": "DROP TABLE"}, 400, "$.action"),
        (GOOD | {"by": "  "}, 400, "$.by"),
        (GOOD | {"note": "a\x00b"}, 400, "$.note"),
        (GOOD | {"note": "x" * 4001}, 400, "$.note"),
        (b"{", 400, "$"),
        (b"\xff\xfe", 400, "$"),
        (b"[" * 50_000, 400, "$"),
        (b" " * 70_000, 413, None),
    ],
)
def test_a_bad_action_is_refused_with_its_place(
    client: Client, scene: Scene, body: object, status: int, path: str | None
) -> None:
    ticket = scene.happen("flooding")
    reply = client.post(f"/api/v1/tickets/{ticket}/actions", body)
    assert reply.status == status
    assert reply.json.get("path") == path
    assert reply.json["reason"]
    assert scene.desk.commands == []


def test_a_report_becomes_what_an_app_would_have_sent(client: Client, scene: Scene) -> None:
    photo = base64.b64encode(b"\xff\xd8\xff\xe0rest").decode()
    reply = client.post(
        "/api/v1/reports",
        {"text": "积水了", "lon": 120.1, "lat": 30.2, "kind": "flooding", "photo": photo,
         "reporter": "王女士"},
    )  # fmt: skip
    assert reply.status == 202
    ((topic, payload),) = scene.desk.reports
    assert topic == "gridsentry/v1/feed/wenhui/app-1/report"
    sent = json.loads(payload)
    assert sent.pop("id") == reply.json["id"]
    assert sent == {
        "ts": "2026-07-14T12:00:00Z", "text": "积水了", "lon": 120.1, "lat": 30.2,
        "kind": "flooding", "photo": photo, "reporter": "王女士",
    }  # fmt: skip


REPORT: dict[str, Any] = {"text": "x", "lon": 120.0, "lat": 30.0}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"text": ""}, "$.text"),
        ({"lon": 181}, "$.lon"),
        ({"lat": -1e308}, "$.lat"),
        ({"kind": "ufo"}, "$.kind"),
        ({"id": "a b"}, "$.id"),
        ({"ts": "2026-01-01T00:00:00"}, "$.ts"),
        ({"crs": "mars"}, "$.crs"),
        ({"photo": "not base64!"}, "$.photo"),
        ({"photo": base64.b64encode(b"GIF89a").decode()}, "$.photo"),
    ],
)
def test_a_bad_report_is_refused_with_its_place(
    client: Client, scene: Scene, change: dict[str, Any], path: str
) -> None:
    reply = client.post("/api/v1/reports", REPORT | change)
    assert (reply.status, reply.json["path"]) == (400, path)
    assert scene.desk.reports == []


@pytest.mark.parametrize("kind", ["App", "hotline", "miniprogram"])
def test_any_way_that_residents_report_by_takes_a_report(
    client: Client, scene: Scene, kind: str
) -> None:
    assert {kind.lower()} <= set(APP_TYPES) == set(CitizenReportConfig().app_types)
    scene.city.devices["app-1"] = msgspec.structs.replace(scene.city.devices["app-1"], type=kind)
    assert client.post("/api/v1/reports", REPORT).status == 202


def test_reports_are_rate_limited(serve: Serve, scene: Scene) -> None:
    client = serve(reports_per_minute=8.0)
    statuses = [client.post("/api/v1/reports", REPORT).status for _ in range(4)]
    assert statuses == [202, 202, 429, 429]
    assert int(client.post("/api/v1/reports", REPORT).headers["retry-after"]) >= 1
    assert len(scene.desk.reports) == 2


def test_a_database_that_is_away_is_said_plainly(client: Client, scene: Scene) -> None:
    scene.desk.down = True
    reply = client.get("/api/v1/tickets")
    assert (reply.status, reply.json["error"]) == (503, "try_again")
    assert reply.headers["retry-after"]
    ready = client.get("/readyz")
    assert ready.status == 503
    assert any("database" in reason for reason in ready.json["reasons"])
    assert client.get("/healthz").status == 200


def test_readiness_tells_the_services_own_reasons(client: Client, scene: Scene) -> None:
    assert client.get("/readyz").json["ready"] is True
    scene.health = {"ready": False, "reasons": ["the broker is away"], "lag_s": 3}
    reply = client.get("/readyz")
    assert reply.status == 503
    assert reply.json == {"ready": False, "reasons": ["the broker is away"], "lag_s": 3}


def test_metrics_name_every_route(client: Client) -> None:
    client.get("/api/v1/tickets")
    client.get("/nothing")
    text = client.get("/metrics").body.decode()
    assert 'gridsentry_center_requests_total{route="list-tickets",status="200"} 1.0' in text
    assert 'gridsentry_center_requests_total{route="page",status="404"} 1.0' in text


PERSONAL = ("F17-3", "王女士", "throw.jpg", "throw.mp4")


def test_personal_data_are_withheld_without_a_token(serve: Serve, scene: Scene) -> None:
    client = serve(tokens=TOKENS)
    scene.happen(
        "high_altitude_throw",
        reason={"incident": {"text": "thrown from F17-3"}, "reporter": "王女士"},
    )
    for path in ("tickets/t-1", "events/e-high_altitude_throw-1", "events"):
        text = client.get(f"/api/v1/{path}").body.decode()
        assert not [word for word in PERSONAL if word in text], path
    seen = client.get("/api/v1/tickets/t-1", token=VIEWER).body.decode()
    assert all(word in seen for word in PERSONAL)


def test_a_workers_number_is_for_those_who_may_see_evidence(serve: Serve, scene: Scene) -> None:
    client = serve(tokens=TOKENS)
    known = scene.city.workers["w-05"]
    told = {
        token: client.get("/api/v1/workers/w-05", token=token).json for token in (OPERATOR, None)
    }
    assert told[OPERATOR]["phone"] == known.phone != ""
    assert told[None]["phone"] is None and told[None]["name"] == known.name
    listed = client.get("/api/v1/workers").json["items"]
    assert {worker["phone"] for worker in listed} == {None}


def test_a_window_named_in_a_sentence_is_withheld_too(serve: Serve, scene: Scene) -> None:
    client = serve(tokens=TOKENS)
    reason = {"worker": {"text_en": "origin: F17-3.", "text_zh": "抛出点：F17-3，东侧 阳台"}}
    scene.happen("high_altitude_throw", reason=reason)
    for path in ("tickets", "incidents"):
        text = client.get(f"/api/v1/{path}").body.decode()
        assert "F17-3" not in text
        assert "阳台" not in text
    worker = client.get("/api/v1/tickets/t-1").json["reason"]["worker"]
    assert worker == {"text_en": "origin: ▒▒", "text_zh": "抛出点：▒▒，▒▒"}
    seen = client.get("/api/v1/tickets/t-1", token=VIEWER).json["reason"]["worker"]
    assert seen == reason["worker"]


def test_what_leads_to_the_window_is_withheld_wherever_it_stands(
    serve: Serve, scene: Scene
) -> None:
    client = serve(tokens=TOKENS)
    told = {
        "track": [["2026-07-14T11:59:58Z", 300, 41.75]], "boxes": [[300, 41.75, 8, 8]],
        "release_m": [12.375, 48.125], "drop_m": 36.625,
        "origin": {"zone": "F17-3", "floor": 17, "bay": 3, "p": 0.93, "others": []},
    }  # fmt: skip
    scene.happen("high_altitude_throw", evidence=told)
    leads = ("41.75", "12.375", "48.125", "36.625", "F17-3")
    event = client.get("/api/v1/tickets/t-1", token=VIEWER).json["events"][0]["id"]
    for path in ("tickets/t-1", "events", f"events/{event}"):
        text = client.get(f"/api/v1/{path}").body.decode()
        assert not [one for one in leads if one in text], path
        seen = client.get(f"/api/v1/{path}", token=VIEWER).body.decode()
        assert all(one in seen for one in leads), path


def test_headers_keep_the_page_to_itself(client: Client) -> None:
    for path in ("/", "/api/v1/tickets", "/nothing", "/static/desk/app.js"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_static_answers_are_revalidated(client: Client) -> None:
    for path in ("/", "/static/common/style.css", "/api/v1/grids"):
        tag = client.get(path).headers["etag"]
        assert client.get(path, headers={"If-None-Match": tag}).status == 304


def test_the_map_has_grids_and_networks(client: Client) -> None:
    grids = client.get("/api/v1/grids").json["features"]
    assert {"id", "parent", "level", "name"} <= set(grids[0]["properties"])
    assert len(grids) == 16
    whats = {f["properties"]["what"] for f in client.get("/api/v1/assets").json["features"]}
    assert whats == {"pipe", "drain", "span", "pole", "fibre"}
    city = client.get("/api/v1/city").json
    assert city["kinds"]["flooding"] == {"zh": "道路积水", "en": "Flooding", "code": None}


def test_roles_may_what_they_may(serve: Serve, scene: Scene) -> None:
    client = serve(tokens=TOKENS)
    ticket = scene.happen("flooding")
    path = f"/api/v1/tickets/{ticket}/actions"
    assert client.post(path, GOOD).status == 401
    assert client.post(path, GOOD, token="wrong-token-0000001").status == 401
    assert client.post(path, GOOD, token=VIEWER).status == 403
    assert client.post("/api/v1/reports", REPORT, token=VIEWER).status == 403
    assert client.post("/api/v1/reports", REPORT, token="reporter-token-0001").status == 202
    assert client.post(path, GOOD, token="reporter-token-0001").status == 403
    assert client.post(path, GOOD, token=OPERATOR).status == 200
    assert client.get("/api/v1/tickets", token="wrong-token-0000001").status == 401
