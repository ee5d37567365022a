"""From the ring to the broker, in order; a message leaves the ring only once acknowledged."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Protocol

import msgspec

from contracts.errors import Refused, Temporary
from gridsentry.camera.ring import Ring, Waiting

log = logging.getLogger(__name__)

WINDOW = 8
"""Messages on their way at a time: frames at 30 a second pass a line of 250 ms."""
AGAIN_S = 5.0
"""Wait after the broker refused a message."""


class Broker(Protocol):
    """What the sender needs of `ingest.publisher.MqttPublisher`."""

    @property
    def connections(self) -> int:
        """The number of the current connection."""
        ...

    def hand_over(self, topic: str, payload: bytes, *, connection: int) -> int:
        """Publish; a number for `settled`. Raises Temporary, Refused."""
        ...

    def settled(self, number: int) -> bool:
        """Whether it is acknowledged. Raises Temporary when it was refused."""
        ...

    def wait_change(self, wait_s: float) -> None:
        """Wait for news."""
        ...


class _Sent(msgspec.Struct):
    one: Waiting
    number: int
    connection: int


class Sender(threading.Thread):
    """Sends what the ring holds for as long as it lives."""

    def __init__(self, ring: Ring, broker: Broker, topic: str) -> None:
        """`topic` is the device's, without the last part."""
        super().__init__(name="sender", daemon=True)
        self._ring, self._broker, self._topic = ring, broker, topic
        self._halt = threading.Event()
        self._on_way: deque[_Sent] = deque()
        self._last = -1
        self.sent = self.sent_bytes = 0
        self.problem: str | None = None

    def run(self) -> None:
        """Until halted."""
        while not self._halt.is_set():
            self._settle()
            sent = self._fill()
            if self._halt.is_set():
                break
            if self._on_way:
                self._broker.wait_change(0.1)
            elif not sent:
                self._ring.wait_new(0.2)
        self._settle()

    def _fill(self) -> bool:
        """Hand over what fits into the window; whether anything was."""
        handed = False
        connection = self._broker.connections
        if self._on_way and self._on_way[-1].connection != connection:
            return False  # what was on its way is sent again first
        while len(self._on_way) < WINDOW and not self._halt.is_set():
            one = self._ring.following(self._last)
            if one is None:
                break
            try:
                data = self._ring.read(one)
            except OSError as error:
                log.error("%s is lost: cannot be read (%s)", one.name, error)
                self._ring.remove(one)
                self._ring.dropped += 1
                self._last = one.number
                continue
            try:
                number = self._broker.hand_over(
                    f"{self._topic}/{one.kind}/{one.ms}", data, connection=connection
                )
            except (Temporary, Refused):
                self._ring.let_go(one)
                break
            self._on_way.append(_Sent(one, number, connection))
            self._last = one.number
            handed = True
        return handed

    def _settle(self) -> None:
        """Take from the ring what was acknowledged, oldest first."""
        while self._on_way:
            first = self._on_way[0]
            try:
                if not self._broker.settled(first.number):
                    return
            except Temporary as refused:
                if self.problem is None:
                    log.error(
                        "%s: give this gateway's user the right to write %s/#, or mind the "
                        "broker's limits; it is tried again every %g s and kept until then",
                        refused,
                        self._topic,
                        AGAIN_S,
                    )
                self.problem = str(refused)
                self._begin_again(first)
                return
            self.problem = None
            self._on_way.popleft()
            self.sent += 1
            self.sent_bytes += first.one.bytes
            self._ring.remove(first.one)

    def _begin_again(self, first: _Sent) -> None:
        """After a refusal: wait for what else is on its way, then go back to the first refused."""
        self._on_way.popleft()
        while self._on_way and not self._halt.is_set():
            after = self._on_way[0]
            try:
                if not self._broker.settled(after.number):
                    self._broker.wait_change(0.1)
                    continue
            except Temporary:
                pass  # refused as well: it comes again after the first
            else:
                self.sent += 1
                self.sent_bytes += after.one.bytes
                self._ring.remove(after.one)
            self._on_way.popleft()
        self._last = first.one.number - 1
        self._halt.wait(AGAIN_S)

    def stop(self, wait_s: float) -> None:
        """End; what is not acknowledged stays in the ring."""
        self._halt.set()
        self.join(wait_s)
