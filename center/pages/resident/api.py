"""What the resident's page asks: a place, a report, how far it is, a rating, "it is not done".

Nobody has an account here. The code in the path stands for the place, the link for one report; who
has neither sees nothing. Answers hold no names, numbers, words or windows of anybody.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections import OrderedDict
from typing import Any

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Bucket, Caller
from center.pages.resident.codes import Codes
from center.pages.resident.follow import Follow, Follows
from center.pages.resident.photo import attach
from center.pages.resident.report import KINDS, TEXT_MOST, take
from center.pages.resident.shapes import (
    FollowShown,
    NotDone,
    PlaceReport,
    PlaceShown,
    Rating,
    ReportFollowed,
)
from center.pages.resident.status import (
    RATED_IN,
    SAID_OVER,
    here,
    leading,
    may_rate,
    rated_by,
    state_of,
    steps,
)
from center.problems import Problem, json_response
from center.query import read_json
from center.route import Route
from center.writes import json_bytes, text
from contracts.case import Command
from contracts.city import City
from contracts.clock import iso
from contracts.errors import GridsentryError
from contracts.spots import Spot

log = logging.getLogger(__name__)

REMEMBERED = 2_048
"""Reports whose answer is given again at once when they are sent again."""
ATTACHING = 32
"""Photographs that wait for their ticket at a time; others are added when their status is asked."""
WRONG_PER_MINUTE = 20.0
"""Wrong codes or links from one address: who mistypes needs a few, who guesses millions."""


class Residents:
    """The page's part of the API, for one city."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._codes: Codes | None = None
        self._follows: Follows | None = None
        self._rates: dict[str, Bucket] = {}
        self._taken: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._attaching: set[asyncio.Task[None]] = set()

    def routes(self) -> tuple[Route, ...]:
        """The table."""
        place, follow = "/api/v1/places/{code}", "/api/v1/follows/{link}"
        return (
            Route(
                method="GET", path=place, name="look-at-place",
                summary="A place by the code on its wall, and what is known there, without personal"
                " data.",
                handler=self.look, answers={200: PlaceShown},
            ),
            Route(
                method="POST", path=f"{place}/reports", name="report-at-place",
                summary="A resident's report from there; the answer's link follows it.",
                handler=self.report, body=PlaceReport, answers={202: ReportFollowed},
            ),
            Route(
                method="GET", path=follow, name="follow-report",
                summary="How far a report is, by its link.",
                handler=self.follow, answers={200: FollowShown},
            ),
            Route(
                method="POST", path=f"{follow}/rating", name="rate-by-link",
                summary="How content whoever reported is, 1 to 5.",
                handler=self.rate, body=Rating, answers={200: FollowShown},
            ),
            Route(
                method="POST", path=f"{follow}/not-done", name="deny-by-link",
                summary="It is said to be done and is not: the case is opened again, or a new"
                " report is filed.",
                handler=self.not_done, body=NotDone, answers={200: ReportFollowed},
            ),
        )  # fmt: skip

    # --- handlers -------------------------------------------------------------------------------

    async def look(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """`GET /api/v1/places/{code}`."""
        self._check(context, request, "look")
        code, spot = await self._spot(context, request, request.match_info["code"])
        board = await context.board.current()
        inside = frozenset() if spot.grid is None else context.grids_inside(spot.grid)
        now = context.clock.now()
        found = here(spot, inside, board.tickets.values(), now)
        return json_response(
            PlaceShown(
                code=code,
                zh=spot.zh,
                en=spot.en,
                what=spot.what,
                now=iso(now),
                kinds=list(KINDS),
                positioned=spot.grid is not None,
                here=[msgspec.structs.asdict(one) for one in found],
            )
        )

    async def report(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """`POST /api/v1/places/{code}/reports`."""
        code, spot = await self._spot(context, request, request.match_info["code"])
        body = read_json(await json_bytes(request, context.settings.report_bytes), PlaceReport)
        link = await self._take(context, request, code, spot, body)
        return json_response(ReportFollowed(follow=link), status=202)

    async def follow(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """`GET /api/v1/follows/{link}`."""
        self._check(context, request, "look")
        follow = self._believed(context, request)
        tickets = await context.desk.tickets_of_event(follow.event)
        ticket = leading(tickets)
        if follow.photo and ticket is not None:
            await attach(context, follow, ticket)
        return await self._shown(context, request, follow, ticket)

    async def rate(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """`POST /api/v1/follows/{link}/rating`."""
        follow = self._believed(context, request)
        body = read_json(await json_bytes(request, context.settings.body_bytes), Rating)
        self._check(context, request, "report")
        if not 1 <= body.score <= 5:
            raise Problem(400, "bad_value", "1 to 5 / 请评1至5分", path="$.score")
        if body.text:
            text(body.text, "$.text", TEXT_MOST)
        ticket = leading(await context.desk.tickets_of_event(follow.event))
        if ticket is None or state_of(ticket) not in RATED_IN:
            raise Problem(409, "not_done_yet", "it is not done yet / 尚未处理完成，暂不能评价")
        if not may_rate(ticket, context.clock.now()):
            raise Problem(409, "too_late", "it was closed over a day ago / 办结超过一天，不再评价")
        if rated_by(ticket, follow.resident) != body.score:
            said = body.text.strip() or None
            data = {"score": body.score}
            await self._ask(context, follow, ticket, "rate", note=said, data=data)
        return await self._shown(context, request, follow, None)

    async def not_done(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """`POST /api/v1/follows/{link}/not-done`."""
        follow = self._believed(context, request)
        code, spot = await self._spot(context, request, follow.code)
        body = read_json(await json_bytes(request, context.settings.report_bytes), NotDone)
        text(body.text, "$.text", TEXT_MOST)
        ticket = leading(await context.desk.tickets_of_event(follow.event))
        state = None if ticket is None else state_of(ticket)
        if ticket is None or state not in SAID_OVER:
            raise Problem(409, "going_on", "it is still being worked on / 正在处理中，请稍候")
        if state == "finished":
            self._check(context, request, "report")
            try:
                await self._ask(context, follow, ticket, "reopen", reason=body.text.strip())
            except Problem as refused:
                if refused.status != 409:
                    raise
                # Closed too long ago, or somebody else was faster: then it is a report.
            else:
                return json_response(ReportFollowed(follow=request.match_info["link"]))
        event = await context.desk.get("events", follow.event) or {}
        kind = (event.get("evidence") or {}).get("kind")
        again = PlaceReport(
            key=body.key,
            ts=body.ts,
            kind=kind if kind in KINDS else None,
            text=f"仍未处理好：{body.text.strip()}",
        )
        return json_response(
            ReportFollowed(follow=await self._take(context, request, code, spot, again))
        )

    # --- parts ----------------------------------------------------------------------------------

    async def _take(
        self, context: Context, request: web.Request, code: str, spot: Spot, body: PlaceReport
    ) -> str:
        known = self._taken.get((code, body.key))
        if known is not None:
            return known
        self._check(context, request, "report")
        self._limit(context, f"at {code}", 2 * context.settings.place_reports_per_minute)
        follow = await take(context, code, spot, body)
        link = self._links(context).make(follow)
        self._taken[code, body.key] = link
        while len(self._taken) > REMEMBERED:
            self._taken.popitem(last=False)
        if follow.photo and len(self._attaching) < ATTACHING:
            task = asyncio.create_task(_attach_soon(context, follow))
            self._attaching.add(task)
            task.add_done_callback(self._attaching.discard)
        return link

    async def _shown(
        self,
        context: Context,
        request: web.Request,
        follow: Follow,
        ticket: dict[str, Any] | None,
    ) -> web.StreamResponse:
        _, spot = await self._spot(context, request, follow.code)
        if ticket is None:
            ticket = leading(await context.desk.tickets_of_event(follow.event))
        others, sensed, kind = 0, False, None
        if ticket is not None:
            incident = await context.desk.get("incidents", str(ticket["incident"])) or {}
            others, sensed = await _company(context, incident, follow.event)
            kind = str(ticket["kind"])
            if kind == "citizen_report":  # what they said it is says more
                event = await context.desk.get("events", follow.event) or {}
                kind = str((event.get("evidence") or {}).get("kind") or kind)
        state = "taken" if ticket is None else state_of(ticket)
        way = [{"state": "taken", "at": iso(follow.at)}]
        return json_response(
            FollowShown(
                code=follow.code,
                zh=spot.zh,
                en=spot.en,
                now=iso(context.clock.now()),
                kind=kind,
                state=state,
                steps=way if ticket is None else steps(ticket, follow.at),
                others=others,
                sensed=sensed,
                rated=None if ticket is None else rated_by(ticket, follow.resident),
                may_rate=may_rate(ticket, context.clock.now()),
                may_deny=state in SAID_OVER,
            )
        )

    async def _ask(
        self, context: Context, follow: Follow, ticket: dict[str, Any], action: str, **said: Any
    ) -> None:
        """File a command in the resident's name. Raises Problem 409 with the router's reason."""
        told = f"{follow.event}\n{ticket['id']}\n{ticket['rev']}\n{action}\n{said}"
        command = Command(
            id=f"c-{hashlib.sha256(told.encode()).hexdigest()[:32]}",
            ticket=str(ticket["id"]),
            action=action,
            by=follow.resident,
            rev=int(ticket["rev"]),
            at=context.clock.now(),
            **said,
        )
        answer = await context.desk.file_command(command, context.settings.answer_wait_s)
        if answer is not None and not answer.ok:
            raise Problem(409, "refused", answer.reason)

    async def _spot(self, context: Context, request: web.Request, text_: str) -> tuple[str, Spot]:
        if self._codes is None:
            self._codes = Codes(self._city, context.settings, _secret(context))
        codes = self._codes
        spot = await asyncio.to_thread(codes.find, text_)
        if spot is None:
            self._limit(context, f"wrong {context.guard.address(request)}", WRONG_PER_MINUTE)
            raise Problem(
                404, "unknown_place", "there is no such place, or its code was renewed; please scan"
                " it anew / 没有此编码对应的地点，或编码已更换，请重新扫码",
            )  # fmt: skip
        return codes.code(spot), spot

    def _believed(self, context: Context, request: web.Request) -> Follow:
        found = self._links(context).read(request.match_info["link"], context.clock.now())
        if found is None:
            self._limit(context, f"wrong {context.guard.address(request)}", WRONG_PER_MINUTE)
            raise Problem(
                403, "link_invalid", "this link is not ours or its time has passed"
                " / 链接无效或已过期",
            )  # fmt: skip
        return found

    def _links(self, context: Context) -> Follows:
        if self._follows is None:
            self._follows = Follows(_secret(context))
        return self._follows

    def _check(self, context: Context, request: web.Request, what: str) -> None:
        settings = context.settings
        per_minute = (
            settings.place_looks_per_minute if what == "look" else settings.place_reports_per_minute
        )
        self._limit(context, f"{what} {context.guard.address(request)}", per_minute)

    def _limit(self, context: Context, key: str, per_minute: float) -> None:
        bucket = self._rates.setdefault(key.partition(" ")[0], Bucket(per_minute))
        wait = bucket.take(key)
        if wait > 0:
            seconds = max(1, round(wait))
            raise Problem(
                429, "too_many", f"too many at once; please try again in {seconds} s"
                f" / 操作过于频繁，请{seconds}秒后再试",
                headers={"Retry-After": str(seconds)},
            )  # fmt: skip


_OWN = secrets.token_urlsafe(32)


def _secret(context: Context) -> str:
    """The center's key; where it has none (tests, trials) one of this process."""
    return context.settings.evidence_secret or _OWN


async def _attach_soon(context: Context, follow: Follow) -> None:
    """The picture goes to the ticket once there is one, also when the telephone is gone by then."""
    for pause in (0.3, 0.7, 1.5, 3.0, 6.0, 12.0):
        await asyncio.sleep(pause)
        try:
            ticket = leading(await context.desk.tickets_of_event(follow.event))
            if ticket is not None and await attach(context, follow, ticket):
                return
        except (GridsentryError, OSError, TimeoutError) as error:
            log.warning("a photograph waits for its ticket: %s", error)


async def _company(context: Context, incident: dict[str, Any], event: str) -> tuple[int, bool]:
    """(other reports, whether a sensor tells of it, too) of an incident."""
    others, sensed = 0, False
    for ident in incident.get("events", ())[-20:]:
        if ident == event:
            continue
        told = await context.desk.get("events", str(ident))
        if told is not None and told["kind"] == "citizen_report":
            others += 1
        elif told is not None:
            sensed = True
    return others, sensed


def page_routes(city: City) -> tuple[Route, ...]:
    """The routes of this page."""
    return Residents(city).routes()
