"""The lamps of one circuit are watched together, with the monitors of their line."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.city import City, Device
from contracts.detector import Site
from contracts.geo import Point
from detectors._common.works import concerns
from detectors.street_light_out.config import LightConfig

LIGHT = ("lamp_power", "power", "lamp_current", "lux")
"""What tells whether a lamp burns, the best first: the ballast of a dead discharge lamp still draws
reactive current, and light also comes from elsewhere."""
VOLTS = ("voltage_a", "voltage_b", "voltage_c", "voltage")
LAMPS = ("lamp", "light", "luminaire")


def is_lamp(device: Device) -> bool:
    """A street light's node."""
    kind = device.type.lower()
    if not any(word in kind for word in LAMPS):
        return False
    return bool(set(LIGHT) & set(device.metrics)) or not device.metrics


def sites(city: City, _cfg: LightConfig) -> Iterable[Site]:
    """One site per `site` of the register that has lamps; a lamp without one is alone."""
    groups: dict[str, list[Device]] = {}
    for device in city.devices.values():
        if is_lamp(device):
            groups.setdefault(device.site or device.id, []).append(device)
    beside: dict[str, list[Device]] = {}
    for device in city.devices.values():
        if device.site in groups and not is_lamp(device) and set(VOLTS) & set(device.metrics):
            beside.setdefault(device.site, []).append(device)
    for name, lamps in sorted(groups.items()):
        n = len(lamps)
        yield Site(
            id=name,
            district=lamps[0].district,
            point=Point(sum(d.point.lon for d in lamps) / n, sum(d.point.lat for d in lamps) / n),
            devices=(*lamps, *beside.get(name, ())),
            works=tuple(
                w for w in city.works if any(concerns(w, (name, d.id), d.point) for d in lamps)
            ),
        )
