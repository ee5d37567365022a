"""综合评价 of one ticket: what its clocks say by themselves, beside what people say.

网格评部门: the grid rates the utility, from verified times and by a person's score. The score by
times is ours: 5, and one less for each missed clock, each standing 返工 and each 回退 by whoever
has it now, never below 1.
"""

from __future__ import annotations

from typing import Any

from contracts.case import Ticket
from contracts.kinds import CLOCKS
from contracts.loop import CLOCK_NAMES
from router.verdicts import standing
from router.words import both, moment

BEST, WORST = 5, 1


def judged_by_clocks(ticket: Ticket) -> dict[str, Any]:
    """`by_times`: score, the clocks missed, and how long it took until it was proved."""
    clocks = ticket.reason.get("clocks", {})
    missed = [c for c in CLOCKS if int(clocks.get(c, {}).get("late", 0))]
    late = sum(int(clocks.get(c, {}).get("late", 0)) for c in missed)
    reworks = len(standing(ticket, "rework"))
    has_it = {ticket.worker, ticket.utility}
    returns = sum(1 for r in ticket.reason.get("returns", ()) if r["id"] in has_it)
    score = max(WORST, BEST - late - reworks - returns)
    proved = moment(clocks.get("verify", {}).get("at"))
    took = (proved - ticket.opened_at).total_seconds() if proved else None
    en, zh = [f"{score} of {BEST} by its times"], [f"按时效得{score}分"]
    if missed:
        en.append(f"late: {', '.join(CLOCK_NAMES[c][1] for c in missed)}")
        zh.append(f"超期环节：{'、'.join(CLOCK_NAMES[c][0] for c in missed)}")
    if reworks:
        en.append(f"reworked {reworks} x")
        zh.append(f"返工{reworks}次")
    if took is not None:
        en.append(f"proved over {took / 60:.0f} min after it was filed")
        zh.append(f"立案后{took / 60:.0f}分钟核实恢复")
    return {
        "by_times": {"score": score, "missed": missed, "reworks": reworks, "verified_s": took},
        **both("; ".join(en), "；".join(zh)),
    }


def scored(ticket: Ticket) -> float | None:
    """What people gave it where somebody did, else what its times gave; None before it closed."""
    evaluation = ticket.reason.get("evaluation", {})
    person = evaluation.get("person") or {}
    if isinstance(person.get("score"), int):
        return float(person["score"])
    by_times = evaluation.get("by_times", {}).get("score")
    return float(by_times) if by_times is not None else None


def satisfaction(ticket: Ticket) -> list[int]:
    """The residents' scores, 1 to 5, one for each who gave one (the newest)."""
    newest = {entry["by"]: int(entry["score"]) for entry in ticket.reason.get("satisfaction", ())}
    return list(newest.values())
