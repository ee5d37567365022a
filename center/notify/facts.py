"""What a message says of the thing itself, one sentence a kind, in Chinese and English.

Only what may stand on a lock screen: no window, no reporter, no picture.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

Words = tuple[str, str]
"""(zh, en), each a sentence with its full stop, or empty."""
NOTHING: Words = ("", "")

_WHAT = {
    "severed": ("线缆断裂", "The cable is severed"),
    "phase_open": ("一相断线", "A phase is open"),
    "neutral_open": ("零线断开", "The neutral is open"),
}


def clock(value: object, zone: ZoneInfo) -> str:
    """`HH:MM` in local time of an ISO 8601 moment; empty when it is none."""
    if not isinstance(value, str):
        return ""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return ""
    return f"{at.astimezone(zone):%H:%M}"


def facts(kind: str, evidence: dict[str, Any], zone: ZoneInfo) -> Words:
    """The sentence of this kind; empty where there is nothing worth the place."""
    say = _KINDS.get(kind)
    return say(evidence, zone) if say is not None else NOTHING


def _flooding(evidence: dict[str, Any], zone: ZoneInfo) -> Words:
    value, metric = evidence.get("value"), evidence.get("metric")
    depth: Words = NOTHING
    if isinstance(value, int | float) and metric == "depth":
        depth = (f"路面积水{value * 100:.0f}厘米。", f"{value * 100:.0f} cm on the road. ")
    told = evidence.get("overflow_at")
    moments = told if isinstance(told, dict) else {**evidence, "at": told}
    at, low, high = (clock(moments.get(name), zone) for name in ("at", "low", "high"))
    if evidence.get("stage") != "forecast" or not at:
        return depth
    span = (f"（{low}–{high}）", f" ({low}–{high})") if low and high and low != high else NOTHING
    return (
        f"预计{at}{span[0]}漫溢。{depth[0]}",
        f"Expected to overflow at {at}{span[1]}. {depth[1]}",
    )


def _severed(evidence: dict[str, Any], zone: ZoneInfo) -> Words:
    zh, en = _WHAT.get(str(evidence.get("what")), ("线缆异常", "Trouble on the line"))
    spans = evidence.get("spans")
    top = spans[0] if isinstance(spans, list) and spans else None
    span = str(top[0]) if isinstance(top, list) and top else ""
    if span:
        zh, en = f"{zh}（{span}档）", f"{en} at span {span}"
    if evidence.get("state") == "suspected":
        zh, en = f"疑似{zh}", f"Suspected: {en[0].lower()}{en[1:]}"
    return f"{zh}，勿靠近、勿触碰。", f"{en}: keep away, do not touch. "


def _fibre(evidence: dict[str, Any], zone: ZoneInfo) -> Words:
    distance = evidence.get("distance_m")
    if not isinstance(distance, int | float):
        return NOTHING
    error = evidence.get("error_m")
    about = f"±{error:.0f}" if isinstance(error, int | float) else ""
    return (
        f"距机房光纤{distance:.0f}{about}米处中断。",
        f"Broken {distance:.0f}{about} m of fibre from the exchange. ",
    )


def _throw(evidence: dict[str, Any], zone: ZoneInfo) -> Words:
    return "注意头顶，录像见系统。", "Mind what falls; the recording is in the system. "


def _cover(evidence: dict[str, Any], zone: ZoneInfo) -> Words:
    return "井口可能敞开，先围挡。", "The shaft may be open: fence it off first. "


_KINDS: dict[str, Callable[[dict[str, Any], ZoneInfo], Words]] = {
    "flooding": _flooding,
    "severed_cable": _severed,
    "fibre_break": _fibre,
    "high_altitude_throw": _throw,
    "manhole_cover_displaced": _cover,
}
