"""Why we think that a hydrant has no water, in words of both languages."""

from __future__ import annotations

from typing import NamedTuple


class Facts(NamedTuple):
    """What the words are made of."""

    what: str
    value: float
    usual: float | None
    least: float
    lasted_s: float
    members: int
    heard: int
    nearest: str
    learning: bool
    zeros: bool
    work: str


_WHY = {
    "works": ("planned work here: {work}", "此处有计划施工：{work}"),
    "supply": (
        "all {heard} hydrants of this zone fell alike: pump, tank or the feeding main",
        "本片区{heard}个消火栓同时同幅下降：疑为加压泵、水池或供水干管故障",
    ),
    "main": (
        "{members} of {heard} hydrants fell together, most at {nearest}: a broken or closed main",
        "{heard}个消火栓中有{members}个同时下降，{nearest}处降幅最大：疑为管道爆裂或阀门关闭",
    ),
    "opened": (
        "it fell at once and the neighbours hardly: open (in use or tapped), or the main beside it "
        "is broken",
        "压力骤降而邻近基本不变：消火栓可能被打开（用水或盗水），或旁边管道爆裂",
    ),
    "closed": (
        "only this one: its valve is shut, or the hydrant is broken",
        "仅此一处：疑为阀门关闭或消火栓损坏",
    ),
    "frozen": ("only this one, and it freezes: perhaps frozen", "仅此一处且气温低于冰点：疑为冻结"),
    "never": (
        "it has never shown pressure: never put in service, or its gauge sits above the valve",
        "自接入以来从未有压：可能尚未投用，或压力计装在阀门之后",
    ),
}


def words(f: Facts) -> tuple[list[str], list[str]]:
    """(why, why_zh)."""
    en, zh = [], []
    if f.usual is None:
        en.append(f"{f.value:.0f} kPa; {f.least:.0f} kPa is the least a hydrant must have")
        zh.append(f"压力{f.value:.0f} kPa，低于规定的{f.least:.0f} kPa")
    else:
        en.append(f"{f.value:.0f} kPa where {f.usual:.0f} kPa is usual at this hour")
        zh.append(f"压力{f.value:.0f} kPa，该时段通常为{f.usual:.0f} kPa")
        if f.value < f.least:
            en.append(f"less than the {f.least:.0f} kPa a hydrant must have")
            zh.append(f"低于消火栓最低要求{f.least:.0f} kPa")
    en.append(f"low for {f.lasted_s / 60:.0f} min")
    zh.append(f"已持续{f.lasted_s / 60:.0f}分钟")
    why, why_zh = _WHY[f.what]
    fields = {"heard": f.heard, "members": f.members, "nearest": f.nearest, "work": f.work}
    en.append(why.format(**fields))
    zh.append(why_zh.format(**fields))
    if f.zeros:
        en.append("the gauge says exactly 0: a broken gauge is not excluded")
        zh.append("读数恰为0，不排除压力计故障")
    if f.learning:
        en.append("the daily profile is still being learned (less than a day heard)")
        zh.append("日压力曲线仍在学习（监测不足一天）")
    return en, zh


def ruled_out(f: Facts) -> list[str]:
    """What else lowers a pressure for a moment, and what speaks against it."""
    out = [f"water hammer: low for {f.lasted_s / 60:.0f} min"]
    if f.usual is not None and not f.learning:
        out.append("the hours of high demand: compared with this hour of other days")
    if f.what in ("supply", "main"):
        out.append(f"a single gauge's fault: {f.members} hydrants say so")
    elif f.heard > 1 and f.what != "never":
        out.append(f"a broken main: {f.heard - 1} neighbours have their pressure")
    return out
