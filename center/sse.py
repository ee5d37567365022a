"""What every live stream has in common: room for it, its headers, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from center.context import Context
from center.problems import Problem

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


@asynccontextmanager
async def event_stream(context: Context, request: web.Request) -> AsyncIterator[web.StreamResponse]:
    """An answer of Server-Sent Events, still to be prepared. Counted while it is open; a reader
    that is too slow (TimeoutError inside) is dropped, one that left is no fault.

    Raises Problem 503 while too many are open.
    """
    tailer = context.tailer
    if tailer.clients >= context.settings.stream_clients:
        context.metrics.count("stream_dropped", reason="full")
        raise Problem(
            503, "too_many_streams", "too many live streams are open; try again",
            headers={"Retry-After": "5"},
        )  # fmt: skip
    tailer.clients += 1
    context.metrics.set("stream_clients", tailer.clients)
    try:
        yield web.StreamResponse(headers=HEADERS)
    except TimeoutError:
        context.metrics.count("stream_dropped", reason="slow")
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        pass  # the reader left: nothing to tell anybody
    finally:
        tailer.clients -= 1
        context.metrics.set("stream_clients", tailer.clients)


async def send(context: Context, response: web.StreamResponse, data: bytes) -> None:
    """Write to a reader who takes it in time. Raises TimeoutError, ConnectionError."""
    async with asyncio.timeout(context.settings.stream_slow_s):
        await response.write(data)
