"""A worker's phone on the real service: its position is that of MQTT, its steps are done once."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from center.pages.worker.place import CONSENT
from tests.rig import ServiceProcess, Stage, drain, eventually, now_ms, write_city

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200), pytest.mark.xdist_group("input")]
ME = "w-1"


def post(service: ServiceProcess, path: str, body: Any, key: str = "") -> tuple[int, Any]:
    url = f"http://127.0.0.1:{service.port}{path}?worker={ME}"
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    asked = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_a_phone_shares_its_place_and_works_on_what_it_was_sent(stage: Stage) -> None:
    write_city(stage.city, [drain("s-0")])
    service = stage.service()
    service.start()
    service.wait_ready()
    gateway = stage.gateway()

    where = {"ts": now_ms(), "lon": 118.0521, "lat": 26.0512, "accuracy_m": 7.0}
    assert post(service, "/api/v1/me/position", where | {"consent": CONSENT})[0] == 202

    def there() -> bool:
        (worker,) = service.items("/api/v1/workers")
        return bool(worker["point"] == {"lon": 118.0521, "lat": 26.0512})

    eventually(there)
    began = now_ms() - 400_000
    for n in range(40):
        gateway.telemetry("s-0", began + 10_000 * n, depth=0.02 + 0.02 * n)
    gateway.settle()

    def mine() -> Any:
        shown = service.get(f"/api/v1/me/tickets?worker={ME}")
        return shown["asked"] + shown["working"]

    card = eventually(mine, timeout=60)[0]
    path = f"/api/v1/me/tickets/{card['id']}/actions"
    now = now_ms()
    step = {"done_at": now - 1_860_000, "sent_at": now}  # half an hour ago, in a basement
    for action in ("accept", "arrive"):
        for _ in range(3):  # the answer was lost twice
            status, said = post(service, path, step | {"action": action}, f"key-{action}-0001")
            assert status == 200, said
    full = service.get(f"/api/v1/tickets/{card['id']}")
    done = [s["change"] for s in full["timeline"] if s["by"] == ME]
    assert done == ["accepted", "arrived"]
    assert "离线办理" in full["timeline"][-1]["note"]
    assert [late["action"] for late in full["reason"]["late"]] == ["accept", "arrive"]
    assert stage.rows("SELECT count(*) FROM commands") == [(2,)]

    status, said = post(service, path, step | {"action": "accept"}, "key-accept-0002")
    assert (status, said["noted"]) == (409, True)
    eventually(
        lambda: any("未生效" in s["note"] for s in service.get(
            f"/api/v1/tickets/{card['id']}")["timeline"])
    )  # fmt: skip
    assert service.stop() == 0
