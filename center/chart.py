"""The picture of a water incident as SVG: level with its lines, the forecast's fan, rain, what the
sensors up- and downstream saw, and where the alarm fell.

Pure: the same data gives the same bytes.
"""

from __future__ import annotations

import itertools
from typing import Final, Literal

import msgspec

from center.sheet import Language, Points, Scale, Sheet, rounded, span

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


class _Drawing(Sheet):
    """The panels of a chart, over one scale of time."""

    def __init__(self, chart: Chart, width: int, zone: str, language: Language) -> None:
        super().__init__(width, zone, language, WORDS, COLOURS)
        self._chart = chart
        times = [t for t, _ in chart.points]
        end = times[-1]
        if chart.fan is not None:
            end = max(end, min(chart.fan.high, times[-1] + 3600 * SPAN_H))
        self._x = Scale(times[0], end, LEFT, self.wide - RIGHT)

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
        self.times(self._x, floor)
        self._alarm(TOP, floor)
        high = floor + FOOT
        return self.svg(chart.title, high)

    # --- panels -----------------------------------------------------------------------------

    def _main(self, top: float) -> None:
        chart = self._chart
        heights = [v for _, v in chart.points] + [limit.value for limit in chart.limits]
        y = span(heights, top + MAIN_H, top)
        self.rules(y, chart.unit, LEFT, self.wide - RIGHT)
        for limit in chart.limits:
            self.line(LEFT, y(limit.value), self.wide - RIGHT, y(limit.value), limit.name)
            told = f"{self.say(limit.name)} {rounded(limit.value)} {chart.unit}"
            colour = COLOURS.get(limit.name, COLOURS["soft"])
            self.words(LEFT + 4, y(limit.value) - 4, told, f"limit-text {limit.name}", colour)
        if chart.fan is not None:
            self._fan(chart.fan, y)
        path = self.path(chart.points, self._x, y)
        left, right = self._x(chart.points[0][0]), self._x(chart.points[-1][0])
        under = f"{path}L{right:.1f} {top + MAIN_H:.1f}L{left:.1f} {top + MAIN_H:.1f}Z"
        blue = COLOURS["line"]
        self.out.append(f'<path class="under" d="{under}" fill="{blue}" opacity=".13"/>')
        self.out.append(
            f'<path class="line" d="{path}" fill="none" stroke="{blue}" stroke-width="2"/>'
        )
        t, v = chart.points[-1]
        x, h = self._x(t), y(v)
        self.out.append(f'<circle class="last" cx="{x:.1f}" cy="{h:.1f}" r="3.5" fill="{blue}"/>')
        self.words(x - 7, h - 8, f"{rounded(v)} {chart.unit}", "value", COLOURS["ink"], "end")

    def _fan(self, fan: Fan, y: Scale) -> None:
        t, v = self._chart.points[-1]
        last = t + 3600 * SPAN_H
        low, best, high = (self._x(min(max(at, t), last)) for at in (fan.low, fan.best, fan.high))
        x, h, line, red = self._x(t), y(v), y(fan.at), COLOURS["fan"]
        corners = f"{x:.1f},{h:.1f} {low:.1f},{line:.1f} {high:.1f},{line:.1f}"
        self.out.append(f'<polygon class="fan" points="{corners}" fill="{red}" opacity=".16"/>')
        self.out.append(
            f'<path class="forecast" d="M{x:.1f} {h:.1f}L{best:.1f} {line:.1f}" fill="none" '
            f'stroke="{red}" stroke-width="2" stroke-dasharray="3 4"/>'
            f'<circle class="hit" cx="{best:.1f}" cy="{line:.1f}" r="4" fill="{red}"/>'
        )
        told = "–".join(self.clock(at) for at in (fan.low, fan.high))
        side: Literal["start", "end"] = "end" if best > self.wide * 0.6 else "start"
        self.words(best, line + 16, f"{self.say('forecast')} {told}", "limit-text close", red, side)

    def _rain(self, top: float) -> None:
        rain = self._chart.rain
        most = max(10.0, *(mm for _, mm in rain))
        y = Scale(0.0, most, top, top + RAIN_H)
        blue = COLOURS["rain"]
        inside = [(t, mm) for t, mm in rain if self._x.low <= t <= self._x.high]
        bars = []
        for (t, mm), (after, _) in itertools.pairwise([*inside, (self._x.high, 0.0)]):
            wide = max(0.8, self._x(min(after, t + 900)) - self._x(t))
            if mm > 0:
                bars.append(f"M{self._x(t):.1f} {top:.1f}h{wide:.1f}V{y(mm):.1f}h-{wide:.1f}Z")
        self.line(LEFT, top, self.wide - RIGHT, top, "rule")
        if bars:
            path = "".join(bars)
            self.out.append(f'<path class="rain" d="{path}" fill="{blue}" opacity=".55"/>')
        peak = max((mm for _, mm in inside), default=0.0)
        told = f"{self.say('rain')} ≤ {rounded(peak)} mm/h"
        self.words(self.wide - RIGHT, top + RAIN_H - 4, told, "soft", COLOURS["soft"], "end")

    def _others(self, top: float) -> None:
        chart = self._chart
        values = [v for one in chart.neighbours for _, v in one.points] or [0.0]
        y = span(values, top + OTHERS_H, top)
        unit = "%" if chart.neighbours_in_percent else chart.unit
        self.rules(y, unit, LEFT, self.wide - RIGHT, 3)
        place = LEFT + 4.0
        for one in chart.neighbours:
            colour = COLOURS[one.side]
            path = self.path(one.points, self._x, y)
            dash = "" if one.side == "up" else ' stroke-dasharray="5 3"'
            self.out.append(
                f'<path class="{one.side}" d="{path}" fill="none" stroke="{colour}" '
                f'stroke-width="1.6"{dash}/>'
            )
            arrow = "↑" if one.side == "up" else "↓"
            told = f"{arrow} {self.say(one.side)} {one.device}"
            self.words(place, top - 6, told, one.side, colour)
            place += 14 + 7.2 * len(told) + 5 * self.say(one.side).isascii()
        if chart.neighbours_in_percent:
            x = self.wide - RIGHT
            self.words(x, top - 6, self.say("full"), "soft", COLOURS["soft"], "end")

    def _alarm(self, top: float, floor: float) -> None:
        at = self._chart.alarm
        if at is None or not self._x.low <= at <= self._x.high:
            return
        x = self._x(at)
        self.line(x, top - 4, x, floor, "alarm")
        side: Literal["start", "end"] = "end" if x > self.wide * 0.7 else "start"
        told = f"{self.say('alarm')} {self.clock(at)}"
        off = -5 if side == "end" else 5
        self.words(x + off, top + 4, told, "alarm-text", COLOURS["alarm"], side)
