"""The MQTT target: every change of a ticket goes out as CloudEvent, at least once, in order.

It reads the stream after its own cursor and moves that on only behind the broker's
acknowledgement. A broker that does not answer holds back this target and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from center.links import Signer
from center.metrics import Metrics
from center.notify.passes import Passes
from center.privacy import Veil
from center.reads import dossier
from center.tailer import following
from contracts.batch import OutboxRow
from contracts.city import City
from contracts.errors import GridsentryError, Refused, Temporary
from contracts.kinds import OPEN_STAGES
from contracts.ports import Desk, Publisher

log = logging.getLogger(__name__)

TARGET = "mqtt"
ROWS = 100
PUBACK_S = 10.0
BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

Message = tuple[str, bytes]


class MqttAlerts:
    """Publishes ticket changes to the alert, worker and utility topics.

    `run` is a coroutine for the center's event loop (`make_app(..., background=[alerts.run])`).
    """

    def __init__(
        self,
        desk: Desk,
        publisher: Publisher,
        city: City,
        *,
        signer: Signer,
        veil: Veil,
        metrics: Metrics,
        passes: Passes | None = None,
        target: str = TARGET,
        backoff_s: tuple[float, ...] = BACKOFF_S,
    ) -> None:
        self._desk = desk
        self._publisher = publisher
        self._city = city
        self._signer = signer
        self._veil = veil
        self._metrics = metrics
        self._passes = passes
        self._target = target
        self._backoff_s = backoff_s
        self.fault: str | None = None
        """Why nothing goes out at the moment; for the health check."""

    async def run(self) -> None:
        """Follow the stream until cancelled."""
        position: int | None = None
        tries = 0
        async for _ in following(self._desk):
            while True:
                try:
                    if position is None:
                        position = await self._desk.target_position(self._target)
                    async for reached in self._drain(position):
                        position, tries = reached, 0
                    self.fault = None
                    break
                except (GridsentryError, OSError, TimeoutError) as error:
                    self.fault = str(error) or type(error).__name__
                    self._metrics.count("target_failures", target=self._target)
                    log.warning("alerts wait, trying again: %s", self.fault)
                await asyncio.sleep(self._backoff_s[min(tries, len(self._backoff_s) - 1)])
                tries += 1

    async def _drain(self, position: int) -> AsyncIterator[int]:
        """Send what is waiting; yields each position that is safely behind us."""
        while rows := await self._desk.stream(position, ROWS):
            outgoing = [(row.position, await self._messages(row)) for row in rows]
            done, error = await asyncio.to_thread(self._publish, outgoing)
            if done is not None:
                position = done
                await self._desk.set_target_position(self._target, position)
                self._metrics.set("target_position", position, target=self._target)
                yield position
            if error is not None:
                raise error

    def _publish(
        self, outgoing: list[tuple[int, list[Message]]]
    ) -> tuple[int | None, GridsentryError | None]:
        """In order, each acknowledged before the next; how far it got, and what stopped it."""
        done: int | None = None
        for position, messages in outgoing:
            for topic, payload in messages:
                try:
                    self._publisher.publish(topic, payload, qos=1, wait_s=PUBACK_S)
                except (Temporary, Refused) as error:
                    return done, error
                self._metrics.count("target_sent", target=self._target)
            done = position
        return done, None

    async def _messages(self, row: OutboxRow) -> list[Message]:
        if row.type != "ticket":
            return []
        try:
            event: dict[str, Any] = msgspec.json.decode(row.data, type=dict)
            ticket = event["data"]
            # The window's name may stand in texts of the ticket, but only the events name it.
            full = await dossier(self._desk, ticket, self._signer, absolute=True)
        except (msgspec.MsgspecError, KeyError, TypeError) as error:
            self._metrics.count("target_skipped", target=self._target)
            log.error(
                "row %d of the stream cannot be read and is left out: %s", row.position, error
            )
            return []
        public = msgspec.json.encode({**event, "data": self._veil.redact(full)})
        messages = [(f"gridsentry/v1/alert/{row.district or '-'}/{row.kind}/{row.change}", public)]
        people = [ticket.get("worker"), *(ticket.get("helpers") or ())]
        there = dict.fromkeys(person for person in people if person)
        messages += [(f"gridsentry/v1/worker/{person}/ticket", public) for person in there]
        if ticket.get("utility"):
            utility = self._city.utilities.get(ticket["utility"])
            may = utility is not None and utility.restricted
            data = full if may else self._veil.redact(full)
            if self._passes is not None and ticket.get("stage") in OPEN_STAGES:
                # Theirs alone: whoever holds it may accept, arrive and restore.
                link = self._passes.make(str(ticket["id"]), str(ticket["utility"]))
                data = {**data, "act": link}
            payload = msgspec.json.encode({**event, "data": data})
            messages.append((f"gridsentry/v1/utility/{ticket['utility']}/ticket", payload))
        return messages
