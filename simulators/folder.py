"""Writes a town as a city folder, the way a street office would hand one over."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.errors import Wrong
from contracts.geo import Point
from simulators import otdr
from simulators.dice import dice
from simulators.towers import SIZE, Tower, calibration

if TYPE_CHECKING:
    from simulators.town import Town

BASELINE = "fibres/baseline.sor"
_LAID = datetime(2026, 3, 12, 2, 30, tzinfo=UTC)
"""When the fibre was accepted: the date inside its baseline trace."""


def write_city(town: Town, dir: Path) -> None:
    """Write the city folder of `town` into `dir` (made when missing; its files are replaced).

    Raises Wrong when `dir` cannot be written.
    """
    files: dict[str, bytes] = {
        "city.toml": _city(town),
        "grids.geojson": _grids(town),
        "devices.csv": _devices(town),
        "workers.csv": _workers(town),
        "utilities.csv": _utilities(town),
        "rules.toml": _rules(town),
        "drains.geojson": _drains(town),
        "lines.geojson": _lines(town),
        BASELINE: baseline(town),
    }
    for tower in town.towers:
        files[f"cameras/{tower.camera}.toml"] = _camera(town.seed, tower)
    try:
        for name, data in files.items():
            path = dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    except OSError as error:
        raise Wrong(
            str(dir), f"cannot be written ({error.strerror})", "a folder you may write"
        ) from error


def baseline(town: Town) -> bytes:
    """The healthy trace taken when the fibre was accepted."""
    return otdr.shoot(town.plant, _LAID, dice(town.seed, "baseline"), "640012")


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _city(town: Town) -> bytes:
    return (
        f"id = {_text(town.id)}\nname = {_text(town.name)}\n"
        f"timezone = {_text(town.timezone)}\nprofile = {_text(town.profile)}\n"
    ).encode()


def _position(point: Point) -> list[float]:
    return [point.lon, point.lat]


def _feature(geometry: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    named = {("from" if key == "from_" else key): value for key, value in properties.items()}
    return {
        "type": "Feature",
        "properties": {key: value for key, value in named.items() if value is not None},
        "geometry": {"type": geometry, "coordinates": coordinates},
    }


def _collection(features: Iterable[dict[str, Any]]) -> bytes:
    lines = ",\n".join(json.dumps(f, ensure_ascii=False) for f in features)
    return f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'.encode()


def _grids(town: Town) -> bytes:
    return _collection(
        _feature(
            "Polygon",
            [[list(xy) for xy in ring] for ring in grid.rings[0]],
            id=grid.id,
            parent=grid.parent,
            level=grid.level,
            name=grid.name,
        )
        for grid in town.grids
    )


def _drains(town: Town) -> bytes:
    features = [
        _feature(
            "Point",
            _position(node.point),
            id=node.id,
            kind="node",
            invert_m=node.invert_m,
            rim_m=node.rim_m,
            warn_m=node.warn_m,
            close_m=node.close_m,
            device=node.id if node.id in town.devices else None,
        )
        for node in town.sewers.network.nodes.values()
    ]
    features += [
        _feature(
            "LineString",
            [_position(p) for p in pipe.path],
            id=pipe.id,
            kind="pipe",
            from_=pipe.from_,
            to=pipe.to,
            diameter_m=pipe.diameter_m,
            length_m=pipe.length_m,
        )
        for pipe in town.sewers.network.pipes.values()
    ]
    return _collection(features)


def _lines(town: Town) -> bytes:
    network, cable = town.feeder.network, town.fibre
    features = [
        _feature(
            "Point",
            _position(node.point),
            id=node.id,
            kind=node.what,
            line=network.id,
            owner=node.owner,
            chainage_m=node.chainage_m,
            device=node.device,
        )
        for node in network.nodes.values()
    ]
    features += [
        _feature(
            "LineString",
            [_position(p) for p in span.path],
            id=span.id,
            kind="span",
            line=network.id,
            owner=span.owner,
            from_=span.from_,
            to=span.to,
            chainage_m=span.chainage_m,
        )
        for span in network.spans.values()
    ]
    features.append(
        _feature(
            "LineString",
            [_position(p) for p in cable.path],
            id=cable.id,
            kind="fibre",
            owner=cable.owner,
            device=cable.device,
            start=cable.start_m,
            direction="forward" if cable.forward else "backward",
            baseline=BASELINE,
        )
    )
    return _collection(features)


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([["" if cell is None else cell for cell in row] for row in rows])
    return out.getvalue().encode()


def _devices(town: Town) -> bytes:
    return _table(
        ("id", "district", "type", "lon", "lat", "owner", "site", "reports_every_s", "metrics"),
        (
            (
                d.id,
                d.district,
                d.type,
                d.point.lon,
                d.point.lat,
                d.owner,
                d.site,
                d.reports_every_s,
                ";".join(d.metrics),
            )
            for d in town.devices.values()
        ),
    )


def _workers(town: Town) -> bytes:
    return _table(
        ("id", "name", "role", "grid", "skills", "shift", "lon", "lat"),
        (
            (w.id, w.name, w.role, w.grid, ";".join(w.skills), w.shift, w.point.lon, w.point.lat)
            for w in town.workers.values()
        ),
    )


def _utilities(town: Town) -> bytes:
    return _table(
        ("id", "name", "owners", "phone", "restricted"),
        (
            (u.id, u.name, ";".join(u.owners), u.phone, "true" if u.restricted else "false")
            for u in town.utilities.values()
        ),
    )


def _rules(town: Town) -> bytes:
    tables = []
    for rule in town.rules:
        lines = ["[[rules]]", f"id = {_text(rule.id)}", f"kind = {_text(rule.kind)}"]
        if rule.grid:
            lines.append(f"grid = {_text(rule.grid)}")
        if rule.utility:
            lines.append(f"utility = {_text(rule.utility)}")
        lines.append(f"lane = {_text(rule.lane)}")
        if rule.helpers:
            lines.append(f"helpers = {rule.helpers}")
        if rule.skills:
            lines.append(f"skills = {_text(list(rule.skills))}")
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables).encode()


def _camera(seed: int, tower: Tower) -> bytes:
    """Facade coordinates: u from the left edge, v from the ground; floors and bays as edges."""
    camera = calibration(seed, tower)
    floors = [round(tower.base_m + k * tower.floor_m, 3) for k in range(tower.floors + 1)]
    bays = [round(k * tower.bay_m, 3) for k in range(tower.bays + 1)]
    points = "\n".join(f"  {list(point)}," for point in camera.points)
    return (
        f"# {tower.name}\nsize = {list(SIZE)}\nfloors = {floors}\nbays = {bays}\n"
        f"points = [\n{points}\n]\n"
    ).encode()
