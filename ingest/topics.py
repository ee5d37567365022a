"""The native topics: `gridsentry/v1/feed/{district}/{device}/…` and worker positions."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from contracts.errors import Permanent

PREFIX: Final = "gridsentry/v1"
ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
TIMED: Final = frozenset({"frame", "segment", "trace", "record", "clip"})
"""Last parts that carry their time in the topic: `frame/{epoch_ms}` and so on."""
PLAIN: Final = frozenset({"telemetry", "status", "report"})
ALLOWED: Final = (
    "gridsentry/v1/feed/{district}/{device}/telemetry|status|report, "
    "gridsentry/v1/feed/{district}/{device}/frame|segment|trace|record|clip/{epoch_ms} and "
    "gridsentry/v1/worker/{worker}/position, with ids of 1 to 64 letters, digits, '.', '_', '-'"
)

_EPOCH_MS = re.compile(r"[0-9]{1,15}")
_CACHED = 65_536


class Topic(msgspec.Struct, frozen=True):
    """A parsed topic. `what` is its last word, `ms` the epoch milliseconds where it has them."""

    what: str
    who: str
    """The device, or for `position` the worker."""
    district: str = ""
    ms: int | None = None


_cache: dict[str, Topic] = {}


def parse(topic: str) -> Topic:
    """The parts of a native topic.

    Topics without a time in them are remembered (at most 65,536, then the memory is emptied).
    Raises Permanent `wrong_topic` with what is allowed.
    """
    known = _cache.get(topic)
    if known is not None:
        return known
    parsed = _parse(topic)
    if parsed.ms is None:
        if len(_cache) >= _CACHED:
            _cache.clear()
        _cache[topic] = parsed
    return parsed


def feed(district: str, device: str, what: str, ms: int | None = None) -> str:
    """The topic on which `device` sends `what`; the inverse of `parse`."""
    tail = what if ms is None else f"{what}/{ms}"
    return f"{PREFIX}/feed/{district}/{device}/{tail}"


def _parse(topic: str) -> Topic:
    parts = topic.split("/")
    if parts[:2] != ["gridsentry", "v1"] or len(parts) < 4:
        raise _wrong(topic, "it does not begin like one of ours")
    if parts[2] == "worker":
        if len(parts) != 5 or parts[4] != "position":
            raise _wrong(topic, "a worker sends only 'position'")
        return Topic("position", _id(topic, "worker", parts[3]))
    if parts[2] != "feed":
        raise _wrong(topic, f"{shown(parts[2])} is neither 'feed' nor 'worker'")
    if len(parts) < 6:
        raise _wrong(topic, "it has too few parts")
    district = _id(topic, "district", parts[3])
    device = _id(topic, "device", parts[4])
    what = parts[5]
    if what in PLAIN:
        if len(parts) != 6:
            raise _wrong(topic, f"nothing may follow {what!r}")
        return Topic(what, device, district)
    if what in TIMED:
        if len(parts) != 7 or not _EPOCH_MS.fullmatch(parts[6]):
            raise _wrong(topic, f"{what!r} must be followed by its time in epoch milliseconds")
        return Topic(what, device, district, int(parts[6]))
    raise _wrong(topic, f"{shown(what)} is not something a device sends")


def _id(topic: str, name: str, text: str) -> str:
    if not ID.fullmatch(text):
        raise _wrong(topic, f"the {name} id {shown(text)} is not allowed")
    return text


def shown(text: str, most: int = 80) -> str:
    """`text` quoted for a person: control and bidirectional characters escaped, cut to size."""
    cut = text if len(text) <= most else text[:most] + "…"
    return ascii(cut) if not cut.isprintable() else repr(cut)


def _wrong(topic: str, why: str) -> Permanent:
    return Permanent(
        "wrong_topic", f"topic {shown(topic, 200)} is not understood: {why}; allowed: {ALLOWED}"
    )
