"""Outside gateways in a running service: their sessions, breakers, and what is said to them."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from contracts.batch import SiteSnapshot
from contracts.errors import Refused, Temporary
from ingest.adapting.dispatch import KIND, Adapted, Told
from ingest.adapting.filters import meet, pattern, plain
from ingest.breaker import Breaker
from ingest.publisher import MqttPublisher, Said
from ingest.session import MqttSession
from ingest.sessions import Sessions

if TYPE_CHECKING:
    import re
    import threading
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from contracts.clock import Clock
    from gridsentry.metrics import Metrics
    from ingest.adapting.kit import Outgoing
    from ingest.adapting.plan import Plan
    from ingest.settings import MqttSettings

log = logging.getLogger(__name__)


class Outside:
    """What one writer has for its adapters; the sessions' life is the core's."""

    def __init__(
        self,
        plans: Sequence[Plan],
        mqtt: Callable[[str], MqttSettings],
        clock: Clock,
        metrics: Metrics,
        ready: threading.Event,
    ) -> None:
        """`mqtt` gives the settings of a connection by the end of its client id; `ready` is set
        whenever something came."""
        self._plans = {plan.name: plan for plan in plans}
        self._mqtt = mqtt
        self._metrics = metrics
        self._earlier = earlier(plans)
        self._publishers: dict[str, MqttPublisher] = {}
        self._wills: dict[str, Outgoing] = {}
        self.ready = ready
        self.breakers = {name: Breaker() for name in self._plans}
        self.sessions = {
            name: MqttSession(
                plan.mqtt(mqtt(name)),
                list(plan.topics),
                clock=clock,
                ready=self.ready,
            )
            for name, plan in self._plans.items()
        }

    def with_own(self, own: MqttSession, own_breaker: Breaker) -> Sessions:
        """The writer's own session and these as one; each is paused while its breaker is open."""
        breakers = {"": own_breaker, **self.breakers}
        return Sessions(
            own,
            self.sessions,
            self.ready,
            paused=lambda name: bool(breakers[name].reason),
            doubles=self._doubles,
        )

    def _doubles(self, name: str, topic: str) -> bool:
        """Filters may overlap: then the broker sends a message to both sessions, and it is the
        earlier adapter's."""
        before = self._earlier[name]
        return bool(before) and any(match.fullmatch(topic) for match in before)

    def reasons(self) -> list[str]:
        """Whose messages are not acknowledged for now, and why."""
        return [f"adapter {n}: {b.reason}" for n, b in self.breakers.items() if b.reason]

    def begin(self, adapted: Adapted | None, now: datetime) -> None:
        """A generation of adapters is built: believe them again, tell their gateways of us."""
        for breaker in self.breakers.values():
            breaker.reset()
        for name, adapter in (adapted.adapters if adapted is not None else {}).items():
            plan = self._plans[name]
            presence = adapter.presence(now)
            if presence is None and not plan.speaks:
                continue
            settings = plan.mqtt(self._mqtt(f"{name}-voice"))
            if presence is None:
                publisher = MqttPublisher(settings)
            else:
                will, greeting = _said(presence.will), _said(presence.greeting)
                publisher = MqttPublisher(settings, will=will, greeting=partial(_same, greeting))
                self._wills[name] = presence.will
            publisher.start()
            publisher.wait_ready(2.0)
            self._publishers[name] = publisher

    def end(self) -> None:
        """The generation is over: fall silent. A presence ends with its will's words."""
        publishers, self._publishers = self._publishers, {}
        for name, publisher in publishers.items():
            will = self._wills.pop(name, None)
            if will is not None:  # the broker says it only for those who vanish
                with suppress(Temporary, Refused):
                    publisher.publish(will.topic, will.payload, qos=will.qos, retain=will.retain)
            publisher.stop()

    def committed(self, told: Told) -> None:
        """A batch is durable: count its messages, say what was to be said."""
        for (name, outcome), count in told.counts.items():
            self._metrics.adapter_messages.labels(name, outcome).inc(count)
        for name, outgoing in told.outgoing:
            outcome = "published" if self._say(name, outgoing) else "lost"
            self._metrics.adapter_said.labels(name, outcome).inc()

    def _say(self, name: str, outgoing: Outgoing) -> bool:
        publisher = self._publishers.get(name)
        try:
            if publisher is None:
                raise Temporary("it is not declared that this adapter speaks")
            publisher.publish(
                outgoing.topic, outgoing.payload, qos=outgoing.qos, retain=outgoing.retain
            )
        except (Temporary, Refused) as error:
            log.warning("adapter %s could not publish on %s: %s", name, outgoing.topic, error)
            return False
        return True


def earlier(plans: Sequence[Plan]) -> dict[str, list[re.Pattern[str]]]:
    """For each adapter what earlier ones on the same broker take that its own filters meet."""
    found: dict[str, list[re.Pattern[str]]] = {}
    for place, plan in enumerate(plans):
        found[plan.name] = [
            pattern(plain(theirs))
            for other in plans[:place]
            if other.broker == plan.broker
            for theirs in other.topics
            if any(meet(plain(theirs), plain(mine)) for mine in plan.topics)
        ]
    return found


def adapter_snapshots(adapted: Adapted) -> list[SiteSnapshot]:
    """State of adapters in which it changed, for the batch."""
    return [SiteSnapshot(KIND, name, state, b"", -1) for name, state in adapted.snapshots().items()]


def _same(said: Said) -> Said:
    return said


def _said(outgoing: Outgoing) -> Said:
    return outgoing.topic, outgoing.payload, outgoing.retain
