"""Frigate: what it tracked is a reading of our camera; nothing personal of it enters."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from contracts.errors import Permanent
from contracts.nouns import Reading, Status
from ingest.adapting.plan import read
from tests.unit.ingest.adapters.rig import SHARED, adapter, arrived, codes, values

SAMPLES = SHARED / "frigate"


def event(type_: str = "new", **more: Any) -> dict[str, Any]:
    after = {
        "id": "1795330800.5-abc", "camera": "cam-1", "label": "person", "top_score": 0.91,
        "start_time": 1795330800.5, "end_time": None, "false_positive": False,
        "sub_label": ["Zhang San", 0.9], "recognized_license_plate": "SuA12345",
    }  # fmt: skip
    return {"type": type_, "before": {}, "after": after | more}


def said(body: Any, topic: str = "frigate/events", retained: bool = False, **more: Any) -> Any:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return adapter("frigate", "cam-1", "nvr", **more).decode(
        arrived(topic, payload, retained=retained)
    )


def test_what_was_tracked_is_a_reading_at_its_begin_and_its_end() -> None:
    begin = said(event())
    assert values(begin) == {("cam-1", "seen.person"): 0.91}
    assert begin[0].sent_at == datetime.fromtimestamp(1795330800.5, UTC)
    end = said(event("end", end_time=1795330812.5, top_score=0.95))
    assert values(end) == {("cam-1", "seen.person"): 0.95, ("cam-1", "seen.person.seconds"): 12.0}


def test_nothing_personal_enters() -> None:
    told = msgspec.json.encode(said(event("end", end_time=1795330812.5)))
    assert b"Zhang" not in told
    assert b"SuA" not in told


@pytest.mark.parametrize(
    ("body", "topic"),
    [
        (event("update"), "frigate/events"),
        (event("new", false_positive=True), "frigate/events"),
        ({"type": "face"}, "frigate/tracked_object_update"),
        ({"type": "new"}, "frigate/reviews"),
        (b"\xff\xd8", "frigate/cam-1/person/snapshot"),
        (b"ON", "frigate/cam-1/detect/state"),
        (b"3", "frigate/attic/person"),
    ],
)
def test_the_rest_is_left_aside(body: Any, topic: str) -> None:
    assert list(said(body, topic)) == []


def test_counts_and_motion_are_readings() -> None:
    assert values(said(b"3", "frigate/cam-1/person")) == {("cam-1", "count.person"): 3.0}
    assert values(said(b"ON", "frigate/cam-1/motion")) == {("cam-1", "motion"): 1.0}
    assert list(said(b"3", "frigate/cam-1/person", retained=True)) == []


def test_the_recorder_goes_off_line() -> None:
    (status,) = said(b"offline", "frigate/available", device="nvr")
    assert isinstance(status, Status) and not status.online and status.device == "nvr"


PICTURE = cv2.imencode(".jpg", np.zeros((24, 32, 3), np.uint8))[1].tobytes()


def seen(body: Any, topic: str = "frigate/events", retained: bool = False) -> Any:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return adapter("frigate", "cam-1").look(arrived(topic, payload, retained=retained))


def test_pictures_are_looked_at_in_a_session_beside() -> None:
    (one,) = seen(PICTURE, "frigate/cam-1/person/snapshot")
    assert (one.device, one.label, one.data, one.of) == ("cam-1", "person", PICTURE, None)
    assert not seen(PICTURE, "frigate/cam-1/person/snapshot", retained=True), "old news"
    assert not seen(b"", "frigate/cam-1/person/snapshot"), "a retained one was cleared"
    assert not seen(PICTURE, "frigate/cam-1/face/snapshot"), "nothing but a face"
    assert not seen(event(label="license_plate"))
    (begun,) = seen(event())
    (ended,) = seen(event("end", end_time=1795330812.5))
    assert begun.end is None and (ended.end - ended.start).total_seconds() == 12
    assert (begun.id, begun.label) == (ended.id, "person") and "Zhang" not in str(ended)
    assert not seen(event(false_positive=True))
    told = seen(event(thumbnail=base64.b64encode(PICTURE).decode()))
    assert told[1].of == told[0].id, "the message itself says whose picture it is"
    with pytest.raises(Permanent) as bad:
        seen(b"GIF89a", "frigate/cam-1/person/snapshot")
    assert (bad.value.code, bad.value.device) == ("bad_jpeg", "cam-1")  # type: ignore[attr-defined]


def test_the_topics_of_pictures_follow_the_prefix_and_can_be_left_out() -> None:
    def heavy(**more: Any) -> tuple[str, ...]:
        (plan,) = read([{"use": "frigate", **more}], "test.toml", Path())
        return plan.heavy

    assert heavy() == ("frigate/+/+/snapshot", "frigate/events")
    assert heavy(prefix="a/b", topics=["a/#"])[0] == "a/b/+/+/snapshot"
    assert heavy(snapshots=False) == ()


def test_a_word_where_a_count_or_motion_should_be_is_left_aside() -> None:
    assert list(said(b"maybe", "frigate/cam-1/motion")) == []
    assert values(said(event(label="yolo-1 x"))) == {("cam-1", "seen.yolo-1 x"): 0.91}


def test_another_prefix_may_be_configured() -> None:
    told = said(event(), "site/a/frigate/events", prefix="site/a/frigate", topics=["site/#"])
    assert values(told)


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"{", "not_json"), (event(camera="attic"), "unknown_device"),
     (event(start_time=1e30), "bad_time"), (event(label="?"), "bad_metric")],
)  # fmt: skip
def test_what_cannot_be_read_says_why(body: Any, code: str) -> None:
    with pytest.raises(Permanent) as bad:
        said(body)
    assert bad.value.code == code


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_real_sample_is_read_or_left_aside(path: Any) -> None:
    body = json.loads(path.read_text())
    topic = "frigate/events" if "frigate_events" in path.name else "frigate/tracked_object_update"
    camera = body.get("after", {}).get("camera", "cam-1")
    some = adapter("frigate", camera)
    told = list(some.decode(arrived(topic, path.read_bytes())))
    assert codes(told) == []
    if topic.endswith("events"):  # the sample is an update; as it ends it is a reading
        ended = body | {"type": "end"}
        ended["after"] = body["after"] | {"end_time": body["after"]["start_time"] + 30}
        last = list(some.decode(arrived(topic, json.dumps(ended).encode())))
        assert {r.metric for r in last if isinstance(r, Reading)} == {
            "seen.person", "seen.person.seconds",
        }  # fmt: skip
