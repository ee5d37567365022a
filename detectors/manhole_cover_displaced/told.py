"""Why we think that a cover moved, in words of both languages."""

from __future__ import annotations

from typing import NamedTuple


class Facts(NamedTuple):
    """What the words are made of."""

    value: float
    rest: float
    change: float
    limit: float
    readings: int
    lasted_s: float
    cause: str
    state: str
    learning: bool
    work: str
    water: str
    vibration: float | None
    sudden: float
    noise: float


_WHY = {
    "works": ("planned work here: {work}", "此处有计划施工：{work}"),
    "surcharge": (
        "water stood at the rim of this manhole: it lifted the cover ({water})",
        "井内水位已到井口，井盖被水顶起（{water}）",
    ),
    "lifted": ("no wheel tips a cover that far: somebody opened it", "倾角过大，应为人为开启"),
    "struck": (
        "a blow came just before ({vibration:.0f} m/s²)",
        "此前有撞击（{vibration:.0f} m/s²）",
    ),
    "shifted": ("an edge may lie on the road", "井盖边缘可能翘在路面上"),
}


def words(f: Facts) -> tuple[list[str], list[str]]:
    """(why, why_zh)."""
    en = [
        f"tilt {f.value:.1f}°, at rest {f.rest:.1f}°: "
        f"changed by {f.change:.1f}° (limit {f.limit:.1f}°)"
    ]
    zh = [f"倾角{f.value:.1f}°，静置时{f.rest:.1f}°，变化{f.change:.1f}°（限值{f.limit:.1f}°）"]
    if f.state == "confirmed":
        en.append(f"{f.readings} reports in a row say so, over {f.lasted_s:.0f} s")
        zh.append(f"连续{f.readings}次上报一致，持续{f.lasted_s:.0f}秒")
    else:
        en.append("one report so far: the next one confirms it or takes it back")
        zh.append("目前仅一次上报，待下一次确认")
    why, why_zh = _WHY[f.cause]
    fields = {"work": f.work, "water": f.water, "vibration": f.vibration or 0.0}
    en.append(why.format(**fields))
    zh.append(why_zh.format(**fields))
    if f.learning:
        en.append("this sensor is new: its angle at rest is still being learned")
        zh.append("设备刚启用，静置角度仍在学习")
    return en, zh


def ruled_out(f: Facts, water_known: bool) -> list[str]:
    """What else tilts a sensor, and what speaks against it."""
    out = [f"sensor noise: it usually scatters by {f.noise:.2f}°"]
    if f.sudden >= 0.5 * f.change:
        out.append(f"slow drift or warmth: {f.sudden:.1f}° came in one step")
    if f.state == "confirmed":
        out.append(f"a passing vehicle: the change stayed for {f.lasted_s:.0f} s")
    if water_known and f.cause not in ("surcharge",):
        out.append("surcharge: the water stands below the rim")
    return out
