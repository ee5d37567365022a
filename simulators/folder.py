"""Writes a town as a city folder, the way a street office would hand one over."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import Wrong
from simulators import governing, otdr
from simulators.dice import dice
from simulators.register import (
    city_file,
    collection,
    devices_file,
    drains_file,
    feature,
    grids_file,
    line_features,
    position,
    table,
    text,
    utilities_file,
)
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
        "city.toml": city_file(town.id, town.name, town.timezone, town.profile),
        "grids.geojson": grids_file(town.grids),
        "devices.csv": devices_file(town.devices.values()),
        "workers.csv": _workers(town),
        "utilities.csv": utilities_file(town.utilities.values()),
        "rules.toml": _rules(town),
        "drains.geojson": drains_file(town.sewers.network, town.devices),
        "lines.geojson": _lines(town),
        BASELINE: baseline(town),
        **governing.files(town.governed),
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


def _lines(town: Town) -> bytes:
    cable = town.fibre
    features = line_features(town.feeder.network)
    features.append(
        feature(
            "LineString",
            [position(p) for p in cable.path],
            id=cable.id,
            kind="fibre",
            owner=cable.owner,
            device=cable.device,
            start=cable.start_m,
            direction="forward" if cable.forward else "backward",
            baseline=BASELINE,
        )
    )
    return collection(features)


def _workers(town: Town) -> bytes:
    return table(
        ("id", "name", "role", "grid", "skills", "shift", "phone", "lon", "lat"),
        (
            (
                w.id,
                w.name,
                w.role,
                w.grid,
                ";".join(w.skills),
                w.shift,
                w.phone,
                w.point.lon,
                w.point.lat,
            )
            for w in town.workers.values()
        ),
    )


def _rules(town: Town) -> bytes:
    tables = []
    for rule in town.rules:
        lines = ["[[rules]]", f"id = {text(rule.id)}", f"kind = {text(rule.kind)}"]
        if rule.grid:
            lines.append(f"grid = {text(rule.grid)}")
        if rule.utility:
            lines.append(f"utility = {text(rule.utility)}")
        lines.append(f"lane = {text(rule.lane)}")
        if rule.helpers:
            lines.append(f"helpers = {rule.helpers}")
        if rule.skills:
            lines.append(f"skills = {text(list(rule.skills))}")
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
