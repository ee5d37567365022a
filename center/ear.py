"""Listening at a port, and ceasing to, so that no connection is left hanging."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from contracts.errors import Wrong

_QUEUE = 1024
"""Connections that wait to be accepted: a whole town comes back at once when the link is mended."""
_TURNS = 8
"""Of the event loop: a connection that was accepted is made after three."""


@asynccontextmanager
async def listening(runner: web.AppRunner, host: str, port: int) -> AsyncIterator[int]:
    """The application answers at `host` and `port` (0: any); gives the port.

    Afterwards nothing of it is open: requests under way have ended or had their time
    (`shutdown_timeout` of the runner), and who reads no more is cut off.

    Raises Wrong when it cannot listen there.
    """
    await runner.setup()
    loop = asyncio.get_running_loop()
    try:
        assert runner.server is not None
        ear = await loop.create_server(runner.server, host, port, backlog=_QUEUE)
    except OSError as error:
        await runner.cleanup()
        raise Wrong(
            "center.port",
            f"cannot listen on {host}:{port}: {error.strerror or error}",
            "a free port (0 takes any) on an address of this machine",
        ) from error
    try:
        yield ear.sockets[0].getsockname()[1]
    finally:
        # Python 3.11 forgets a connection, open, that it has accepted but not made when the server
        # is closed: so accept no more, let those be made, and only then close.
        for bound in ear.sockets:
            loop.remove_reader(bound.fileno())
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        ear.close()
        lines = _lines(runner)
        await runner.cleanup()
        for line in lines:  # who reads no more would keep its connection open for ever
            line.abort()
        await asyncio.sleep(0)


def _lines(runner: web.AppRunner) -> list[asyncio.WriteTransport]:
    """The connections that are open."""
    known = runner.server.connections if runner.server is not None else []
    lines = [connection.transport for connection in known]
    return [line for line in lines if isinstance(line, asyncio.WriteTransport)]
