"""The kind's one export: cameras are judged by their pictures, everything else by its readings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from contracts.city import City, Device, DrainNetwork, Pipe
from contracts.detector import Detector, Site, Spec
from contracts.kinds import APP_TYPES
from contracts.nouns import Frame, Reading
from detectors._common.cameras import camera_sites
from detectors._common.water.graph import Graph, site_name, stands
from detectors.sensor_faulty.camera import CameraFaults
from detectors.sensor_faulty.config import KIND, SensorFaultyConfig
from detectors.sensor_faulty.many import ManyReadingFaults
from detectors.sensor_faulty.readings import ReadingFaults


def sites(city: City, _cfg: SensorFaultyConfig) -> Iterable[Site]:
    """Every camera; and every neighbourhood of devices that measure: those that stand at one
    drainage network (and the rain gauges of their district), those of one `site`, and each of the
    others on its own."""
    pictures = [msgspec.structs.replace(s, consumes=(Frame,)) for s in camera_sites(city)]
    yield from pictures
    cameras = {site.id for site in pictures}
    measuring = [
        device
        for id, device in sorted(city.devices.items())
        if device.type.lower() not in APP_TYPES and (id not in cameras or device.metrics)
    ]
    left = {device.id: device for device in measuring}
    for site in _networks(city, measuring):
        for device in site.devices:
            del left[device.id]
        yield site
    groups: dict[tuple[str, str], list[Device]] = {}
    for device in left.values():
        groups.setdefault((device.district, device.site or device.id), []).append(device)
    for (district, name), devices in sorted(groups.items()):
        yield Site(
            id=f"{name}.readings" if name in cameras else name,
            district=district,
            point=devices[0].point,
            devices=tuple(devices),
            consumes=(Reading,),
        )


def _networks(city: City, measuring: list[Device]) -> Iterable[Site]:
    """One site per district of each connected drainage network: what is shared stays together."""
    if city.drains is None:
        return
    graph = Graph(city.drains)
    stood = stands(graph, measuring)
    gauges = [d for d in measuring if "rain_rate" in d.metrics and d.id not in stood]
    for part in graph.parts():
        districts: dict[str, list[Device]] = {}
        for device in measuring:
            if stood.get(device.id) in part.nodes:
                districts.setdefault(device.district, []).append(device)
        for district, own in sorted(districts.items()):
            rain = [d for d in gauges if d.district == district]
            gauges = [d for d in gauges if d.district != district]
            devices = sorted((*own, *rain), key=lambda d: d.id)
            nodes = {d.id: part.nodes[stood[d.id]] for d in own}
            name = site_name(part)
            yield Site(
                id=name if len(districts) == 1 else f"{name}.{district}",
                district=district,
                point=devices[0].point,
                devices=tuple(devices),
                drains=DrainNetwork(nodes=nodes, pipes=_measured(part, own)),
                consumes=(Reading,),
            )


def _measured(part: DrainNetwork, own: list[Device]) -> dict[str, Pipe]:
    """Device → the pipe it is named after, as flow meters are."""
    return {d.id: part.pipes[d.site] for d in own if d.site is not None and d.site in part.pipes}


def build(cfg: SensorFaultyConfig, site: Site, snapshot: bytes | None) -> Detector[Any]:
    """A camera's fold, or that of a neighbourhood of devices that measure."""
    if site.consumes == (Frame,):
        return CameraFaults(cfg, site, snapshot)
    return ReadingFaults(cfg, site, snapshot)


SPEC = Spec(
    kind=KIND,
    consumes=(Frame, Reading),
    config=SensorFaultyConfig,
    sites=sites,
    build=build,
    many=ManyReadingFaults,
)
