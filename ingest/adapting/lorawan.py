"""What LoRaWAN network servers have in common: an uplink of a device, read by its profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from contracts.aliases import Alias
from contracts.city import Device
from contracts.errors import Permanent
from contracts.nouns import Arrival, Poison, Reading, Status
from ingest.adapting import loose, profile, shapes
from ingest.adapting.kit import Said, Setting, blaming, poison, readings
from ingest.adapting.profile import Profile, Profiles
from ingest.codec.telemetry import check_metric


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of every LoRaWAN network server."""

    radio: bool = True
    """Store `rssi` (dBm) and `snr` (dB) of the gateway that heard the device best."""
    decoded: bool = False
    """Believe what the network server decoded even where the profile can read the bytes."""


class Uplink(msgspec.Struct, kw_only=True):
    """One uplink, whatever server it came from."""

    names: Sequence[str | None]
    """What the device is called, the best name first: DevEUI, device id, device name."""
    hints: Sequence[str | None] = ()
    """Texts that may name its model: device profile, model id, tags."""
    port: int | None = None
    payload: Any = None
    """The payload's bytes as the server writes them: a text, base64 or `hexadecimal`."""
    hexadecimal: bool = False
    decoded: Any = None
    """What the server's codec made of it: an object, or None."""
    sent_at: datetime | None = None
    count: int | None = None
    """Frame counter; begins again when the device joins."""
    address: str | None = None
    """DevAddr, a new one at every join: with the counter, identity where there is no time."""
    heard: Sequence[Mapping[str, Any]] = ()
    """`rssi`, `snr` for each gateway."""
    told: Mapping[str, float] = {}
    """What the network server itself knows, under our names (`battery_percent`)."""


class Reader:
    """Turns uplinks into readings; one for each adapter."""

    def __init__(self, options: Options, setting: Setting, profiles: Profiles) -> None:
        self._options = options
        self._setting = setting
        self._profiles = profiles

    def device(self, names: Sequence[str | None]) -> Device:
        """Raises Unknown or Permanent `wrong_district`."""
        return self._setting.register.device(*names)

    def online(self, names: Sequence[str | None], at: datetime | None, arrival: Arrival) -> Status:
        """The device has just shown that it is there (a join)."""
        device = self.device(names)
        return Status(device.id, at or arrival.received_at, arrival.received_at, True)

    def figures(
        self,
        names: Sequence[str | None],
        values: Mapping[str, float],
        at: datetime | None,
        arrival: Arrival,
    ) -> list[Reading]:
        """Readings that need no profile (a status: battery, margin)."""
        device = self.device(names)
        with blaming(device):
            return readings(device, values, arrival, self._setting.rule, at)

    def uplink(self, uplink: Uplink, arrival: Arrival) -> list[Said]:
        """The readings of an uplink, and Poison for what of it cannot be read."""
        device = self.device(uplink.names)
        with blaming(device):
            alias = self._setting.register.alias(device, *uplink.names)
            out: list[Said] = []
            bad: Poison | None = None
            try:
                records, left = self._records(uplink, device, alias)
            except Permanent as error:
                records, left = [], b""
                bad = poison(arrival, error.code, error.reason, device.id)
            radio = {**uplink.told, **(self._radio(uplink) if self._options.radio else {})}
            now: dict[str, float] = dict(radio)
            for at, values in records:
                if at is None:
                    now |= values
                else:
                    out += self._readings(device, values, arrival, at, uplink)
            if now:
                out += self._readings(device, now, arrival, uplink.sent_at, uplink)
            if left:
                bad = poison(
                    arrival,
                    "unknown_payload",
                    f"the rest of the payload ({left[:16].hex()}{'…' if len(left) > 16 else ''}) "
                    "is not described in the device's profile; what stood before it is stored",
                    device.id,
                )
            return [*out, bad] if bad is not None else out

    def _readings(
        self,
        device: Device,
        values: Mapping[str, float],
        arrival: Arrival,
        at: datetime | None,
        uplink: Uplink,
    ) -> list[Said]:
        """Readings; a value that no quantity of the field has is set aside alone."""
        good: dict[str, float] = {}
        bad: list[Said] = []
        for metric, value in values.items():
            try:
                check_metric(metric, value)
            except Permanent as error:
                bad.append(poison(arrival, error.code, error.reason, device.id))
            else:
                good[metric] = value
        boot = _number_of(uplink.address)
        made = readings(device, good, arrival, self._setting.rule, at, seq=uplink.count, boot=boot)
        return [*made, *bad]

    def _radio(self, uplink: Uplink) -> dict[str, float]:
        best: dict[str, float] = {}
        for gateway in uplink.heard:
            rssi, snr = _float(gateway.get("rssi")), _float(gateway.get("snr"))
            if rssi is not None and ("rssi" not in best or rssi > best["rssi"]):
                best = {"rssi": rssi, **({"snr": snr} if snr is not None else {})}
        return best

    def _profile(self, uplink: Uplink, device: Device, alias: Alias | None) -> Profile | None:
        if alias is not None and alias.profile:
            named = self._profiles.named(alias.profile)
            if named is None:
                raise Permanent(
                    "unknown_profile",
                    f"aliases.csv names the profile {alias.profile!r} for {device.id}; there is "
                    f"none of that name; allowed: {self._profiles.near(alias.profile)}",
                )
            return named
        return self._profiles.of([*uplink.hints, device.type])

    def _records(
        self, uplink: Uplink, device: Device, alias: Alias | None
    ) -> tuple[list[tuple[datetime | None, dict[str, float]]], bytes]:
        """(time or None, values) of each record, and the bytes that could not be read."""
        found = self._profile(uplink, device, alias)
        if uplink.port == 0 or (found is not None and uplink.port in found.aside_ports):
            return [], b""  # port 0 is the network's own (LoRaWAN 1.0.4, 4.3.2)
        fields = {} if uplink.decoded is None else dict(shapes.flat(loose.inner(uplink.decoded)))
        bytes_first = not self._options.decoded or not fields
        fault: Permanent | None = None
        data: bytes | None = None
        try:
            data = shapes.data_bytes(uplink.payload, hexadecimal=uplink.hexadecimal)
        except Permanent as error:
            fault = error
        if found is not None and found.reads_bytes and data and bytes_first:
            try:
                told = found.told(data, uplink.port)
            except Permanent as error:
                fault = error
            else:
                records: list[tuple[datetime | None, dict[str, float]]] = [
                    (datetime.fromtimestamp(at, UTC), found.values(said, alias))
                    for at, said in told.then
                ]
                return [*records, (None, found.values(told.now, alias))], told.left
        if fields:
            return [(None, (found or profile.ANY).values(fields, alias))], b""
        if fault is not None:
            raise fault
        if data and found is None:
            raise Permanent(
                "no_profile",
                f"the payload of {device.id} is {len(data)} undecoded bytes, and nothing says "
                "which device made them: name a profile in aliases.csv (column profile), or let "
                "the network server decode them",
            )
        if data and found is not None:
            found.told(data, uplink.port)
        return [], b""


def _number_of(address: str | None) -> int:
    """DevAddr as a number; 0 where there is none."""
    try:
        return int(address, 16) if address else 0
    except ValueError:
        return 0


def _float(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
