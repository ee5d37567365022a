"""A center that stops leaves no connection open, whatever its readers do."""

from __future__ import annotations

import gc
import socket
import warnings

from aiohttp import web

from center.server import CenterServer
from center.settings import CenterSettings


async def _pour(request: web.Request) -> web.StreamResponse:
    """More than any buffer holds, to somebody who does not read it."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(bytes(1 << 16))


def test_readers_that_do_not_read_are_let_go() -> None:
    app = web.Application()
    app.router.add_get("/", _pour)
    server = CenterServer(lambda: app, CenterSettings(port=0))
    server.start()
    readers = [socket.create_connection(("127.0.0.1", server.port), 5) for _ in range(3)]
    try:
        for reader in readers:
            reader.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            reader.recv(100)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            server.stop(5.0)
            gc.collect()
        assert [str(one.message) for one in caught] == []
    finally:
        for reader in readers:
            reader.close()
