"""The center as an aiohttp application: routes, errors, headers, and the shared stream reader."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from aiohttp.typedefs import Handler as AioHandler
from prometheus_client import CollectorRegistry

from center.accounts.login import Logins
from center.accounts.oidc import Provider
from center.alerts import MqttAlerts
from center.context import CONTEXT, Context, inside
from center.feeds import exports, mapping
from center.feeds.open311 import answer
from center.geodata import Static
from center.guard import Caller, Guard
from center.links import Signer
from center.metrics import Metrics
from center.notify.office import Office
from center.notify.passes import Passes
from center.notify.post import Tools
from center.notify.settings import NotifySettings
from center.notify.settings import check as check_targets
from center.notify.words import Words
from center.openapi import document
from center.pages import add_pages
from center.privacy import Veil
from center.problems import Problem
from center.query import only
from center.route import Route, Warmed
from center.routes import routes
from center.settings import CenterSettings, check, tiles_origin
from center.tailer import Tailer
from contracts.accounts import AccountStore
from contracts.case import Allowed
from contracts.city import City
from contracts.clock import Clock, monotonic
from contracts.errors import Permanent, Refused, Temporary, Wrong
from contracts.plant import Plant
from contracts.ports import Desk, Publisher, Tally

log = logging.getLogger(__name__)

VERSION = "1.0.0"
"""Of the HTTP interface."""

POLICY = "Content-Security-Policy"
HEADERS = {
    POLICY: "default-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
}

SECURE = web.AppKey("secure", dict[str, str])
Lifespan = Callable[[], AbstractAsyncContextManager[object]]
"""Entered in the center's event loop before it serves, left after it stopped."""


def make_app(
    desk: Desk,
    city: City,
    settings: CenterSettings,
    *,
    clock: Clock,
    evidence_dir: Path,
    originals_dir: Path,
    health: Callable[[], dict[str, Any]],
    registry: CollectorRegistry,
    publisher: Publisher | None = None,
    notify: NotifySettings | None = None,
    lifespans: Sequence[Lifespan] = (),
    tally: Callable[[], Tally] | None = None,
    allowed: Callable[[dict[str, Any], datetime], Sequence[Allowed]] | None = None,
    accounts: AccountStore | None = None,
    people_clock: Clock | None = None,
    plant: Plant | None = None,
) -> web.Application:
    """The application.

    `originals_dir` holds the unblurred evidence: nothing below it has a link of its own.

    `health` answers `{"ready": bool, "reasons": [text], …}` and may block shortly. `lifespans`
    are for what must live in this event loop (opening the desk). With a `publisher` (started by
    the caller) changes of tickets go out by MQTT. `tally` makes what counts figures; without one
    there are none. `allowed` says what the loop allows on a ticket (as the desk has it). `accounts`
    are those who log in; whoever hands them over has looked that there is one where the center
    listens beyond this machine. Their sessions run by `people_clock` (`clock`, where there is none:
    that one may be a simulator's). `plant` is what administration asks of the service.
    Raises Wrong on unsafe settings.
    """
    check(settings, accounts=accounts is not None)
    notify = notify or NotifySettings()
    check_targets(notify, city)
    shapes = mapping.known(settings.mappings, ZoneInfo(city.timezone))
    for target in notify.targets:
        if target.mapping and target.mapping not in shapes:
            where = f"notify.targets[{target.name}].mapping"
            raise Wrong(where, repr(target.mapping), ", ".join(shapes))
    metrics = Metrics.of(registry)
    signer = Signer(settings.evidence_secret, settings.evidence_link_s, clock, settings.public_url)
    veil = Veil(city)
    logins = None
    if accounts is not None:
        secure = settings.public_url.startswith("https://")
        watch = people_clock or clock
        oidc = settings.oidc
        provider = None if oidc is None else Provider(oidc, settings.public_url, watch)
        logins = Logins(accounts, settings.accounts, watch, secure=secure, provider=provider)
    context = Context(
        desk=desk,
        city=city,
        settings=settings,
        clock=clock,
        evidence_dir=evidence_dir,
        originals_dir=originals_dir,
        health=health,
        registry=registry,
        signer=signer,
        metrics=metrics,
        guard=Guard(
            settings,
            logins=logins,
            inside=inside(city),
            trusted=(u.id for u in city.utilities.values() if u.restricted),
        ),
        logins=logins,
        tailer=Tailer(
            desk,
            signer=signer,
            veil=veil,
            metrics=metrics,
            clock=clock,
            rows=settings.stream_rows,
        ),
        passes=Passes(settings.evidence_secret, notify.link_s, clock, settings.public_url),
        tally=tally,
        allowed=allowed,
    )
    app = web.Application(
        middlewares=[_answer_errors], client_max_size=max(settings.report_bytes, 1)
    )
    context.plant = plant
    app[CONTEXT] = context
    app[SECURE] = _headers(settings)

    async def openapi(ctx: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
        return await served(ctx, caller, request)

    table = routes(city, openapi)
    served = Static(document(table, VERSION))
    for route in table:
        path = route.path.replace("{path}", "{path:.+}")
        app.router.add_route(route.method, path, _wrap(context, route), name=route.name)
    add_pages(app)
    for lifespan in lifespans:
        app.cleanup_ctx.append(_held(lifespan))
    works: list[Callable[[], Awaitable[None]]] = [context.tailer.run]
    handlers: list[object] = [route.handler for route in table]
    works += [partial(one.warm, context) for one in handlers if isinstance(one, Warmed)]
    if publisher is not None:
        context.alerts = MqttAlerts(
            desk,
            publisher,
            city,
            signer=signer,
            veil=veil,
            metrics=metrics,
            passes=context.passes,
        )
        works.append(context.alerts.run)
    context.office = _office(context, notify)
    works += [postman.run for postman in context.office.postmen]
    for work in works:
        app.cleanup_ctx.append(_running(work))
    app.on_response_prepare.append(_secure)
    app.on_shutdown.append(_end_streams)
    return app


def _office(context: Context, notify: NotifySettings) -> Office:
    tools = Tools(
        desk=context.desk,
        city=context.city,
        settings=notify,
        signer=context.signer,
        veil=context.veil,
        words=Words(context.city, notify.templates),
        passes=context.passes,
        metrics=context.metrics,
        clock=context.clock,
        inside=context.grids_inside,
        public_url=context.settings.public_url,
        holder=f"center-{uuid.uuid4().hex}",
        shapes=context.mappings,
        names=lambda full: exports.names(full, context),
    )
    return Office(notify.targets, tools)


def _wrap(context: Context, route: Route) -> AioHandler:
    async def handle(request: web.Request) -> web.StreamResponse:
        guard = context.guard
        caller = await guard.caller(request)
        if not request.path.startswith("/evidence/"):
            only(request, route.query)
        await guard.check(request, caller, route.access)
        seen = context.seen_by(caller, guard.address(request))
        return await route.handler(seen, caller, request)

    return handle


@web.middleware
async def _answer_errors(request: web.Request, handler: AioHandler) -> web.StreamResponse:
    metrics = request.app[CONTEXT].metrics
    began = monotonic()
    open311 = request.path.startswith("/open311/")
    response: web.StreamResponse
    try:
        response = await handler(request)
    except web.HTTPException as error:
        response = _refusal(request, _from_aiohttp(request, error))
    except Exception as error:
        problem = _problem(error)
        if problem is None:
            log.exception("answering %s %s failed", request.method, request.path)
            problem = Problem(500, "fault", "this is a fault of ours; it is in the log")
        response = _refusal(request, problem)
        if open311 and request.path.endswith(".xml"):
            told = [{"code": problem.status, "description": problem.reason}]
            response = answer(request, "errors", "error", told, status=problem.status)
    route = request.match_info.route.name or "page"
    metrics.count("requests", route=route, status=str(response.status))
    if "stream" not in route:  # open for days
        metrics.observe("request_seconds", monotonic() - began, route=route)
    return response


def _refusal(request: web.Request, problem: Problem) -> web.Response:
    """In the form of the interface that was asked; clients of SensorThings look for a message."""
    if request.path.startswith("/sta/"):
        problem.more |= {"code": problem.status, "type": "error", "message": problem.reason}
    return problem.response(open311=request.path.startswith("/open311/"))


def _problem(error: Exception) -> Problem | None:
    match error:
        case Problem():
            return error
        case Temporary() | TimeoutError() | OSError():
            return Problem(
                503, "try_again", f"not possible at the moment: {error}",
                headers={"Retry-After": "1"},
            )  # fmt: skip
        case Refused():
            return Problem(503, "busy", str(error), headers={"Retry-After": "1"})
        case Permanent():
            return Problem(400, error.code, error.reason)
        case Wrong():
            return Problem(400, "bad_value", str(error), path=error.where)
    return None


def _from_aiohttp(request: web.Request, error: web.HTTPException) -> Problem:
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return Problem(
            405, "wrong_method", f"{request.method} is not possible here; allowed: {allowed}",
            headers={"Allow": allowed},
        )  # fmt: skip
    if error.status == 404:
        return Problem(404, "not_found", f"there is nothing at {request.path[:200]}")
    return Problem(error.status, "refused", error.reason)


async def _secure(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in request.app[SECURE].items():
        response.headers.setdefault(name, value)


def _headers(settings: CenterSettings) -> dict[str, str]:
    """What every answer carries; pictures may also come from where the map's tiles are."""
    policy, tiles = HEADERS[POLICY], tiles_origin(settings.tiles_url)
    more = f"img-src 'self' {tiles}".rstrip()
    return {**HEADERS, POLICY: policy.replace("img-src 'self'", more)}


async def _end_streams(app: web.Application) -> None:
    app[CONTEXT].tailer.close()


def _held(lifespan: Lifespan) -> Callable[[web.Application], AsyncIterator[None]]:
    async def held(app: web.Application) -> AsyncIterator[None]:
        async with lifespan():
            yield

    return held


def _running(
    work: Callable[[], Awaitable[None]],
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def running(app: web.Application) -> AsyncIterator[None]:
        task = asyncio.ensure_future(work())
        task.add_done_callback(_say_if_failed)
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):  # said when it failed
            await task

    return running


def _say_if_failed(task: asyncio.Future[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a background task of the center ended", exc_info=error)
