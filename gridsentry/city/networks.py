"""Overhead lines as connected networks: where each is fed, what it is called, who watches it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Mapping

import msgspec

from contracts.city import Device, LineNetwork, LineNode, Span
from contracts.geo import distance_m
from gridsentry.city.notes import Notes

NEAR_M = 100.0
"""A monitor belongs to the nearest node of its site within this distance."""
_LINE_METRICS = frozenset(
    [f"{what}_{phase}" for what in ("voltage", "current") for phase in "abcn"]
    + ["tension", "tilt", "vibration", "last_gasp"]
)
_RECORDERS = ("recorder", "dfr", "录波")
_LINE_TYPES = ("line", "pole", "meter", "volt", "transformer", "customer", "feeder", "tension")


def networks(
    name: str,
    nodes: Mapping[str, LineNode],
    spans: Mapping[str, Span],
    *,
    lines_of: Mapping[str, str],
    devices: Mapping[str, Device],
    fibres: Collection[str],
    notes: Notes,
) -> tuple[LineNetwork, ...]:
    """One network for each connected component that has a span.

    `lines_of` is the line that a node or span names. The id is that line when it is one, else
    the site of its devices when they share one, else the root's id.
    """
    groups, loose = _components(nodes, spans)
    idle = [node for node in loose if nodes[node].what != "splice"]
    if idle:
        shown = ", ".join(idle[:5]) + (" …" if len(idle) > 5 else "")
        notes.warn(name, f"{len(idle)} nodes have no span and belong to no line: {shown}")
    taken = {node.device for node in nodes.values() if node.device is not None}
    waiting = {
        device.id: device
        for device in devices.values()
        if device.id not in taken
        and device.site
        and device.site not in fibres
        and not _records(device)
    }
    built: list[LineNetwork] = []
    for members in groups:
        own = {s.id: s for s in spans.values() if s.from_ in members}
        here = {node: nodes[node] for node in sorted(members)}
        root = root_of(here, own)
        own = _outward(root, own, name, notes)
        named = {lines_of[i] for i in (*members, *own) if i in lines_of}
        here = _attach(here, waiting, named, devices)
        sites = {
            site
            for node in here.values()
            if node.device in devices and (site := devices[str(node.device)].site)
        }
        called = named if len(named) == 1 else sites
        if len(called) > 1:
            notes.warn(name, f"line at {root}: more than one site ({', '.join(sorted(called))})")
        network = next(iter(called)) if len(called) == 1 else root
        if any(network == other.id for other in built):
            notes.wrong(name, f"two unconnected lines are called {network}", "each line once")
        built.append(LineNetwork(id=network, nodes=here, spans=own, root=root))
    for device in waiting.values():
        if any(device.site == network.id for network in built):
            notes.warn(
                "devices.csv", f"{device.id}: no node of line {device.site} within {NEAR_M:.0f} m"
            )
    return tuple(built)


def _components(
    nodes: Mapping[str, LineNode], spans: Mapping[str, Span]
) -> tuple[list[set[str]], list[str]]:
    """Connected groups of nodes in file order, and the nodes without any span."""
    beside: dict[str, list[str]] = defaultdict(list)
    for span in spans.values():
        beside[span.from_].append(span.to)
        beside[span.to].append(span.from_)
    groups: list[set[str]] = []
    seen: set[str] = set()
    for node in nodes:
        if node in seen or node not in beside:
            continue
        group, queue = {node}, deque([node])
        while queue:
            for other in beside[queue.popleft()]:
                if other not in group:
                    group.add(other)
                    queue.append(other)
        seen |= group
        groups.append(group)
    return groups, [node for node in nodes if node not in beside]


def _reach(start: str, spans: Mapping[str, Span]) -> int:
    onward: dict[str, list[str]] = defaultdict(list)
    for span in spans.values():
        onward[span.from_].append(span.to)
    seen, queue = {start}, deque([start])
    while queue:
        for other in onward[queue.popleft()]:
            if other not in seen:
                seen.add(other)
                queue.append(other)
    return len(seen)


def root_of(nodes: Mapping[str, LineNode], spans: Mapping[str, Span]) -> str:
    """The node where a network is fed.

    Its transformer where it has just one; of several (a medium-voltage feeder) or none, the
    node no span leads to, a transformer first, then the one that reaches most.
    """
    transformers = sorted(node.id for node in nodes.values() if node.what == "transformer")
    if len(transformers) == 1:
        return transformers[0]
    led_to = {span.to for span in spans.values()}
    heads = [node for node in nodes if node not in led_to] or transformers or list(nodes)
    return min(heads, key=lambda node: (node not in transformers, -_reach(node, spans), node))


def _outward(root: str, spans: dict[str, Span], name: str, notes: Notes) -> dict[str, Span]:
    """The spans directed away from the root; those written the other way are turned, and said."""
    hops = {root: 0}
    beside: dict[str, list[str]] = defaultdict(list)
    for span in spans.values():
        beside[span.from_].append(span.to)
        beside[span.to].append(span.from_)
    queue = deque([root])
    while queue:
        node = queue.popleft()
        for other in beside[node]:
            if other not in hops:
                hops[other] = hops[node] + 1
                queue.append(other)
    turned: list[str] = []
    out: dict[str, Span] = {}
    for span in spans.values():
        if hops[span.from_] > hops[span.to]:
            turned.append(span.id)
            out[span.id] = msgspec.structs.replace(
                span, from_=span.to, to=span.from_, path=span.path[::-1]
            )
        else:
            out[span.id] = span
    if turned:
        shown = ", ".join(turned[:5]) + (" …" if len(turned) > 5 else "")
        notes.warn(name, f"{len(turned)} spans led towards the root {root}: turned ({shown})")
    return out


def _records(device: Device) -> bool:
    """Whether it is a disturbance recorder: it may share a monitor's pole, so it takes none. A
    detector finds it by its place."""
    return not device.metrics and any(word in device.type.lower() for word in _RECORDERS)


def _watches_lines(device: Device) -> bool:
    if device.metrics:
        return not _LINE_METRICS.isdisjoint(device.metrics)
    return any(word in device.type.lower() for word in _LINE_TYPES)


def _attach(
    nodes: dict[str, LineNode],
    waiting: dict[str, Device],
    named: Collection[str],
    devices: Mapping[str, Device],
) -> dict[str, LineNode]:
    """Give each waiting device of this line the nearest free node; those placed leave `waiting`.

    Devices of this line are those with a site the line names, or the site of its devices placed
    by name; where it has neither, line monitors close to its nodes.
    """
    sites = set(named) | {
        str(devices[str(node.device)].site) for node in nodes.values() if node.device in devices
    }
    pairs = sorted(
        (metres, device.id, node.id)
        for device in waiting.values()
        if (device.site in sites if sites else _watches_lines(device))
        for node in nodes.values()
        if node.device is None and (metres := distance_m(device.point, node.point)) <= NEAR_M
    )
    placed = dict(nodes)
    for _, device_id, node_id in pairs:
        if device_id in waiting and placed[node_id].device is None:
            placed[node_id] = msgspec.structs.replace(placed[node_id], device=device_id)
            del waiting[device_id]
    return placed
