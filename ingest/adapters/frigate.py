"""Frigate: what its object detection saw, beside our own detection.

`{prefix}/events` becomes readings of our camera of that name: `seen.{label}` is the score of an
object that was tracked, at its begin and its end, `seen.{label}.seconds` how long it was. Object
counts (`{prefix}/{camera}/{label}`) and motion (`{prefix}/{camera}/motion`) are readings too, and
`{prefix}/available` tells whether the recorder lives. So an operator sees, beside a ticket, what
else the camera knew. Faces, number plates and descriptions of people never enter: they are left
out before anything is stored.

`{prefix}/{camera}/{label}/snapshot` are JPEGs. They come over a bulk session of their own and are
kept for minutes; one that shows what Frigate tracked while an event of ours went on at that camera
becomes evidence of that event, veiled and kept like our own stills.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from contracts.city import Device
from contracts.errors import Permanent
from contracts.nouns import Arrival, Status
from ingest.adapting import kit
from ingest.adapting.moments import moment
from ingest.adapting.seen import Picture, Seen, Tracked
from ingest.adapting.shapes import data_bytes
from ingest.codec import jpeg
from ingest.codec.text import complain
from ingest.codec.times import effective
from ingest.topics import shown

_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,30}")


PERSONAL = frozenset({"face", "license_plate"})
"""Labels whose pictures are of nothing but what must not enter."""


class Followed(msgspec.Struct):
    """An object as Frigate tracks it: only what is not personal."""

    id: str
    camera: str
    label: str
    start_time: float
    end_time: float | None = None
    top_score: float | None = None
    score: float | None = None
    false_positive: bool | None = False
    thumbnail: str | None = None
    """Base64 of a JPEG, of Frigate versions that send it."""


class Event(msgspec.Struct):
    """A message of `{prefix}/events`."""

    type: str
    after: Followed


_event = msgspec.json.Decoder(Event)


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `use = "frigate"`."""

    prefix: str = "frigate"
    """`mqtt.topic_prefix` of Frigate."""
    device: str | None = None
    """The device of ours that stands for the recorder: its on- and offline."""
    snapshots: bool = True
    """Take its pictures as evidence beside our own detection."""


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

    def look(self, arrival: Arrival, /) -> Sequence[Seen]:
        """What is tracked, and its pictures. A retained one is old news."""
        levels = arrival.topic.split("/")[len(self._prefix) :]
        match levels:
            case ["events"]:
                return self._seen(_told(arrival), arrival)
            case [camera, label, "snapshot"] if label not in PERSONAL and arrival.payload:
                if arrival.retained:
                    return kit.NOTHING
                device = self._register.device(camera)
                with kit.blaming(device):
                    _check_label(label)
                    jpeg.size(arrival.payload)
                    return [Picture(device.id, label, arrival.received_at, arrival.payload)]
        return kit.NOTHING

    def _seen(self, told: Event, arrival: Arrival) -> Sequence[Seen]:
        one = told.after
        if one.false_positive or one.label in PERSONAL:
            return kit.NOTHING
        device = self._register.device(one.camera)
        with kit.blaming(device):
            _check_label(one.label)
            start, _ = effective(moment(one.start_time, "s"), arrival.received_at, self._rule)
            end = None
            if told.type == "end":
                lasted = max(0.0, (one.end_time or one.start_time) - one.start_time)
                end = start + timedelta(seconds=min(lasted, 7 * 86_400.0))
            score = one.top_score if one.top_score is not None else one.score
            out: list[Seen] = [
                Tracked(device.id, one.id, one.label, score, start, end, arrival.received_at)
            ]
            if one.thumbnail:
                data = data_bytes(one.thumbnail) or b""
                jpeg.size(data)
                out.append(Picture(device.id, one.label, arrival.received_at, data, one.id))
            return out

    def _tracked(self, arrival: Arrival) -> Sequence[kit.Said]:
        told = _told(arrival)
        one = told.after
        if told.type not in ("new", "end") or one.false_positive:
            return kit.NOTHING  # an update says nothing that its end does not
        device = self._register.device(one.camera)
        with kit.blaming(device):
            _check_label(one.label)
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


def _told(arrival: Arrival) -> Event:
    try:
        return _event.decode(arrival.payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise complain(arrival.payload, error) from None


def _check_label(label: str) -> None:
    if not _LABEL.fullmatch(label):
        raise Permanent("bad_metric", f"$.after.label: {shown(label, 40)} is no label")


def _heavy(options: Options) -> tuple[str, ...]:
    prefix = options.prefix.rstrip("/")
    return (f"{prefix}/+/+/snapshot", f"{prefix}/events") if options.snapshots else ()


def _is_count(payload: bytes) -> bool:
    text = payload.strip()
    return len(text) <= 6 and text.isdigit()


def _prepare(options: Options, _folder: Path) -> kit.Build:
    return lambda setting: FrigateAdapter(setting, options)


SPEC = kit.Spec(
    topics=("frigate/events", "frigate/available", "frigate/+/+"),
    options=Options,
    prepare=_prepare,
    heavy=_heavy,
    limit=8 * 2**20,
)
