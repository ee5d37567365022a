"""Frigate: what its object detection saw, beside our own detection.

`{prefix}/events` becomes readings of our camera of that name: `seen.{label}` is the score of an
object that was tracked, at its begin and its end, `seen.{label}.seconds` how long it was. Object
counts (`{prefix}/{camera}/{label}`) and motion (`{prefix}/{camera}/motion`) are readings too, and
`{prefix}/available` tells whether the recorder lives. So an operator sees, beside a ticket, what
else the camera knew. Faces, number plates and descriptions of people never enter: they are left
out before anything is stored.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from contracts.city import Device
from contracts.errors import Permanent
from contracts.nouns import Arrival, Status
from ingest.adapting import kit
from ingest.adapting.moments import moment
from ingest.codec.text import complain

_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,30}")


class Tracked(msgspec.Struct):
    """An object as Frigate tracks it: only what is not personal."""

    id: str
    camera: str
    label: str
    start_time: float
    end_time: float | None = None
    top_score: float | None = None
    score: float | None = None
    false_positive: bool | None = False


class Event(msgspec.Struct):
    """A message of `{prefix}/events`."""

    type: str
    after: Tracked


_event = msgspec.json.Decoder(Event)


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `use = "frigate"`."""

    prefix: str = "frigate"
    """`mqtt.topic_prefix` of Frigate."""
    device: str | None = None
    """The device of ours that stands for the recorder: its on- and offline."""


class FrigateAdapter(kit.Adapter):
    """Reads what Frigate publishes; has no state."""

    def __init__(self, setting: kit.Setting, options: Options) -> None:
        self._register = setting.register
        self._rule = setting.rule
        self._options = options
        self._prefix = options.prefix.rstrip("/").split("/")

    def decode(self, arrival: Arrival, /) -> Sequence[kit.Said]:
        """Readings of the camera, or on- and offline of the recorder."""
        levels = arrival.topic.split("/")
        if levels[: len(self._prefix)] != self._prefix:
            raise Permanent("wrong_topic", f"a topic below {self._options.prefix}/ was expected")
        match levels[len(self._prefix) :]:
            case ["events"]:
                return self._tracked(arrival)
            case ["available"]:
                return self._available(arrival)
            case [camera, "motion"] if arrival.payload.strip() in (b"ON", b"OFF"):
                return self._count(camera, "motion", arrival)
            case [camera, label] if _LABEL.fullmatch(label) and _is_count(arrival.payload):
                return self._count(camera, f"count.{label}", arrival)
        return kit.NOTHING  # pictures, reviews, triggers, faces, plates, switches, statistics

    def _tracked(self, arrival: Arrival) -> Sequence[kit.Said]:
        try:
            told = _event.decode(arrival.payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise complain(arrival.payload, error) from None
        one = told.after
        if told.type not in ("new", "end") or one.false_positive:
            return kit.NOTHING  # an update says nothing that its end does not
        device = self._register.device(one.camera)
        with kit.blaming(device):
            if not _LABEL.fullmatch(one.label):
                raise Permanent("bad_metric", f"$.after.label: {one.label[:40]!r} is no label")
            score = one.top_score if one.top_score is not None else one.score
            values = {f"seen.{one.label}": 1.0 if score is None else score}
            at = moment(one.start_time, "s")
            if told.type == "end" and one.end_time is not None:
                at = moment(one.end_time, "s")
                values[f"seen.{one.label}.seconds"] = max(0.0, one.end_time - one.start_time)
            return kit.readings(device, values, arrival, self._rule, at)

    def _count(self, camera: str, metric: str, arrival: Arrival) -> Sequence[kit.Said]:
        if arrival.retained:
            return kit.NOTHING
        device = self._register.find(camera)
        if device is None:
            return kit.NOTHING  # its events tell of it; a count of a stranger is no loss
        device = self._register.device(device.id)
        text = arrival.payload.strip()
        value = {b"ON": 1.0, b"OFF": 0.0}.get(text)
        if value is None:
            value = float(int(text))
        with kit.blaming(device):
            return kit.readings(device, {metric: value}, arrival, self._rule, None)

    def _available(self, arrival: Arrival) -> Sequence[kit.Said]:
        state = arrival.payload.strip().decode("utf-8", "replace")
        if self._options.device is None or state not in ("online", "offline"):
            return kit.NOTHING
        device: Device = self._register.device(self._options.device)
        return [Status(device.id, arrival.received_at, arrival.received_at, state == "online")]


def _is_count(payload: bytes) -> bool:
    text = payload.strip()
    return len(text) <= 6 and text.isdigit()


def _prepare(options: Options, _folder: Path) -> kit.Build:
    return lambda setting: FrigateAdapter(setting, options)


SPEC = kit.Spec(
    topics=("frigate/events", "frigate/available", "frigate/+/+"),
    options=Options,
    prepare=_prepare,
)
