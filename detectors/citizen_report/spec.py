"""Each report is an event at once; its kind, if it names one, stands in the evidence.

A report is an episode of its own and open until somebody has dealt with it: no reading can tell
that what a person saw is over. Which reports tell of one thing is the router's question.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from contracts.city import City
from contracts.detector import Site, Spec
from contracts.event import Event
from contracts.kinds import APP_TYPES, KINDS
from contracts.nouns import Report
from detectors._common.episode import Ledger, revise

KIND = "citizen_report"


class CitizenReportConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How residents' reports count."""

    severity: int = 2
    """Severity of a report (1 to 5)."""
    app_types: tuple[str, ...] = APP_TYPES
    """Types of the devices that carry reports; others may report too when they list no metrics."""


class State(msgspec.Struct):
    """All state of one app."""

    ledger: Ledger


def sites(city: City, cfg: CitizenReportConfig) -> Iterable[Site]:
    """One site per app (each has a device id on the wire)."""
    for device in city.devices.values():
        if device.type.lower() in cfg.app_types:
            yield Site(
                id=device.id, district=device.district, point=device.point, devices=(device,)
            )


class CitizenReport:
    """Turns every report into one event."""

    def __init__(self, cfg: CitizenReportConfig, site: Site, snapshot: bytes | None) -> None:
        self._cfg, self._site = cfg, site
        self._state = (
            msgspec.msgpack.decode(snapshot, type=State)
            if snapshot is not None
            else State(Ledger())
        )

    def on_item(self, item: Report, /) -> Iterable[Event]:
        """One report, one event at the place it names."""
        # The report's own id names the episode: two people may report in the same second.
        episode = self._state.ledger.open(KIND, f"{self._site.id}/{item.id}", item.at)
        evidence: dict[str, Any] = {
            "report": item.id,
            "text": item.text,
            "kind": item.kind if item.kind in KINDS else None,
            "kind_as_said": item.kind,
            "reporter": item.reporter,
            "photo_bytes": len(item.photo) if item.photo is not None else 0,
        }
        return (
            revise(
                episode,
                kind=KIND,
                site=self._site.id,
                device=item.device,
                point=item.point,
                severity=self._cfg.severity,
                evidence=evidence,
            ),
        )

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """Never asked for."""
        return ()

    def wake_at(self) -> datetime | None:
        """Reports have no timers."""
        return None

    def snapshot(self) -> bytes:
        """All state as msgpack."""
        return msgspec.msgpack.encode(self._state)


SPEC = Spec(
    kind=KIND,
    consumes=(Report,),
    config=CitizenReportConfig,
    sites=sites,
    build=CitizenReport,
)
