"""`drains.geojson`: manholes, outfalls, pipes, and the closing lines of nodes and devices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from contracts.city import Device, DrainNetwork, Node, Pipe
from contracts.geo import Point, distance_m
from gridsentry.city.fields import build
from gridsentry.city.files import Feature, line_of, read_features
from gridsentry.city.notes import Notes, choices
from gridsentry.city.raw import DrainProperties

NAME = "drains.geojson"


def read_drains(
    folder: Path, crs: str, devices: Mapping[str, Device], notes: Notes
) -> DrainNetwork:
    """The drainage network. A feature without geometry carries the closing lines of a device."""
    nodes: dict[str, Node] = {}
    pipes: list[tuple[Feature, DrainProperties]] = []
    for feature in read_features(folder / NAME, notes, crs):
        # Closing lines of a device need no name of their own.
        named_by_device = {"id": feature.properties.get("device"), **feature.properties}
        raw = build(DrainProperties, named_by_device, f"{feature.where}, ", notes)
        if raw is None:
            continue
        if (raw.from_ is not None or raw.to is not None) or line_of(feature) is not None:
            pipes.append((feature, raw))
            continue
        named = raw.device or raw.id
        if feature.shape == "Point":
            point: Point = feature.coordinates
        elif feature.shape is None and named in devices:
            point = devices[named].point
        else:
            notes.wrong(
                f"{feature.where}, geometry",
                feature.shape or "none",
                "a Point (node) or a LineString with from and to (pipe); none for a device's id",
            )
            continue
        if raw.device is not None and raw.device not in devices:
            notes.wrong(
                f"{feature.where}, device",
                f"there is no device {raw.device}",
                choices(devices, raw.device),
            )
            continue
        _check_heights(raw, feature.where, notes)
        for name in dict.fromkeys((raw.id, named)):  # also under the device it names
            if name in nodes:
                notes.wrong(f"{feature.where}, id", f"{name} again", "each node once")
                continue
            nodes[name] = Node(
                id=name,
                point=point,
                invert_m=raw.invert_m,
                rim_m=raw.rim_m,
                warn_m=raw.warn_m,
                close_m=raw.close_m,
            )
    return DrainNetwork(nodes=nodes, pipes=_pipes(pipes, nodes, notes))


def _check_heights(raw: DrainProperties, where: str, notes: Notes) -> None:
    for low, high in (("invert_m", "rim_m"), ("warn_m", "close_m")):
        below, above = getattr(raw, low), getattr(raw, high)
        if below is not None and above is not None and below > above:
            notes.wrong(f"{where}, {low}", f"{below} above {high} {above}", f"at most {high}")


def _pipes(
    found: list[tuple[Feature, DrainProperties]], nodes: Mapping[str, Node], notes: Notes
) -> dict[str, Pipe]:
    pipes: dict[str, Pipe] = {}
    for feature, raw in found:
        if raw.id in pipes or raw.id in nodes:
            notes.wrong(f"{feature.where}, id", f"{raw.id} again", "each id once")
            continue
        path = line_of(feature)
        if path is None and feature.shape is not None:
            notes.wrong(f"{feature.where}, geometry", feature.shape, "LineString")
            continue
        ends: list[Point] = []
        for field, end in (("from", raw.from_), ("to", raw.to)):
            if end is None:
                notes.wrong(f"{feature.where}, {field}", "missing", "the id of a node")
            elif end not in nodes:
                notes.wrong(
                    f"{feature.where}, {field}", f"there is no node {end}", choices(nodes, end)
                )
            else:
                ends.append(nodes[end].point)
        if len(ends) < 2 or raw.from_ is None or raw.to is None:
            continue
        if raw.from_ == raw.to:
            notes.wrong(f"{feature.where}, to", f"{raw.to}, as from", "another node")
            continue
        pipes[raw.id] = Pipe(
            id=raw.id,
            from_=raw.from_,
            to=raw.to,
            path=oriented(path or tuple(ends), ends[0], ends[1], feature.where, notes),
            diameter_m=raw.diameter_m,
            length_m=raw.length_m,
        )
    return pipes


def oriented(
    path: tuple[Point, ...], start: Point, end: Point, where: str, notes: Notes
) -> tuple[Point, ...]:
    """`path` so that it runs from `start` to `end`; turning it round is said."""
    as_is = distance_m(path[0], start) + distance_m(path[-1], end)
    turned = distance_m(path[0], end) + distance_m(path[-1], start)
    if turned < as_is:
        notes.warn(where, "drawn from `to` to `from`: turned round")
        return path[::-1]
    return path
