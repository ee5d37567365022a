"""Ceasing to listen leaves no connection hanging, at whatever moment it came."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket

import pytest
from aiohttp import web

from center.ear import listening
from contracts.errors import Wrong


@pytest.mark.parametrize("turns", range(8))
def test_who_connected_just_before_the_end_is_hung_up_on(turns: int) -> None:
    async def main() -> socket.socket:
        runner = web.AppRunner(web.Application(), shutdown_timeout=0.1)
        async with listening(runner, "127.0.0.1", 0) as port:
            client = socket.create_connection(("127.0.0.1", port), 2)
            for _ in range(turns):
                await asyncio.sleep(0)
        return client

    gc.disable()  # it would hide what was left open
    try:
        with asyncio.run(main()) as client:
            client.settimeout(2)
            with contextlib.suppress(ConnectionResetError):  # it was never accepted
                assert client.recv(1) == b""
    finally:
        gc.enable()


def test_a_taken_port_is_told_with_what_to_do() -> None:
    async def main(port: int) -> None:
        async with listening(web.AppRunner(web.Application()), "127.0.0.1", port):
            pass

    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(Wrong, match="cannot listen on"),
    ):
        asyncio.run(main(taken.getsockname()[1]))
