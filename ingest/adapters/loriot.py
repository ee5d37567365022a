"""LORIOT: JSON of its MQTT application output. One uplink comes as `rx` and, with every gateway
that heard it, again as `gw`: the same device, time and values, stored once.

Fields: https://docs.loriot.io/space/NMS/6032988/Uplink+Data+Message (2024).
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
from ingest.adapting.shapes import first


class Loriot(Adapter):
    """Stateless."""

    def __init__(self, options: Options, setting: Setting, profiles: Profiles) -> None:
        self._reader = Reader(options, setting, profiles)

    def decode(self, arrival: Arrival, /) -> Sequence[Said]:
        """The readings of `rx` and `gw`; everything else (`txd`, `cq`, …) is set aside."""
        told = shapes.json_object(arrival.payload)
        if told.get("cmd") not in ("rx", "gw", None) or "EUI" not in told:
            return NOTHING
        if told.get("encdata") and not told.get("data"):
            return NOTHING  # nobody but the owner of the key can read it
        heard = told.get("gws")
        gateways = [g for g in heard if isinstance(g, dict)] if isinstance(heard, list) else [told]
        return self._reader.uplink(
            Uplink(
                names=[shapes.eui(told.get("EUI")), shapes.text(told.get("name"))],
                hints=[shapes.text(told.get("model")), shapes.text(told.get("name"))],
                port=shapes.whole(told.get("port")),
                payload=told.get("data"),
                hexadecimal=True,
                decoded=first(told.get("decoded"), told.get("decoded_data")),
                sent_at=shapes.time(told.get("ts"), told.get("time")),
                count=shapes.whole(told.get("fcnt")),
                address=shapes.text(told.get("devaddr")),
                heard=[{"rssi": g.get("rssi"), "snr": g.get("snr")} for g in gateways],
                told=_battery(told.get("bat")),
            ),
            arrival,
        )


def _battery(level: Any) -> dict[str, float]:
    """LoRaWAN's DevStatusAns: 1 to 254; 0 is mains, 255 unknown."""
    if isinstance(level, bool) or not isinstance(level, int) or not 1 <= level <= 254:
        return {}
    return {"battery_percent": level / 254 * 100}


def _prepare(options: Options, folder: Path) -> Build:
    return partial(_build, options, profile.read(folder))


def _build(options: Options, profiles: Profiles, setting: Setting) -> Adapter:
    return Loriot(options, setting, profiles)


SPEC = Spec(topics=("loriot/#",), options=Options, prepare=_prepare)
