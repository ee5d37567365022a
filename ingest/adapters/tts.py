"""The Things Stack v3 (The Things Network): JSON of its MQTT server.

Fields: https://www.thethingsindustries.com/docs/integrations/data-formats/ (ApplicationUp).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from contracts.errors import Permanent
from contracts.nouns import Arrival
from ingest.adapting import profile, shapes
from ingest.adapting.kit import NOTHING, Adapter, Build, Said, Setting, Spec, blaming
from ingest.adapting.lorawan import Options, Reader, Uplink
from ingest.adapting.profile import Profiles
from ingest.adapting.shapes import at, first


class TtsOptions(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `use = "tts"`."""

    simulated: bool = False
    """Take uplinks that somebody simulates in the console, for a trial."""


class TheThingsStack(Adapter):
    """Stateless."""

    def __init__(self, options: TtsOptions, setting: Setting, profiles: Profiles) -> None:
        self._simulated = options.simulated
        self._reader = Reader(options, setting, profiles)
        self._register = setting.register

    def decode(self, arrival: Arrival, /) -> Sequence[Said]:
        """An uplink's readings; a join says that the device is there; the rest is set aside
        (downlinks, service data, solved locations)."""
        with blaming(self._register.find(*reversed(arrival.topic.split("/")))):
            told = shapes.json_object(arrival.payload)
        # A webhook or the console's event wraps the same thing.
        told = first(at(told, "data"), told) if "end_device_ids" not in told else told
        ids = at(told, "end_device_ids")
        names = [shapes.eui(at(ids, "dev_eui")), shapes.text(at(ids, "device_id"))]
        uplink = first(at(told, "uplink_message"), at(told, "uplink_normalized"))
        if isinstance(uplink, dict):
            if at(told, "simulated") is True and not self._simulated:
                device = self._register.find(*names)
                with blaming(device):
                    raise Permanent(
                        "simulated",
                        "somebody typed this uplink into the console: no device has measured it "
                        "(`simulated = true` in this adapter's options takes such, for a trial)",
                    )
            return self._reader.uplink(_uplink(told, uplink, names), arrival)
        join = at(told, "join_accept")
        if isinstance(join, dict):
            when = shapes.time(join.get("received_at"), at(told, "received_at"))
            return [self._reader.online(names, when, arrival)]
        return NOTHING


def _uplink(told: Any, uplink: dict[str, Any], names: list[str | None]) -> Uplink:
    metadata = uplink.get("rx_metadata")
    gateways = [g for g in metadata if isinstance(g, dict)] if isinstance(metadata, list) else []
    attributes = shapes.mapping(uplink.get("attributes"))
    battery = at(uplink, "last_battery_percentage", "value")
    return Uplink(
        names=names,
        hints=[
            *(shapes.text(attributes.get(name)) for name in ("profile", "model")),
            shapes.text(at(uplink, "version_ids", "model_id")),
            names[1],
            shapes.text(at(told, "end_device_ids", "application_ids", "application_id")),
        ],
        port=shapes.whole(uplink.get("f_port")),
        payload=uplink.get("frm_payload"),
        decoded=_decoded(uplink),
        sent_at=shapes.time(
            uplink.get("received_at"),
            at(told, "received_at"),
            at(uplink, "settings", "time"),
            *(at(g, "time") for g in gateways),
        ),
        count=shapes.whole(uplink.get("f_cnt")),
        address=shapes.text(at(told, "end_device_ids", "dev_addr")),
        heard=[{"rssi": first(g.get("rssi"), g.get("channel_rssi")), "snr": g.get("snr")}
               for g in gateways],
        told={"battery_percent": float(battery)} if isinstance(battery, int | float) else {},
    )  # fmt: skip


def _decoded(uplink: dict[str, Any]) -> Any:
    """The codec's own fields; else the normalized measurements, whose units are fixed."""
    decoded = uplink.get("decoded_payload")
    if isinstance(decoded, dict | list) and decoded:
        return decoded
    normalized = uplink.get("normalized_payload")
    if isinstance(normalized, dict):
        return normalized
    if isinstance(normalized, list):
        merged: dict[str, Any] = {}
        for part in normalized:
            merged |= part if isinstance(part, dict) else {}
        return merged or None
    return None


def _prepare(options: TtsOptions, folder: Path) -> Build:
    return partial(_build, options, profile.read(folder))


def _build(options: TtsOptions, profiles: Profiles, setting: Setting) -> Adapter:
    return TheThingsStack(options, setting, profiles)


SPEC = Spec(
    topics=("v3/+/devices/+/up", "v3/+/devices/+/join"),
    options=TtsOptions,
    prepare=_prepare,
)
