"""Findings become the revisions of one episode per device."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contracts.clock import iso
from contracts.event import Event
from contracts.geo import Point
from contracts.nouns import Reading
from detectors._common.episode import Episode, revise
from detectors._common.moment import moment, stamp
from detectors.sensor_faulty.channel import Channel
from detectors.sensor_faulty.config import KIND
from detectors.sensor_faulty.drift import HOUR_S
from detectors.sensor_faulty.state import DeviceState
from detectors.sensor_faulty.told import HOLD_REPORTS, HOLDS_S, TODO, WHATS

CURVE_HOURS = 24


def speak(
    item: Reading, device: DeviceState, channel: Channel, now: float, point: Point, severity: int
) -> Iterable[Event]:
    """Let faults go of which there was no sign for long enough; a revision when others stand now
    than were told. `item` is the device's newest reading, received `now` (epoch seconds)."""
    hold = HOLD_REPORTS * max(channel.period, channel.registered)
    for key, found in list(device.faults.items()):
        if now - found.last > max(HOLDS_S[found.what], hold):
            del device.faults[key]
    standing = sorted(device.faults)
    if standing == device.told:
        return ()
    device.told = standing
    if device.episode is None:
        since = min(found.since for found in device.faults.values())
        device.episode = device.ledger.open(KIND, item.device, moment(since))
    ranks = [f.what for f in device.faults.values()] + ([device.main] if device.main else [])
    device.main = min(ranks, key=WHATS.index)
    event = _revision(item, device, device.episode, point, severity)
    if not standing:
        device.episode, device.main = None, ""
    return (event,)


def _revision(
    item: Reading, device: DeviceState, episode: Episode, point: Point, severity: int
) -> Event:
    standing = sorted(device.faults.values(), key=lambda f: (WHATS.index(f.what), f.since))
    evidence: dict[str, Any] = {
        "fault": device.main,
        "seen_at": iso(item.received_at),
        "faults": [
            {
                "what": f.what,
                "metric": f.metric or None,
                "since": stamp(f.since),
                "numbers": f.numbers,
            }
            for f in standing
        ],
    }
    if standing:
        todo = [TODO[what] for what in dict.fromkeys(f.what for f in standing)]
        evidence |= {
            "why": [f.en for f in standing],
            "why_zh": [f.zh for f in standing],
            "todo": [en for en, _ in todo],
            "todo_zh": [zh for _, zh in todo],
            "hours": {
                metric: [
                    [stamp((hour + 0.5) * HOUR_S), round(value, 4)]
                    for hour, value, _ in watch.hours[-CURVE_HOURS:]
                ]
                for metric, watch in sorted(device.drift.items())
            },
        }
    else:
        evidence |= {
            "why": ["its readings are as they should be again"],
            "why_zh": ["设备读数已恢复正常"],
        }
    return revise(
        episode,
        kind=KIND,
        site=item.device,
        device=item.device,
        point=point,
        severity=severity,
        evidence=evidence,
        closed=not standing,
    )
