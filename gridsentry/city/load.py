"""The whole city folder, read strictly: one City, or every problem at once."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

import msgspec

from contracts.city import City
from contracts.clock import SystemClock
from contracts.errors import Wrong
from gridsentry.city import (
    aliases,
    barriers,
    citytoml,
    devices,
    drains,
    governing,
    grids,
    lines,
    patrols,
    places,
    resources,
    responses,
    roads,
    rules,
    utilities,
    workers,
    works,
)
from gridsentry.city import cameras as camera_files
from gridsentry.city.notes import CityProblems, Notes
from gridsentry.city.people import with_app

log = logging.getLogger(__name__)

REQUIRED = (citytoml.NAME, grids.NAME, devices.NAME)
OPTIONAL = (
    workers.NAME,
    utilities.NAME,
    rules.NAME,
    drains.NAME,
    lines.NAME,
    works.NAME,
    resources.NAME,
    places.NAME,
    aliases.NAME,
    grids.SPECIAL,
    barriers.NAME,
    responses.NAME,
    patrols.NAME,
    *roads.NAMES,
    *roads.UNREAD,
)


class Loaded(msgspec.Struct, frozen=True):
    """A city and what was assumed or left aside while reading it."""

    city: City
    warnings: tuple[str, ...]
    facts: tuple[str, ...] = ()
    """What was measured while reading, such as how well a camera is calibrated."""


def load_city(path: Path, at: datetime | None = None) -> City:
    """The city of the folder `path` with its grids as they hold at `at` (None: now); what was
    assumed goes to the log.

    Raises CityProblems (a Wrong) with everything that is wrong.
    """
    loaded = read_city(path, at)
    for warning in loaded.warnings:
        log.warning("city folder %s: %s", path, warning)
    return loaded.city


def read_city(path: Path, at: datetime | None = None) -> Loaded:
    """The city of the folder `path`, as at `at` (None: now), and the warnings.

    Raises CityProblems.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise Wrong(str(path), "not a folder", "a city folder (gridsentry init DIR makes one)")
    notes = Notes()
    for name in REQUIRED:
        if not (folder / name).is_file():
            notes.wrong(name, "missing", f"a city folder holds {', '.join(REQUIRED)}")
    if notes.problems:
        raise CityProblems(str(path), notes.problems, notes.warnings)
    city = _read(folder, at or SystemClock().now(), notes)
    if notes.problems or city is None:
        raise CityProblems(str(path), notes.problems, notes.warnings)
    return Loaded(city, tuple(notes.warnings), tuple(notes.facts))


def _read(folder: Path, at: datetime, notes: Notes) -> City | None:
    def there(name: str) -> bool:
        return (folder / name).is_file()

    own = citytoml.read_city_toml(folder, notes)
    crs = own.crs if own else "wgs84"
    profile = citytoml.read_profile(folder, own.profile, notes) if own else None
    zone = own.timezone if own and citytoml.known_zone(own.timezone) else "UTC"
    grid_file = grids.read_grids(folder, crs, zone, at, notes)
    by_id = grid_file.every()
    device_map = devices.read_devices(folder, crs, notes)
    utility_map = utilities.read_utilities(folder, notes) if there(utilities.NAME) else {}
    worker_map = workers.read_workers(folder, crs, by_id, notes) if there(workers.NAME) else {}
    rule_list = rules.read_rules(folder, by_id, utility_map, notes) if there(rules.NAME) else ()
    drain_net = drains.read_drains(folder, crs, device_map, notes) if there(drains.NAME) else None
    line_file = (
        lines.read_lines(folder, crs, device_map, notes)
        if there(lines.NAME)
        else lines.Lines((), {})
    )
    camera_map = (
        camera_files.read_cameras(folder, device_map, notes)
        if (folder / camera_files.FOLDER).is_dir()
        else {}
    )
    work_list = works.read_works(folder, crs, zone, notes) if there(works.NAME) else ()
    resource_map = resources.read_resources(folder, crs, notes) if there(resources.NAME) else {}
    _strangers(folder, own.profile if own else None, notes)
    if own is None or profile is None:
        return None
    extra = {**own.extra, "apps": own.apps, "detectors": own.detectors, "name": own.name or own.id}
    city = City(
        id=own.id,
        timezone=own.timezone,
        profile=profile,
        grids=grid_file.now,
        devices=with_app(device_map, grid_file.now),
        workers=worker_map,
        utilities=utility_map,
        rules=rule_list,
        drains=drain_net,
        lines=line_file.networks,
        fibres=line_file.fibres,
        cameras=camera_map,
        works=work_list,
        resources=resource_map,
        extra=extra,
    )
    _check_owners(city, notes)
    _check_assets(city, notes)
    if (folder / aliases.FOLDERS[1]).is_dir():
        aliases.check_profiles(folder, notes)
    if there(aliases.NAME):
        city.extra["aliases"] = aliases.read_aliases(folder, device_map, notes)
    if there(places.NAME):
        city.extra["places"] = places.read_places(folder, crs, notes)
    city.extra["governance"] = governing.read_governance(folder, crs, city, grid_file, own, notes)
    return city


def _strangers(folder: Path, profile: str | None, notes: Notes) -> None:
    """Say which files of the folder nobody reads: often a misspelt name."""
    known = {*REQUIRED, *OPTIONAL, camera_files.FOLDER, *aliases.FOLDERS}
    if profile is not None:
        known.add(Path(profile).parts[0])
    for entry in sorted(folder.iterdir()):
        if entry.name in known or entry.name.startswith("."):
            continue
        if entry.suffix.lower() in (".sor", ".md", ".txt"):
            continue
        if entry.is_dir() and any(entry.rglob("*.sor")):
            continue
        notes.warn(entry.name, "not a file of a city folder: left aside")


def _check_owners(city: City, notes: Notes) -> None:
    """Say which owners belong to no utility: their tickets go by rule alone."""
    if not city.utilities:
        return
    known = {owner for utility in city.utilities.values() for owner in utility.owners}
    owners = {device.owner: devices.NAME for device in city.devices.values()}
    for network in city.lines:
        for node in network.nodes.values():
            owners.update(dict.fromkeys((node.owner, *node.carries), lines.NAME))
        for span in network.spans.values():
            owners.update(dict.fromkeys((span.owner, *span.carries), lines.NAME))
    owners.update({fibre.owner: lines.NAME for fibre in city.fibres.values()})
    for owner, name in sorted((o, n) for o, n in owners.items() if o is not None):
        if owner not in known:
            notes.warn(name, f"owner {owner} belongs to no utility of {utilities.NAME}")


def _check_assets(city: City, notes: Notes) -> None:
    """Say which assets of planned works the city does not have."""
    known = {*city.devices, *city.fibres, *city.cameras}
    if city.drains is not None:
        known |= {*city.drains.nodes, *city.drains.pipes}
    for network in city.lines:
        known |= {network.id, *network.nodes, *network.spans}
    known |= {device.site for device in city.devices.values() if device.site}
    for work in city.works:
        for asset in work.assets:
            if asset not in known:
                notes.warn(works.NAME, f"{work.id}: there is no asset {asset}")
