"""Actility ThingPark (Wireless and Enterprise): JSON of its MQTT connector.

Fields: https://docs.thingpark.com/thingpark-x/latest/Message/ (DevEUI_uplink, 2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from contracts.nouns import Arrival
from ingest.adapting import profile, shapes
from ingest.adapting.kit import NOTHING, Adapter, Build, Said, Setting, Spec
from ingest.adapting.lorawan import Options, Reader, Uplink
from ingest.adapting.profile import Profiles
from ingest.adapting.shapes import at, first


class ThingPark(Adapter):
    """Stateless."""

    def __init__(self, options: Options, setting: Setting, profiles: Profiles) -> None:
        self._reader = Reader(options, setting, profiles)

    def decode(self, arrival: Arrival, /) -> Sequence[Said]:
        """The readings of an uplink; downlinks, locations and notifications are set aside."""
        body = shapes.json_object(arrival.payload)
        told = first(
            at(body, "DevEUI_uplink"), at(body, "DevEUI_Uplink"), at(body, "data", "DevEUI_uplink")
        )
        if not isinstance(told, dict):
            return NOTHING
        return self._reader.uplink(
            Uplink(
                names=[
                    shapes.eui(told.get("DevEUI")),
                    shapes.text(at(told, "CustomerData", "name")),
                ],
                hints=[
                    shapes.text(at(told, "DriverCfg", "mod", "mId")),
                    shapes.text(at(told, "CustomerData", "alr", "pro")),
                ],
                port=shapes.whole(told.get("FPort")),
                payload=told.get("payload_hex"),
                hexadecimal=True,
                decoded=first(at(told, "payload"), at(told, "payload_decoded")),
                sent_at=shapes.time(told.get("Time")),
                count=shapes.whole(told.get("FCntUp")),
                address=shapes.text(told.get("DevAddr")),
                heard=_heard(told),
            ),
            arrival,
        )


def _heard(told: dict[str, Any]) -> list[dict[str, Any]]:
    gateways = at(told, "Lrrs", "Lrr")
    every = [g for g in gateways if isinstance(g, dict)] if isinstance(gateways, list) else []
    return [
        {"rssi": _number(g.get("LrrRSSI")), "snr": _number(g.get("LrrSNR"))} for g in (*every, told)
    ]


def _number(value: Any) -> float | None:
    """Older servers write numbers as text."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _prepare(options: Options, folder: Path) -> Build:
    return partial(_build, options, profile.read(folder))


def _build(options: Options, profiles: Profiles, setting: Setting) -> Adapter:
    return ThingPark(options, setting, profiles)


SPEC = Spec(topics=("mqtt/things/+/uplink", "thingpark/#"), options=Options, prepare=_prepare)
