"""Why a flood is told, and what would make the sensor better, in words of both languages."""

from __future__ import annotations

from collections.abc import Mapping

from detectors.flooding.around import Above, Rain
from detectors.flooding.channel import Channel
from detectors.flooding.forecast import Forecast
from detectors.flooding.lines import View

Lines = list[tuple[str, str]]
"""(English, Chinese), one sentence each."""
WANTED_S = 120.0
"""Streets that fill in a shower go from 5 to 27 cm in 9 minutes (median): reports must come at
least every two minutes while it is wet."""


def why(
    channel: Channel,
    view: View,
    forecast: Forecast | None,
    rain: Rain | None,
    above: Mapping[str, Above],
    t: float,
    learning: bool,
) -> Lines:
    """What speaks for it, the strongest first; `rain` None: no gauge speaks."""
    told: Lines = []
    value, lines = channel.value, view.lines
    if value >= view.top:
        told.append(
            (
                f"water stands at {value:.2f} m, the line is {lines.close:.2f} m",
                f"水位{value:.2f}米，已达{lines.close:.2f}米警戒线",
            )
        )
    elif value >= lines.warn:
        told.append(
            (
                f"water stands at {value:.2f} m, above the warning line of {lines.warn:.2f} m",
                f"水位{value:.2f}米，超过{lines.warn:.2f}米预警线",
            )
        )
    if forecast is not None:
        best, low, high = (_minutes(s) for s in (forecast.best_s, forecast.low_s, forecast.high_s))
        told.append(
            (
                f"rises {6000 * channel.rate:.1f} cm a minute: reaches {lines.close:.2f} m in "
                f"about {best} min ({low} to {high})",
                f"每分钟上涨{6000 * channel.rate:.1f}厘米，约{best}分钟（{low}至{high}分钟）后达到"
                f"{lines.close:.2f}米",
            )
        )
    if channel.chance is not None:
        share = 100 * channel.chance
        told.append(
            (
                f"of manholes that filled like this {share:.0f} % overflowed",
                f"以此方式充满的检查井有{share:.0f}%发生冒溢",
            )
            if view.sewer
            else (
                f"of streets that filled like this {share:.0f} % reached such a line",
                f"以此方式积水的路段有{share:.0f}%达到该水位",
            )
        )
    if rain is not None and rain.means[1] >= 0.5:
        told.append(
            (
                f"it rains: {rain.means[1]:.0f} mm/h over ten minutes at {rain.device}",
                f"正在下雨：{rain.device}近十分钟平均{rain.means[1]:.0f}毫米/小时",
            )
        )
    for name, upper in above.items():
        if upper.comes(t):
            told.append(
                (
                    f"upstream {name} rises {6000 * upper.rate:.1f} cm a minute",
                    f"上游{name}每分钟上涨{6000 * upper.rate:.1f}厘米",
                )
            )
    if learning:
        told.append(
            (
                "still learning: this sensor has been heard for less than a day",
                "仍在学习：该传感器接入不足一天",
            )
        )
    return told


def could(view: View, gauged: bool, upstream: bool, every_s: float) -> Lines:
    """What the town could add so that warnings come earlier or are surer."""
    told: Lines = []
    if not gauged:
        told.append(
            (
                "a rain gauge within 5 km that reports would warn earlier and more surely",
                "5公里内若有在线雨量站，预警可更早更准",
            )
        )
    if view.sewer and view.lie is None:
        told.append(
            (
                "pipes with diameters, and rims of the manholes nearby, would tell which overflows",
                "补充周边管道管径和井口高程，可判断哪一处会冒溢",
            )
        )
    if not upstream:
        told.append(
            (
                "a level sensor upstream on the drains would see the water before it is here",
                "上游管网若有液位传感器，可提前发现来水",
            )
        )
    if every_s > WANTED_S:
        told.append(
            (
                f"reports every minute once it is wet (now every {every_s / 60:.0f} min) would "
                "warn in time of a quick rise",
                f"涨水时每分钟上报（目前每{every_s / 60:.0f}分钟一次），可及时预警快速上涨",
            )
        )
    if view.lines.source == "default":
        told.append(
            (
                f"no line is set for this road: {view.lines.close:.2f} m is assumed",
                f"该道路未设封闭水位，暂按{view.lines.close:.2f}米处理",
            )
        )
    return told


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f}" if seconds >= 90 else f"{seconds / 60:.1f}"
