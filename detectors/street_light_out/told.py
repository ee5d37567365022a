"""What is known of a dark lamp or circuit, and why we think so, in words of both languages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from contracts.clock import iso
from detectors._common.episode import Episode
from detectors._common.moment import moment, stamp
from detectors.street_light_out.config import LightConfig
from detectors.street_light_out.lamp import Lamp
from detectors.street_light_out.supply import LOST, THERE, UNKNOWN

SUSPECTED, CONFIRMED = "suspected", "confirmed"
RULED_OUT = 0.1
"""An alternative with less than this chance is said to be ruled out; with more, it stands."""
UNIT = {"lamp_current": "A", "lamp_power": "W", "power": "W", "lux": "lx"}
WIDE = ("circuit", "day_circuit")


class Open(msgspec.Struct, kw_only=True):
    """An open episode. Times are epoch seconds."""

    episode: Episode
    what: str
    """`lamp`, `weak`, `cycling`, `day_burner`, `circuit` or `day_circuit`."""
    site: str
    members: list[str]
    since: float
    heard: datetime
    last: float
    state: str = SUSPECTED
    supply: str = UNKNOWN
    said: float = 0.0

    def severity(self) -> int:
        """A dark street is worse than a dark lamp; what burns by day costs money only."""
        if self.what == "circuit":
            return 3
        return 2 if self.what in ("lamp", "day_circuit") else 1


_WHY = {
    "lamp": ("{lit} neighbours of its circuit burn", "同回路{lit}盏路灯正常"),
    "weak": ("it burns in part, its neighbours as usual", "部分发光，邻近路灯正常"),
    "cycling": (
        "it went out and on {drops} times: a lamp at its end, or a loose contact",
        "反复熄灭{drops}次：光源寿命将尽或接触不良",
    ),
    "day_burner": (
        "the sun stands at {sun:.0f}°: nobody needs it",
        "太阳高度{sun:.0f}°，白天不应亮灯",
    ),
    "circuit": (
        "{members} of {heard} lamps went out together: not the lamps but what feeds them",
        "{heard}盏路灯中{members}盏同时熄灭：非灯具故障，应为供电或控制故障",
    ),
    "day_circuit": (
        "{members} of {heard} lamps burn by day: contactor, timer or light sensor",
        "{heard}盏路灯中{members}盏白天亮灯：接触器、时控或光控故障",
    ),
}
_SUPPLY = {
    LOST: ("voltage is lost at {gone}", "{gone}失压"),
    THERE: ("voltage is there: contactor, timer or fuse", "电压正常：疑为接触器、时控或熔断器"),
}
_ENDED = {
    "back": ("it does again as usual", "已恢复正常"),
    "steady": ("two nights without going out", "连续两夜未再熄灭"),
    "adopted": (
        "it has been so for a week: how this circuit is run now",
        "已持续一周，视为新的运行方式",
    ),
    "joined": ("part of its circuit's event", "已并入回路事件"),
    "no_reading": ("nothing was heard of it for days", "多日未收到读数，状态未知"),
}


def evidence(
    one: Open,
    lamp: Lamp,
    *,
    k: int,
    sun: float,
    heard: int,
    lit: int,
    gone: tuple[str, ...],
    cfg: LightConfig,
    ended: str | None,
) -> dict[str, Any]:
    """All facts of one revision, ready for JSON."""
    known = lamp.seen[k] >= cfg.nights
    usual = lamp.usual[k] if known else lamp.peak
    unit = UNIT[lamp.metric]
    told = alternatives(one, lit, heard)
    fields = {
        "lit": lit, "drops": len(lamp.drops), "sun": sun, "members": len(one.members),
        "heard": heard, "gone": ", ".join(gone),
    }  # fmt: skip
    if ended is not None:
        why, why_zh = [_ENDED[ended][0]], [_ENDED[ended][1]]
    else:
        why = [f"{lamp.value:.2f} {unit} where {usual:.2f} {unit} is usual at this hour"]
        why_zh = [f"{lamp.value:.2f} {unit}，该时段通常为{usual:.2f} {unit}"]
        if usual <= lamp.floor(cfg):
            why = [f"{lamp.value:.2f} {unit}: it has never been seen to burn"]
            why_zh = [f"{lamp.value:.2f} {unit}：自接入以来从未亮过"]
        lines = [_WHY[one.what]]
        if one.what in ("lamp", "weak", "circuit"):
            why.append(f"the sun stands at {sun:.0f}°, {lamp.count} reports in a row say so")
            why_zh.append(f"太阳高度{sun:.0f}°，连续{lamp.count}次上报一致")
        if one.what == "circuit" and one.supply in _SUPPLY:
            lines.append(_SUPPLY[one.supply])
        if one.what == "lamp" and not lit:
            lines = []
        why += [en.format(**fields) for en, _ in lines]
        why_zh += [zh.format(**fields) for _, zh in lines]
    found: dict[str, Any] = {
        "value": round(lamp.value, 3),
        "metric": lamp.metric,
        "usual": round(usual, 3),
        "what": one.what,
        "state": one.state,
        "p": round(1.0 - sum(a["p"] for a in told), 3),
        "supply": one.supply,
        "members": list(one.members),
        "heard": heard,
        "sun": round(sun, 1),
        "since": iso(moment(one.since)),
        "reports": lamp.count,
        "learning": not known,
        "why": why,
        "why_zh": why_zh,
        "alternatives": told,
        "ruled_out": [{"what": a["what"], "p": a["p"]} for a in told if a["p"] < RULED_OUT],
        "lines": {"usual": round(usual, 3)},
        "curve": [[stamp(t), round(v, 3)] for t, v in lamp.curve],
        "units": {"value": unit, "usual": unit, "curve": unit, "lines": unit, "sun": "degree"},
    }
    if one.what == "circuit" and gone:
        found["hint"] = {"kind": "severed_cable", "devices": list(gone)}
    if ended is not None:
        found["ended"] = ended
    return found


def alternatives(one: Open, lit: int, heard: int) -> list[dict[str, Any]]:
    """What else could say so, with what chance is left to it: rough, from what was heard."""
    sure = one.state == CONFIRMED
    dimming = 0.02 if sure or lit else 0.1
    if one.what == "circuit" and one.supply != LOST:
        dimming = 0.15 if one.supply == THERE else 0.1
    sensor = 0.02 if one.what in WIDE else (0.05 if sure else 0.1)
    supply = 0.01 if one.what not in WIDE and lit >= 2 else 0.1
    told = [
        {
            "what": "dimming",
            "p": dimming,
            "why": f"{lit} of {heard} lamps of the circuit burn as usual"
            if one.what not in WIDE
            else "no lamp of it burned at this hour, other nights all did",
            "why_zh": f"同回路{heard}盏中{lit}盏正常"
            if one.what not in WIDE
            else "往日该时段均亮灯，非调光",
        },
        {
            "what": "sensor_fault",
            "p": sensor,
            "why": "its node reports in time, and more than once",
            "why_zh": "终端按时多次上报",
        },
        {
            "what": "works",
            "p": 0.02,
            "why": "no planned work at this circuit then",
            "why_zh": "当时该回路无计划施工",
        },
    ]
    if one.what not in WIDE:
        told.append(
            {
                "what": "supply",
                "p": supply,
                "why": f"{lit} others of the circuit burn",
                "why_zh": f"同回路其他{lit}盏正常亮灯",
            }
        )
    return told
