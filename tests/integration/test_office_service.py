"""Administration over the real service: what is tried again is worked on, and a changed city is
taken up by the writers and by the center itself."""

from __future__ import annotations

import base64
import json
import urllib.request
from typing import Any

import pytest

from tests.rig import ServiceProcess, Stage, drain, eventually, now_ms, write_city

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.xdist_group("input")]


def post(service: ServiceProcess, path: str, body: object) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{service.port}{path}", json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def test_a_device_is_added_over_http_and_its_kept_message_is_tried_again(stage: Stage) -> None:
    write_city(stage.city, [drain("s-0")])
    service = stage.service(core={"lease_s": 0.5})
    service.start()
    service.wait_ready()
    gateway = stage.gateway()
    began = now_ms() - 10_000
    naive = json.dumps({"ts": "2026-01-05T08:00:00", "m": {"depth": 0.02}})
    gateway.publish("gridsentry/v1/feed/d1/s-0/telemetry", naive)
    gateway.telemetry("s-new", began, depth=0.01)
    gateway.settle()
    naive_letter, unknown = sorted(
        eventually(lambda: _all(service.get("/api/v1/admin/dead-letters")["items"], 2)),
        key=lambda letter: letter["code"],
    )
    assert (naive_letter["code"], unknown["code"]) == ("naive_time", "unknown_device")
    assert unknown["retry"] == {"can": False, "state": "unregistered", "tries": 0}

    # The device gets a zone, and the unknown one is registered: as a preview, then for good.
    head, *rows = (stage.city / "devices.csv").read_text().splitlines()
    files = "\n".join(
        [f"{head},timezone", *(f"{row},Asia/Shanghai" for row in rows), f"{drain('s-new', 3)},"]
    )
    upload = {"name": "devices.csv", "data": base64.b64encode(files.encode()).decode()}
    seen = post(service, "/api/v1/admin/city/preview", {"files": [upload]})
    (devices,) = [d for d in seen["differences"] if d["what"] == "devices"]
    assert (devices["added_ids"], devices["changed"]) == (["s-new"], 1)
    assert devices["changed_items"][0]["fields"] == [["timezone", "", "Asia/Shanghai"]]
    done = post(service, "/api/v1/admin/city/apply", {"preview": seen["id"], "by": "王"})
    assert (stage.state / "city-backups" / done["backup"] / "devices.csv").is_file()

    def known() -> bool:
        try:
            return "s-new" in {d["id"] for d in service.get("/api/v1/admin/devices")["items"]}
        except OSError:  # the center is being made anew
            return False

    eventually(known, timeout=30)
    stage.all_stored(1)
    answer = post(
        service, "/api/v1/admin/dead-letters/retry",
        {"items": [{"id": naive_letter["id"], "tries": 0}] * 2},
    )  # fmt: skip
    assert [one["ok"] for one in answer["items"]] == [True, True]
    stage.all_stored(2)
    (left,) = service.get("/api/v1/admin/dead-letters")["items"]
    assert (left["id"], left["retry"]["state"]) == (naive_letter["id"], "done")

    def learning() -> Any:
        told = {d["id"]: d for d in service.get("/api/v1/admin/devices")["items"]}
        return told["s-new"] if told["s-new"]["state"] == "learning" else None

    assert "flooding" in {one["kind"] for one in eventually(learning, timeout=20)["learning"]}
    assert service.stop() == 0


def _all(found: list[Any], count: int) -> list[Any] | None:
    return found if len(found) == count else None
