"""What an event says: numbers, reasons in both languages, curves of the sensors concerned."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from contracts.clock import iso
from detectors.drain_blocked.config import DrainBlockedConfig
from detectors.drain_blocked.gauge import Gauge, Sky
from detectors.drain_blocked.sites import Layout

MOST_CURVES = 4
HOUR_S = 3600.0


def evidence_of(
    layout: Layout,
    gauges: Mapping[str, Gauge],
    sky: Sky,
    members: Sequence[str],
    pipe: str,
    now: float,
    sighted: bool,
    cfg: DrainBlockedConfig,
) -> dict[str, Any]:
    """The evidence beside `pipes` and `since`. `pipe` is the likeliest, `now` epoch seconds."""
    shown = sorted((d for d in members if d in gauges), key=lambda d: (-abs(gauges[d].excess), d))
    above = [d for d in shown if pipe in layout.down(d)]
    below = [d for d in shown if pipe in layout.up(d)]
    sensors = [
        {
            "device": d,
            "node": layout.sensors[d].node,
            "side": "above" if d in above else "below" if d in below else "beside",
            "level": round(gauges[d].value, 3),
            "expected": round(gauges[d].expected(sky), 3),
            "usual": round(gauges[d].usual_m, 3),
        }
        for d in shown
    ]
    learning = [d for d in shown if now - gauges[d].first < cfg.young_s]
    why, why_zh = _reasons(gauges, sky, above, below, learning, sighted)
    return {
        "sensors": sensors,
        "curves": {
            d: [[_iso(t), round(v, 3)] for t, v in gauges[d].curve] for d in shown[:MOST_CURVES]
        },
        "wet": sky.wet,
        "learning": learning,
        "why": why,
        "why_zh": why_zh,
        "units": {"sensors": "m", "curves": "m"},
    }


def _reasons(
    gauges: Mapping[str, Gauge],
    sky: Sky,
    above: list[str],
    below: list[str],
    learning: list[str],
    sighted: bool,
) -> tuple[list[str], list[str]]:
    en, zh = [], []
    for device in above[:2]:
        cm = 100 * (gauges[device].value - gauges[device].expected(sky))
        if cm >= 3:
            en.append(f"above it {device} stands {cm:.0f} cm higher than it should")
            zh.append(f"上游 {device} 水位比应有的高 {cm:.0f} 厘米")
    for device in below[:2]:
        cm = 100 * (gauges[device].expected(sky) - gauges[device].value)
        if cm >= 3:
            en.append(f"below it {device} stands {cm:.0f} cm lower than it should")
            zh.append(f"下游 {device} 水位比应有的低 {cm:.0f} 厘米")
    if not en and above and below:
        en.append(f"{above[0]} above and {below[0]} below no longer go together")
        zh.append(f"上游 {above[0]} 与下游 {below[0]} 的水位不再同步")
    if sky.wet:
        en.append("it rains or has rained, and other sensors rose less")
        zh.append("正在下雨或刚下过雨，但其他测点涨幅较小")
    elif sighted:
        en.append("no rain explains it")
        zh.append("没有降雨可以解释")
    else:
        en.append("nobody measures rain here and few sensors stand near: a rain gauge would tell")
        zh.append("此处没有雨量计，测点也少：加装雨量计可以判断得更准")
    if not below:
        en.append("no sensor stands below: one there would narrow down which pipe")
        zh.append("下游没有测点：在下游加装可以缩小管段范围")
    if learning:
        en.append(f"still learning what is usual at {', '.join(learning[:3])}")
        zh.append(f"{'、'.join(learning[:3])} 的平常水位仍在学习中")
    return en, zh


def chance(odds: float) -> float:
    """Probability of log-odds, never quite certain."""
    return round(1 / (1 + math.exp(-max(-7.0, min(7.0, odds)))), 4)


def _iso(t: float) -> str:
    return iso(datetime.fromtimestamp(round(t, 3), UTC))
