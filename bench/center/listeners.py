"""`python -m bench.center.listeners URL COUNT`: live listeners in a process of their own.

Says `ready` when all are connected, listens until its input ends, then prints for each ticket when
each listener had it: `{"t-005001": [epoch ms, …]}`.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from urllib.parse import urlsplit

from contracts.clock import SystemClock

TICKET = re.compile(rb'"id":"(t-\d{6})"')
TAIL = 64
"""Bytes kept from one piece to the next, so that an id on the border is found."""


class Listeners:
    """So many connections to `/api/v1/stream`."""

    def __init__(self, url: str, count: int) -> None:
        self._host, self._port = urlsplit(url).hostname or "", urlsplit(url).port or 80
        self._count = count
        self._clock = SystemClock()
        self._connected = 0
        self.heard: dict[str, list[float]] = {}

    async def run(self) -> None:
        """Connect, say `ready`, listen until stdin ends."""
        tasks = [asyncio.create_task(self._listen()) for _ in range(self._count)]
        while self._connected < self._count:
            await asyncio.sleep(0.05)
            for task in tasks:
                if task.done():
                    task.result()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> None:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        writer.write(
            f"GET /api/v1/stream?type=ticket HTTP/1.1\r\nHost: {self._host}\r\n"
            "Accept: text/event-stream\r\n\r\n".encode()
        )
        seen: set[bytes] = set()
        rest, greeted = b"", False
        try:
            while piece := await reader.read(65_536):
                now = self._clock.now().timestamp() * 1000
                rest += piece
                if not greeted and b"event: hello" in rest:
                    greeted = True
                    self._connected += 1
                for id_ in TICKET.findall(rest):
                    if id_ not in seen:
                        seen.add(id_)
                        self.heard.setdefault(id_.decode(), []).append(now)
                rest = rest[-TAIL:]
        finally:
            writer.close()


def main() -> int:
    """Exit code 1 when a connection is refused."""
    listeners = Listeners(sys.argv[1], int(sys.argv[2]))
    asyncio.run(listeners.run())
    print(json.dumps(listeners.heard), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
