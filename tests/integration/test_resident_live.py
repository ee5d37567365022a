"""A report on the real service: it joins what a sensor saw, its photograph reaches the ticket, it
is followed, and it is one report after a kill between its press and its answer."""

from __future__ import annotations

import base64
import json
import math
import urllib.request
from typing import Any

import cv2
import numpy as np
import pytest

from contracts.kinds import OPEN_STAGES
from tests.rig import ServiceProcess, Stage, drain, eventually, now_ms, write_city

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("input")]


def post(service: ServiceProcess, path: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{service.port}{path}", json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=20) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


def test_a_report_joins_is_followed_and_survives_a_kill(stage: Stage) -> None:
    write_city(stage.city, [drain("s-0"), "app,d1,app,118.005,26.05,,,,"])
    (stage.city / "places.csv").write_text(
        "id,name,name_en,lon,lat\ngate,东门,East gate,118.0052,26.05\n"
    )
    service = stage.service(center={"public_url": "https://grid.example.cn"})
    service.start()
    service.wait_ready()
    gateway = stage.gateway()
    now = now_ms()
    for minute in range(120):
        depth = 0.35 / (1 + math.exp((100 - minute) / 4))
        gateway.telemetry("s-0", now - 60_000 * (119 - minute), depth=round(depth, 3))
    gateway.settle()
    (ticket,) = eventually(lambda: service.items("/api/v1/tickets"), 60)

    listed = service.command("places", "--what", "place").stdout.split("\t")
    code = listed[1]
    (known,) = eventually(lambda: service.get(f"/api/v1/places/{code}")["here"], 20)
    assert (known["kind"], known["state"]) == ("flooding", "sending")

    ok, jpeg = cv2.imencode(".jpg", np.full((300, 400, 3), 120, np.uint8))
    assert ok
    report = {
        "key": "a-key-of-this-telephone", "ts": now_ms(), "kind": "flooding", "text": "水过脚踝",
        "photo": base64.b64encode(jpeg.tobytes()).decode(),
    }  # fmt: skip
    link = post(service, f"/api/v1/places/{code}/reports", report)["follow"]
    service.kill()
    service.start()
    service.wait_ready()
    # The telephone heard no answer: it sends the same again.
    assert post(service, f"/api/v1/places/{code}/reports", report)["follow"] == link

    def joined() -> Any:
        told = service.get(f"/api/v1/follows/{link}")
        return told if told["sensed"] else None

    told = eventually(joined, 30)
    assert (told["kind"], told["others"]) == ("flooding", 0)
    events = service.items("/api/v1/events?kind=citizen_report")
    assert len(events) == 1, "one report, one event"
    assert {t["incident"] for t in service.items("/api/v1/tickets")} == {ticket["incident"]}

    def photographed() -> Any:
        service.get(f"/api/v1/follows/{link}")
        tickets = service.items("/api/v1/tickets")
        return next((t["reason"]["photos"] for t in tickets if "photos" in t["reason"]), None)

    assert [entry["by"] for entry in eventually(photographed, 20)["near"]] == [
        f"resident:{events[0]['id'][2:10]}"
    ]
    whole = service.get("/api/v1/wall")
    tickets = service.items("/api/v1/tickets")
    assert whole["figures"]["open"] == sum(t["stage"] in OPEN_STAGES for t in tickets)
    assert [mark[1] for mark in whole["marks"]] == ["flooding"]
    assert "林小梅" not in json.dumps(whole, ensure_ascii=False)
