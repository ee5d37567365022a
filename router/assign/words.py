"""Choices in words, in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from contracts.case import Candidate

Words = tuple[str, str]

_BY = {
    "road": ("by road", "沿道路"),
    "crossing": ("round what lies between", "绕行"),
    "none": ("crow-fly: no way there is known", "直线距离，未知通路"),
}


def notes_of(
    *,
    home: bool,
    age_s: float | None,
    helps_only: bool,
    offers: int,
    last_free: str | None,
    by: str,
) -> Words:
    """What is worth knowing of one candidate."""
    en: list[str] = []
    zh: list[str] = []
    if home and age_s is None:
        en.append("no position yet: registered place")
        zh.append("暂无定位，按登记位置")
    elif home:
        en.append(f"position {timedelta(seconds=round(age_s or 0))} old: registered place")
        zh.append(f"定位已过{timedelta(seconds=round(age_s or 0))}，按登记位置")
    if helps_only:
        en.append("sent to help, not alone")
        zh.append("仅协助")
    if offers:
        en.append(f"{offers} unanswered")
        zh.append(f"{offers}件未应答")
    if last_free:
        en.append(f"the last free one of {last_free}")
        zh.append(f"{last_free}最后一名空闲人员")
    if by == "none":
        en.append("no way there is known")
        zh.append("未知通路")
    return "; ".join(en), "；".join(zh)


def why(c: Candidate, skills: tuple[str, ...], looked_at: int, *, rides: bool) -> Words:
    """Why this one: the figures that decided."""
    minutes = max(1, round(c.travel_s / 60))
    if c.position_age_s is None:
        en_age, zh_age = c.note.partition("; ")[0], "按登记位置"
    else:
        en_age = f"position {c.position_age_s:.0f} s old"
        zh_age = f"定位{c.position_age_s:.0f}秒前"
    metres, metres_zh = f"{c.distance_m:.0f} m", f"{c.distance_m:.0f}米"
    if c.way_m is not None and c.by in _BY:
        en_by, zh_by = _BY[c.by]
        metres = f"{metres}, {c.way_m:.0f} m {en_by}" if c.by != "none" else f"{metres} {en_by}"
        metres_zh += f"，{zh_by}{c.way_m:.0f}米" if c.by != "none" else f"，{zh_by}"
    how, how_zh = ("riding", "骑行") if rides else ("on foot", "步行")
    en = f"{c.name} is about {minutes} min away {how} ({metres}; {en_age})"
    zh = f"{c.name}{how_zh}约{minutes}分钟（{metres_zh}；{zh_age}）"
    tickets = "ticket" if c.load == 1 else "tickets"
    unanswered = f" ({c.offers} unanswered)" if c.offers else ""
    unanswered_zh = f"（{c.offers}件未应答）" if c.offers else ""
    en += f", {c.load} open {tickets}{unanswered}, {'own' if c.in_grid else 'another'} grid"
    zh += f"，在办{c.load}件{unanswered_zh}，{'本' if c.in_grid else '邻'}网格"
    if skills:
        en += f", {'has' if c.skilled else 'lacks'} {'/'.join(skills)}"
        zh += f"，{'具备' if c.skilled else '不具备'}技能{'/'.join(skills)}"
    if c.last_free:
        en += f", although the last free one of {c.last_free}"
        zh += f"，虽为{c.last_free}最后一名空闲人员"
    return f"{en}; best of {looked_at} compared", f"{zh}；{looked_at}人中最优"


def together(best: Candidate, incidents: int) -> Words:
    """Why not the best for this one alone."""
    minutes = max(1, round(best.travel_s / 60))
    return (
        f"{incidents} matched together: {best.name} ({minutes} min) is needed elsewhere",
        f"{incidents}件统筹：{best.name}（{minutes}分钟）另有任务",
    )


def passed_over(first: Candidate, others: Sequence[Candidate]) -> Words | None:
    """Who is nearer as the crow flies and was not chosen, and what spoke against them."""
    nearer = [c for c in others if c.distance_m < first.distance_m]
    if not nearer:
        return None
    c = min(nearer, key=lambda c: (c.distance_m, c.worker))
    en: list[str] = []
    zh: list[str] = []
    if c.travel_s > first.travel_s:
        en.append(f"{max(1, round(c.travel_s / 60))} min away")
        zh.append(f"需{max(1, round(c.travel_s / 60))}分钟")
    if c.load > first.load:
        en.append(f"{c.load} open")
        zh.append(f"在办{c.load}件")
    if first.skilled and not c.skilled:
        en.append("lacks the skill")
        zh.append("不具备技能")
    if first.in_grid and not c.in_grid:
        en.append("of another grid")
        zh.append("非本网格")
    if c.offers > first.offers:
        en.append(f"{c.offers} unanswered")
        zh.append(f"{c.offers}件未应答")
    if c.last_free and not first.last_free:
        en.append(f"the last free one of {c.last_free}")
        zh.append(f"{c.last_free}最后一名空闲人员")
    if "not alone" in c.note:
        en.append("sent to help, not alone")
        zh.append("仅协助")
    if not en:
        return None
    return (
        f"{c.name} is nearer ({c.distance_m:.0f} m) but {', '.join(en)}",
        f"{c.name}直线更近（{c.distance_m:.0f}米），但{'、'.join(zh)}",
    )
