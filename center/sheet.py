"""What every chart is drawn with: scales, rules, words. SVG text piles up; pure, so that the same
data gives the same bytes. Colours are attributes, so that the file stands by itself; classes let
the page's style sheet replace them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

Points = Sequence[tuple[float, float]]
"""(x, value), x rising; x is epoch seconds where time is drawn."""
Language = Literal["zh", "en"]
Anchor = Literal["start", "middle", "end"]
STEPS_S: Final = (5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
                  86_400)  # fmt: skip

DAYS_S: Final = 26 * 3600.0
"""From here on midnights are told as dates."""


class Scale:
    """Values to px."""

    def __init__(self, low: float, high: float, first: float, last: float) -> None:
        self.low, self.high = low, high
        self._first = first
        self._each = (last - first) / ((high - low) or 1.0)

    def __call__(self, value: float) -> float:
        """Px of a value."""
        return self._first + (value - self.low) * self._each


class Sheet:
    """Strings that pile up, over a table of words and one of colours."""

    def __init__(
        self,
        width: int,
        zone: str,
        language: Language,
        words: Mapping[str, tuple[str, str]],
        colours: Mapping[str, str],
    ) -> None:
        self.wide = float(width)
        self._zone = ZoneInfo(zone)
        self._word = 0 if language == "zh" else 1
        self._names, self._colours = words, colours
        self.out: list[str] = []

    def svg(self, title: str, high: float, name: str = "chart") -> str:
        """All that was drawn, as a file."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.wide:.0f} {high:.0f}" '
            f'width="{self.wide:.0f}" height="{high:.0f}" class="curve {name}" role="img" '
            f'aria-label={quoteattr(title)} font-size="11" '
            'font-family="system-ui, Noto Sans CJK SC, Microsoft YaHei, sans-serif">'
            f"<title>{escape(title)}</title>"
        )
        back = f'<rect class="back" width="100%" height="100%" fill="{self._colours["back"]}"/>'
        return head + back + "".join(self.out) + "</svg>\n"

    def rules(self, y: Scale, unit: str, left: float, right: float, count: int = 4) -> None:
        """Horizontal lines with their values, from `left` to `right`."""
        for tick in ticks(y.low, y.high, count):
            self.line(left, y(tick), right, y(tick), "rule")
            self.words(left - 6, y(tick) + 4, rounded(tick), "soft", self.colour("soft"), "end")
        self.words(4, y(y.high) + 4, unit, "soft", self.colour("soft"))

    def times(self, x: Scale, floor: float) -> None:
        """The clock below a panel: about one word every 70 px."""
        room = max(2.0, (x(x.high) - x(x.low)) / 70)
        step = next((s for s in STEPS_S if (x.high - x.low) / s <= room), STEPS_S[-1])
        shift = datetime.fromtimestamp(x.low, self._zone).utcoffset()
        offset = shift.total_seconds() if shift is not None else 0.0
        t = math.ceil((x.low + offset) / step) * step - offset
        while t <= x.high:
            self.line(x(t), floor, x(t), floor + 4, "rule")
            anchor: Anchor = "end" if x(t) > self.wide - 28 else "middle"
            told = self.clock(t, seconds=step < 60)
            if x.high - x.low > DAYS_S and told == "00:00":
                told = self.clock(t, form="%m-%d")
            self.words(x(t), floor + 16, told, "soft", self.colour("soft"), anchor)
            t += step

    def path(self, points: Points, x: Scale, y: Scale) -> str:
        """The curve as path data; what lies outside of `x` is left out."""
        rows = thinned([p for p in points if x.low <= p[0] <= x.high], self.wide)
        told = (f"{x(t):.1f} {y(v):.1f}" for t, v in rows)
        return "M" + "L".join(told) if rows else "M0 0"

    def line(self, x1: float, y1: float, x2: float, y2: float, name: str) -> None:
        """A rule, or a limit in dashes."""
        limit = name not in ("rule", "alarm")
        dash = ' stroke-dasharray="6 4"' if limit else ""
        class_ = f"limit {name}" if limit else name
        self.out.append(
            f'<line class="{class_}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{self.colour(name)}" stroke-width="{1 if name == "rule" else 1.4}"{dash}/>'
        )

    def words(
        self, x: float, y: float, text: str, name: str, colour: str, anchor: Anchor = "start"
    ) -> None:
        """A line of text."""
        self.out.append(
            f'<text class="{name}" x="{x:.1f}" y="{y:.1f}" fill="{colour}" '
            f'text-anchor="{anchor}">{escape(text)}</text>'
        )

    def say(self, word: str) -> str:
        """A word in the language asked for."""
        return self._names[word][self._word]

    def colour(self, name: str) -> str:
        """Of a class; those without one of their own are soft."""
        return self._colours.get(name, self._colours["soft"])

    def clock(self, t: float, *, seconds: bool = False, form: str = "%H:%M") -> str:
        """The city's time of an epoch second."""
        form = "%H:%M:%S" if seconds else form
        return datetime.fromtimestamp(t, UTC).astimezone(self._zone).strftime(form)


def span(values: Iterable[float], bottom: float, top: float) -> Scale:
    """A scale with some room; a metre's thousandth is the least that is shown."""
    some = list(values)
    low, high = min(some), max(some)
    room = max(high - low, 0.02) * 0.12
    return Scale(low - room, high + room, bottom, top)


def thinned(points: Points, width: float) -> Points:
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


def ticks(low: float, high: float, count: int) -> list[float]:
    """Round values between two, about `count` of them."""
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((f * power for f in (1, 2, 5, 10) if f * power >= raw), 10 * power)
    first = math.ceil(low / step)
    return [k * step for k in range(first, first + 12) if k * step <= high]


def rounded(value: float) -> str:
    """To a thousandth."""
    return f"{round(value, 3):g}"


def text_px(text: str) -> float:
    """About how wide 11 px text is."""
    return sum(6.2 if c.isascii() else 11.0 for c in text)
