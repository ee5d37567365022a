"""A thing is in the air while the service is killed, again and again: one ticket, with its clip."""

from __future__ import annotations

import io

import av
import pytest

from detectors.high_altitude_throw.sample import RATE
from tests import footage
from tests.rig import Stage, eventually, now_ms, write_city

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.xdist_group("throw")]

KILLED_AFTER = (2, 3, 4, 5)
"""The fall lasts from 2.6 s to 4.6 s: killed in the air twice, as it lands, and after."""


def test_a_throw_whose_fall_spans_kills_is_one_ticket_with_its_clip(stage: Stage) -> None:
    write_city(stage.city, [footage.camera_row("cam")])
    footage.write_camera(stage.city, "cam")
    service = stage.service(core={"lease_s": 0.5})
    gateway = stage.gateway()
    began = now_ms() - 10_000
    service.start()
    service.wait_ready()  # only from its first subscription on does the broker keep anything
    for second, segment in enumerate(footage.segments()):
        gateway.publish(f"gridsentry/v1/feed/d1/cam/segment/{began + 1000 * second}", segment)
        if second not in KILLED_AFTER:
            continue
        gateway.settle()
        # Committed, so the broker will not send it again: the spool alone has the first half.
        eventually(lambda: stage.count("spool") == second + 1, timeout=90)  # noqa: B023
        service.kill()
        service.start()
    gateway.settle()
    service.wait_ready()

    def proven() -> list[tuple[str, int]]:
        return stage.rows(
            "SELECT id, rev FROM events WHERE newest AND body->'evidence'->>'clip' IS NOT NULL"
        )

    eventually(proven, timeout=60)
    assert stage.rows("SELECT kind, count(DISTINCT id) FROM events GROUP BY kind") == [
        ("high_altitude_throw", 1)
    ]
    (listed,) = eventually(lambda: service.items("/api/v1/tickets"), timeout=30)
    ticket = service.get(f"/api/v1/tickets/{listed['id']}")
    assert ticket["kind"] == "high_altitude_throw"
    (event,) = ticket["events"]
    assert event["origin"]["zone"] == "F7-2", "the window was seen in the first half of the fall"

    still = service.fetch(event["links"]["still"])
    assert still.startswith(b"\xff\xd8\xff")
    with av.open(io.BytesIO(service.fetch(event["links"]["clip"])), mode="r") as clip:
        pictures = len(list(clip.decode(video=0)))
    assert pictures > 4 * RATE, "the clip shows the seconds before, from before the kill"
    ((number, prev, told),) = stage.rows("SELECT number, prev, hash FROM evidence_chain")
    assert (number, prev, told) == (1, "", event["chain"]["hash"]), "one link, however often killed"
    verified = service.command("evidence", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "5 intact, 0 expired, 0 missing, 0 changed" in verified.stderr
    assert service.stop() == 0
    assert stage.count("tickets") == 1
    numbers = [number for (number,) in stage.rows("SELECT number FROM spool ORDER BY number")]
    assert numbers == list(range(footage.SECONDS)), "every segment once, in order"
    assert not stage.rows("SELECT code, reason FROM dead_letters")
