"""Alive, ready, measured: what supervisors and Prometheus ask."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from center.context import Context
from center.guard import Caller
from center.problems import json_response
from contracts.errors import GridsentryError

CHECK_S = 3.0
"""A check that takes longer counts as failed."""


async def healthz(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """200 as long as the center answers at all."""
    return json_response({"alive": True})


async def readyz(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """200 when the service can do its work, else 503 with the reasons.

    The composition root's `health()` answers `{"ready": bool, "reasons": [text], …}`; a database
    that does not answer and a stream that cannot be read are added here.
    """
    state, unanswered = await asyncio.gather(_health(context), _unanswered(context))
    reasons = [str(reason) for reason in state.get("reasons", ())]
    if not state.get("ready", not reasons) and not reasons:
        reasons.append("the service says it is not ready, without a reason")
    if unanswered is not None:
        reasons.append(unanswered)
    if context.tailer.fault is not None:
        reasons.append(f"the live stream cannot be read: {context.tailer.fault}")
    body = {**state, "ready": not reasons, "reasons": reasons}
    if context.alerts is not None:  # a target that waits holds back itself, not our readiness
        body["alerts"] = context.alerts.fault or "going out"
    return json_response(body, status=503 if reasons else 200)


async def _health(context: Context) -> dict[str, Any]:
    try:
        return await asyncio.wait_for(asyncio.to_thread(context.health), CHECK_S)
    except TimeoutError:
        return {"ready": False, "reasons": [f"the health check took longer than {CHECK_S} s"]}


async def _unanswered(context: Context) -> str | None:
    """What keeps the database from answering; None: it does."""
    try:
        await asyncio.wait_for(context.desk.ping(), CHECK_S)
    except (GridsentryError, OSError, TimeoutError) as error:
        return f"the database does not answer: {error or type(error).__name__}"
    return None


async def metrics(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """Prometheus text format."""
    text = await asyncio.to_thread(generate_latest, context.registry)
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})
