"""What is wrong with a device that measures: the fault, its numbers, and words for people."""

from __future__ import annotations

from typing import Final

import msgspec


class Finding(msgspec.Struct):
    """A fault that stands. Times are epoch seconds."""

    what: str
    """One of WHATS."""
    metric: str
    """The metric it shows in; empty for faults of the whole device."""
    since: float
    last: float
    """The newest sign of it."""
    en: str
    zh: str
    numbers: dict[str, float] = {}


WHATS: Final = ("stuck", "clock_skew", "drift", "debris", "out_of_range", "spike", "dropout")
"""The first that stands names the ticket: causes before what follows from them (one that drifts
ends out of range)."""

HOLDS_S: Final = {
    "out_of_range": 1800.0,
    "stuck": 600.0,
    "clock_skew": 1800.0,
    "debris": 86400.0,
    "drift": 86400.0,
    "spike": 86400.0,
    "dropout": 10800.0,
}
"""Seconds without a new sign of it until it is over; at least `HOLD_REPORTS` reports. What comes
and goes (a branch, a loose plug) is over after a good day, and a zero that moved stays moved."""
HOLD_REPORTS: Final = 5

TODO: Final = {
    "out_of_range": (
        "check the head, its cable and its calibration; replace it if it goes on",
        "检查探头、线缆和量程标定，仍异常则更换",
    ),
    "stuck": (
        "restart the sensor and check that the head is free and moves",
        "重启传感器，检查探头是否卡滞",
    ),
    "clock_skew": ("set the clock and check its time server", "校准设备时钟，检查授时服务"),
    "debris": (
        "clean the head and what is under it, check that nothing hangs in its beam",
        "清洁探头，清理其下方杂物，检查波束内有无遮挡",
    ),
    "drift": (
        "measure the level by hand and calibrate the zero again",
        "人工测量水位，重新标定零点",
    ),
    "spike": (
        "check the cable, its plugs and earthing, and what moves through the beam",
        "检查线缆、接头和接地，检查波束内有无活动物",
    ),
    "dropout": (
        "check the battery, the antenna and the reception at the device",
        "检查电池、天线和现场信号",
    ),
}
"""What somebody who goes there should do: (en, zh)."""

NAMES: Final = {
    "level": ("level", "水位"),
    "depth": ("depth", "积水深度"),
    "flow": ("flow", "流量"),
    "velocity": ("velocity", "流速"),
    "rain_rate": ("rain rate", "雨强"),
    "pressure": ("pressure", "压力"),
    "temperature": ("temperature", "温度"),
    "sound_level": ("sound level", "声级"),
    "optical_power": ("optical power", "光功率"),
    "battery": ("battery", "电池电压"),
    "tilt": ("tilt", "倾角"),
    "tension": ("tension", "张力"),
}
"""Names of metrics for people: (en, zh); others go by their own."""


def named(metric: str) -> tuple[str, str]:
    """(en, zh) name of a metric."""
    return NAMES.get(metric, (metric, metric))


def spell(seconds: float) -> tuple[str, str]:
    """A time that passed, in the unit people would use: (en, zh)."""
    size = abs(seconds)
    if size < 90:
        return f"{size:.0f} s", f"{size:.0f}秒"
    if size < 5400:
        return f"{size / 60:.0f} min", f"{size / 60:.0f}分钟"
    if size < 129600:
        return f"{size / 3600:.1f} h", f"{size / 3600:.1f}小时"
    return f"{size / 86400:.1f} days", f"{size / 86400:.1f}天"
