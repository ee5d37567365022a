"""A camera that moved, is covered or blurred, or whose picture is frozen.

What that means and how it is told from night, fog, rain, wind and lorries: `_common/scene.py`. One
episode from the first sign until the camera sees again what it should; when one fault takes over
from another, the episode goes on and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.clock import EPOCH, iso
from contracts.detector import Site
from contracts.event import Event, Footage
from contracts.nouns import Frame
from detectors._common.episode import Episode, Ledger, revise
from detectors._common.faults import Fault
from detectors._common.scene import SceneState, SceneWatch
from detectors.sensor_faulty.config import KIND, SensorFaultyConfig

FOOTAGE_BEFORE, FOOTAGE_AFTER = timedelta(seconds=3), timedelta(seconds=5)
"""The clip shows how it began."""


class State(msgspec.Struct):
    """All state of one camera."""

    scene: SceneState
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    episode: Episode | None = None
    what: str = ""
    """The fault last told."""


class CameraFaults:
    """Watches one camera's pictures for what is wrong with the camera itself."""

    def __init__(self, cfg: SensorFaultyConfig, site: Site, snapshot: bytes | None) -> None:
        self._cfg, self._site = cfg, site
        camera = site.camera
        self._watch = SceneWatch(
            camera.picture if camera is not None else None,
            camera.size if camera is not None else None,
            cfg,
            # where windows are calibrated, a new view is right only once somebody says so
            adopts=camera is None or not camera.points,
        )
        self._state = State(self._watch.state())
        if snapshot is not None:
            self._state = msgspec.msgpack.decode(snapshot, type=State)
            self._watch.restore(self._state.scene)

    def on_item(self, item: Frame, /) -> Iterable[Event]:
        """Fold one picture."""
        t = (item.at - EPOCH) // timedelta(microseconds=1)
        self._watch.add(t, item.luma)
        fault = self._watch.fault
        state = self._state
        if fault is None:
            if state.episode is None:
                return []
            event = self._revise(state.episode, item, None)
            state.episode, state.what = None, ""
            return [event]
        if fault.what == state.what:
            return []
        if state.episode is None:
            state.episode = state.ledger.open(KIND, self._site.id, _moment(fault.since))
        state.what = fault.what
        return [self._revise(state.episode, item, fault)]

    def on_time(self, _now: datetime, /) -> Iterable[Event]:
        """Nothing: a camera that sends nothing is silent, which others notice."""
        return ()

    def wake_at(self) -> datetime | None:
        """Never: see `on_time`."""
        return None

    def snapshot(self) -> bytes:
        """All state as msgpack, the learned reference as PNG in it."""
        self._state.scene = self._watch.state()
        return msgspec.msgpack.encode(self._state)

    def _revise(self, episode: Episode, item: Frame, fault: Fault | None) -> Event:
        evidence: dict[str, Any] = {
            "fault": fault.what if fault is not None else self._state.what,
            "seen_at": iso(item.at),
            "picture": [int(item.luma.shape[1]), int(item.luma.shape[0])],
            "calibrated": self._site.camera is not None and self._site.camera.picture is not None,
        }
        footage = None
        if fault is not None:
            began = _moment(fault.since)
            evidence |= {
                "since": iso(began),
                "numbers": fault.numbers,
                "why": [fault.en],
                "why_zh": [fault.zh],
                "clip": None,
                "still": None,
            }
            if episode.rev == 0:
                footage = Footage(
                    item.device,
                    began - FOOTAGE_BEFORE,
                    min(began + FOOTAGE_AFTER, item.at),
                    min(began + FOOTAGE_AFTER - timedelta(seconds=1), item.at),
                )
        else:
            evidence |= {
                "numbers": dict(self._watch.s.numbers),
                "why": ["the camera sees again what it should"],
                "why_zh": ["摄像机画面已恢复"],
            }
        return revise(
            episode,
            kind=KIND,
            site=self._site.id,
            device=item.device,
            point=self._site.point,
            severity=self._cfg.severity,
            evidence=evidence,
            closed=fault is None,
            footage=footage,
        )


def _moment(t: int) -> datetime:
    return EPOCH + timedelta(microseconds=t)
