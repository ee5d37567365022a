"""Writes a take for others: its city folder, its recording and, apart from both, its truth."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import msgspec

from contracts.city import City, DrainNetwork
from contracts.clock import epoch_ms, iso
from contracts.errors import Wrong
from contracts.geo import Point
from contracts.nouns import Reading
from simulators.water.take import Take
from simulators.world import feed


def write(take: Take, out: Path) -> None:
    """Write `out`/city/, `out`/readings.jsonl.gz and `out`/truth.json (replaced when there).

    Raises Wrong when `out` cannot be written.
    """
    city = out / "city"
    try:
        city.mkdir(parents=True, exist_ok=True)
        for name, text in city_files(take.city).items():
            (city / name).write_text(text, encoding="utf-8")
        with (
            (out / "readings.jsonl.gz").open("wb") as plain,
            gzip.GzipFile("", "wb", fileobj=plain, mtime=0) as file,
        ):
            for reading in take.readings:
                file.write(line(take.city, reading))
        (out / "truth.json").write_bytes(truth(take))
    except OSError as error:
        raise Wrong(
            str(out), f"cannot be written ({error.strerror})", "a folder you may write"
        ) from error


def line(city: City, reading: Reading) -> bytes:
    """One line of a recording: when the message arrived, its topic, its payload."""
    device = city.devices[reading.device]
    sent = reading.sent_at if reading.sent_at is not None else reading.at
    said = {
        "at": iso(reading.received_at),
        "topic": feed(device.district, device.id, "telemetry"),
        "payload": {
            "ts": epoch_ms(sent),
            "seq": reading.seq,
            "m": {reading.metric: reading.value},
        },
    }
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def truth(take: Take) -> bytes:
    """What really happened, as JSON."""
    fields = ("order", "overflows", "blockages", "faults", "storms", "outages", "sensed")
    told = {name: getattr(take, name) for name in fields}
    return msgspec.json.format(msgspec.json.encode(told)) + b"\n"


def city_files(city: City) -> dict[str, str]:
    """The city folder of a take, by file name: what `gridsentry check` reads."""
    files = {
        "city.toml": f'id = "{city.id}"\nname = "{city.id}"\n'
        f'timezone = "{city.timezone}"\nprofile = "{city.profile.name}"\n',
        "grids.geojson": _collection(
            [
                _feature(
                    "Polygon",
                    [[list(xy) for xy in ring] for ring in grid.rings[0]],
                    id=grid.id,
                    level=grid.level,
                    name=grid.name,
                )
                for grid in city.grids
            ]
        ),
        "devices.csv": _devices(city),
    }
    if city.drains is not None:
        files["drains.geojson"] = _drains(city.drains)
    return files


def _devices(city: City) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(
        ("id", "district", "type", "lon", "lat", "owner", "site", "reports_every_s", "metrics")
    )
    for d in city.devices.values():
        place = (d.point.lon, d.point.lat, d.owner, d.site or "")
        rows.writerow((d.id, d.district, d.type, *place, d.reports_every_s, ";".join(d.metrics)))
    return text.getvalue()


def _drains(drains: DrainNetwork) -> str:
    features = [
        _feature(
            "Point",
            _position(node.point),
            id=node.id,
            kind="node",
            invert_m=node.invert_m,
            rim_m=node.rim_m,
        )
        for node in drains.nodes.values()
    ]
    for pipe in drains.pipes.values():
        named = {"id": pipe.id, "kind": "pipe", "from": pipe.from_, "to": pipe.to}
        size = {"diameter_m": pipe.diameter_m, "length_m": pipe.length_m}
        features.append(_feature("LineString", [_position(p) for p in pipe.path], **named, **size))
    return _collection(features)


def _position(point: Point) -> list[float]:
    return [point.lon, point.lat]


def _feature(geometry: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {k: v for k, v in properties.items() if v is not None},
        "geometry": {"type": geometry, "coordinates": coordinates},
    }


def _collection(features: list[dict[str, Any]]) -> str:
    rows = ",\n".join(json.dumps(f, ensure_ascii=False) for f in features)
    return f'{{"type": "FeatureCollection", "features": [\n{rows}\n]}}\n'
