"""Zigbee2MQTT: `zigbee2mqtt/{friendly name}` with a flat object, and `…/availability`.

What the bridge says of itself, and what is asked of devices (`…/get`, `…/set`), is left aside.
Friendly names may contain slashes; a device of ours may also go by its IEEE address where the
bridge is set to send it (`device` in the payload).

A bridge that is set to `output: attribute` publishes every attribute by itself
(`zigbee2mqtt/{friendly name}/{attribute}`, a bare value); with `attribute_and_json` only the object
is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from contracts.city import Device
from contracts.errors import Permanent
from contracts.nouns import Arrival, Status
from ingest.adapting import kit
from ingest.adapting.measured import measured
from ingest.adapting.moments import moment
from ingest.adapting.shapes import json_object

WORDS: Final[dict[str, float]] = {
    "ON": 1.0, "OFF": 0.0, "OPEN": 1.0, "CLOSE": 0.0, "CLOSED": 0.0, "LOCK": 1.0, "UNLOCK": 0.0,
}  # fmt: skip
"""Texts of binary features (Zigbee2MQTT, exposes: `value_on`, `value_off`)."""
LEFT: Final = frozenset({"device", "update", "update_available", "last_seen", "elapsed"})
MAINS_V: Final = 60.0
"""`voltage` is in mV for devices with a battery and in V for meters; a battery has less than this
many volts, a reading in mV more than 1,000."""


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `use = "zigbee2mqtt"`."""

    base_topic: str = "zigbee2mqtt"
    """`mqtt.base_topic` of the bridge."""


class Zigbee2MqttAdapter(kit.Adapter):
    """Reads what devices publish; remembers only which of them speak in objects."""

    def __init__(self, setting: kit.Setting, options: Options) -> None:
        self._register = setting.register
        self._rule = setting.rule
        self._base = f"{options.base_topic.rstrip('/')}/"
        self._in_objects: set[str] = set()

    def decode(self, arrival: Arrival, /) -> Sequence[kit.Said]:
        """A reading for each number, switch and yes or no; on- and offline."""
        if not arrival.topic.startswith(self._base):
            raise Permanent("wrong_topic", f"a topic below {self._base} was expected")
        name = arrival.topic.removeprefix(self._base)
        if name.startswith("bridge/") or name.rpartition("/")[2] in ("get", "set"):
            return kit.NOTHING
        if name.endswith("/availability"):
            return self._available(name.removesuffix("/availability"), arrival)
        if not arrival.payload:
            return kit.NOTHING  # a retained message was cleared
        attribute = self._attribute(name, arrival)
        if attribute is not None:
            return attribute
        body = json_object(arrival.payload)
        self._in_objects.add(name)
        if self._register.find(name) is None and not any(_numbers(body)):
            return kit.NOTHING  # a button that was pressed, a group
        device = self._device(name, body)
        with kit.blaming(device):
            return self._readings(device, name, body, arrival)

    def _attribute(self, name: str, arrival: Arrival) -> Sequence[kit.Said] | None:
        """What an attribute by itself says; None: this is no such message."""
        who, _, key = name.rpartition("/")
        if not who or arrival.payload.lstrip()[:1] == b"{":
            return None
        device = self._register.find(who)
        if device is None or self._register.find(name) is not None:
            return None
        if who in self._in_objects or arrival.retained:
            return kit.NOTHING  # told in the object as well; no news
        device = self._register.device(device.id)
        text = arrival.payload.strip().decode("utf-8", "replace")
        value: Any = {"true": True, "false": False}.get(text.lower(), text)
        if text not in WORDS and isinstance(value, str):
            try:
                value = float(text)
            except ValueError:
                return kit.NOTHING  # a text: an action, a version, a colour
        with kit.blaming(device):
            return self._readings(device, who, {key: value}, arrival)

    def _device(self, name: str, body: dict[str, Any]) -> Device:
        told = body.get("device")
        address = told.get("ieeeAddr") if isinstance(told, dict) else None
        address = address if isinstance(address, str) else None
        plain = address.removeprefix("0x") if address else None
        known = self._register.find(name, address, plain)
        return self._register.device(known.id if known is not None else name)

    def _readings(
        self, device: Device, name: str, body: dict[str, Any], arrival: Arrival
    ) -> Sequence[kit.Said]:
        seen = body.get("last_seen")
        at = None if seen in (None, "", "N/A") else moment(seen, "auto", device.timezone)
        if arrival.retained and at is None:
            return kit.NOTHING  # the last state, told again at every subscription
        alias = self._register.alias(device, name)
        values: dict[str, float] = {}
        for key, number, flag in _numbers(body):
            named, value, unit = _ours(key, number, body)
            found = None if named is None else measured(named, value, unit, alias, flag=flag)
            if found is not None:
                values[found[0]] = found[1]
        return kit.readings(device, values, arrival, self._rule, at)

    def _available(self, name: str, arrival: Arrival) -> Sequence[kit.Said]:
        text = arrival.payload.strip()
        state: Any = text.decode("utf-8", "replace")
        if text[:1] == b"{":
            state = json_object(arrival.payload).get("state")
        if state not in ("online", "offline"):
            raise Permanent("bad_status", 'the payload says neither "online" nor "offline"')
        device = self._register.device(name)
        return [Status(device.id, arrival.received_at, arrival.received_at, state == "online")]


def _numbers(body: dict[str, Any], before: str = "") -> Iterator[tuple[str, float, bool]]:
    """(name, number, whether it was told as yes or no)."""
    for key, value in body.items():
        if key in LEFT and not before:
            continue
        name = f"{before}{key}"
        if isinstance(value, dict) and not before:
            yield from _numbers(value, f"{name}.")
        elif isinstance(value, str) and value in WORDS:
            yield name, WORDS[value], True
        elif isinstance(value, (bool, int, float)):
            yield name, float(value), isinstance(value, bool)


def _ours(key: str, value: float, body: dict[str, Any]) -> tuple[str | None, float, str | None]:
    """Name (None: left out), value and unit as the bridge tells it: hPa of the air, mV of
    batteries, per cent, lux."""
    match key:
        case "pressure":
            return "air_pressure", value, "hPa"  # never of a pipe
        case "battery":
            return "battery_percent", value, None
        case "illuminance" if "illuminance_lux" in body:
            return None, value, None  # older bridges: the raw 10,000 x log10(lux) + 1
        case "illuminance" | "illuminance_lux":
            return "lux", value, "lx"
        case "tilt" if "position" in body:
            return "cover_tilt", value, None  # per cent that slats are turned
        case "voltage" if value > 1000 or ("battery" in body and value < MAINS_V):
            return "battery", value / 1000 if value > 1000 else value, "V"
    return key, value, None


def _prepare(options: Options, _folder: Path) -> kit.Build:
    return lambda setting: Zigbee2MqttAdapter(setting, options)


SPEC = kit.Spec(topics=("zigbee2mqtt/#",), options=Options, prepare=_prepare)
