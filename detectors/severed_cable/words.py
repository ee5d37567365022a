"""What was found, what else it might have been and what spoke against that, in words."""

from __future__ import annotations

from typing import Any

import msgspec

from detectors.severed_cable.belief import Belief

LEAST_P = 0.05
"""What is more probable than this is not ruled out."""
LIKELY_P = 0.5
"""Whatever else is more probable than this is said first."""
LIKELIER = {
    "upstream_outage": ("an outage upstream", "上级停电"),
    "earth_fault": ("an earth fault", "接地故障"),
    "customer_off": ("a customer switched off", "用户自行断电"),
}
"""What no monitor may be able to tell from a break."""
WHAT_EN = {"severed": "severed", "phase_open": "a phase open", "neutral_open": "the neutral open"}
WHAT_ZH = {"severed": "断线", "phase_open": "断相", "neutral_open": "零线断开"}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What words are made of."""

    what: str
    phases: str
    span: str
    p: float
    lost: tuple[str, ...]
    """Nodes that lost something."""
    there: tuple[str, ...]
    """Nodes that told that all is there."""
    unknown: int
    """How many monitors have not spoken."""
    customers: int
    """How many of the lost are customers."""
    works: tuple[str, ...]
    """Planned works that go on here."""
    age_s: float
    hold_s: float
    cause: dict[str, Any] | None
    tension: tuple[str, ...]
    leaning: tuple[str, ...]
    gasps: int


def _names(nodes: tuple[str, ...], most: int = 4) -> str:
    more = f" +{len(nodes) - most}" if len(nodes) > most else ""
    return ", ".join(nodes[:most]) + more


def alternatives(belief: Belief, f: Facts) -> list[dict[str, Any]]:
    """All that it might have been instead: {what, p, why, why_zh, work?}, likeliest first."""
    there, lost = len(f.there), len(f.lost)
    lives = f"{there} of the line's monitors tell that they have supply"
    lives_zh = f"本线路{there}个监测点上报供电正常"
    found: list[dict[str, Any]] = []

    def add(what: str, p: float, why: str, why_zh: str, **more: Any) -> None:
        found.append({"what": what, "p": round(p, 4), "why": why, "why_zh": why_zh, **more})

    for work in f.works:
        p = belief.works.get(work, 0.0)
        fits = p >= LEAST_P
        add(
            "planned_outage",
            p,
            f"work order {work} {'fits' if fits else 'does not fit what is lost'}",
            f"停电工单{work}的停电范围{'与失电范围相符' if fits else '与失电范围不符'}",
            work=work,
        )
    if not f.works:
        add(
            "planned_outage",
            0.0,
            "no work order names this part of the line now",
            "当前无涉及该线路的停电工单",
        )
    add(
        "upstream_outage",
        belief.outage,
        lives if there else "no monitor tells of supply",
        lives_zh if there else "暂无监测点上报供电正常",
    )
    add(
        "switching",
        sum(belief.switches.values()),
        "the loss does not begin at a switch"
        if sum(belief.switches.values()) < LEAST_P
        else "the loss may begin at a switch that was opened",
        "失电范围不始于开关"
        if sum(belief.switches.values()) < LEAST_P
        else "失电范围可能始于被拉开的开关",
    )
    alone = f"{lost} monitors tell the same" if lost > 1 else "only one monitor tells of it"
    alone_zh = f"{lost}个监测点相互印证" if lost > 1 else "仅一个监测点上报"
    share = f.customers / max(1, lost)
    add("sensor_fault", belief.nothing * (1 - share), alone, alone_zh)
    if f.customers:
        add("customer_off", belief.nothing * share, alone, alone_zh)
    if belief.over > 1e-4:
        add(
            "recloser",
            belief.over,
            "some that were lost are back; the rest may not have said so yet",
            "部分监测点已恢复，其余可能尚未上报恢复",
        )
    elif f.age_s >= f.hold_s:
        add(
            "recloser",
            0.0,
            f"supply did not return within {f.hold_s:g} s",
            f"{f.hold_s:g}秒内未恢复供电，非重合闸",
        )
    if belief.sag > 1e-4:
        add("voltage_sag", belief.sag, lives, lives_zh)
    if belief.earth > 1e-4:
        add(
            "earth_fault",
            belief.earth,
            "low-voltage monitors lost supply too",
            "低压侧监测点同样异常",
        )
    add(
        "load_switching",
        0.0,
        "voltages are lost, not only currents" if lost else "a conductor lost its tension",
        "电压同时失去，非单纯负荷投切" if lost else "导线张力消失，非负荷投切",
    )
    add(
        "gateway_dead",
        0.0,
        "monitors told of the loss themselves; silence counts as unknown",
        "失电由监测点主动上报；静默只作未知处理",
    )
    if f.cause is not None or f.leaning:
        add(
            "wind_or_strike_only",
            0.0,
            "supply is gone, the line was not only shaken",
            "已失去供电，非单纯晃动或撞击",
        )
    return sorted(found, key=lambda one: -one["p"])  # fmt: skip


def reasons(f: Facts, others: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """(why, why_zh): what the finding rests on; `others`: what it might have been instead."""
    phases = f" ({f.phases})" if f.what == "phase_open" and f.phases else ""
    p = f"{f.p:.0%}" if f.p >= 0.01 else "<1%"
    why = [f"{f.span}: {WHAT_EN[f.what]}{phases}, probability {p}"]
    zh = [f"{f.span}：{WHAT_ZH[f.what]}{phases.upper()}，概率{p}"]
    likelier = next((o["what"] for o in others if o["p"] >= LIKELY_P), None)
    if likelier in LIKELIER:
        name, name_zh = LIKELIER[likelier]
        why.append(f"more probably {name}: no monitor here can tell it from a break")
        zh.append(f"更可能为{name_zh}：现有监测点无法区分，需核实")
    if f.lost:
        why.append(f"lost at {_names(f.lost)}")
        zh.append(f"异常监测点：{_names(f.lost)}")
    if f.there:
        why.append(f"as usual at {_names(f.there)}")
        zh.append(f"正常监测点：{_names(f.there)}")
    if f.unknown:
        why.append(f"{f.unknown} monitors have not spoken since: unknown")
        zh.append(f"{f.unknown}个监测点尚未上报，状态未知")
    if f.gasps:
        why.append(f"last gasps of {f.gasps}")
        zh.append(f"{f.gasps}个设备发出停电告警")
    if f.tension:
        why.append(f"a conductor lost its tension at {_names(f.tension)}")
        zh.append(f"{_names(f.tension)}处导线张力消失")
    if f.leaning:
        why.append(f"the pole leans at {_names(f.leaning)}")
        zh.append(f"{_names(f.leaning)}处杆塔倾斜")
    if f.cause is not None:
        before, blow = f.cause["before_s"], f.cause["vibration"]
        device = f.cause["device"]
        why.append(f"struck {before:g} s before ({device}: {blow:g} m/s2): the probable cause")
        zh.append(f"断线前{before:g}秒受撞击（{device}：{blow:g} m/s2），疑为致因")
    return why, zh
