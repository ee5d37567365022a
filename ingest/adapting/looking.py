"""Pictures that outside gateways publish: they are heavy, and come over sessions of their own.

An adapter that knows of pictures overwrites `Adapter.look`; its `Spec` names the topics (`heavy`).
What it sees is no noun of ours: a picture is kept for minutes, and becomes evidence of an event of
ours that it stands beside, or is forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping, Sequence

from contracts.aliases import Alias
from contracts.city import Device
from contracts.errors import Permanent
from contracts.nouns import Arrival, Poison
from ingest.adapting import filters
from ingest.adapting.plan import Plan
from ingest.adapting.seen import Seen
from ingest.codec.times import ClockRule

log = logging.getLogger(__name__)


class Lookout:
    """The adapters of one bulk reader. One thread. Never raises on input.

    `owned` are the districts of a shard (None: all): what others look after is passed over.
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        devices: Mapping[str, Device],
        aliases: Mapping[str, Alias],
        rule: ClockRule,
        owned: Container[str] | None = None,
    ) -> None:
        self._devices = devices
        self._owned = owned
        self._adapters = {
            plan.name: plan.made(devices, aliases, rule, None) for plan in plans if plan.heavy
        }
        self._patterns = [
            (filters.pattern(filters.plain(topic)), plan) for plan in plans for topic in plan.heavy
        ]

    def of(self, topic: str) -> Plan | None:
        """The adapter that looks at this topic."""
        return next((plan for match, plan in self._patterns if match.fullmatch(topic)), None)

    def look(self, plan: Plan, arrival: Arrival) -> tuple[list[Seen], list[Poison]]:
        """What is in a message of this adapter, and why not where it cannot be read.

        Pictures never go to the dead letters: they show people. Their reason does.
        """
        try:
            if len(arrival.payload) > plan.limit:
                raise Permanent(
                    "too_large",
                    f"{len(arrival.payload):,} bytes are more than a message of {plan.name} may "
                    f"have ({plan.limit:,})",
                )
            seen = self._adapters[plan.name].look(arrival)
            return [one for one in seen if self._ours(one.device)], []
        except Permanent as bad:
            device = getattr(bad, "device", None)
            if bad.code == "unknown_device" or not self._ours(device):
                return [], []  # the session of its readings tells of a stranger
            return [], [self._poison(plan, arrival, bad.code, bad.reason, device)]
        except Exception as fault:  # a fault of ours must not stop the messages behind it
            log.exception("adapter %s failed on a message of topic %r", plan.name, arrival.topic)
            reason = f"our adapter failed ({type(fault).__name__}: {fault}); please report this"
            return [], [self._poison(plan, arrival, "decoder_fault", reason, None)]

    def _poison(
        self, plan: Plan, arrival: Arrival, code: str, reason: str, device: str | None
    ) -> Poison:
        data = arrival.payload if arrival.payload.lstrip()[:1] == b"{" else b""
        return Poison(arrival.topic, arrival.received_at, code, reason, data, device, plan.name)

    def _ours(self, device: str | None) -> bool:
        known = self._devices.get(device or "")
        return self._owned is None or known is None or known.district in self._owned
