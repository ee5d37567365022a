"""Bare subscribers on other clients than paho: `clients.py raw|gmqtt|mqttium PORT COUNT`.

Runs in an environment of its own (`install.python`), so it uses nothing of the project. Each takes
COUNT queued QoS 1 messages of its session, drops them, acknowledges, and prints one line of JSON:
messages a second and processor time per message, from the first message to the last.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

RECEIVE_MAXIMUM = 10_000
LIMIT_S = 180


class Tally:
    """Notes when the first and the last came; what came with the first is not counted."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.seen = 0
        self._first = 0
        self.done = asyncio.Event()
        self._from = (0.0, 0.0)
        self._to = (0.0, 0.0)

    def add(self, number: int = 1) -> None:
        """So many more came."""
        if not self.seen:
            self._first = number
            self._from = time.perf_counter(), time.process_time()
        self.seen += number
        if self.seen >= self.wanted:
            self._to = time.perf_counter(), time.process_time()
            self.done.set()

    def told(self) -> dict[str, float]:
        """The figures."""
        seconds, used = self._to[0] - self._from[0], self._to[1] - self._from[1]
        timed = self.wanted - self._first
        return {"messages_per_s": timed / seconds, "us": used / timed * 1e6}


class Raw(asyncio.Protocol):
    """MQTT 3.1.1 by hand, no more than the measurement needs: how fast a client in Python can be.

    Topics and payloads are cut out, as a user would want them; a piece's messages are acknowledged
    together.
    """

    def __init__(self, tally: Tally, client_id: str) -> None:
        self._tally = tally
        name = client_id.encode()
        body = b"\x00\x04MQTT\x04\x00\x00\x00" + len(name).to_bytes(2, "big") + name
        self._hello = b"\x10" + bytes([len(body)]) + body
        self._rest = b""
        self._out: Any = None
        self._last: tuple[bytes, bytes] | None = None

    def connection_made(self, transport: Any) -> None:
        self._out = transport
        transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        end, pos, acks = len(data), 0, []
        while pos + 2 <= end:
            size, shift, at = 0, 0, pos + 1
            while at < end:
                byte = data[at]
                size |= (byte & 0x7F) << shift
                shift += 7
                at += 1
                if byte < 0x80:
                    break
            else:
                break
            stop = at + size
            if stop > end:
                break
            if data[pos] & 0xF0 == 0x30:
                begin = at + 2
                split = begin + (data[at] << 8 | data[at + 1])
                self._last = data[begin:split], data[split + 2 : stop]
                acks.append(b"\x40\x02" + data[split : split + 2])
            pos = stop
        self._rest = data[pos:]
        if acks:
            self._out.write(b"".join(acks))
            self._tally.add(len(acks))


async def raw(tally: Tally, port: int) -> None:
    loop = asyncio.get_running_loop()
    out, _ = await loop.create_connection(lambda: Raw(tally, "peer-raw"), "127.0.0.1", port)
    await tally.done.wait()
    out.close()


async def gmqtt(tally: Tally, port: int) -> None:
    from gmqtt import Client  # type: ignore[import-not-found,unused-ignore]
    from gmqtt.mqtt.constants import MQTTv311  # type: ignore[import-not-found,unused-ignore]

    client = Client("peer-gmqtt", clean_session=False)

    def on_message(*_: Any) -> int:
        tally.add()
        return 0

    client.on_message = on_message
    await client.connect("127.0.0.1", port, version=MQTTv311)
    await tally.done.wait()
    await client.disconnect()


async def mqttium(tally: Tally, port: int) -> None:
    from mqttium.api import AsyncClient  # type: ignore[import-not-found,unused-ignore]

    client = AsyncClient("peer-mqttium", manual_ack=True, clean_start=False)
    await client.connect("127.0.0.1", port)
    async for message in client.messages():
        await client.ack(message)
        tally.add()
        if tally.done.is_set():
            break
    await client.disconnect()


async def main(which: str, port: int, count: int) -> None:
    tally = Tally(count)
    take = {"raw": raw, "gmqtt": gmqtt, "mqttium": mqttium}[which]
    await asyncio.wait_for(take(tally, port), LIMIT_S)
    print(json.dumps(tally.told()), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
