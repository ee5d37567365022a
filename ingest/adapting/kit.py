"""What an adapter is, what it is given, and what it needs to make readings.

An adapter turns the messages of one kind of gateway into the nouns of our own decoder. It is pure:
the same messages in the same order give the same nouns; time is the message's `received_at`, and
nothing is read or sent on the side. What it must remember is its snapshot, what it has to say to
the gateway it returns as `Outgoing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec

from contracts.city import Device
from contracts.errors import Permanent
from contracts.nouns import Arrival, Item, Poison, Position, Quality, Reading
from ingest.adapting.register import Register
from ingest.codec import telemetry
from ingest.codec.times import ClockRule, check_retained, effective

if TYPE_CHECKING:
    from ingest.adapting.seen import Seen

NOTHING: Final[tuple[()]] = ()
"""What an adapter returns for a message that is left aside on purpose: counted, no dead letter."""


class Outgoing(msgspec.Struct, frozen=True):
    """Something to be said to the gateway: published once the message's batch is committed.

    At most once: after a crash in between it is not said. An adapter that needs an answer asks
    again, at a later message, for as long as none came.
    """

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


Said = Item | Position | Poison | Outgoing
"""What an adapter makes of a message."""


class Presence(msgspec.Struct, frozen=True):
    """What the broker is told of us at the beginning of a connection, and says when we vanish."""

    greeting: Outgoing
    will: Outgoing


class Setting(msgspec.Struct, frozen=True):
    """What an adapter is built with; new after every change of the city and every restart."""

    name: str
    """Of this adapter: `use`, or the `name` that the configuration gives it."""
    register: Register
    """Who is registered, under which names."""
    rule: ClockRule = ClockRule()
    """When a device's clock is believed."""
    state: bytes | None = None
    """Its last committed snapshot."""


class Adapter:
    """Base of every adapter: overwrite `decode`, and the rest where it is not true."""

    def decode(self, arrival: Arrival, /) -> Sequence[Said]:
        """The nouns in one message, `NOTHING` when it is left aside on purpose.

        May raise Permanent (with the reason, in words) when nothing of it can be read, best inside
        `blaming(device)`; a device that nobody registered is `register.device()`'s to refuse.
        """
        raise NotImplementedError

    def look(self, arrival: Arrival, /) -> Sequence[Seen]:
        """What is seen in a message of the `heavy` topics, in a session beside; raises like
        `decode`."""
        return NOTHING

    def snapshot(self) -> bytes | None:
        """All state if it changed since it was last asked for, else None. Committed with the
        batch, and given back as `Setting.state`."""
        return None

    def presence(self, now: datetime, /) -> Presence | None:
        """What to say at the beginning of a connection; None: nothing."""
        return None


Options = TypeVar("Options", bound=msgspec.Struct)
Build = Callable[[Setting], Adapter]


class Spec(Generic[Options]):
    """An adapter file's one export, as `SPEC`."""

    def __init__(
        self,
        *,
        topics: Sequence[str],
        options: type[Options],
        prepare: Callable[[Options, Path], Build],
        limit: int = 2**20,
        speaks: bool = False,
        heavy: Callable[[Options], Sequence[str]] = lambda _: (),
    ) -> None:
        """`topics` where the configuration names none; `prepare` reads what the options name
        (paths are relative to the city folder) and raises Wrong, the `Build` it gives does no I/O;
        `limit` is the largest message in bytes; `speaks` says that it returns `Outgoing`; `heavy`
        are topics of pictures, which come over a session of their own to `Adapter.look`."""
        self.topics = tuple(topics)
        self.options = options
        self.prepare = prepare
        self.limit = limit
        self.speaks = speaks
        self.heavy = heavy


class NoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of an adapter that has none."""


class Blamed(Permanent):
    """A permanent fault in a message of a registered device: the breaker is told whose."""

    def __init__(self, code: str, reason: str, device: str) -> None:
        super().__init__(code, reason)
        self.device = device


@contextmanager
def blaming(device: Device | None) -> Iterator[None]:
    """Permanent faults inside are of this device (None: of nobody that is known)."""
    try:
        yield
    except Blamed:
        raise
    except Permanent as bad:
        if device is None or hasattr(bad, "device"):
            raise
        raise Blamed(bad.code, bad.reason, device.id) from None


def readings(
    device: Device,
    values: Mapping[str, float],
    arrival: Arrival,
    rule: ClockRule,
    sent_at: datetime | None,
    *,
    seq: int | None = None,
    boot: int = 0,
) -> list[Reading]:
    """One Reading per metric. Identity is (device, metric, `sent_at`), without one `boot`, `seq`.

    Raises Permanent `retained`, `bad_metric` or `out_of_range`.
    """
    received_at = arrival.received_at
    if arrival.retained:
        check_retained("telemetry", sent_at, received_at, rule)
    at, quality = received_at, 0
    if sent_at is not None:
        at, mark = effective(sent_at, received_at, rule)
        quality = mark.value
    elif seq is None:
        quality = Quality.UNKEYED.value
    out = []
    for metric, value in values.items():
        telemetry.check_metric(metric, value)
        out.append(
            Reading(device.id, metric, float(value), at, received_at, sent_at, boot, seq, quality)
        )
    return out


def poison(
    arrival: Arrival, code: str, reason: str, device: str | None = None, payload: Any = None
) -> Poison:
    """A part of a message that is set aside while the rest stands; `payload` is that part (None:
    the whole message). The name of the adapter is put in where it is sent on."""
    part = arrival.payload
    if payload is not None:
        try:
            part = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
        except (TypeError, ValueError, RecursionError):
            part = repr(payload).encode()  # CBOR holds what JSON cannot say
    return Poison(arrival.topic, arrival.received_at, code, reason, part, device, "")
