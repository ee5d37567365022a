"""ChirpStack v4 and v3: events of the MQTT integration (JSON or protobuf), gateways on or off line.

Fields: https://www.chirpstack.io/docs/chirpstack/integrations/events.html and, for v3,
https://www.chirpstack.io/application-server/integrations/events/ (2022-07 and 2021-11).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from contracts.errors import Permanent
from contracts.nouns import Arrival, Status
from ingest.adapting import profile, shapes
from ingest.adapting.kit import NOTHING, Adapter, Build, Said, Setting, Spec, blaming
from ingest.adapting.lorawan import Options, Reader, Uplink
from ingest.adapting.profile import Profiles
from ingest.adapting.shapes import at, first
from ingest.codec import chirpstack as codec

ASIDE = frozenset({"ack", "txack", "log", "error", "location", "integration", "tx", "down"})
"""Events that say nothing of what a sensor measures: downlinks, the server's own log."""
_SNR = ("snr", "loRaSNR", "loraSnr", "lora_snr")
_KINDS = {"rx": "up", "uplink": "up"}


class ChirpStack(Adapter):
    """Stateless."""

    def __init__(self, options: Options, setting: Setting, profiles: Profiles) -> None:
        self._reader = Reader(options, setting, profiles)
        self._register = setting.register

    def decode(self, arrival: Arrival, /) -> Sequence[Said]:
        """An `up` event's readings, a status' battery and margin; a join says that it is there."""
        if arrival.topic.endswith("/state/conn"):
            return self._connection(arrival)
        last = arrival.topic.rpartition("/")[2].lower()
        kind: str | None = _KINDS.get(last, last)
        levels = arrival.topic.split("/")
        if kind in ASIDE or "command" in levels or "gateway" in levels[:3]:
            return NOTHING  # what a LoRa gateway heard comes again as its device's event
        with blaming(self._register.find(*reversed(arrival.topic.split("/")))):
            if kind not in ("up", "status", "join"):
                told = shapes.json_object(arrival.payload)
                kind = _kind_of(told)
                if kind is None:
                    return NOTHING
            elif codec.is_json(arrival.payload):
                told = shapes.json_object(arrival.payload)
            else:
                told = codec.event(arrival.payload, kind)
        names = _names(told)
        sent_at = _time(told)
        if kind == "join":
            return [self._reader.online(names, sent_at, arrival)]
        if kind == "status":
            values = _status(told)
            return self._reader.figures(names, values, sent_at, arrival) if values else NOTHING
        return self._reader.uplink(_uplink(told, names, sent_at), arrival)

    def _connection(self, arrival: Arrival) -> Sequence[Said]:
        """Of a LoRa gateway that is registered as a device; of others nobody asks."""
        told = (
            shapes.json_object(arrival.payload)
            if codec.is_json(arrival.payload)
            else codec.connection(arrival.payload)
        )
        name = shapes.eui(first(told.get("gatewayId"), told.get("gatewayID")))
        device = self._register.find(name, arrival.topic.split("/")[-3])
        if device is None:
            return NOTHING
        online = str(told.get("state")).upper() == "ONLINE"
        return [Status(device.id, arrival.received_at, arrival.received_at, online)]


def _kind_of(told: dict[str, Any]) -> str | None:
    """On a topic that does not say it: which event this is."""
    if "rxInfo" in told and any(name in told for name in ("data", "object", "objectJSON", "fPort")):
        return "up"
    if "margin" in told or "batteryLevel" in told:
        return "status"
    return None


def _names(told: dict[str, Any]) -> list[str | None]:
    info = at(told, "deviceInfo")
    return [
        shapes.eui(first(at(info, "devEui"), at(told, "devEUI"), at(told, "devEui"))),
        shapes.text(first(at(info, "deviceName"), at(told, "deviceName"))),
    ]


def _status(told: dict[str, Any]) -> dict[str, float]:
    values: dict[str, float] = {}
    level = first(told.get("batteryLevel"), told.get("battery_level"))
    if isinstance(level, int | float) and not told.get("batteryLevelUnavailable"):
        # A mains-powered device (externalPowerSource) has no battery to speak of.
        if not told.get("externalPowerSource"):
            values["battery_percent"] = float(level)
    elif isinstance(told.get("battery"), int) and 1 <= told["battery"] <= 254:
        values["battery_percent"] = told["battery"] / 254 * 100  # LoRaWAN DevStatusAns
    margin = told.get("margin")
    if isinstance(margin, int | float) and not isinstance(margin, bool):
        values["link_margin"] = float(margin)
    return values


def _time(told: dict[str, Any]) -> datetime | None:
    """When the network server had it: its own stamp, else a gateway's; the same at a redelivery."""
    at_server = shapes.time(told.get("time"), told.get("publishedAt"))
    if at_server is not None:
        return at_server
    heard = told.get("rxInfo")
    gateways = heard if isinstance(heard, list) else [heard]
    return shapes.time(
        *(at(gateway, "time") for gateway in gateways),
        *(at(gateway, "nsTime") for gateway in gateways),
        *(at(gateway, "gwTime") for gateway in gateways),
    )


def _uplink(told: dict[str, Any], names: list[str | None], sent_at: datetime | None) -> Uplink:
    info = at(told, "deviceInfo")
    heard = told.get("rxInfo")
    gateways = heard if isinstance(heard, list) else [heard]
    tags = {**shapes.mapping(at(info, "tags")), **shapes.mapping(told.get("tags"))}
    return Uplink(
        names=names,
        hints=[
            *(shapes.text(tags.get(name)) for name in ("profile", "model", "device_model")),
            shapes.text(first(at(info, "deviceProfileName"), told.get("deviceProfileName"))),
            names[1],
            shapes.text(first(at(info, "applicationName"), told.get("applicationName"))),
        ],
        port=shapes.whole(told.get("fPort")),
        payload=told.get("data"),
        decoded=_decoded(told),
        sent_at=sent_at,
        count=shapes.whole(told.get("fCnt")),
        address=shapes.text(told.get("devAddr")),
        heard=[
            {"rssi": g.get("rssi"), "snr": first(*(g.get(name) for name in _SNR))}
            for g in gateways
            if isinstance(g, dict)
        ],
    )


def _decoded(told: dict[str, Any]) -> Any:
    """v4's `object`, v3's `objectJSON` (JSON in a text)."""
    decoded = told.get("object")
    said = told.get("objectJSON")
    if decoded is None and isinstance(said, str) and said.strip():
        try:
            decoded = shapes.json_object(said.encode())
        except Permanent:
            return None
    elif decoded is None:
        decoded = said
    return decoded if isinstance(decoded, dict | list) and decoded else None


def _prepare(options: Options, folder: Path) -> Build:
    profiles = profile.read(folder)
    return partial(_build, options, profiles)


def _build(options: Options, profiles: Profiles, setting: Setting) -> Adapter:
    return ChirpStack(options, setting, profiles)


SPEC = Spec(
    topics=(
        "application/+/device/+/event/+",
        "application/+/device/+/+",
        "gateway/+/state/conn",
        "+/gateway/+/state/conn",
    ),
    options=Options,
    prepare=_prepare,
)
