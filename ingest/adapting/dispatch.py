"""From a topic to its adapter, and what came of its messages. Never raises on input."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from contracts.aliases import Alias
from contracts.city import Device
from contracts.errors import Permanent
from contracts.nouns import Arrival, Item, Poison, Position
from ingest.adapting import filters
from ingest.adapting.kit import Adapter, Outgoing
from ingest.adapting.plan import Plan
from ingest.codec.times import ClockRule

log = logging.getLogger(__name__)

KIND: Final = "adapter"
"""Under this kind (and the adapter's name as the site) its snapshot is kept among the others."""
_CACHED: Final = 65_536
Nouns = Sequence[Item | Position | Poison]


class Told(NamedTuple):
    """Of the messages of one batch: how many had which outcome, and what is said after it."""

    counts: Counter[tuple[str, str]]
    outgoing: list[tuple[str, Outgoing]]


class Adapted:
    """The adapters of one decoder. One thread.

    `owned` are the districts of a shard (None: all): nouns of other devices are another shard's,
    and a device that nobody registered is the business of the first (`first`).
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        devices: Mapping[str, Device],
        aliases: Mapping[str, Alias],
        rule: ClockRule,
        states: Mapping[str, bytes] | None = None,
        owned: Container[str] | None = None,
        first: bool = True,
    ) -> None:
        self._devices = devices
        self._owned = owned
        self._first = first
        self._plans = {plan.name: plan for plan in plans}
        self._adapters = {
            plan.name: plan.made(devices, aliases, rule, (states or {}).get(plan.name))
            for plan in plans
        }
        self._patterns = [
            (filters.pattern(filters.plain(topic)), plan.name)
            for plan in plans
            for topic in (*plan.topics, *plan.heavy)
        ]
        self._by_topic: dict[str, str | None] = {}
        self.outgoing: list[tuple[str, Outgoing]] = []
        """(adapter, what it wants to say), for who publishes it after the commit."""
        self.elsewhere = False
        self.counts: Counter[tuple[str, str]] = Counter()
        """(adapter, outcome) of messages: `taken`, `aside` (on purpose), `poison`, `unknown`,
        `elsewhere` (another shard's)."""

    def told(self) -> Told:
        """What was counted and is to be said since this was last asked."""
        told = Told(self.counts, self.outgoing)
        self.counts, self.outgoing = Counter(), []
        return told

    @property
    def adapters(self) -> Mapping[str, Adapter]:
        """By name."""
        return self._adapters

    def of(self, topic: str) -> str | None:
        """The adapter that takes this topic: the first whose filter matches."""
        try:
            return self._by_topic[topic]
        except KeyError:
            pass
        found = next((name for match, name in self._patterns if match.fullmatch(topic)), None)
        if len(self._by_topic) >= _CACHED:
            self._by_topic.clear()
        self._by_topic[topic] = found
        return found

    def not_ours(self, topic: str, nouns: Nouns) -> bool:
        """Whether a kept message, just decoded, is another shard's: of a device of its districts,
        or of one that only that process has heard of yet (it has read the changed city first)."""
        if self._owned is None or self.of(topic) is None:
            return False
        return self.elsewhere or all(
            isinstance(noun, Poison) and noun.code == "unknown_device" for noun in nouns
        )

    def decode(self, name: str, arrival: Arrival) -> Nouns:
        """The nouns of a message of this adapter; what it wants to say goes to `outgoing`."""
        try:
            limit = self._plans[name].limit
            if len(arrival.payload) > limit:
                raise Permanent(
                    "too_large",
                    f"{len(arrival.payload):,} bytes are more than a message of {name} may have "
                    f"({limit:,})",
                )
            said = self._adapters[name].decode(arrival)
        except Permanent as bad:
            device = getattr(bad, "device", None)
            return self._counted(name, [_poison(arrival, bad.code, bad.reason, device, name)])
        except Exception as fault:  # a fault of ours must not stop the messages behind it
            log.exception("adapter %s failed on a message of topic %r", name, arrival.topic)
            reason = f"our adapter failed ({type(fault).__name__}: {fault}); please report this"
            return self._counted(name, [_poison(arrival, "decoder_fault", reason, None, name)])
        nouns: list[Item | Position | Poison] = []
        for one in said:
            if isinstance(one, Outgoing):
                self.outgoing.append((name, one))
            elif isinstance(one, Poison) and one.adapter != name:
                nouns.append(msgspec.structs.replace(one, adapter=name))
            else:
                nouns.append(one)
        return self._counted(name, nouns)

    def _counted(self, name: str, nouns: list[Item | Position | Poison]) -> Nouns:
        self.elsewhere = False
        if self._owned is not None and nouns:
            nouns = [noun for noun in nouns if self._ours(noun)]
            if not nouns:
                self.elsewhere = True
                self.counts[name, "elsewhere"] += 1
                return nouns
        outcome = "aside"
        for noun in nouns:
            if not isinstance(noun, Poison):
                outcome = "taken"
                break
            outcome = "unknown" if noun.code == "unknown_device" else "poison"
        self.counts[name, outcome] += 1
        return nouns

    def _ours(self, noun: Item | Position | Poison) -> bool:
        assert self._owned is not None
        who = None if isinstance(noun, Position) else noun.device
        device = self._devices.get(who or "")
        return self._first if device is None else device.district in self._owned

    def snapshots(self) -> dict[str, bytes]:
        """State of the adapters in which it changed, by name."""
        told = {name: adapter.snapshot() for name, adapter in self._adapters.items()}
        return {name: state for name, state in told.items() if state is not None}


def _poison(arrival: Arrival, code: str, reason: str, device: str | None, name: str) -> Poison:
    return Poison(arrival.topic, arrival.received_at, code, reason, arrival.payload, device, name)
