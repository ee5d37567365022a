"""Which cameras of a city there are to watch."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.city import City, Device
from contracts.detector import Site


def is_camera(device: Device) -> bool:
    """Whether its type says that it is a camera."""
    return "camera" in device.type.lower()


def camera_sites(city: City) -> Iterator[Site]:
    """One site per camera, calibrated or not: devices whose type says so, or with a camera file."""
    for id, device in sorted(city.devices.items()):
        if is_camera(device) or id in city.cameras:
            yield Site(
                id=id,
                district=device.district,
                point=device.point,
                devices=(device,),
                camera=city.cameras.get(id),
            )
