"""The picture of a water incident as SVG: level with its lines, the forecast's fan, rain, what the
sensors up- and downstream saw, and where the alarm fell.

Pure: the same data gives the same bytes. Colours are attributes, so that the file stands by itself;
classes let the page's style sheet replace them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, Literal
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

import msgspec

Points = Sequence[tuple[float, float]]
"""(epoch seconds, value), times rising."""
Language = Literal["zh", "en"]

WORDS: Final = {
    "warn": ("警戒", "warn"),
    "close": ("封路", "close"),
    "rim": ("井口", "rim"),
    "alarm": ("报警", "alarm"),
    "forecast": ("预测", "forecast"),
    "rain": ("降雨", "rain"),
    "up": ("上游", "upstream"),
    "down": ("下游", "downstream"),
    "full": ("占井深 %", "% of rim"),
    "usual": ("平时", "usual"),
    "expected": ("应有", "expected"),
    "rest": ("静置", "at rest"),
    "least": ("最低", "least"),
    "limit": ("界限", "limit"),
}
COLOURS: Final = {
    "line": "#2f87c9",
    "warn": "#b45309",
    "close": "#dc2626",
    "least": "#b45309",
    "limit": "#dc2626",
    "rim": "#5a6b76",
    "fan": "#dc2626",
    "alarm": "#be123c",
    "rain": "#2f87c9",
    "up": "#8b5cf6",
    "down": "#0d9488",
    "rule": "#d9e0e3",
    "soft": "#5a6b76",
    "ink": "#12212b",
    "back": "#ffffff",
}
SPAN_H: Final = 6.0
"""A fan is drawn at most so far beyond the last reading."""
LEFT, RIGHT, TOP, FOOT = 46.0, 12.0, 16.0, 24.0
RAIN_H, MAIN_H, OTHERS_H, GAP = 44.0, 190.0, 96.0, 22.0
STEPS_S: Final = (300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


class Fan(msgspec.Struct, frozen=True):
    """When a line is reached: from the last reading to earliest, best and latest."""

    low: float
    best: float
    high: float
    at: float
    """The line's height."""


class Limit(msgspec.Struct, frozen=True):
    """A horizontal line; `name` is one of WORDS."""

    name: str
    value: float


class Neighbour(msgspec.Struct, frozen=True):
    """What a sensor up- or downstream saw; in percent of its rim, or in the chart's unit."""

    side: Literal["up", "down"]
    device: str
    points: Points


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn."""

    title: str
    unit: str
    points: Points
    limits: tuple[Limit, ...] = ()
    fan: Fan | None = None
    rain: Points = ()
    """mm/h."""
    neighbours: tuple[Neighbour, ...] = ()
    neighbours_in_percent: bool = False
    alarm: float | None = None
    """Epoch seconds."""


def draw(chart: Chart, *, width: int = 720, zone: str = "UTC", language: Language = "zh") -> str:
    """The SVG; `width` in px, the height follows. Needs at least two points."""
    return _Drawing(chart, width, zone, language).text()


class _Scale:
    """Values to px."""

    def __init__(self, low: float, high: float, first: float, last: float) -> None:
        self.low, self.high = low, high
        self._first = first
        self._each = (last - first) / ((high - low) or 1.0)

    def __call__(self, value: float) -> float:
        return self._first + (value - self.low) * self._each


class _Drawing:
    """Strings that pile up, and the two scales."""

    def __init__(self, chart: Chart, width: int, zone: str, language: Language) -> None:
        self._chart, self._wide, self._zone = chart, float(width), ZoneInfo(zone)
        self._word = 0 if language == "zh" else 1
        self._out: list[str] = []
        times = [t for t, _ in chart.points]
        end = times[-1]
        if chart.fan is not None:
            end = max(end, min(chart.fan.high, times[-1] + 3600 * SPAN_H))
        self._x = _Scale(times[0], end, LEFT, self._wide - RIGHT)

    def text(self) -> str:
        chart, top = self._chart, TOP
        if chart.rain:
            self._rain(top)
            top += RAIN_H + 6
        self._main(top)
        floor = top + MAIN_H
        if chart.neighbours:
            self._others(floor + GAP)
            floor += GAP + OTHERS_H
        self._times(floor)
        self._alarm(TOP, floor)
        high = floor + FOOT
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self._wide:.0f} {high:.0f}" '
            f'width="{self._wide:.0f}" height="{high:.0f}" class="curve chart" role="img" '
            f'aria-label={quoteattr(chart.title)} font-size="11" '
            'font-family="system-ui, Noto Sans CJK SC, Microsoft YaHei, sans-serif">'
            f"<title>{escape(chart.title)}</title>"
        )
        back = f'<rect class="back" width="100%" height="100%" fill="{COLOURS["back"]}"/>'
        return head + back + "".join(self._out) + "</svg>\n"

    # --- panels -----------------------------------------------------------------------------

    def _main(self, top: float) -> None:
        chart = self._chart
        heights = [v for _, v in chart.points] + [limit.value for limit in chart.limits]
        y = _span(heights, top + MAIN_H, top)
        self._rules(y, chart.unit)
        for limit in chart.limits:
            self._line(LEFT, y(limit.value), self._wide - RIGHT, y(limit.value), limit.name)
            told = f"{self._say(limit.name)} {_round(limit.value)} {chart.unit}"
            colour = COLOURS.get(limit.name, COLOURS["soft"])
            self._words(LEFT + 4, y(limit.value) - 4, told, f"limit-text {limit.name}", colour)
        if chart.fan is not None:
            self._fan(chart.fan, y)
        path = self._path(chart.points, y)
        left, right = self._x(chart.points[0][0]), self._x(chart.points[-1][0])
        under = f"{path}L{right:.1f} {top + MAIN_H:.1f}L{left:.1f} {top + MAIN_H:.1f}Z"
        blue = COLOURS["line"]
        self._out.append(f'<path class="under" d="{under}" fill="{blue}" opacity=".13"/>')
        self._out.append(
            f'<path class="line" d="{path}" fill="none" stroke="{blue}" stroke-width="2"/>'
        )
        t, v = chart.points[-1]
        x, h = self._x(t), y(v)
        self._out.append(f'<circle class="last" cx="{x:.1f}" cy="{h:.1f}" r="3.5" fill="{blue}"/>')
        self._words(x - 7, h - 8, f"{_round(v)} {chart.unit}", "value", COLOURS["ink"], "end")

    def _fan(self, fan: Fan, y: _Scale) -> None:
        t, v = self._chart.points[-1]
        last = t + 3600 * SPAN_H
        low, best, high = (self._x(min(max(at, t), last)) for at in (fan.low, fan.best, fan.high))
        x, h, line, red = self._x(t), y(v), y(fan.at), COLOURS["fan"]
        corners = f"{x:.1f},{h:.1f} {low:.1f},{line:.1f} {high:.1f},{line:.1f}"
        self._out.append(f'<polygon class="fan" points="{corners}" fill="{red}" opacity=".16"/>')
        self._out.append(
            f'<path class="forecast" d="M{x:.1f} {h:.1f}L{best:.1f} {line:.1f}" fill="none" '
            f'stroke="{red}" stroke-width="2" stroke-dasharray="3 4"/>'
            f'<circle class="hit" cx="{best:.1f}" cy="{line:.1f}" r="4" fill="{red}"/>'
        )
        told = "–".join(self._clock(at) for at in (fan.low, fan.high))
        side: Literal["start", "end"] = "end" if best > self._wide * 0.6 else "start"
        self._words(
            best, line + 16, f"{self._say('forecast')} {told}", "limit-text close", red, side
        )

    def _rain(self, top: float) -> None:
        rain = self._chart.rain
        most = max(10.0, *(mm for _, mm in rain))
        y = _Scale(0.0, most, top, top + RAIN_H)
        blue = COLOURS["rain"]
        inside = [(t, mm) for t, mm in rain if self._x.low <= t <= self._x.high]
        bars = []
        for (t, mm), (after, _) in itertools.pairwise([*inside, (self._x.high, 0.0)]):
            wide = max(0.8, self._x(min(after, t + 900)) - self._x(t))
            if mm > 0:
                bars.append(f"M{self._x(t):.1f} {top:.1f}h{wide:.1f}V{y(mm):.1f}h-{wide:.1f}Z")
        self._line(LEFT, top, self._wide - RIGHT, top, "rule")
        if bars:
            path = "".join(bars)
            self._out.append(f'<path class="rain" d="{path}" fill="{blue}" opacity=".55"/>')
        peak = max((mm for _, mm in inside), default=0.0)
        told = f"{self._say('rain')} ≤ {_round(peak)} mm/h"
        self._words(self._wide - RIGHT, top + RAIN_H - 4, told, "soft", COLOURS["soft"], "end")

    def _others(self, top: float) -> None:
        chart = self._chart
        values = [v for one in chart.neighbours for _, v in one.points] or [0.0]
        y = _span(values, top + OTHERS_H, top)
        unit = "%" if chart.neighbours_in_percent else chart.unit
        self._rules(y, unit, 3)
        place = LEFT + 4.0
        for one in chart.neighbours:
            colour = COLOURS[one.side]
            path = self._path(one.points, y)
            dash = "" if one.side == "up" else ' stroke-dasharray="5 3"'
            self._out.append(
                f'<path class="{one.side}" d="{path}" fill="none" stroke="{colour}" '
                f'stroke-width="1.6"{dash}/>'
            )
            arrow = "↑" if one.side == "up" else "↓"
            told = f"{arrow} {self._say(one.side)} {one.device}"
            self._words(place, top - 6, told, one.side, colour)
            place += 14 + 7.2 * len(told) + 5 * self._say(one.side).isascii()
        if chart.neighbours_in_percent:
            x = self._wide - RIGHT
            self._words(x, top - 6, self._say("full"), "soft", COLOURS["soft"], "end")

    def _alarm(self, top: float, floor: float) -> None:
        at = self._chart.alarm
        if at is None or not self._x.low <= at <= self._x.high:
            return
        x = self._x(at)
        self._line(x, top - 4, x, floor, "alarm")
        side: Literal["start", "end"] = "end" if x > self._wide * 0.7 else "start"
        told = f"{self._say('alarm')} {self._clock(at)}"
        off = -5 if side == "end" else 5
        self._words(x + off, top + 4, told, "alarm-text", COLOURS["alarm"], side)

    def _times(self, floor: float) -> None:
        x = self._x
        room = max(2.0, (self._wide - LEFT - RIGHT) / 70)
        step = next((s for s in STEPS_S if (x.high - x.low) / s <= room), STEPS_S[-1])
        shift = datetime.fromtimestamp(x.low, self._zone).utcoffset()
        offset = shift.total_seconds() if shift is not None else 0.0
        t = math.ceil((x.low + offset) / step) * step - offset
        while t <= x.high:
            self._line(x(t), floor, x(t), floor + 4, "rule")
            anchor: Literal["start", "middle", "end"] = "middle"
            if x(t) > self._wide - 28:
                anchor = "end"
            self._words(x(t), floor + 16, self._clock(t), "soft", COLOURS["soft"], anchor)
            t += step

    # --- marks ------------------------------------------------------------------------------

    def _rules(self, y: _Scale, unit: str, count: int = 4) -> None:
        for tick in _ticks(y.low, y.high, count):
            self._line(LEFT, y(tick), self._wide - RIGHT, y(tick), "rule")
            self._words(LEFT - 6, y(tick) + 4, _round(tick), "soft", COLOURS["soft"], "end")
        self._words(4, y(y.high) + 4, unit, "soft", COLOURS["soft"])

    def _path(self, points: Points, y: _Scale) -> str:
        rows = _thinned([p for p in points if self._x.low <= p[0] <= self._x.high], self._wide)
        told = (f"{self._x(t):.1f} {y(v):.1f}" for t, v in rows)
        return "M" + "L".join(told) if rows else "M0 0"

    def _line(self, x1: float, y1: float, x2: float, y2: float, name: str) -> None:
        colour = COLOURS.get(name, COLOURS["soft"])
        limit = name not in ("rule", "alarm")
        dash = ' stroke-dasharray="6 4"' if limit else ""
        class_ = f"limit {name}" if limit else name
        self._out.append(
            f'<line class="{class_}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{1 if name == "rule" else 1.4}"{dash}/>'
        )

    def _words(
        self,
        x: float,
        y: float,
        text: str,
        name: str,
        colour: str,
        anchor: Literal["start", "middle", "end"] = "start",
    ) -> None:
        self._out.append(
            f'<text class="{name}" x="{x:.1f}" y="{y:.1f}" fill="{colour}" '
            f'text-anchor="{anchor}">{escape(text)}</text>'
        )

    def _say(self, word: str) -> str:
        return WORDS[word][self._word]

    def _clock(self, t: float) -> str:
        return datetime.fromtimestamp(t, UTC).astimezone(self._zone).strftime("%H:%M")


def _span(values: Iterable[float], bottom: float, top: float) -> _Scale:
    """A scale with some room; a metre's thousandth is the least that is shown."""
    some = list(values)
    low, high = min(some), max(some)
    room = max(high - low, 0.02) * 0.12
    return _Scale(low - room, high + room, bottom, top)


def _thinned(points: Points, width: float) -> Points:
    """At most two readings per px: the lowest and the highest of each stretch."""
    most = int(width)
    if len(points) <= 2 * most:
        return points
    out: list[tuple[float, float]] = []
    each = math.ceil(len(points) / most)
    for begin in range(0, len(points), each):
        part = points[begin : begin + each]
        out += sorted({min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])})
    return out


def _ticks(low: float, high: float, count: int) -> list[float]:
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((f * power for f in (1, 2, 5, 10) if f * power >= raw), 10 * power)
    first = math.ceil(low / step)
    return [k * step for k in range(first, first + 12) if k * step <= high]


def _round(value: float) -> str:
    return f"{round(value, 3):g}"
