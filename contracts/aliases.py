"""What outside gateways call our devices: optional facts of the city beside `contracts.city`.

Read by `gridsentry.city` from `aliases.csv`; `aliases(city)` hands them out.
"""

from __future__ import annotations

import msgspec

from contracts.city import City


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """One name that a gateway uses for one of our devices."""

    alias: str
    """A DevEUI, device name, topic part, `group/node/device`: whatever the gateway calls it."""
    device: str
    """Our id of it."""
    profile: str | None = None
    """The device profile that reads its payloads; None: as the gateway's message says."""
    height_m: float | None = None
    """Of a sensor that looks down and tells a distance: metres from where `level` (or `depth`) is
    measured from up to the sensor. `level` is then this less the distance."""
    metrics: dict[str, str] = {}
    """Metric as the profile calls it → metric it is here (channel 2 of a meter → `current_b`);
    an empty name: left out."""


def aliases(city: City) -> dict[str, Alias]:
    """By alias; nothing where the city says nothing."""
    found = city.extra.get("aliases")
    return found if isinstance(found, dict) else {}
