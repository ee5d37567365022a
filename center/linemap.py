"""The map of a line: spans coloured by how probable it is that they broke, what each monitor sees,
the point with the circle it is known to. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Final, Literal
from xml.sax.saxutils import escape

import msgspec

from center.sheet import Anchor, Sheet, text_px

XY = tuple[float, float]
"""Metres east and north of anywhere."""
View = tuple[XY, XY]
"""Corners south-west and north-east."""
State = Literal["lost", "there", "unknown", ""]

LEAST_M: Final = 120.0
AROUND: Final = 2.4
"""The view is so many times as wide as what it is about."""
MOST_LABELS: Final = 8
NAMED_P: Final = 0.05
MANY: Final = 60
INSET: Final = (104.0, 74.0)
"""Of the whole line (px)."""
BARS_M: Final = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


class Stretch(msgspec.Struct, frozen=True):
    """A span, or a part of a fibre."""

    id: str
    path: tuple[XY, ...]
    p: float = 0.0
    """That it is the one that broke."""
    dark: bool = False
    """Behind the break."""


class Mark(msgspec.Struct, frozen=True):
    """A pole, transformer, customer, splice or OTDR; `state` where a monitor sits there."""

    id: str
    what: str
    at: XY
    state: State = ""


class LineMap(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn."""

    stretches: tuple[Stretch, ...]
    marks: tuple[Mark, ...] = ()
    point: XY | None = None
    error_m: float = 0.0
    least_m: float = LEAST_M
    """The view is never narrower."""


class MapPanel:
    """Draws it into a box of a sheet."""

    def __init__(self, sheet: Sheet, drawn: LineMap, box: tuple[float, float, float, float]):
        """`box`: left, top, width, height in px."""
        self._sheet, self._map, self._box = sheet, drawn, box
        self._whole = _around(itertools.chain.from_iterable(s.path for s in drawn.stretches))
        low, high = _view(drawn, self._whole)
        _, _, wide, tall = box
        each = min(wide / (high[0] - low[0]), tall / (high[1] - low[1]))
        middle = (low[0] + high[0]) / 2, (low[1] + high[1]) / 2
        self._each, self._middle = each, middle
        half = wide / 2 / each, tall / 2 / each
        self._low = middle[0] - half[0], middle[1] - half[1]
        self._high = middle[0] + half[0], middle[1] + half[1]
        self._taken: list[tuple[float, float, float, float]] = []
        self._labels = 0
        self._corner: XY | None = None

    def draw(self) -> None:
        """Everything."""
        left, top, wide, tall = self._box
        out = self._sheet.out
        out.append(
            f'<svg class="map" x="{left:.0f}" y="{top:.0f}" width="{wide:.0f}" '
            f'height="{tall:.0f}" overflow="hidden">'
            f'<rect class="ground" width="100%" height="100%" rx="6" '
            f'fill="{self._sheet.colour("ground")}"/>'
        )
        self._stretches()
        self._point()
        self._marks()
        self._corner = self._free_corner()
        if self._corner is not None:
            x, y = self._corner
            self._taken.append((x, y, x + INSET[0], y + INSET[1]))
        self._names()
        self._bar()
        self._inset()
        out.append("</svg>")

    def _px(self, at: XY) -> XY:
        _, _, wide, tall = self._box
        return (
            wide / 2 + (at[0] - self._middle[0]) * self._each,
            tall / 2 - (at[1] - self._middle[1]) * self._each,
        )

    def _seen(self, at: XY) -> bool:
        inside = self._low[0] <= at[0] <= self._high[0]
        return inside and self._low[1] <= at[1] <= self._high[1]

    def _touches(self, one: Stretch) -> bool:
        """Whether some of it may be in view: a line of a whole town has thousands."""
        low, high = _around(one.path)
        inside = low[0] <= self._high[0] and high[0] >= self._low[0]
        return inside and low[1] <= self._high[1] and high[1] >= self._low[1]

    def _d(self, path: Sequence[XY]) -> str:
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in map(self._px, path))

    def _stretches(self) -> None:
        sheet = self._sheet
        for one in self._map.stretches:
            if not self._touches(one):
                continue
            dash = ' stroke-dasharray="5 4"' if one.dark else ""
            name = "behind" if one.dark else "span"
            sheet.out.append(
                f'<path class="{name}" d="{self._d(one.path)}" fill="none" '
                f'stroke="{sheet.colour(name)}" stroke-width="2.2"{dash}/>'
            )
        for one in sorted(self._map.stretches, key=lambda s: s.p):
            if one.p >= 0.005:
                share = math.sqrt(min(1.0, one.p))  # a tenth must still be seen
                sheet.out.append(
                    f'<path class="likely" d="{self._d(one.path)}" fill="none" '
                    f'stroke="{sheet.colour("likely")}" stroke-width="{4 + 4 * share:.1f}" '
                    f'stroke-linecap="round" opacity="{0.2 + 0.7 * share:.2f}">'
                    f"<title>{escape(one.id)} {_percent(one.p)}</title></path>"
                )

    def _point(self) -> None:
        point = self._map.point
        if point is None:
            return
        (x, y), red = self._px(point), self._sheet.colour("likely")
        r = max(7.0, self._map.error_m * self._each)
        self._sheet.out.append(
            f'<circle class="error" cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{red}" '
            f'fill-opacity=".1" stroke="{red}" stroke-width="1.4" stroke-dasharray="4 3"/>'
            f'<path class="point" d="M{x - 9:.1f} {y:.1f}h18M{x:.1f} {y - 9:.1f}v18" '
            f'stroke="{self._sheet.colour("ink")}" stroke-width="1.6" fill="none"/>'
        )
        self._taken.append((x - 10, y - 10, x + 10, y + 10))

    def _marks(self) -> None:
        marks = [one for one in self._map.marks if self._seen(one.at)]
        told = sum(bool(one.state) for one in marks)
        size = 5.0 if told <= MANY else 3.2
        for one in sorted(marks, key=lambda m: ("", "unknown", "there", "lost").index(m.state)):
            x, y = self._px(one.at)
            mark(self._sheet, one, x, y, size)
            r = size if one.state else 2.0
            self._taken.append((x - r, y - r, x + r, y + r))

    def _names(self) -> None:
        """The likeliest spans with their share, then the monitors nearest to the point."""
        ranked = sorted(self._map.stretches, key=lambda s: (-s.p, s.id))
        for one in ranked[:3]:
            if one.p >= NAMED_P or (one.p > 0 and one is ranked[0]):
                # the span's middle, as far as it is in view
                inside = [at for at in _finely(one.path) if self._seen(at)]
                if inside:
                    told = f"{one.id} {_percent(one.p)}"
                    self._name(inside[len(inside) // 2], told, "likely-text", 9.0)
        point = self._map.point
        if point is None:
            return
        near = sorted(
            (m for m in self._map.marks if m.state and self._seen(m.at)),
            key=lambda m: (math.dist(m.at, point), m.id),
        )
        for state, count in (("lost", 3), ("there", 2)):
            for found in [m for m in near if m.state == state][:count]:
                self._name(found.at, found.id, f"mark-text {state}", 6.0)

    def _name(self, at: XY, told: str, name: str, off: float) -> None:
        """A label beside a place, where none stands yet; left out when there is no room."""
        if self._labels >= MOST_LABELS:
            return
        _, _, wide, tall = self._box
        told = told if len(told) <= 28 else f"{told[:27]}…"
        (x, y), w = self._px(at), text_px(told)
        tries: tuple[tuple[float, float, Anchor], ...] = (
            (off, -off, "start"), (off, off + 9, "start"), (-off, -off, "end"),
            (-off, off + 9, "end"), (0, -off - 8, "middle"), (0, off + 18, "middle"),
            (off + 8, 4, "start"), (-off - 8, 4, "end"),
        )  # fmt: skip
        for dx, dy, anchor in tries:
            left = x + dx - {"start": 0.0, "middle": w / 2, "end": w}[anchor]
            box = (left, y + dy - 10, left + w, y + dy + 3)
            inside = box[0] > 2 and box[1] > 2 and box[2] < wide - 2 and box[3] < tall - 2
            if inside and not any(_cross(box, other) for other in self._taken):
                self._taken.append(box)
                self._labels += 1
                colour = self._sheet.colour(name.rpartition(" ")[2].removesuffix("-text"))
                self._sheet.out.append(
                    f'<text class="on-map {name}" x="{x + dx:.1f}" y="{y + dy:.1f}" '
                    f'fill="{colour}" text-anchor="{anchor}" paint-order="stroke" '
                    f'stroke="{self._sheet.colour("ground")}" stroke-width="3">'
                    f"{escape(told)}</text>"
                )
                return

    def _bar(self) -> None:
        _, _, wide, tall = self._box
        metres = max([b for b in BARS_M if b * self._each <= wide * 0.28] or [BARS_M[0]])
        long, soft = metres * self._each, self._sheet.colour("soft")
        y = tall - 10
        self._sheet.out.append(
            f'<path class="bar" d="M10 {y - 4:.1f}v4h{long:.1f}v-4" fill="none" stroke="{soft}" '
            'stroke-width="1.4"/>'
        )
        told = f"{metres} m" if metres < 1000 else f"{metres // 1000} km"
        self._sheet.words(16 + long, y + 1, told, "soft", soft)

    def _free_corner(self) -> XY | None:
        """Where the whole line is shown small: the corner that hides least; None where the view is
        nearly all of it, or there is no room."""
        low, high = self._whole
        axis = 0 if high[0] - low[0] > high[1] - low[1] else 1
        part = (self._high[axis] - self._low[axis]) / max(high[axis] - low[axis], 1e-6)
        _, _, wide, tall = self._box
        if part > 0.7 or wide < 360:
            return None
        (w, h), right = INSET, wide - INSET[0] - 8
        corners = ((right, 8.0), (8.0, 8.0), (right, tall - h - 8))

        def hidden(corner: XY) -> int:
            box = (corner[0], corner[1], corner[0] + w, corner[1] + h)
            return sum(_cross(box, other) for other in self._taken)

        return min(corners, key=hidden)

    def _inset(self) -> None:
        """The whole line small, with the view in it, where the view is but a part."""
        low, high = self._whole
        corner = self._corner
        if corner is None:
            return
        w, h, soft = *INSET, self._sheet.colour("soft")
        each = min((w - 12) / (high[0] - low[0] or 1.0), (h - 12) / (high[1] - low[1] or 1.0))
        x0, y0 = corner
        middle = (low[0] + high[0]) / 2, (low[1] + high[1]) / 2

        def small(at: XY) -> XY:
            return x0 + w / 2 + (at[0] - middle[0]) * each, y0 + h / 2 - (at[1] - middle[1]) * each

        d = "".join(
            "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in map(small, one.path))
            for one in self._map.stretches
        )
        (xa, ya), (xb, yb) = small(self._low), small(self._high)
        xa, xb = max(xa, x0 + 2), min(xb, x0 + w - 2)
        yb, ya = max(yb, y0 + 2), min(ya, y0 + h - 2)
        self._sheet.out.append(
            f'<rect class="back inset" x="{x0:.1f}" y="{y0:.1f}" width="{w:.0f}" height="{h:.0f}" '
            f'rx="5" fill="{self._sheet.colour("back")}" opacity=".92"/>'
            f'<path class="inset-line" d="{d}" fill="none" stroke="{soft}" stroke-width="1"/>'
            f'<rect class="here" x="{xa:.1f}" y="{yb:.1f}" width="{max(4.0, xb - xa):.1f}" '
            f'height="{max(4.0, ya - yb):.1f}" fill="none" '
            f'stroke="{self._sheet.colour("likely")}" stroke-width="1.4"/>'
        )


def fitting(drawn: LineMap, wide: float, least: float, most: float) -> float:
    """A panel's height (px) for what is in view."""
    low, high = _view(
        drawn, _around(itertools.chain.from_iterable(s.path for s in drawn.stretches))
    )
    return min(most, max(least, wide * (high[1] - low[1]) / (high[0] - low[0])))


def mark(sheet: Sheet, one: Mark, x: float, y: float, size: float) -> None:
    """A node at (x, y) px: shape and colour say what its monitor sees."""
    soft, back = sheet.colour("soft"), sheet.colour("back")
    if one.what in ("transformer", "otdr"):
        r = size + 2.5
        sheet.out.append(
            f'<rect class="station" x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r:.1f}" '
            f'height="{2 * r:.1f}" rx="1.5" fill="{back}" stroke="{soft}" stroke-width="1.2"/>'
        )
    if not one.state:
        if one.what not in ("transformer", "otdr"):
            sheet.out.append(
                f'<circle class="node" cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{soft}"/>'
            )
        return
    colour = sheet.colour(one.state)
    title = f"<title>{escape(one.id)}</title>"
    if one.state == "unknown":
        sheet.out.append(
            f'<circle class="unknown" cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" fill="{back}" '
            f'stroke="{colour}" stroke-width="1.5" stroke-dasharray="2 2">{title}</circle>'
        )
        return
    sheet.out.append(
        f'<circle class="{one.state}" cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" fill="{colour}" '
        f'stroke="{back}" stroke-width="1">{title}</circle>'
    )
    if one.state == "lost":
        c = size * 0.45
        sheet.out.append(
            f'<path class="cross" d="M{x - c:.1f} {y - c:.1f}l{2 * c:.1f} {2 * c:.1f}'
            f'M{x - c:.1f} {y + c:.1f}l{2 * c:.1f} {-2 * c:.1f}" stroke="#fff" '
            'stroke-width="1.5" fill="none"/>'
        )


def _view(drawn: LineMap, whole: View) -> View:
    """Around what is likely, with some of what lies about it; never more than the whole line."""
    about = [at for one in drawn.stretches if one.p >= 0.02 for at in one.path]
    if drawn.point is not None:
        (x, y), r = drawn.point, drawn.error_m
        about += [(x - r, y - r), (x + r, y + r)]
    low, high = _around(about) if about else whole
    middle = (low[0] + high[0]) / 2, (low[1] + high[1]) / 2
    wide = max(AROUND * max(high[0] - low[0], high[1] - low[1]), drawn.least_m)
    room = 0.06 * max(whole[1][0] - whole[0][0], whole[1][1] - whole[0][1], LEAST_M)
    corners = []
    for axis in (0, 1):
        first = max(middle[axis] - wide / 2, whole[0][axis] - room)
        last = min(middle[axis] + wide / 2, whole[1][axis] + room)
        corners.append((min(first, low[axis]), max(last, high[axis], first + 1.0)))
    return (corners[0][0], corners[1][0]), (corners[0][1], corners[1][1])


def _around(points: Iterable[XY]) -> View:
    some = list(points) or [(0.0, 0.0)]
    xs, ys = [x for x, _ in some], [y for _, y in some]
    return (min(xs), min(ys)), (max(xs), max(ys))


def _finely(path: Sequence[XY]) -> list[XY]:
    """A path in steps of a 24th of each piece."""
    return [
        (a[0] + (b[0] - a[0]) * k / 24, a[1] + (b[1] - a[1]) * k / 24)
        for a, b in itertools.pairwise(path)
        for k in range(25)
    ]


def _cross(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _percent(p: float) -> str:
    return f"{100 * p:.0f} %" if p >= 0.095 else f"{100 * p:.1f} %"
