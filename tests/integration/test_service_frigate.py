"""Frigate on a real broker: its pictures stand beside our events, once each, and hold up nobody."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.rig import Gateway, Stage, eventually, now_ms, write_city

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("input")]

ADAPTERS = [{"use": "frigate"}]


def place(n: int) -> list[str]:
    """A street sensor and the camera that looks at the same spot."""
    where = f"{118.005 + 0.004 * n:.4f},26.05"
    return [
        f"s-{n},d1,drain,{where},water,street-{n},,depth",
        f"cam-{n},d1,camera,{where},,street-{n},,",
    ]


def picture(shade: int, size: tuple[int, int] = (320, 240)) -> bytes:
    rng = np.random.default_rng(shade)
    noise = rng.integers(0, 255, (size[1], size[0], 3), np.uint8)
    noise[:, : size[0] // 2] = shade
    return cv2.imencode(".jpg", noise)[1].tobytes()


class Recorder:
    """A Frigate that publishes to the stage's broker."""

    def __init__(self, gateway: Gateway, began_ms: int) -> None:
        self.gateway = gateway
        self.start = began_ms / 1000 + 40

    def event(self, camera: str, kind: str) -> None:
        after = {
            "id": f"{self.start:.6f}-{camera}", "camera": camera, "label": "person",
            "start_time": self.start, "end_time": self.start + 9 if kind == "end" else None,
            "top_score": 0.83, "has_snapshot": True, "sub_label": ["Zhang San", 0.9],
        }  # fmt: skip
        self.gateway.publish("frigate/events", json.dumps({"type": kind, "after": after}))

    def snapshot(self, camera: str, data: bytes, **how: Any) -> None:
        self.gateway.publish(f"frigate/{camera}/person/snapshot", data, **how)


def flood(gateway: Gateway, n: int, began: int) -> None:
    for k in range(60):
        gateway.telemetry(f"s-{n}", began + 1000 * k, depth=min(0.02 * k, 0.45))


def test_a_picture_before_with_or_after_its_event_stands_beside_ours_once(stage: Stage) -> None:
    write_city(stage.city, [row for n in range(3) for row in place(n)])
    service = stage.service(adapters=ADAPTERS)
    service.start()
    service.wait_ready()
    gateway = stage.gateway()
    began = now_ms() - 120_000
    frigate = Recorder(gateway, began)
    for n in range(3):
        flood(gateway, n, began)
    gateway.settle()
    eventually(lambda: len(service.items("/api/v1/events?kind=flooding")) == 3, timeout=60)

    frigate.snapshot("cam-0", picture(40), retain=True)  # before anything is said of it
    for camera in ("cam-0", "cam-1", "cam-2"):
        frigate.event(camera, "new")
    frigate.snapshot("cam-1", picture(80))
    frigate.snapshot("cam-1", picture(90))  # a better one
    for camera in ("cam-0", "cam-1", "cam-2"):
        frigate.event(camera, "end")
    frigate.snapshot("cam-2", picture(120))  # after its last word
    frigate.snapshot("cam-1", b"\xff\xd8 no picture")
    frigate.snapshot("cam-2", picture(5) + bytes(9 * 2**20))
    gateway.settle()

    def shown() -> dict[str, list[dict[str, Any]]]:
        events = service.items("/api/v1/events?kind=flooding")
        return {e["device"]: e["evidence"].get("beside") or [] for e in events}

    found = eventually(lambda: s if all((s := shown()).values()) else None, timeout=60)
    assert {device: [one["device"] for one in told] for device, told in found.items()} == {
        f"s-{n}": [f"cam-{n}"] for n in range(3)
    }
    assert all(one["label"] == "person" for told in found.values() for one in told)
    assert "Zhang" not in json.dumps(found)

    # Told again, after a kill too, nothing is added.
    service.kill()
    service.start()
    service.wait_ready()
    for camera in ("cam-0", "cam-1", "cam-2"):
        frigate.event(camera, "end")
        frigate.snapshot(camera, picture(200))
    gateway.settle()

    def taken() -> bool:
        bulk = json.loads(service.readyz()[1])["sessions"]["all-frigate-bulk"]
        return bool(bulk["received"] >= 6 and bulk["acknowledged"] == bulk["received"])

    eventually(taken, timeout=60)
    time.sleep(7)  # longer than a thing's last picture is waited for
    (links,) = stage.rows("SELECT count(*), count(DISTINCT event) FROM evidence_chain")
    assert links == (3, 3)
    assert all(len(told) == 1 for told in shown().values())

    letters = service.items("/api/v1/dead-letters")
    assert sorted(letter["code"] for letter in letters) == ["bad_jpeg", "too_large"]
    assert stage.rows("SELECT sum(length(payload)) FROM dead_letters") == [(0,)], "no one's face"
    sessions = json.loads(service.readyz()[1])["sessions"]
    assert {"all-bulk", "all-frigate", "all-frigate-bulk"} <= set(sessions)
    told = found["s-1"][0]
    files = {path.name: path for path in Path(stage.folder).rglob(told["still"])}
    assert files, "the veiled picture lies on the disk"
    assert service.stop() == 0
    checked = service.command("evidence", "verify")
    assert checked.returncode == 0, checked.stdout + checked.stderr
