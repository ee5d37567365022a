"""SenML packs (RFC 8428) in JSON or CBOR, on whatever topics a gateway publishes them.

A record's name says device and quantity in one: `urn:dev:ow:10e2073a01080063:voltage`. The device
is the longest part in front that somebody is registered by; what follows is the quantity. A name
that names no device is a quantity of the device that a level of the topic names.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

from contracts.aliases import Alias
from contracts.city import Device
from contracts.errors import Permanent
from contracts.nouns import Arrival, Quality, Reading
from ingest.adapting import kit, units
from ingest.adapting.measured import measured
from ingest.adapting.moments import moment
from ingest.codec import senml, telemetry

_ENDS: Final = "/:._-"
"""What may stand between the device and the quantity in a name."""
_BARE: Final = "value"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `use = "senml"`."""

    device_level: int | None = None
    """Level of the topic that names the device, from 0; left out: any level that is registered,
    the last one first."""


class SenmlAdapter(kit.Adapter):
    """Reads packs; has no state."""

    def __init__(self, setting: kit.Setting, options: Options) -> None:
        self._register = setting.register
        self._rule = setting.rule
        self._level = options.device_level

    def decode(self, arrival: Arrival, /) -> Sequence[kit.Said]:
        """A reading for each value and each sum. Texts and data are left aside."""
        pack = senml.packed(arrival.payload)
        out: list[kit.Said] = []
        of_topic = self._of_topic(arrival.topic)
        for record in senml.resolve(pack):
            if isinstance(record, senml.Bad):
                wrong = pack[record.number]
                out.append(kit.poison(arrival, record.code, record.reason, payload=wrong))
                continue
            if record.value is None and record.sum is None:
                continue
            try:
                out += self._readings(record, arrival, of_topic)
            except Permanent as bad:
                device = getattr(bad, "device", None)
                whole = None if bad.code == "unknown_device" else pack[record.number]
                reason = f"record {record.number} ({record.name}): {bad.reason}"
                out.append(kit.poison(arrival, bad.code, reason, device, whole))
        return _once(out)

    def _readings(
        self, record: senml.Record, arrival: Arrival, of_topic: Device | None
    ) -> list[Reading]:
        device, name = self._whose(record.name, of_topic)
        with kit.blaming(device):
            alias = self._register.alias(device, record.name[: len(record.name) - len(name)])
            values = _values(name, record, alias)
            if not values:
                return []
            if not record.relative:
                sent_at = moment(record.time_s, "s")
                return kit.readings(device, values, arrival, self._rule, sent_at)
            if arrival.retained:
                kit.readings(device, values, arrival, self._rule, None)  # raises: no news
            return _relative(device, values, arrival, record.time_s)

    def _whose(self, name: str, of_topic: Device | None) -> tuple[Device, str]:
        """The device and the quantity that a full name names."""
        cuts = [len(name), *(i for i in range(len(name) - 1, 0, -1) if name[i] in _ENDS)]
        for cut in cuts:
            device = self._register.find(name[:cut], name[:cut].rpartition(":")[2])
            if device is not None:
                device = self._register.device(device.id)
                return device, name[cut:].lstrip(_ENDS) or _BARE
        if of_topic is not None:
            return self._register.device(of_topic.id), name
        best = next((i for i in cuts[1:] if name[i] in "/:"), cuts[min(1, len(cuts) - 1)])
        raise self._register.unknown([name[:best]])

    def _of_topic(self, topic: str) -> Device | None:
        levels = topic.split("/")
        if self._level is not None:
            return self._register.find(levels[self._level]) if self._level < len(levels) else None
        return self._register.find(*reversed(levels))


def _values(name: str, record: senml.Record, alias: Alias | None) -> dict[str, float]:
    """The value, and the sum: value times seconds, in our unit where that is only a factor."""
    unit = record.unit
    told = measured(name, record.value or 0.0, unit, alias, flag=record.flag)
    if told is None:
        return {}
    metric, value = told
    if unit == "F" and metric != "temperature":  # farad; many write it for Fahrenheit
        value = record.value or 0.0
    values = {} if record.value is None else {metric: value}
    if record.sum is not None:
        factor, offset = units.conversion(unit or "") or (1.0, 0.0)
        values[f"{metric}_sum"] = record.sum * (1.0 if offset else factor)
    return values


def _relative(
    device: Device, values: dict[str, float], arrival: Arrival, seconds: float
) -> list[Reading]:
    """Readings so many seconds before their arrival: sent again, they come at another time, so
    they are not keyed."""
    at = arrival.received_at
    if seconds < 0:
        at += timedelta(seconds=max(seconds, -7 * 86_400.0))
    for metric, value in values.items():
        telemetry.check_metric(metric, value)
    return [
        Reading(device.id, metric, value, at, arrival.received_at, quality=Quality.UNKEYED.value)
        for metric, value in values.items()
    ]


def _once(said: list[kit.Said]) -> list[kit.Said]:
    """A device that nobody knows is told once for a message, not for each record."""
    told: set[tuple[str, str | None]] = set()
    out = []
    for one in said:
        code = getattr(one, "code", None)
        if code == "unknown_device":
            key = (code, getattr(one, "device", None))
            if key in told:
                continue
            told.add(key)
        out.append(one)
    return out


def _prepare(options: Options, _folder: Path) -> kit.Build:
    return lambda setting: SenmlAdapter(setting, options)


SPEC = kit.Spec(topics=(), options=Options, prepare=_prepare)
