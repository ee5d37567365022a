"""Sessions for what is heavy: our own cameras' bulk topics, and pictures of outside gateways.

They are apart from telemetry's, each with a small receive window of its own: 30 MB segments and
pictures must not stand in the way of a reading.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import msgspec

from ingest.session import MqttSession
from ingest.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from contracts.clock import Clock
    from contracts.ports import Session
    from ingest.adapting.plan import Plan
    from ingest.settings import MqttSettings

WINDOW: Final = 16
"""Messages; video is heavy and its spool is the queue."""
BYTES: Final = 64 * 2**20


def heavy_sessions(
    mqtt: Callable[[str], MqttSettings],
    writer: str,
    wanted: Sequence[str],
    plans: Sequence[Plan],
    clock: Clock,
) -> tuple[Session, dict[str, MqttSession]]:
    """(all of them as one, each by its name). `mqtt` gives the settings of a connection by the end
    of its client id, `wanted` are our own topics."""
    ready = threading.Event()

    def session(settings: MqttSettings, topics: Sequence[str]) -> MqttSession:
        narrow = msgspec.structs.replace(
            settings, receive_maximum=WINDOW, max_unacknowledged_bytes=BYTES
        )
        return MqttSession(narrow, list(topics), clock=clock, ready=ready)

    own = session(mqtt(f"{writer}-bulk"), wanted)
    others = {
        plan.name: session(plan.mqtt(mqtt(f"{writer}-{plan.name}-bulk")), plan.heavy)
        for plan in plans
        if plan.heavy
    }
    named = {f"{writer}-bulk": own}
    named |= {f"{writer}-{name}-bulk": one for name, one in others.items()}
    return (Sessions(own, others, ready) if others else own), named
