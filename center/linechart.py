"""The picture of a line incident as SVG: the map with the posterior by span, the voltages around
the moment, an OTDR's trace over its baseline with the break marked. Pure."""

from __future__ import annotations

import itertools
import re
from typing import Final, Literal

import msgspec

from center.linemap import LineMap, MapPanel, Mark, fitting, mark
from center.sheet import Language, Points, Scale, Sheet, span, text_px, ticks

WORDS: Final = {
    "lost": ("失电", "lost"),
    "there": ("有电", "there"),
    "unknown": ("未知", "unknown"),
    "moment": ("发生", "onset"),
    "volts": ("电压 / 平时", "voltage / usual"),
    "gasp": ("失电告警", "last gasp"),
    "likely": ("断点概率", "where it broke"),
    "now": ("本次", "now"),
    "before": ("基线", "baseline"),
    "break": ("断点", "break"),
    "trace": ("背向散射", "backscatter"),
    "behind": ("断点以远", "behind the break"),
}
COLOURS: Final = {
    "back": "#ffffff",
    "ground": "#eef2f1",
    "span": "#8b9aa1",
    "behind": "#b9a3a3",
    "likely": "#dc2626",
    "lost": "#dc2626",
    "there": "#0d9488",
    "unknown": "#7b8a92",
    "rule": "#d9e0e3",
    "soft": "#5a6b76",
    "ink": "#12212b",
    "alarm": "#be123c",
    "close": "#dc2626",
    "floor": "#d6b089",
    "now": "#2f87c9",
    "before": "#5a6b76",
    "a": "#b98900",
    "b": "#16a34a",
    "c": "#dc2626",
}
"""Phases as on Chinese lines: yellow, green, red."""
LOST_SHARE: Final = 0.6
LEFT, RIGHT, SIDE = 46.0, 12.0, 8.0
LEGEND_H, STRIP_H, STRIP_GAP, TRACE_H, FOOT, NOTE_H = 22.0, 44.0, 7.0, 170.0, 24.0, 16.0
DOTS: Final = 80
"""Up to so many readings are shown as dots too."""


class Strip(msgspec.Struct, frozen=True):
    """What one monitor measured, in shares of what is usual there."""

    name: str
    state: Literal["lost", "there", "unknown"]
    phases: tuple[tuple[str, Points], ...]
    gasp: float | None = None
    """When it sent its last gasp (epoch seconds)."""


class OtdrTrace(msgspec.Struct, frozen=True):
    """An OTDR's trace over a healthy one: (metres, dB)."""

    now: Points
    before: Points
    break_m: float | None = None
    error_m: float = 0.0


class LineChart(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn."""

    title: str
    map: LineMap | None = None
    counts: tuple[tuple[str, int], ...] = ()
    """How many monitors are lost, there, unknown."""
    strips: tuple[Strip, ...] = ()
    first: float = 0.0
    last: float = 0.0
    moment: float | None = None
    """Epoch seconds."""
    trace: OtdrTrace | None = None
    notes: tuple[str, ...] = ()


def draw_line(
    chart: LineChart, *, width: int = 720, zone: str = "UTC", language: Language = "zh"
) -> str:
    """The SVG; `width` in px, the height follows."""
    return _Drawing(chart, width, zone, language).text()


class _Drawing(Sheet):
    """The panels one under another."""

    def __init__(self, chart: LineChart, width: int, zone: str, language: Language) -> None:
        super().__init__(width, zone, language, WORDS, COLOURS)
        self._chart = chart

    def text(self) -> str:
        chart, top = self._chart, SIDE
        if chart.map is not None:
            most = (0.56 if chart.trace is None else 0.4) * self.wide
            tall = fitting(chart.map, self.wide - 2 * SIDE, 150.0, min(420.0, max(200.0, most)))
            MapPanel(self, chart.map, (SIDE, top, self.wide - 2 * SIDE, tall)).draw()
            top += tall
            self._legend(top + 15)
            top += LEGEND_H
        if chart.strips:
            top = self._strips(top + 20)
        if chart.trace is not None:
            top = self._trace(top + 18, chart.trace)
        for note in chart.notes:
            for told in _broken(note, self.wide - 2 * SIDE - 8):
                top += NOTE_H
                self.words(SIDE + 4, top, told, "soft", self.colour("soft"))
        return self.svg(chart.title, top + 8, "chart line-chart")

    def _legend(self, y: float) -> None:
        x, soft = SIDE + 8.0, self.colour("soft")
        for name, count in self._chart.counts:
            if name in ("lost", "there", "unknown"):
                state: Literal["lost", "there", "unknown"] = name  # type: ignore[assignment]
                mark(self, Mark("", "pole", (0.0, 0.0), state), x, y - 4, 5.0)
            told = f"{self.say(name)} {count}"
            self.words(x + 10, y, told, "soft", soft)
            x += 24 + text_px(told)
        drawn = self._chart.map
        if drawn is None:
            return
        fibre = any(one.dark for one in drawn.stretches)
        told = self.say("behind" if fibre else "likely")
        if drawn.error_m:
            told += f" · ± {drawn.error_m:.0f} m"
        right = self.wide - SIDE - 4
        self.words(right, y, told, "soft", soft, "end")
        x = right - text_px(told) - 30
        if fibre:
            self.out.append(
                f'<path class="behind" d="M{x:.1f} {y - 4:.1f}h24" fill="none" '
                f'stroke="{self.colour("behind")}" stroke-width="2.2" stroke-dasharray="5 4"/>'
            )
            return
        for k, share in enumerate((0.1, 0.4, 1.0)):
            self.out.append(
                f'<rect class="likely-key" x="{x + 8 * k:.1f}" y="{y - 8:.1f}" width="8" '
                f'height="7" fill="{self.colour("likely")}" opacity="{0.2 + 0.7 * share:.2f}"/>'
            )

    # --- voltages ---------------------------------------------------------------------------

    def _strips(self, top: float) -> float:
        chart = self._chart
        x = Scale(chart.first, chart.last, LEFT, self.wide - RIGHT)
        values = [v for s in chart.strips for _, points in s.phases for _, v in points]
        most = min(2.0, max([1.2, *(1.06 * v for v in values)]))
        self.words(SIDE, top - 7, self.say("volts"), "soft", self.colour("soft"))
        place = SIDE + text_px(self.say("volts")) + 12
        for phase in "abc":
            self.out.append(
                f'<path class="phase-{phase}" d="M{place:.1f} {top - 10.5:.1f}h9" '
                f'stroke="{self.colour(phase)}" stroke-width="2" fill="none"/>'
            )
            self.words(place + 12, top - 7, phase.upper(), f"phase-{phase}", self.colour(phase))
            place += 25
        begin = top
        for one in chart.strips:
            self._strip(one, x, Scale(0.0, most, top + STRIP_H, top), top)
            top += STRIP_H + STRIP_GAP
        floor = top - STRIP_GAP
        self.times(x, floor)
        at = chart.moment
        if at is not None and x.low <= at <= x.high:
            self.line(x(at), begin, x(at), floor, "alarm")
            told = f"{self.say('moment')} {self.clock(at, seconds=True)}"
            right = x(at) > self.wide * 0.7
            off, anchor = (-5, "end") if right else (5, "start")
            self.words(
                x(at) + off, begin - 7, told, "alarm-text", self.colour("alarm"),
                "end" if anchor == "end" else "start",
            )  # fmt: skip
        return floor + FOOT

    def _strip(self, one: Strip, x: Scale, y: Scale, top: float) -> None:
        right = self.wide - RIGHT
        soft = self.colour("soft")
        self.out.append(
            f'<rect class="strip" x="{LEFT:.1f}" y="{top:.1f}" width="{right - LEFT:.1f}" '
            f'height="{STRIP_H:.1f}" fill="{self.colour("ground")}" opacity=".6"/>'
        )
        for value in (0.0, 1.0):
            self.line(LEFT, y(value), right, y(value), "rule")
            self.words(LEFT - 6, y(value) + 4, f"{value:g}", "soft", soft, "end")
        self.line(LEFT, y(LOST_SHARE), right, y(LOST_SHARE), "floor")
        for phase, points in one.phases:
            colour = self.colour(phase)
            kept = [p for p in points if x.low <= p[0] <= x.high]
            if not kept:
                continue
            inside = [(t, min(v, y.high)) for t, v in kept]
            self.out.append(
                f'<path class="phase-{phase}" d="{self.path(_held(inside), x, y)}" fill="none" '
                f'stroke="{colour}" stroke-width="1.6" stroke-linejoin="round"/>'
            )
            if len(inside) <= DOTS:
                dots = "".join(f"M{x(t):.1f} {y(v):.1f}h0" for t, v in inside)
                self.out.append(
                    f'<path class="phase-{phase}" d="{dots}" stroke="{colour}" fill="none" '
                    'stroke-width="3.4" stroke-linecap="round"/>'
                )
        if one.gasp is not None and x.low <= one.gasp <= x.high:
            at, h, red = x(one.gasp), y(0.14), self.colour("lost")
            self.out.append(
                f'<path class="gasp" d="M{at - 4:.1f} {h - 4:.1f}l8 8m0 -8l-8 8" stroke="{red}" '
                'stroke-width="1.8" fill="none"/>'
            )
            self.words(at + 8, h + 4, self.say("gasp"), "lost", red)
        mark(self, Mark(one.name, "pole", (0.0, 0.0), one.state), SIDE + 4, y(0.5), 4.5)
        wide = text_px(one.name) + 8
        self.out.append(
            f'<rect class="back" x="{LEFT + 2:.1f}" y="{top + STRIP_H - 16:.1f}" '
            f'width="{wide:.1f}" height="14" rx="3" fill="{self.colour("back")}" opacity=".8"/>'
        )
        self.words(LEFT + 6, top + STRIP_H - 5, one.name, "value", self.colour("ink"))

    # --- a fibre's trace --------------------------------------------------------------------

    def _trace(self, top: float, trace: OtdrTrace) -> float:
        floor = top + TRACE_H
        both = [*trace.now, *trace.before]
        ends = [m for m, _ in both] + ([trace.break_m] if trace.break_m is not None else [])
        x = Scale(min(ends), max(ends), LEFT, self.wide - RIGHT)
        y = span([v for _, v in both], floor, top)
        self.rules(y, "dB", LEFT, self.wide - RIGHT)
        if trace.break_m is not None:
            at = x(trace.break_m)
            half = max(1.5, x(trace.break_m + trace.error_m) - at)
            red = self.colour("close")
            self.out.append(
                f'<rect class="fan" x="{at - half:.1f}" y="{top:.1f}" width="{2 * half:.1f}" '
                f'height="{TRACE_H:.0f}" fill="{red}" opacity=".16"/>'
            )
            self.line(at, top, at, floor, "close")
        for name, points, dash in (("before", trace.before, ' stroke-dasharray="5 3"'),
                                   ("now", trace.now, "")):  # fmt: skip
            if len(points) > 1:
                self.out.append(
                    f'<path class="trace-{name}" d="{self.path(points, x, y)}" fill="none" '
                    f'stroke="{self.colour(name)}" stroke-width="1.8"{dash}/>'
                )
        if trace.break_m is not None:
            told = f"{self.say('break')} {trace.break_m:,.1f} m ± {trace.error_m:.1f}"
            right = x(trace.break_m) > self.wide * 0.55
            off = -6 if right else 6
            side: Literal["start", "end"] = "end" if right else "start"
            self.words(
                x(trace.break_m) + off, top + 12, told, "limit-text close", self.colour("close"),
                side,
            )  # fmt: skip
        self._key(top - 6)
        far = x.high >= 5_000
        for tick in ticks(x.low, x.high, max(3, int(self.wide / 110))):
            self.line(x(tick), floor, x(tick), floor + 4, "rule")
            told = f"{tick / 1000:g} km" if far else f"{tick:g} m"
            side2: Literal["middle", "end"] = "end" if x(tick) > self.wide - 30 else "middle"
            self.words(x(tick), floor + 16, told, "soft", self.colour("soft"), side2)
        return floor + FOOT

    def _key(self, y: float) -> None:
        """Which curve is which."""
        right = self.wide - RIGHT
        for name, dash in (("before", ' stroke-dasharray="5 3"'), ("now", "")):
            told = self.say(name)
            right -= text_px(told)
            self.words(right, y, told, "soft", self.colour("soft"))
            self.out.append(
                f'<path class="trace-{name}" d="M{right - 22:.1f} {y - 4:.1f}h18" fill="none" '
                f'stroke="{self.colour(name)}" stroke-width="1.8"{dash}/>'
            )
            right -= 36


def _broken(text: str, room: float) -> list[str]:
    """Text in lines of at most that many px, broken at spaces and after Chinese commas."""
    lines = [""]
    for piece in re.findall(r"[^ ，]*(?:[ ，]|$)", text):
        if lines[-1] and text_px(lines[-1] + piece) > room:
            lines.append("")
        lines[-1] += piece
    return lines


def _held(points: Points) -> Points:
    """A report holds until the next one: nobody saw a ramp between them."""
    out: list[tuple[float, float]] = list(points[:1])
    for (_, before), (t, v) in itertools.pairwise(points):
        out += [(t, before), (t, v)]
    return out
