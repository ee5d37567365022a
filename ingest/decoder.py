"""Topic and bytes become nouns, or Poison. Never raises on input."""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping, Sequence
from datetime import UTC, datetime

from contracts.city import Device
from contracts.errors import Permanent
from contracts.nouns import (
    Arrival,
    Clip,
    Item,
    Poison,
    Position,
    Record,
    Segment,
    Still,
)
from ingest import sound, topics
from ingest.adapting.dispatch import Adapted
from ingest.codec import container, jpeg, people, telemetry, trace
from ingest.codec.times import ClockRule, check_retained, effective
from ingest.settings import DecoderSettings
from ingest.topics import Topic

log = logging.getLogger(__name__)

ADAPTER = "native"
_CACHED = 65_536


class NativeDecoder:
    """The decoder of our own topics (`gridsentry/v1/…`), and through `adapted` of those of outside
    gateways. One instance, one thread.

    After the city's devices or workers changed, make a new one.
    """

    def __init__(
        self,
        devices: Mapping[str, Device],
        workers: Container[str],
        settings: DecoderSettings | None = None,
        adapted: Adapted | None = None,
    ) -> None:
        """`adapted` reads what does not come on our own topics."""
        self.adapted = adapted
        self._devices = devices
        self._workers = workers
        self._settings = settings or DecoderSettings()
        self._rule: ClockRule = self._settings.clock_rule()
        self._limits: dict[str, int] = self._settings.limits()
        self._telemetry: dict[str, Device] = {}
        self._small = self._limits["telemetry"]

    def decode(self, arrival: Arrival, /) -> Sequence[Item | Position | Poison]:
        """The nouns in one message; a device nobody registered: Poison `unknown_device`."""
        try:
            device = self._telemetry.get(arrival.topic)
            if device is not None and len(arrival.payload) <= self._small:
                return telemetry.decode(arrival, device, self._rule)
            return self._decode(arrival)
        except Permanent as bad:
            return (self._poison(arrival, bad.code, bad.reason),)
        except Exception as fault:  # a fault of ours must not stop the messages behind it
            log.exception("the decoder failed on a message of topic %r", arrival.topic)
            return (
                self._poison(
                    arrival,
                    "decoder_fault",
                    f"our decoder failed ({type(fault).__name__}: {fault}); please report this",
                ),
            )

    def _poison(self, arrival: Arrival, code: str, reason: str) -> Poison:
        who: str | None = None
        try:
            topic = topics.parse(arrival.topic)
        except Permanent:
            topic = None
        if topic is not None and topic.what != "position":
            who = topic.who
        return Poison(
            arrival.topic, arrival.received_at, code, reason, arrival.payload, who, ADAPTER
        )

    def _decode(self, arrival: Arrival) -> Sequence[Item | Position | Poison]:
        if self.adapted is not None:
            adapter = self.adapted.of(arrival.topic)
            if adapter is not None:
                return self.adapted.decode(adapter, arrival)
        topic = topics.parse(arrival.topic)
        limit = self._limits[topic.what]
        if len(arrival.payload) > limit:
            raise Permanent(
                "too_large",
                f"{len(arrival.payload):,} bytes are more than a {topic.what} message may have "
                f"({limit:,})",
            )
        if topic.what == "position":
            if topic.who not in self._workers:
                raise Permanent("unknown_worker", f"worker {topic.who!r} is not in workers.csv")
            return (people.position(arrival, topic.who, self._rule),)
        return self._of_device(arrival, topic, self._device(topic))

    def _device(self, topic: Topic) -> Device:
        device = self._devices.get(topic.who)
        if device is None:
            raise Permanent(
                "unknown_device",
                f"device {topic.who!r} is not registered; its messages are kept and taken up once "
                "it stands in devices.csv",
            )
        if device.district != topic.district:
            raise Permanent(
                "wrong_district",
                f"device {device.id!r} is registered in district {device.district!r} but sends as "
                f"one of {topic.district!r}",
            )
        return device

    def _of_device(
        self, arrival: Arrival, topic: Topic, device: Device
    ) -> Sequence[Item | Position | Poison]:
        match topic.what:
            case "telemetry":
                if len(self._telemetry) >= _CACHED:
                    self._telemetry.clear()
                self._telemetry[arrival.topic] = device
                return telemetry.decode(arrival, device, self._rule)
            case "status":
                return (people.status(arrival, device, self._rule),)
            case "report":
                return (people.report(arrival, device, self._rule),)
        noun = self._timed(arrival, topic, device)
        # the clip says that the microphone is there, its samples what it heard
        return (noun, sound.decode(noun)) if isinstance(noun, Clip) else (noun,)

    def _timed(self, arrival: Arrival, topic: Topic, device: Device) -> Item:
        """Nouns whose time stands in the topic."""
        assert topic.ms is not None
        try:
            sent_at = datetime.fromtimestamp(topic.ms / 1000, UTC)
        except (OverflowError, ValueError, OSError):
            raise Permanent(
                "bad_time", f"{topic.ms} milliseconds since 1970 in the topic is no time"
            ) from None
        received_at, data = arrival.received_at, arrival.payload
        if arrival.retained:
            check_retained(topic.what, sent_at, received_at, self._rule)
        at, _ = effective(sent_at, received_at, self._rule)
        match topic.what:
            case "frame":
                width, height = jpeg.size(
                    data, self._settings.max_picture_side, self._settings.max_picture_pixels
                )
                return Still(device.id, at, received_at, data, width, height)
            case "segment":
                container.check_video(data)
                return Segment(device.id, at, received_at, data)
            case "trace":
                return trace.decode(data, device.id, at, received_at)
            case "record":
                container.check_record(data)
                return Record(device.id, at, received_at, data)
        container.check_sound(data)
        return Clip(device.id, at, received_at, data)
