"""An offer that nobody answers goes to the next able worker, long before the ladder climbs.

A phone that is off must not cost the whole time to accept. The clocks run on, so the ladder still
hears of it when nobody accepts in time; whoever was passed over may still accept elsewhere.
"""

from __future__ import annotations

from datetime import datetime

from contracts.case import Change, Ticket
from contracts.kinds import TASK_KINDS
from router.house import House
from router.rematch import passed_over, resent, sent_at
from router.stages import actor, step, with_reason
from router.words import both, one_line

MOST = 4
"""So many are asked in turn; then it is the ladder's."""


class OfferUnanswered:
    """Sent, and not a word."""

    def due(self, house: House, ticket: Ticket, /) -> datetime | None:
        """A share of the time to accept after it was sent, on the ticket's calendar; None where a
        person chose who goes, or nobody else is there to be asked."""
        why = ticket.reason.get("worker", {})
        if ticket.stage != "dispatched" or ticket.worker is None or not house.settings.ladder:
            return None
        if house.settings.policy != "joint" or ticket.kind in TASK_KINDS:
            return None
        since = sent_at(ticket)
        if any(s.at >= since and actor(s.by) == ticket.worker for s in ticket.timeline):
            return None  # they are there: the ladder urges them on
        if "chosen" in why or not why.get("on_shift") or ticket.reason.get("nobody_else"):
            return None
        if sum(1 for past in ticket.reason.get("resent", ()) if past.get("silent")) >= MOST:
            return None
        # Without a limit nobody's time is up; that a phone is off is no less true.
        hours = ticket.reason.get("deadlines", {}).get("limits_h", {}).get("accept") or 0.0
        s = house.settings
        wait = max(s.offer_least_s, s.offer_share * hours * 3600)
        if int(why.get("load") or 0) > 0:
            wait *= s.offer_busy  # hands full when it was sent: the phone can wait a little
        return house.clocks.time_of(ticket).add(since, wait)

    def ring(self, house: House, ticket: Ticket, now: datetime, /) -> list[Change]:
        """To the next; or noted, when there is none."""
        rule = house.duties.rule_for(ticket.kind, ticket.grid)
        choice = house.roster.choose(
            ticket.place,
            now,
            skills=rule.skills if rule else (),
            load=house.book.load,
            severity=ticket.severity,
            without=passed_over(ticket) | {str(ticket.worker)},
        )
        worker = house.roster.worker(ticket.worker)
        name = worker.name if worker is not None else str(ticket.worker)
        seconds = (now - sent_at(ticket)).total_seconds()
        ago = f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
        ago_zh = f"{seconds / 60:.0f}分钟" if seconds >= 60 else f"{seconds:.0f}秒"
        words = both(f"{name} has not answered for {ago}", f"{name}{ago_zh}未应答")
        if choice.worker is None:
            note = one_line(
                f"{words['text_en']}; nobody else is there to be asked",
                f"{words['text_zh']}；暂无其他人员可派",
            )
            moved = with_reason(ticket, nobody_else=True)
            return house.put(step(moved, now, "updated", "router", note), "updated", now)
        return resent(house, ticket, choice, now, {"silent": True, **words})
