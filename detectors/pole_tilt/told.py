"""What is known of a leaning pole, and why we think so, in words of both languages."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import msgspec

from contracts.clock import iso
from detectors._common.episode import Episode
from detectors._common.moment import moment, stamp
from detectors.pole_tilt.config import PoleConfig
from detectors.pole_tilt.pole import HOUR_S, SINGLE, Pole, Shift, between

SUSPECTED, CONFIRMED = "suspected", "confirmed"
RULED_OUT = 0.1
"""An alternative with less than this chance is said to be ruled out; with more, it stands."""
CURVE = 72
UNITS = {"value": "degree", "rest": "degree", "limit": "degree", "curve": "degree",
         "lines": "degree", "scatter": "degree", "vibration": "m/s2"}  # fmt: skip
URGENT_DEG = 1.72
"""30/1000: from here on a concrete pole's lean is a critical defect (Q/GDW 745)."""
DANGER_DEG = 5.0
"""A tenth of the height: conductors sag and stays are slack."""
FALLING_DEG = 20.0


class Open(msgspec.Struct, kw_only=True):
    """An open episode. Times are epoch seconds, angles degrees."""

    episode: Episode
    cause: str
    """`fallen`, `struck`, `far`, `lean`, `slight` or `creep`."""
    since: float
    limit: float
    hours: float
    rests: dict[str, float]
    """What it is compared with."""
    size: float
    peak: float
    shift: Shift | None
    movers: list[str]
    heard: datetime
    state: str = SUSPECTED
    told: float = 0.0
    """Lean last published."""
    last: float = 0.0
    stayed: int = 0
    backs: int = 0

    def severity(self) -> int:
        """By how far it leans; one less while suspected."""
        steps = (URGENT_DEG, DANGER_DEG, FALLING_DEG)
        return 2 + sum(self.peak >= step for step in steps) - (self.state == SUSPECTED)


_WHY = {
    "fallen": (
        "nothing that stands sways so far: it is falling or lies",
        "立杆不会摆动到此角度：正在倾倒或已倒",
    ),
    "struck": ("it moved right after a blow", "受撞击后随即偏移"),
    "far": ("it has stayed so for {held:.0f} h", "已持续{held:.0f}小时"),
    "lean": ("it has stayed so for {held:.0f} h", "已持续{held:.0f}小时"),
    "slight": ("it has stayed so for {held:.0f} h, day and night", "昼夜持续{held:.0f}小时"),
    "creep": (
        "it has moved slowly away from where it stood at first: its foot may give way",
        "相对初始位置缓慢偏移：基础可能沉降或松动",
    ),
}  # fmt: skip
_ENDED = {
    "back": ("it stands again as it did", "已恢复原位"),
    "adopted": (
        "it has been left so for two months: its new rest",
        "已保持两个月未变，作为新的静置角度",
    ),
    "remounted": ("its sensor was mounted anew", "传感器已重新安装"),
    "no_reading": ("nothing was heard of it for two weeks", "两周未收到读数，状态未知"),
}  # fmt: skip


def words(one: Open, pole: Pole, ended: str | None) -> tuple[list[str], list[str]]:
    """(why, why_zh)."""
    if ended is not None:
        en, zh = _ENDED[ended]
        return [en], [zh]
    held = max(pole.last - one.since, 0.0) / HOUR_S
    per_mille = 1000.0 * math.tan(math.radians(min(one.size, 89.0)))
    why = [f"it leans by {one.size:.1f}° from its own rest (limit {one.limit:.1f}°)"]
    why_zh = [f"相对自身静置位置倾斜{one.size:.1f}°（限值{one.limit:.1f}°）"]
    if one.size < 30.0:
        why.append(f"{per_mille:.0f}/1000; the rules of operation allow a concrete pole 15/1000")
        why_zh.append(f"倾斜度{per_mille:.0f}‰，运行规程允许混凝土杆15‰")
    en, zh = _WHY[one.cause]
    why.append(en.format(held=held))
    why_zh.append(zh.format(held=held))
    if one.cause == "struck" and pole.blow is not None:
        why.append(f"vibration {pole.blow[1]:.0f} m/s²")
        why_zh.append(f"振动{pole.blow[1]:.0f} m/s²")
    if _after_silence(one, pole):
        days = pole.gap / 86400.0
        why.append(f"it was silent for {days:.1f} days before: the sensor may sit otherwise now")
        why_zh.append(f"此前失联{days:.1f}天：传感器可能被重新安装")
    if one.state == SUSPECTED:
        why.append("suspected: it must stay so to be confirmed")
        why_zh.append("疑似：需持续一段时间方可确认")
    return why, why_zh


def _after_silence(one: Open, pole: Pole) -> bool:
    return abs(pole.silent - one.since) <= 3 * HOUR_S


def alternatives(one: Open, pole: Pole, heard: int) -> list[dict[str, Any]]:
    """What else could say so, with what chance is left to it.

    The odds are products of rough factors: a mean that is z standard errors away is wind with the
    normal tail's odds; poles that move together are pushed by one wind; a sensor that was silent
    before was perhaps mounted anew.
    """
    shift, n = one.shift, len(one.movers)
    z = one.size / max(shift.error, 0.05) if shift is not None else 8.0
    wind = 0.5 * math.exp(-0.5 * min(z, 6.0) ** 2) * (1 + 20 * n)
    if one.state == SUSPECTED and n:
        wind += 0.3
    sensor = 0.03 if one.cause in ("struck", "fallen") else 0.08
    if _after_silence(one, pole):
        sensor = 0.7
    works = 0.02
    total = 1.0 + wind + sensor + works
    scatter = shift.scatter if shift is not None else pole.noise
    told = []
    if n:
        why = f"{n} of {heard} other poles of the line moved too; this one stays after the wind"
        why_zh = f"同线{heard}根杆中有{n}根同时摆动，本杆风后仍未恢复"
    elif heard:
        why = f"the {heard} other poles of the line stand still; it sways by {scatter:.1f}° only"
        why_zh = f"同线其余{heard}根杆静止；本杆摆动仅{scatter:.1f}°"
    else:
        why = f"wind sways about the rest; this stays, with a scatter of {scatter:.1f}°"
        why_zh = f"风致摆动围绕静置位置往复；本次持续偏移，离散仅{scatter:.1f}°"
    told.append({"what": "wind", "p": round(wind / total, 3), "why": why, "why_zh": why_zh})
    told.append(
        {
            "what": "sensor_moved",
            "p": round(sensor / total, 3),
            "why": "it was silent before the change"
            if _after_silence(one, pole)
            else f"its readings agree with one another to {scatter:.1f}°",
            "why_zh": "变化前曾失联"
            if _after_silence(one, pole)
            else f"读数一致，离散{scatter:.1f}°",
        }
    )
    told.append(
        {
            "what": "works",
            "p": round(works / total, 3),
            "why": "no planned work at this pole then",
            "why_zh": "当时此处无计划施工",
        }
    )
    return told


def evidence(
    one: Open, pole: Pole, cfg: PoleConfig, heard: int, ended: str | None
) -> dict[str, Any]:
    """All facts of one revision, ready for JSON."""
    why, why_zh = words(one, pole, ended)
    told = alternatives(one, pole, heard)
    single = tuple(one.rests) == (SINGLE,)
    rest = one.rests[SINGLE] if single else 0.0
    shift = one.shift
    sign = 1.0
    if single and between(pole.axes[SINGLE].last, rest) < 0.0:
        sign = -1.0
    found: dict[str, Any] = {
        "value": round(pole.axes[SINGLE].last if single else pole.off(one.rests), 2),
        "metric": "tilt",
        "lean": round(one.size, 2),
        "peak": round(one.peak, 2),
        "rest": round(rest, 2),
        "axes": {name: round(v, 2) for name, v in one.rests.items()},
        "limit": round(one.limit, 2),
        "noise": round(pole.noise, 3),
        "scatter": round(shift.scatter, 2) if shift is not None else None,
        "what": one.cause,
        "state": one.state,
        "p": round(1.0 - sum(a["p"] for a in told), 3),
        "since": iso(moment(one.since)),
        "looks": shift.looks if shift is not None else one.stayed,
        "why": why,
        "why_zh": why_zh,
        "alternatives": told,
        "ruled_out": [{"what": a["what"], "p": a["p"]} for a in told if a["p"] < RULED_OUT],
        "neighbours": {"heard": heard, "moved": list(one.movers)},
        "vibration": pole.blow[1] if one.cause == "struck" and pole.blow is not None else None,
        "lines": {"rest": round(rest, 2), "limit": round(rest + sign * one.limit, 2)},
        "curve": curve(one, pole),
        "units": UNITS,
    }
    if not single:
        found["direction"] = {
            n: round(between(pole.axes[n].last, r), 2) for n, r in one.rests.items()
        }
    if ended is not None:
        found["ended"] = ended
    return found


def curve(one: Open, pole: Pole) -> list[list[Any]]:
    """By the hour: the angle, or of a pair how far it is from rest; its newest reading last."""
    if tuple(one.rests) == (SINGLE,):
        looks = pole.axes[SINGLE].looks[-CURVE:]
        points = [[stamp(hour * HOUR_S), round(v, 2)] for hour, v in looks]
        newest = pole.axes[SINGLE].last
    else:
        by = {n: dict(pole.axes[n].looks[-CURVE:]) for n in one.rests}
        hours = sorted(set.intersection(*(set(looks) for looks in by.values())))
        points = [
            [stamp(h * HOUR_S), round(math.hypot(*(by[n][h] - r for n, r in one.rests.items())), 2)]
            for h in hours
        ]
        newest = pole.off(one.rests)
    points.append([stamp(pole.last), round(newest, 2)])
    return points
