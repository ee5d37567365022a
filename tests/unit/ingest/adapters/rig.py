"""What the adapters' tests share: a small register and one way to ask an adapter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contracts.aliases import Alias
from contracts.city import Device
from contracts.geo import Point
from contracts.nouns import Arrival, Poison, Reading
from ingest.adapting.kit import Adapter, Said
from ingest.adapting.plan import read
from ingest.codec.times import ClockRule

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SHARED = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "payloads"


def device(id: str, district: str = "d1") -> Device:
    return Device(id=id, district=district, type="drain", point=Point(118.8, 32.0))


def adapter(
    use: str,
    *ids: str,
    aliases: Mapping[str, str | Alias] | None = None,
    state: bytes | None = None,
    folder: Path = Path(),
    **options: Any,
) -> Adapter:
    """The adapter as the configuration makes it, over devices of these ids."""
    (plan,) = read([{"use": use, **options}], "test.toml", folder)
    made = {
        name: one if isinstance(one, Alias) else Alias(alias=name, device=one)
        for name, one in (aliases or {}).items()
    }
    devices = {id: device(id) for id in ids}
    return plan.made(devices, made, ClockRule(), state)


def arrived(topic: str, payload: bytes, at: datetime = NOW, retained: bool = False) -> Arrival:
    return Arrival(topic, payload, at, retained)


def values(said: list[Said] | Any) -> dict[tuple[str, str], float]:
    """(device, metric) → value of the readings in it."""
    return {(r.device, r.metric): r.value for r in said if isinstance(r, Reading)}


def codes(said: list[Said] | Any) -> list[str]:
    """Why parts of it were set aside."""
    return [p.code for p in said if isinstance(p, Poison)]
