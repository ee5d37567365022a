"""What was found, what else it might have been and what spoke against that, in words."""

from __future__ import annotations

import math
from typing import Any

from detectors.fibre_break.compare import NO_FLOOR_DB, Healthy, Seen

LEAST_P = 0.05
"""What is more probable than this is not ruled out."""


def reasons(seen: Seen, healthy: Healthy, traces: int, mark: str) -> tuple[list[str], list[str]]:
    """(why, why_zh) of a break or a bend."""
    assert seen.end is not None
    at, end = seen.end.distance_m, healthy.end_m
    if seen.what == "bend":
        why = [
            f"from {at:.0f} m of light on the trace runs {seen.end.loss_db:.1f} dB under the "
            "healthy one, with its shape: light passes on",
            "a macro-bend, or a splice or connector that went bad",
        ]
        zh = [
            f"自光程{at:.0f} m起，曲线较基准低{seen.end.loss_db:.1f} dB、形状一致：光仍可通过",
            "宏弯，或接头、活动连接器劣化",
        ]
        return why, zh
    why = [
        f"light ends at {at:.0f} m; the healthy fibre goes on to {end:.0f} m",
        "a reflection stands on the end: a clean cut or an open connector"
        if seen.reflective
        else "no reflection on the end: torn, crushed or under water",
    ]
    zh = [
        f"光在{at:.0f} m处中止；正常光纤长{end:.0f} m",
        "端面有反射：断面平整或连接器脱开"
        if seen.reflective
        else "端面无反射：拉断、压断或断面浸水",
    ]
    if seen.beyond:
        why.append(
            f"at {round(seen.lost * seen.beyond)} of {seen.beyond} places beyond, the light of the "
            "healthy trace is gone"
        )
        zh.append(f"断点之后{seen.beyond}处有{round(seen.lost * seen.beyond)}处光信号消失")
    if mark:
        why.append(f"known place nearby: {mark}")
        zh.append(f"附近已知位置：{mark}")
    if traces > 1:
        why.append(f"seen in {traces} traces")
        zh.append(f"连续{traces}次测试均如此")
    return why, zh


def alternatives(seen: Seen, healthy: Healthy, error_m: float) -> list[dict[str, Any]]:
    """What it might have been instead: {what, p, why, why_zh}, likeliest first.

    Odds against a break, each from what its own explanation would leave: light behind a bend (the
    share of places where it is gone, at least one in twenty wrong), a fibre that fades into the
    noise (3 dB over it is where backscatter is still surely seen), an end that merely wandered
    (standard errors from the healthy end), noise in one read-out.
    """
    assert seen.end is not None
    short = healthy.end_m - seen.end.distance_m
    lit = 1 - seen.lost
    odds = {
        "macro_bend": (0.5 if not seen.beyond else lit**2 + 0.5 ** min(seen.beyond, 30))
        * (0.02 if seen.reflective else 0.3),
        "noise": math.exp(-max(seen.above_db - 1.0, 0.0)) * (0.05 if seen.reflective else 1.0),
        "length_drift": math.exp(-0.5 * (short / max(4 * error_m, 12.0)) ** 2),
    }
    total = 1.0 + sum(odds.values())
    above = "no noise is seen at all" if healthy.floor_db == NO_FLOOR_DB else ""
    texts = {
        "macro_bend": (
            f"behind a bend light passes on; at {seen.lost:.0%} of {seen.beyond} places it is gone"
            if seen.beyond
            else "too near the far end to see what passes on",
            f"宏弯之后仍有光；断点后{seen.beyond}处中{seen.lost:.0%}已无光"
            if seen.beyond
            else "距末端过近，无法判断其后是否有光",
        ),
        "noise": (
            f"the light before the end stands {seen.above_db:.0f} dB over the noise"
            if seen.above_db < 99
            else above or "there is no noise near it",
            f"断点前信号高出噪声{seen.above_db:.0f} dB" if seen.above_db < 99 else "附近无噪声",
        ),
        "length_drift": (
            f"the end lies {short:.0f} m nearer; it repeats to {error_m:.0f} m",
            f"末端提前{short:.0f} m，而重复性为{error_m:.0f} m",
        ),
    }
    found = [
        {"what": what, "p": round(p / total, 4), "why": texts[what][0], "why_zh": texts[what][1]}
        for what, p in odds.items()
    ]
    found.append(
        {
            "what": "readout_failure",
            "p": 0.0,
            "why": "the trace was read out: its samples differ, light shows before the break",
            "why_zh": "曲线读出正常：采样值有变化，断点前可见光信号",
        }
    )
    return sorted(found, key=lambda a: -float(str(a["p"])))
