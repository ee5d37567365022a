"""`lines.geojson`: poles, spans, splices, transformers, customers and fibres."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from contracts.city import Device, Fibre, LineNetwork, LineNode, Span
from gridsentry.city.drains import oriented
from gridsentry.city.fibres import read_fibre
from gridsentry.city.fields import build
from gridsentry.city.files import Feature, line_of, read_features
from gridsentry.city.networks import networks
from gridsentry.city.notes import Notes, choices
from gridsentry.city.owners import owners_of
from gridsentry.city.raw import LineProperties

NAME = "lines.geojson"
KINDS = {
    "pole": "pole",
    "tower": "pole",
    "splice": "splice",
    "closure": "splice",
    "transformer": "transformer",
    "substation": "transformer",
    "source": "transformer",
    "customer": "customer",
    "meter": "customer",
    "span": "span",
    "fibre": "fibre",
    "fiber": "fibre",
    "杆": "pole",
    "电杆": "pole",
    "接头": "splice",
    "变压器": "transformer",
    "用户": "customer",
    "光缆": "fibre",
}
"""What people call things in `kind`, and what we call them."""
NODES = ("pole", "splice", "transformer", "customer")


class Lines(msgspec.Struct, frozen=True):
    """Everything in `lines.geojson`."""

    networks: tuple[LineNetwork, ...]
    fibres: dict[str, Fibre]


def kind_of(
    feature: Feature, raw: LineProperties, devices: Mapping[str, Device], notes: Notes
) -> str | None:
    """What a feature is: its `kind`, else by its fields and shape; None after a problem."""
    if raw.kind is not None:
        kind = KINDS.get(raw.kind.strip().lower())
        if kind is None:
            names = [name for name in KINDS if name.isascii()]
            notes.wrong(f"{feature.where}, kind", repr(raw.kind), choices(names, raw.kind, 20))
        return kind
    if raw.start is not None or raw.direction is not None or raw.baseline is not None:
        return "fibre"
    if feature.shape == "Point" and raw.to is None:
        return "pole" if raw.from_ is None else "customer"
    if raw.from_ is not None or raw.to is not None:
        return "span"
    if any(device.type.lower() == "otdr" and device.site == raw.id for device in devices.values()):
        notes.warn(feature.where, "no kind; taken as a fibre, an OTDR has it as its site")
        return "fibre"
    notes.wrong(
        feature.where,
        f"a {feature.shape or 'feature without geometry'} that is neither span nor fibre",
        "from and to (span), or start, direction or baseline (fibre), or kind",
    )
    return None


def read_lines(folder: Path, crs: str, devices: Mapping[str, Device], notes: Notes) -> Lines:
    """Overhead networks and fibres; what a feature leaves open is assumed and said."""
    nodes: dict[str, LineNode] = {}
    lines_of: dict[str, str] = {}  # node or span id → the line it names
    spans: list[tuple[Feature, LineProperties]] = []
    fibres: list[tuple[Feature, LineProperties]] = []
    seen: set[str] = set()
    for feature in read_features(folder / NAME, notes, crs):
        raw = build(LineProperties, feature.properties, f"{feature.where}, ", notes)
        if raw is None:
            continue
        kind = kind_of(feature, raw, devices, notes)
        if raw.id in seen:
            notes.wrong(f"{feature.where}, id", f"{raw.id} again", "each id once")
            continue
        seen.add(raw.id)
        if (line := raw.line or raw.site) is not None:
            lines_of[raw.id] = line
        if kind == "span":
            spans.append((feature, raw))
        elif kind == "fibre":
            fibres.append((feature, raw))
        elif kind is not None and (node := _node(feature, raw, kind, devices, notes)):
            nodes[node.id] = node
            if raw.from_ is not None and raw.to is None and kind != "splice":
                # A customer drawn at the end of its service drop: the drop is a span of its own.
                drop = f"{raw.from_}-{raw.id}"
                if raw.id in lines_of:
                    lines_of[drop] = lines_of[raw.id]
                bare = Feature(feature.where, {}, None, None)
                spans.append((bare, msgspec.structs.replace(raw, id=drop, to=raw.id)))
    points = {node.id: node.point for node in nodes.values()}
    splices = [(n, lines_of.get(n.id)) for n in nodes.values() if n.what == "splice"]
    made = {
        raw.id: fibre
        for feature, raw in fibres
        if (
            fibre := read_fibre(
                folder,
                feature,
                raw,
                nodes=points,
                devices=devices,
                fibres=len(fibres),
                notes=notes,
                splices=splices,
            )
        )
    }
    built = networks(
        NAME,
        nodes,
        _spans(spans, nodes, notes),
        lines_of=lines_of,
        devices=devices,
        fibres=made,
        notes=notes,
    )
    return Lines(networks=built, fibres=made)


def _node(
    feature: Feature, raw: LineProperties, kind: str, devices: Mapping[str, Device], notes: Notes
) -> LineNode | None:
    if feature.shape != "Point":
        notes.wrong(f"{feature.where}, geometry", feature.shape or "none", f"a Point for a {kind}")
        return None
    if raw.device is not None and raw.device not in devices:
        notes.wrong(
            f"{feature.where}, device",
            f"there is no device {raw.device}",
            choices(devices, raw.device),
        )
        return None
    owner, carries = owners_of(raw)
    return LineNode(
        id=raw.id,
        what=kind,
        point=feature.coordinates,
        owner=owner,
        carries=carries,
        chainage_m=raw.chainage_m,
        device=raw.device or (raw.id if raw.id in devices else None),
    )


def _spans(
    found: list[tuple[Feature, LineProperties]], nodes: Mapping[str, LineNode], notes: Notes
) -> dict[str, Span]:
    spans: dict[str, Span] = {}
    for feature, raw in found:
        path = line_of(feature)
        if path is None and feature.shape is not None:
            notes.wrong(f"{feature.where}, geometry", feature.shape, "LineString for a span")
            continue
        good = True
        for field, end in (("from", raw.from_), ("to", raw.to)):
            if end is None or end not in nodes:
                found_text = "missing" if end is None else f"there is no node {end}"
                notes.wrong(f"{feature.where}, {field}", found_text, choices(nodes, end or ""))
                good = False
        if not good or raw.from_ is None or raw.to is None:
            continue
        if raw.from_ == raw.to:
            notes.wrong(f"{feature.where}, to", f"{raw.to}, as from", "another node")
            continue
        start, end_point = nodes[raw.from_].point, nodes[raw.to].point
        owner, carries = owners_of(raw)
        spans[raw.id] = Span(
            id=raw.id,
            owner=owner,
            carries=carries,
            kv=raw.kv,
            phases=raw.phases or "abc",
            switch=bool(raw.switch),
            from_=raw.from_,
            to=raw.to,
            path=oriented(path or (start, end_point), start, end_point, feature.where, notes),
            chainage_m=raw.chainage_m,
        )
    return spans
