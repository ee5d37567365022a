"""The entities as one caller sees them: made from the city's devices and what they measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import cached_property
from typing import Any, Final

from center.context import Context
from center.sensorthings.units import property_of, unit_of
from contracts.clock import monotonic
from contracts.history import TooMuch
from contracts.kinds import METRICS
from contracts.ports import Query

LATELY: Final = timedelta(days=2)
"""A metric that no registration names is a Datastream of the listings while it was measured so
lately; by its own address any that was ever measured."""
FRESH_S: Final = 60.0
DEVICES_AT_ONCE, MOST_ROWS = 500, 200_000
GEOJSON: Final = "application/geo+json"
MEASUREMENT: Final = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"

RELATIONS: Final[dict[str, dict[str, tuple[str, bool]]]] = {
    "Things": {
        "Locations": ("Locations", True),
        "HistoricalLocations": ("HistoricalLocations", True),
        "Datastreams": ("Datastreams", True),
    },
    "Locations": {
        "Things": ("Things", True),
        "HistoricalLocations": ("HistoricalLocations", True),
    },
    "HistoricalLocations": {"Thing": ("Things", False), "Locations": ("Locations", True)},
    "Datastreams": {
        "Thing": ("Things", False),
        "Sensor": ("Sensors", False),
        "ObservedProperty": ("ObservedProperties", False),
        "Observations": ("Observations", True),
    },
    "Sensors": {"Datastreams": ("Datastreams", True)},
    "ObservedProperties": {"Datastreams": ("Datastreams", True)},
    "Observations": {
        "Datastream": ("Datastreams", False),
        "FeatureOfInterest": ("FeaturesOfInterest", False),
    },
    "FeaturesOfInterest": {"Observations": ("Observations", True)},
}
"""Entity set → its navigation properties: their set, and whether there can be several."""

Stream = tuple[str, str]
"""Device and metric."""


def stream_id(stream: Stream) -> str:
    """`device:metric`."""
    return f"{stream[0]}:{stream[1]}"


class Lately:
    """Which metrics each device measured lately, of the whole city; kept for a minute."""

    def __init__(self) -> None:
        self._at = float("-inf")
        self._found: dict[str, set[str]] = {}

    async def metrics(self, context: Context) -> dict[str, set[str]]:
        """Device → metrics. Raises Temporary."""
        if monotonic() - self._at < FRESH_S:
            return self._found
        now, whole = context.clock.now(), context.whole
        found: dict[str, set[str]] = {}
        waiting = [sorted(context.city.devices)]
        while waiting:
            some = waiting.pop()
            if len(some) > DEVICES_AT_ONCE:
                waiting += [some[: len(some) // 2], some[len(some) // 2 :]]
                continue
            try:
                stretches = await whole.desk.history.stretches(
                    some, (), now - LATELY, now + timedelta(hours=1), "1d",
                    zone=context.city.timezone, limit=MOST_ROWS,
                )  # fmt: skip
            except TooMuch:
                if len(some) == 1:
                    raise
                waiting += [some[: len(some) // 2], some[len(some) // 2 :]]
                continue
            for one in stretches:
                found.setdefault(one.device, set()).add(one.metric)
        self._found, self._at = found, monotonic()
        return found


class Catalog:
    """Every entity but Observations, for one request."""

    def __init__(self, context: Context, lately: dict[str, set[str]]) -> None:
        self._context = context
        self._lately = lately
        self.devices = context.roster.known("devices")

    @cached_property
    def streams(self) -> dict[str, Stream]:
        """Datastreams that the listings show, by id."""
        found = [
            (device, metric)
            for device, known in self.devices.items()
            for metric in {*known.get("metrics", ()), *self._lately.get(device, ())}
        ]
        return {stream_id(stream): stream for stream in sorted(found)}

    async def stream(self, key: str) -> Stream | None:
        """A Datastream by its id, also one that has long been silent."""
        if key in self.streams:
            return self.streams[key]
        parts = key.split(":")
        for at in range(1, len(parts)):
            device, metric = ":".join(parts[:at]), ":".join(parts[at:])
            if device in self.devices and metric and "\x00" not in metric:
                query = Query(limit=1, device=device, metric=metric)
                if (await self._context.desk.page("readings", query)).items:
                    return device, metric
        return None

    def keys(self, name: str) -> list[str]:
        """The ids of an entity set's members, sorted; not of Observations."""
        match name:
            case "Things" | "Locations" | "FeaturesOfInterest":
                return list(self.devices)
            case "Datastreams":
                return list(self.streams)
            case "Sensors":
                return sorted({str(known["type"]) for known in self.devices.values()})
            case "ObservedProperties":
                return sorted({*METRICS, *(metric for _, metric in self.streams.values())})
        return []  # devices are where the city says: no history of their places

    async def has(self, name: str, key: str) -> bool:
        """Whether there is this one."""
        if name in ("Things", "Locations", "FeaturesOfInterest"):
            return key in self.devices
        if name == "Datastreams":
            return await self.stream(key) is not None
        return key in self.keys(name)

    def follow(self, name: str, key: str, navigation: str) -> list[str]:
        """The ids that a navigation property leads to; not to Observations."""
        target, _ = RELATIONS[name][navigation]
        if name in ("Things", "Locations") and target != "Datastreams":
            return [key] if target != "HistoricalLocations" else []
        if name == "Datastreams":
            device, metric = self._split(key)
            known = {"Thing": device, "ObservedProperty": metric}
            return [known.get(navigation) or str(self.devices[device]["type"])]
        if name == "Observations":
            stream = key.rpartition("@")[0]
            return [stream if navigation == "Datastream" else self._split(stream)[0]]
        return self._streams_of[name].get(key, [])

    def observed(self, name: str, key: str) -> list[Stream]:
        """The streams whose Observations belong to this Datastream or FeatureOfInterest."""
        if name == "Datastreams":
            return [self._split(key)]
        return [self.streams[id_] for id_ in self._streams_of["Things"].get(key, ())]

    @cached_property
    def _streams_of(self) -> dict[str, dict[str, list[str]]]:
        """Entity set → id → its Datastreams."""
        found: dict[str, dict[str, list[str]]] = {
            "Things": {}, "Sensors": {}, "ObservedProperties": {},
        }  # fmt: skip
        for id_, (device, metric) in self.streams.items():
            of = (device, str(self.devices[device]["type"]), metric)
            for name, key in zip(found, of, strict=True):
                found[name].setdefault(key, []).append(id_)
        return found

    def _split(self, key: str) -> Stream:
        """Of an id that was looked up before."""
        if key in self.streams:
            return self.streams[key]
        parts = key.split(":")
        ways = ((":".join(parts[:n]), ":".join(parts[n:])) for n in range(1, len(parts)))
        return next(way for way in ways if way[0] in self.devices)

    def entity(self, name: str, key: str) -> dict[str, Any]:
        """Its properties, without links."""
        return _MAKERS[name](self, key)

    def _thing(self, key: str) -> dict[str, Any]:
        known = self.devices[key]
        properties = {what: known.get(what) for what in ("district", "type", "owner", "site")}
        if known.get("reports_every_s") is not None:
            properties["reports_every_s"] = known["reports_every_s"]
        said = f"设备 / Device: {known['type']}, {known['district']}"
        return {"name": key, "description": said, "properties": properties}

    def _location(self, key: str) -> dict[str, Any]:
        known = self.devices[key]
        return {
            "name": known.get("site") or key,
            "description": f"{key} 的安装位置 / Where {key} stands",
            "encodingType": GEOJSON,
            "location": self._point(key),
        }

    def _feature(self, key: str) -> dict[str, Any]:
        found = self._location(key)
        return {**found, "feature": found.pop("location")}

    def _point(self, device: str) -> dict[str, Any]:
        point = self._context.city.devices[device].point
        return {"type": "Point", "coordinates": [point.lon, point.lat]}

    def _stream(self, key: str) -> dict[str, Any]:
        device, metric = self._split(key)
        return {
            "name": key,
            "description": f"{device}: {property_of(metric)['description']}",
            "observationType": MEASUREMENT,
            "unitOfMeasurement": unit_of(metric),
            "observedArea": self._point(device),
        }

    def _sensor(self, key: str) -> dict[str, Any]:
        said = f"设备类型 / Type of device: {key}"
        return {"name": key, "description": said, "encodingType": "text/html", "metadata": said}

    def _property(self, key: str) -> dict[str, Any]:
        return property_of(key)


_MAKERS: Final[dict[str, Callable[[Catalog, str], dict[str, Any]]]] = {
    "Things": Catalog._thing,
    "Locations": Catalog._location,
    "FeaturesOfInterest": Catalog._feature,
    "Datastreams": Catalog._stream,
    "Sensors": Catalog._sensor,
    "ObservedProperties": Catalog._property,
}


def page_of(keys: Iterable[str], skip: int, top: int) -> tuple[list[str], bool]:
    """Of these, and whether more follow."""
    some = list(keys)
    return some[skip : skip + top], len(some) > skip + top
