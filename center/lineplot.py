"""What is drawn of a line incident, gathered from the city, the event and the readings."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from center.linechart import LineChart, OtdrTrace, Strip
from center.linemap import XY, LineMap, Mark, State, Stretch
from center.sheet import Language, Points
from contracts.city import City, Device, Fibre, LineNetwork
from contracts.geo import EARTH_RADIUS_M, Point, along, distance_m, length_m

KINDS: Final = frozenset({"severed_cable", "fibre_break"})
Read = Callable[[str, str, datetime, datetime], Awaitable[list[tuple[float, float]]]]
"""(device, metric, from, until) → its readings."""
LOST_STRIPS, THERE_STRIPS = 4, 3
PERIODS: Final = 8.0
"""Reports of a monitor shown before the moment, and after it."""
SHORTEST_S, LONGEST_S = 60.0, 7_200.0
NEAR_M: Final = 100.0
FIBRE_VIEW_M: Final = 500.0
PHASES: Final = {"voltage_a": "a", "voltage_b": "b", "voltage_c": "c"}


async def line_chart(
    read: Read, city: City, event: Mapping[str, Any], now: datetime, language: Language
) -> LineChart | None:
    """The chart of a severed cable or a broken fibre; None when the city knows no such line."""
    evidence = {**(event.get("evidence") or {}), **event}
    kind = str(event.get("kind"))
    title = _title(city, kind, str(event.get("site")), language)
    if kind == "fibre_break":
        return _fibre_chart(city, evidence, title)
    line = _line(city, evidence)
    if line is None:
        return None
    flat = _Flat(line.nodes[line.root].point)
    states = _states(line, evidence)
    drawn = LineMap(
        stretches=tuple(_stretches(line, flat, _shares(evidence))),
        marks=tuple(
            Mark(n.id, n.what, flat(n.point), states.get(n.id, "")) for n in line.nodes.values()
        ),
        point=_point(evidence, flat),
        error_m=_number(evidence.get("error_m")) or 0.0,
    )
    onset = datetime.fromisoformat(str(event["at"]))
    strips, first, last = await _strips(read, city, line, flat, drawn, states, onset, now)
    return LineChart(
        title=title,
        map=drawn,
        counts=tuple(_counts(evidence, states)),
        strips=strips,
        first=first,
        last=last,
        moment=onset.timestamp(),
        notes=tuple(_records(evidence, ZoneInfo(city.timezone), language)),
    )


class _Flat:
    """Metres east and north of an origin; good to a thousandth over a town."""

    def __init__(self, origin: Point) -> None:
        self._origin = origin
        self._north = math.radians(1) * EARTH_RADIUS_M
        self._east = self._north * math.cos(math.radians(origin.lat))

    def __call__(self, point: Point) -> XY:
        """Of a position."""
        return (
            (point.lon - self._origin.lon) * self._east,
            (point.lat - self._origin.lat) * self._north,
        )


def _title(city: City, kind: str, site: str, language: Language) -> str:
    names = city.profile.kinds.get(kind)
    called = (names.name_zh if language == "zh" else names.name_en) if names is not None else None
    return f"{called or kind} {site}"


# --- a line ------------------------------------------------------------------------------------


def _line(city: City, evidence: Mapping[str, Any]) -> LineNetwork | None:
    """The line the event's site or its spans are of."""
    spans = _shares(evidence)
    for line in city.lines:
        if line.id == evidence.get("site") or any(span in line.spans for span in spans):
            return line
    return None


def _shares(evidence: Mapping[str, Any]) -> dict[str, float]:
    pairs = evidence.get("spans")
    out: dict[str, float] = {}
    for one in pairs if isinstance(pairs, list) else ():
        if isinstance(one, list | tuple) and len(one) == 2:
            p = _number(one[1])
            if p is not None:
                out[str(one[0])] = min(1.0, max(0.0, p))
    return out


def _stretches(line: LineNetwork, flat: _Flat, shares: Mapping[str, float]) -> Iterable[Stretch]:
    for span in line.spans.values():
        ends = (line.nodes[span.from_].point, line.nodes[span.to].point)
        path = tuple(flat(point) for point in span.path or ends)
        yield Stretch(span.id, path, shares.get(span.id, 0.0))


def _states(line: LineNetwork, evidence: Mapping[str, Any]) -> dict[str, State]:
    """Node → what its monitor saw; detectors name nodes, or the devices there."""
    at = {node.device: node.id for node in line.nodes.values() if node.device is not None}
    out: dict[str, State] = {}
    states: tuple[Literal["unknown", "there", "lost"], ...] = ("unknown", "there", "lost")
    for state in states:
        names = evidence.get(state)
        for name in names if isinstance(names, list) else ():
            node = str(name) if str(name) in line.nodes else at.get(str(name))
            if node is not None:
                out[node] = state
    return out


def _counts(evidence: Mapping[str, Any], states: Mapping[str, State]) -> Iterable[tuple[str, int]]:
    """How many monitors saw what; of many, detectors name but some and tell their number."""
    told = evidence.get("monitors")
    for state in ("lost", "there", "unknown"):
        count = _number(told.get(state)) if isinstance(told, dict) else None
        yield state, sum(one == state for one in states.values()) if count is None else int(count)


def _point(evidence: Mapping[str, Any], flat: _Flat) -> XY | None:
    told = evidence.get("point")
    if not isinstance(told, dict):
        return None
    lon, lat = _number(told.get("lon")), _number(told.get("lat"))
    return flat(Point(lon, lat)) if lon is not None and lat is not None else None


async def _strips(
    read: Read,
    city: City,
    line: LineNetwork,
    flat: _Flat,
    drawn: LineMap,
    states: Mapping[str, State],
    onset: datetime,
    now: datetime,
) -> tuple[tuple[Strip, ...], float, float]:
    """(strips, first and last epoch second): the nearest monitors that lost supply, and those that
    kept it."""
    centre = drawn.point or flat(line.nodes[line.root].point)
    chosen: list[tuple[str, Device, Literal["lost", "there"]]] = []
    for state, most in (("lost", LOST_STRIPS), ("there", THERE_STRIPS)):
        nodes = [line.nodes[n] for n, seen in states.items() if seen == state]
        nodes.sort(key=lambda n: (math.dist(flat(n.point), centre), n.id))
        found = [
            (n.id, d) for n in nodes for d in _devices(city, line, n.id) if _measures(d)
        ][:most]  # fmt: skip
        chosen += [(n, d, "lost" if state == "lost" else "there") for n, d in found]
    periods = [d.reports_every_s for _, d, _ in chosen if d.reports_every_s]
    reach = PERIODS * (statistics.median(periods) if periods else 30.0)
    reach = min(LONGEST_S, max(SHORTEST_S, reach))
    since, until = onset - timedelta(seconds=reach), min(now, onset + timedelta(seconds=reach))
    strips = []
    for node, device, state in chosen:
        name = node if node == device.id else f"{node} · {device.id}"
        strips.append(await _strip(read, device, name, state, onset, since, until))
    told = tuple(one for one in strips if one.phases or one.gasp is not None)
    heard = [t for one in told for _, points in one.phases for t, _ in points[:1]]
    first = max(since.timestamp(), min([onset.timestamp() - SHORTEST_S, *heard]))
    return told, first, until.timestamp()


async def _strip(
    read: Read,
    device: Device,
    name: str,
    state: Literal["lost", "there"],
    onset: datetime,
    since: datetime,
    until: datetime,
) -> Strip:
    phases = []
    for metric, phase in PHASES.items():
        if device.metrics and metric not in device.metrics:
            continue
        points = await read(device.id, metric, since, until)
        if points:
            usual = _usual(points, onset.timestamp())
            phases.append((phase, [(t, v / usual) for t, v in points]))
    gasp = None
    if not device.metrics or "last_gasp" in device.metrics:
        gasps = [t for t, v in await read(device.id, "last_gasp", since, until) if v > 0]
        gasp = gasps[0] if gasps else None
    return Strip(name, state, tuple(phases), gasp)


def _usual(points: Points, onset: float) -> float:
    """The median before the moment; with nothing from before, the most that was seen."""
    before = [abs(v) for t, v in points if t < onset - 1.0]
    usual = statistics.median(before) if before else max(abs(v) for _, v in points)
    return usual or max(1.0, *(abs(v) for _, v in points))


def _devices(city: City, line: LineNetwork, node: str) -> list[Device]:
    """The monitors at a node: the one it names, else those of the line's site nearest to it."""
    own = line.nodes[node].device
    if own is not None:
        return [city.devices[own]] if own in city.devices else []
    out = []
    for device in city.devices.values():
        if device.site == line.id and distance_m(device.point, line.nodes[node].point) <= NEAR_M:
            near = min(line.nodes.values(), key=lambda n: (distance_m(n.point, device.point), n.id))
            if near.id == node:
                out.append(device)
    return sorted(out, key=lambda d: d.id)


def _measures(device: Device) -> bool:
    return not device.metrics or bool({*PHASES, "last_gasp"} & set(device.metrics))


def _records(evidence: Mapping[str, Any], zone: ZoneInfo, language: Language) -> Iterable[str]:
    """What disturbance records said, a line each."""
    records = evidence.get("records")
    for one in records[:3] if isinstance(records, list) else ():
        if not isinstance(one, dict):
            continue
        phases = " ".join(str(one.get("phases", "")).upper())
        device = one.get("device", "")
        try:
            at = datetime.fromisoformat(str(one.get("at"))).astimezone(zone).strftime("%H:%M:%S")
        except ValueError:
            continue
        lasted, least = _number(one.get("lasted_s")), _number(one.get("least")) or 0.0
        left = f"{100 * least:.0f} %"
        if language == "zh":
            held = "至录波结束" if lasted is None else f"持续 {lasted:.2f} s"
            yield f"录波 {device}：{phases} 相 {at} 失压，{held}，最低为平时的 {left}"
        else:
            held = "to the record's end" if lasted is None else f"for {lasted:.2f} s"
            yield (
                f"record of {device}: phase {phases} lost at {at} {held}, down to {left} of usual"
            )


# --- a fibre -----------------------------------------------------------------------------------


def _fibre_chart(city: City, evidence: Mapping[str, Any], title: str) -> LineChart | None:
    fibre = _fibre(city, evidence)
    trace = _trace(evidence)
    if fibre is None or len(fibre.path) < 2:
        return LineChart(title=title, trace=trace) if trace is not None else None
    flat = _Flat(fibre.path[0])
    point = _point(evidence, flat)
    marks = [Mark("", "splice", flat(along(fibre.path, chainage))) for _, chainage in fibre.marks]
    start = along(fibre.path, min(max(fibre.start_m, 0.0), length_m(fibre.path)))
    marks.append(Mark(fibre.device or fibre.id, "otdr", flat(start)))
    path = [flat(p) for p in fibre.path]
    if not fibre.forward:
        path.reverse()
    drawn = LineMap(
        stretches=tuple(_cut(fibre.id, path, point)),
        marks=tuple(marks),
        point=point,
        error_m=_number(evidence.get("error_m")) or 0.0,
        least_m=FIBRE_VIEW_M,
    )
    return LineChart(title=title, map=drawn, trace=trace)


def _fibre(city: City, evidence: Mapping[str, Any]) -> Fibre | None:
    for name in (evidence.get("fibre"), evidence.get("site")):
        if isinstance(name, str) and name in city.fibres:
            return city.fibres[name]
    device = evidence.get("device")
    own = [f for f in city.fibres.values() if f.device is not None and f.device == device]
    return own[0] if len(own) == 1 else None


def _cut(id: str, path: Sequence[XY], point: XY | None) -> Iterable[Stretch]:
    """The cable up to the point nearest to the break, and what lies behind it."""
    if point is None:
        yield Stretch(id, tuple(path))
        return
    best = (math.inf, 0, path[0])
    for k, (a, b) in enumerate(itertools.pairwise(path)):
        at = _nearest(a, b, point)
        best = min(best, (math.dist(at, point), k, at))
    _, k, at = best
    yield Stretch(id, (*path[: k + 1], at))
    yield Stretch(f"{id}+", (at, *path[k + 1 :]), dark=True)


def _nearest(a: XY, b: XY, to: XY) -> XY:
    along_x, along_y = b[0] - a[0], b[1] - a[1]
    size = along_x**2 + along_y**2
    share = ((to[0] - a[0]) * along_x + (to[1] - a[1]) * along_y) / size if size else 0.0
    share = min(1.0, max(0.0, share))
    return a[0] + share * along_x, a[1] + share * along_y


def _trace(evidence: Mapping[str, Any]) -> OtdrTrace | None:
    now = _pairs(evidence.get("trace"))
    before = _pairs(evidence.get("baseline_trace") or evidence.get("healthy_trace"))
    if len(now) < 2:
        return None
    at = _number(evidence.get("break_m"))
    at = _number(evidence.get("distance_m")) if at is None else at
    # along the fibre; on the map its route adds its own
    error = _number(evidence.get("distance_error_m"))
    error = _number(evidence.get("error_m")) if error is None else error
    return OtdrTrace(now, before, at, error or 0.0)


def _pairs(told: object) -> list[tuple[float, float]]:
    out = []
    for one in told if isinstance(told, list) else ():
        if isinstance(one, list | tuple) and len(one) == 2:
            x, y = _number(one[0]), _number(one[1])
            if x is not None and y is not None:
                out.append((x, y))
    return sorted(out)


def _number(told: object) -> float | None:
    if isinstance(told, bool) or not isinstance(told, int | float) or not math.isfinite(told):
        return None
    return float(told)
