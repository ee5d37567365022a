"""What tests of adapters need: a few registered devices, an adapter over them, arrivals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contracts.aliases import Alias
from contracts.city import Device
from contracts.geo import Point
from contracts.nouns import Arrival, Poison, Reading
from ingest.adapting.dispatch import Adapted
from ingest.adapting.plan import read
from ingest.codec.times import ClockRule

NOW = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


def device(name: str, type_: str = "drain", district: str = "d1") -> Device:
    return Device(id=name, district=district, type=type_, point=Point(118.0, 26.0))


def adapted(
    use: str,
    devices: Iterable[Device],
    aliases: Iterable[Alias] = (),
    folder: Path = Path("/nowhere"),
    **options: Any,
) -> Adapted:
    """One adapter as a configuration makes it."""
    plans = read([{"use": use, **options}], "gridsentry.toml", folder)
    return Adapted(plans, {d.id: d for d in devices}, {a.alias: a for a in aliases}, ClockRule())


def arrival(topic: str, payload: object, at: datetime = NOW, retained: bool = False) -> Arrival:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Arrival(topic, data, at, retained)


def said(gate: Adapted, message: Arrival) -> list[Any]:
    """What comes of a message; its topic must be the adapter's."""
    name = gate.of(message.topic)
    assert name is not None, message.topic
    return list(gate.decode(name, message))


def values(nouns: Iterable[Any]) -> Mapping[str, float]:
    """Metric → value of the readings."""
    return {n.metric: n.value for n in nouns if isinstance(n, Reading)}


def poisons(nouns: Iterable[Any]) -> list[Poison]:
    return [n for n in nouns if isinstance(n, Poison)]
