"""Administration over HTTP: devices, dead letters and their retry, works, the city's data."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from center.settings import CenterSettings, Token
from contracts.batch import DeadLetter
from contracts.clock import iso
from contracts.plant import Learning
from gridsentry.city.folder import CityFolder
from gridsentry.city.init import init_city
from gridsentry.live.plant import ServicePlant
from tests.unit.center.conftest import OPERATOR, TOKENS, Client
from tests.unit.center.scene import START, Scene

ADMIN = "admin-token-00000001"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "city"
    init_city(place)
    return place


@pytest.fixture
def admin(scene: Scene, folder: Path, tmp_path: Path) -> Iterator[Client]:
    plant = ServicePlant(
        CityFolder(folder, tmp_path / "state"), lambda: scene.city, {},
        lambda: [("high_altitude_throw", "cam-1", "too dark")],
    )  # fmt: skip
    tokens = (*TOKENS, Token(token=ADMIN, name="chief", role="admin"))
    server = scene.server(CenterSettings(port=0, tokens=tokens), plant=plant)
    server.start()
    yield Client(server)
    server.stop(2.0)


def letter(scene: Scene, name: str, payload: bytes, **more: Any) -> DeadLetter:
    fields: dict[str, Any] = {
        "id": name, "topic": "gridsentry/v1/feed/wenhui/lvl-3/telemetry", "received_at": START,
        "code": "naive_time", "reason": "ts has no zone", "device": "lvl-3", "adapter": "native",
        "payload": payload, "bytes": len(payload), "sha256": hashlib.sha256(payload).hexdigest(),
    }  # fmt: skip
    made = DeadLetter(**(fields | more))
    scene.desk.letters[name] = made
    shown = {n: getattr(made, n) for n in fields if n != "payload"}
    scene.desk.things.setdefault("dead-letters", {})[name] = {
        **shown, "received_at": iso(made.received_at), "kind": made.code,
        "payload": base64.b64encode(payload).decode(),
    }  # fmt: skip
    return made


# --- devices --------------------------------------------------------------------------------------


def test_devices_are_told_with_the_gravest_that_is_known_of_them(
    scene: Scene, admin: Client
) -> None:
    desk, now = scene.desk, scene.desk.clock.now()
    desk.first["lvl-1"] = now - timedelta(hours=1)
    desk.things["devices"] = {
        "lvl-0": {"id": "lvl-0", "online": True, "last_reading_at": iso(now), "status_at": None},
        "lvl-1": {"id": "lvl-1", "online": None, "last_reading_at": iso(now), "status_at": None},
        "lvl-2": {"id": "lvl-2", "online": False, "last_reading_at": None, "status_at": iso(now)},
    }
    scene.happen("sensor_silent")
    told = admin.get("/api/v1/admin/devices?limit=500", token=OPERATOR).json
    by_id = {one["id"]: one for one in told["items"]}
    assert (by_id["lvl-0"]["state"], by_id["lvl-0"]["last_at"]) == ("ok", iso(now))
    assert by_id["lvl-2"]["state"] == "offline"
    assert by_id["cam-1"]["state"] == "degraded"
    assert by_id["cam-1"]["conditions"] == [{"kind": "high_altitude_throw", "text": "too dark"}]
    assert (by_id["lvl-9"]["state"], by_id["app-1"]["state"]) == ("unheard", "ok")
    assert told["total"] == len(scene.city.devices) == sum(told["counts"].values())


def test_a_device_that_is_new_is_learning_until_the_detectors_have_heard_enough(
    scene: Scene, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = scene.desk.clock.now()
    scene.desk.things["devices"] = {
        name: {"id": name, "online": True, "last_reading_at": iso(now), "status_at": None}
        for name in ("lvl-1", "lvl-2")
    }
    scene.desk.first |= {"lvl-1": now - timedelta(hours=1), "lvl-2": now - timedelta(days=2)}
    learns = {name: [Learning("flooding", 86_400.0)] for name in ("lvl-1", "lvl-2")}
    monkeypatch.setattr(ServicePlant, "learns", lambda self: learns)
    told = admin.get("/api/v1/admin/devices?q=lvl", token=OPERATOR).json["items"]
    by_id = {one["id"]: one for one in told}
    assert by_id["lvl-1"]["learning"] == [
        {"kind": "flooding", "until": iso(now + timedelta(hours=23))}
    ]
    assert (by_id["lvl-1"]["state"], by_id["lvl-2"]["state"]) == ("learning", "ok")


def test_devices_come_page_by_page_and_by_what_is_asked(scene: Scene, admin: Client) -> None:
    path, seen = "/api/v1/admin/devices?limit=5&type=water_level", []
    after = ""
    while True:
        page = admin.get(path + (f"&after={after}" if after else ""), token=OPERATOR).json
        seen += [one["id"] for one in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == sorted(d.id for d in scene.city.devices.values() if d.type == "water_level")
    found = admin.get("/api/v1/admin/devices?q=LVL-1%20water&state=unheard", token=OPERATOR).json
    assert {one["id"] for one in found["items"]} == {"lvl-1", *(f"lvl-1{n}" for n in range(4))}
    reply = admin.get("/api/v1/admin/devices?state=fine", token=OPERATOR)
    assert (reply.status, reply.json["path"]) == (400, "state")


# --- dead letters ---------------------------------------------------------------------------------


def test_a_dead_letter_goes_to_the_intake_once_however_often_it_is_asked(
    scene: Scene, admin: Client
) -> None:
    made = letter(scene, "d-1", b'{"ts": "2026-07-14T08:00:00"}')
    body = {"items": [{"id": "d-1", "tries": 0}], "by": "王"}
    for _ in range(2):
        (told,) = admin.post("/api/v1/admin/dead-letters/retry", body, token=ADMIN).json["items"]
        assert told["ok"]
    assert list(scene.desk.taken_in.values()) == [(made.topic, made.payload, made.received_at)]
    (shown,) = admin.get("/api/v1/admin/dead-letters", token=ADMIN).json["items"]
    assert (shown["retry"]["state"], shown["retry"]["can"]) == ("waiting", False)
    assert (shown["retry"]["tries"], shown["retry"]["by"]) == (1, "王")
    scene.desk.taken_in.clear()
    (shown,) = admin.get("/api/v1/admin/dead-letters", token=ADMIN).json["items"]
    assert shown["retry"]["state"] == "done"
    letter(scene, "d-2", made.payload, received_at=scene.desk.clock.now())
    states = {
        one["id"]: one["retry"]["state"]
        for one in admin.get("/api/v1/admin/dead-letters", token=ADMIN).json["items"]
    }
    assert states == {"d-1": "failed", "d-2": "new"}
    assert ("chief", "dead letters tried again: d-1") in [e[:2] for e in scene.desk.accesses]


def test_what_cannot_be_tried_again_says_why(scene: Scene, admin: Client) -> None:
    letter(scene, "d-1", b"{", bytes=90_000)
    scene.desk.things["dead-letters"]["u-7"] = {"id": "u-7", "device": "lvl-99", "payload": ""}
    items = [{"id": name, "tries": 0} for name in ("d-1", "u-7", "d-9")]
    reply = admin.post("/api/v1/admin/dead-letters/retry", {"items": items}, token=ADMIN)
    told = reply.json["items"]
    assert [one["ok"] for one in told] == [False, False, False]
    assert "仅保留了开头" in told[0]["reason"]
    assert "请先登记设备 lvl-99" in told[1]["reason"]
    assert "已不存在" in told[2]["reason"]
    assert not scene.desk.taken_in


@pytest.mark.parametrize(
    ("payload", "form", "part"),
    [
        (b'{"a": "<script>alert(1)</script>"}', "text", "<script>alert(1)</script>"),
        ("水位 0.41".encode(), "text", "水位 0.41"),
        (b"\xff\xd8\xff\xe0 JFIF", "bytes", "000000  ff d8 ff e0 20 4a 46 49 46"),
        (b"\x00\x01", "bytes", "00 01"),
        (("水" * 3000).encode(), "text", "水水水"),
    ],
)
def test_content_is_shown_as_text_or_as_bytes(
    scene: Scene, admin: Client, payload: bytes, form: str, part: str
) -> None:
    letter(scene, "d-1", payload)
    told = admin.get("/api/v1/admin/dead-letters/d-1", token=ADMIN).json
    assert told["form"] == form and part in told["text"]
    assert told["cut"] == (len(payload) > 8_192) and "payload" not in told
    raw = admin.get("/api/v1/admin/dead-letters/d-1/payload", token=ADMIN)
    assert raw.body == payload
    assert raw.headers["content-type"] == "application/octet-stream"
    assert raw.headers["content-disposition"].startswith("attachment")


def test_only_an_administrator_may(scene: Scene, admin: Client) -> None:
    letter(scene, "d-1", b"{}")
    for path in ("dead-letters", "dead-letters/d-1", "dead-letters/d-1/payload", "city"):
        assert admin.get(f"/api/v1/admin/{path}", token=OPERATOR).status == 403, path
    for path, body in (
        ("dead-letters/retry", {"items": [{"id": "d-1", "tries": 0}]}),
        ("city/preview", {"files": []}),
        ("city/apply", {"preview": "x"}),
    ):
        assert admin.post(f"/api/v1/admin/{path}", body, token=OPERATOR).status == 403, path
    assert admin.ask("DELETE", "/api/v1/admin/works/w-1", token=OPERATOR).status == 403


# --- the city's data ------------------------------------------------------------------------------


def sent(**files: bytes) -> dict[str, Any]:
    return {
        "files": [
            {"name": name.replace("__", "."), "data": base64.b64encode(data).decode()}
            for name, data in files.items()
        ]
    }


def more_devices(folder: Path, line: str) -> bytes:
    return (folder / "devices.csv").read_bytes() + line.encode()


GOOD = "lvl-new,sample,water_level,118.77,32.06,,,,level\n"


def test_an_upload_is_previewed_and_then_made_true(
    scene: Scene, admin: Client, folder: Path
) -> None:
    before = (folder / "devices.csv").read_bytes()
    body = sent(devices__csv=more_devices(folder, GOOD))
    seen = admin.post("/api/v1/admin/city/preview", body, token=ADMIN).json
    assert seen["ok"], seen
    changed = [d for d in seen["differences"] if d["added"] + d["removed"] + d["changed"]]
    assert [(d["what"], d["added_ids"]) for d in changed] == [("devices", ["lvl-new"])]
    assert (folder / "devices.csv").read_bytes() == before
    done = admin.post("/api/v1/admin/city/apply", {"preview": seen["id"], "by": "王"}, token=ADMIN)
    assert (done.status, done.json["files"], done.json["by"]) == (200, ["devices.csv"], "王")
    assert b"lvl-new" in (folder / "devices.csv").read_bytes()
    again = admin.post("/api/v1/admin/city/apply", {"preview": seen["id"]}, token=ADMIN)
    assert again.status == 409 and "重新预览" in again.json["reason"]
    assert any("city import" in entry[1] for entry in scene.desk.accesses)


def test_a_line_that_is_wrong_is_named_with_what_is_allowed(admin: Client, folder: Path) -> None:
    bad = GOOD.replace("118.77", "abc")
    body = sent(devices__csv=more_devices(folder, bad))
    seen = admin.post("/api/v1/admin/city/preview", body, token=ADMIN).json
    assert not seen["ok"] and seen["id"] == ""
    assert any(
        p["where"].startswith("devices.csv, line") and "abc" in p["found"] and p["allowed"]
        for p in seen["problems"]
    ), seen["problems"]


def test_an_archive_is_opened_and_its_own_folder_left_off(admin: Client, folder: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mycity/devices.csv", more_devices(folder, GOOD))
        archive.writestr("mycity/cameras/", "")
    seen = admin.post("/api/v1/admin/city/preview", sent(city__zip=out.getvalue()), token=ADMIN)
    assert [(f["name"], f["state"]) for f in seen.json["files"]] == [("devices.csv", "changed")]
    down = admin.get("/api/v1/admin/city/files", token=ADMIN)
    with zipfile.ZipFile(io.BytesIO(down.body)) as archive:
        assert {"city.toml", "devices.csv", "cameras/cam-1.toml"} <= set(archive.namelist())
    bad = admin.post("/api/v1/admin/city/preview", sent(city__zip=b"PK nonsense"), token=ADMIN)
    assert (bad.status, bad.json["error"]) == (400, "bad_archive")


def test_an_archive_that_swells_is_refused(admin: Client) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(5):
            archive.writestr(f"grids{n}.geojson", b"\0" * (60 * 2**20))
    reply = admin.post("/api/v1/admin/city/preview", sent(city__zip=out.getvalue()), token=ADMIN)
    assert (reply.status, reply.json["error"]) == (413, "too_large")


def test_planned_works_are_listed_added_and_ended(scene: Scene, admin: Client) -> None:
    now = scene.desk.clock.now()
    body = {
        "id": "road-1", "start": iso(now - timedelta(hours=1)),
        "end": iso(now + timedelta(hours=3)),
        "point": {"lon": 118.77, "lat": 32.06}, "radius_m": 60, "note": "换管", "by": "王",
    }  # fmt: skip
    made = admin.post("/api/v1/admin/works", body, token=ADMIN)
    assert made.status == 201, made.json
    told = admin.get("/api/v1/admin/works", token=OPERATOR).json
    assert told["changeable"]
    (work,) = [one for one in told["items"] if one["id"] == "road-1"]
    assert (work["state"], work["note"]) == ("on", "换管")
    assert admin.post("/api/v1/admin/works", body, token=ADMIN).status == 409
    ended = admin.ask("DELETE", "/api/v1/admin/works/road-1?by=li", token=ADMIN)
    assert ended.status == 200, ended.json
    (work,) = [
        one
        for one in admin.get("/api/v1/admin/works", token=OPERATOR).json["items"]
        if one["id"] == "road-1"
    ]
    assert work["state"] == "over"
    nowhere = {k: v for k, v in body.items() if k != "point"} | {"id": "road-2"}
    reply = admin.post("/api/v1/admin/works", nowhere, token=ADMIN)
    assert (reply.status, reply.json["path"]) == (400, "$.point")


def test_without_the_folder_the_center_says_so(scene: Scene) -> None:
    server = scene.server(CenterSettings(port=0))
    server.start()
    try:
        reply = Client(server).get("/api/v1/admin/city")
        assert (reply.status, reply.json["error"]) == (503, "no_city_folder")
    finally:
        server.stop(2.0)
