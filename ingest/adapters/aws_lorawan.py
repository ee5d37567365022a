"""AWS IoT Core for LoRaWAN: uplinks as a rule of AWS IoT republishes them (device shadows are
`json_mapping` with `aws_shadow`).

Fields: https://docs.aws.amazon.com/iot-wireless/latest/developerguide/lorawan-manage-end-devices.html
(uplink metadata, 2024). A rule that decodes adds its own object; `transformed_payload`, `decoded`
and `payload` are looked at.
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


class AwsLoRaWan(Adapter):
    """Stateless."""

    def __init__(self, options: Options, setting: Setting, profiles: Profiles) -> None:
        self._reader = Reader(options, setting, profiles)

    def decode(self, arrival: Arrival, /) -> Sequence[Said]:
        """The readings of an uplink; joins, delivery reports and Sidewalk messages are set
        aside."""
        told = shapes.json_object(arrival.payload)
        radio = first(
            at(told, "WirelessMetadata", "LoRaWAN"), at(told, "lns_payload", "LoRaWAN"),
            at(told, "WirelessMetadata", "LoRaWan"),
        )  # fmt: skip
        if not isinstance(radio, dict):
            return NOTHING
        gateways = radio.get("Gateways")
        return self._reader.uplink(
            Uplink(
                names=[
                    shapes.eui(radio.get("DevEui")),
                    shapes.text(told.get("WirelessDeviceId")),
                    shapes.text(told.get("thing_name")),
                ],
                port=shapes.whole(radio.get("FPort")),
                payload=told.get("PayloadData"),
                decoded=first(*(_object(told.get(name)) for name in _DECODED)),
                sent_at=shapes.time(radio.get("Timestamp"), told.get("timestamp")),
                count=shapes.whole(radio.get("FCnt")),
                address=shapes.text(radio.get("DevAddr")),
                heard=[
                    {"rssi": g.get("Rssi"), "snr": g.get("Snr")}
                    for g in (gateways if isinstance(gateways, list) else ())
                    if isinstance(g, dict)
                ],
            ),
            arrival,
        )


_DECODED = ("transformed_payload", "decoded", "decoded_payload", "payload")


def _object(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) and value else None


def _prepare(options: Options, folder: Path) -> Build:
    return partial(_build, options, profile.read(folder))


def _build(options: Options, profiles: Profiles, setting: Setting) -> Adapter:
    return AwsLoRaWan(options, setting, profiles)


SPEC = Spec(topics=("lorawan/+/uplink", "aws/lorawan/#"), options=Options, prepare=_prepare)
