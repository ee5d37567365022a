"""`POST /api/v1/events/{id}/original`: unblurred evidence, for few, with a reason, noted first.

There is no link to an original: the answer is the file itself, so nothing that opens it can be
passed on.
"""

from __future__ import annotations

import logging

from aiohttp import web

from center.context import Context
from center.evidence import TYPES, locate
from center.guard import Caller
from center.problems import Problem
from center.query import read_json
from center.reads import found
from center.shapes import OriginalBody
from center.writes import json_bytes, text

log = logging.getLogger(__name__)

REASON_LEAST, REASON_MOST = 4, 500
"""Characters: `警情 12` is a reason, `ok` is none."""


async def original(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """The original clip or still of an event. What is opened, by whom and why is in the access log
    before the first byte leaves; a view that cannot be noted is not shown."""
    body = read_json(await json_bytes(request, context.settings.body_bytes), OriginalBody)
    text(body.reason, "$.reason", REASON_MOST)
    if len(body.reason.strip()) < REASON_LEAST:
        raise Problem(
            400, "reason_needed",
            "say why the original must be seen, such as the number of the case"
            " / 请说明查看原始影像的理由",
            path="$.reason",
        )  # fmt: skip
    event = await found(context.desk, "events", request.match_info["id"])
    path = (event.get("evidence") or {}).get(body.what)
    if not isinstance(path, str) or not path:
        raise Problem(404, "no_evidence", f"event {event['id']} has no {body.what}")
    try:
        file = locate(context.originals_dir, path)
    except Problem as gone:
        raise Problem(
            404, "original_gone",
            "the original is not kept any more (evidence.originals_days) / 原始影像已过保存期限",
        ) from gone  # fmt: skip
    await context.desk.log_access(
        caller.name,
        f"originals/{path} of events/{event['id']}",
        context.clock.now(),
        body.reason.strip(),
    )
    log.info("%s opened the original %s: %s", caller.name, path, body.reason.strip())
    return web.FileResponse(
        file,
        headers={
            "Content-Type": TYPES.get(file.suffix.lower(), "application/octet-stream"),
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )
