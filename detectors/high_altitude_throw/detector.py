"""The fold: pictures in, falls out. One instance watches one camera."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from contracts.clock import EPOCH, iso
from contracts.detector import Site
from contracts.event import Event, Footage
from contracts.nouns import Frame
from detectors._common.episode import Episode, Ledger, revise
from detectors._common.facade import Facade, mask_of
from detectors.high_altitude_throw.motion import Sight, SightState
from detectors.high_altitude_throw.origin import origin_fact
from detectors.high_altitude_throw.settings import Settings
from detectors.high_altitude_throw.tracking import Track, Tracker, TrackerState
from detectors.high_altitude_throw.verdict import Verdict, cut_to_fall, evidence_of, judge, weigh

KIND = "high_altitude_throw"

AGAIN = 1.25
"""A track is judged anew when it has this many times the hits: few fits, soon enough."""

BESIDE = 0.35
"""Falls at one time and this near each other across (picture heights) are one: pieces of a thing,
or its mirror image in the glass."""

FOOTAGE_BEFORE, FOOTAGE_AFTER = timedelta(seconds=5), timedelta(seconds=3)


class Open(msgspec.Struct):
    """A fall that was published and may still change."""

    episode: Episode
    device: str
    lead: Track
    """The track that is shown: the longest way down of those that belong to it."""
    members: list[int]
    """Numbers of the tracks that belong to it."""
    until: int
    """Time of its last hit, µs."""


class State(msgspec.Struct):
    """All that a detector must remember."""

    last: int
    """Time of the newest picture, µs."""
    received: datetime | None
    shape: tuple[int, int] | None
    sight: SightState | None
    tracker: TrackerState | None
    ledger: Ledger
    open: list[Open]


def _moment(t: int) -> datetime:
    return EPOCH + timedelta(microseconds=t)


class ThrowDetector:
    """See `contracts.detector.Detector`. Pictures at or before the newest one are ignored."""

    def __init__(self, cfg: Settings, site: Site, snapshot: bytes | None) -> None:
        self.cfg, self.site = cfg, site
        self.last = -1
        self.received: datetime | None = None
        self.sight: Sight | None = None
        self.tracker: Tracker | None = None
        self.facade: Facade | None = None
        self.ledger = Ledger()
        self.open: list[Open] = []
        if snapshot is not None:
            self._restore(msgspec.msgpack.decode(snapshot, type=State))

    # --- the fold ---------------------------------------------------------------------------

    def on_item(self, item: Frame, /) -> Iterable[Event]:
        """Fold one picture."""
        t = (item.at - EPOCH) // timedelta(microseconds=1)
        if t <= self.last:
            return []
        events: list[Event] = []
        shape = (int(item.luma.shape[0]), int(item.luma.shape[1]))
        if self.sight is None or self.sight.shape != shape:
            events.extend(self._end_all())
            self._begin(shape)
        self.last, self.received = t, item.received_at
        assert self.sight is not None and self.tracker is not None
        for found in self.sight.add(t, item.luma):
            ended = self.tracker.add(found)
            for track in ended:
                events.extend(self._consider(track, item.device, last_chance=True))
            for track in self.tracker.tracks:
                events.extend(self._consider(track, item.device, last_chance=False))
        events.extend(self._settle(t))
        return events

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """No pictures for long: what is open ends."""
        if self.received is None or now < self.received + self._patience:
            return []
        return list(self._end_all())

    def wake_at(self) -> datetime | None:
        """When to stop waiting for pictures."""
        waiting = self.open or (self.tracker is not None and self.tracker.tracks)
        return self.received + self._patience if waiting and self.received is not None else None

    @property
    def _patience(self) -> timedelta:
        return timedelta(seconds=self.cfg.close_after_s)

    # --- judging and publishing ---------------------------------------------------------------

    def _consider(self, track: Track, device: str, *, last_chance: bool) -> Iterator[Event]:
        assert self.tracker is not None
        if track.fall:
            self._grow(track, ended=last_chance)
            return
        due = len(track.hits) >= max(self.cfg.least_hits, track.judged * AGAIN)
        if not due and not (last_chance and len(track.hits) > track.judged):
            return
        verdict = judge(track, self.cfg, self.tracker.height, self.facade, ended=last_chance)
        if verdict is None:
            return
        track.judged = len(track.hits)
        if verdict.against:
            return
        track.fall = True
        track.certain = len(track.hits)
        fellow = next((one for one in self.open if self._same(one, track)), None)
        if fellow is not None:
            fellow.members.append(track.number)
            self._grow(track)
            return
        episode = self.ledger.open(KIND, self.site.id, _moment(track.hits[0].t))
        opened = Open(episode, device, track, [track.number], track.last.t)
        self.open.append(opened)
        yield self._event(opened, verdict, closed=False)

    def _same(self, one: Open, track: Track) -> bool:
        """Whether the track is a piece or a mirror image of a fall that is open."""
        assert self.tracker is not None
        t = max(track.hits[0].t, one.lead.hits[0].t)
        if track.hits[0].t > one.until + self.cfg.settle_s * 1e6:
            return False
        across = _x_at(track, t) - _x_at(one.lead, t)
        return abs(across) <= BESIDE * self.tracker.height

    def _grow(self, track: Track, *, ended: bool = False) -> None:
        assert self.tracker is not None
        if ended and len(track.hits) > track.certain:
            height = self.tracker.height
            track.hits = cut_to_fall(track.hits, track.certain, self.cfg, height, self.facade)
        for one in self.open:
            if track.number in one.members:
                one.until = max(one.until, track.last.t)
                if _drop(track) > _drop(one.lead):
                    one.lead = track

    def _settle(self, t: int) -> Iterator[Event]:
        assert self.tracker is not None
        alive = {track.number for track in self.tracker.tracks}
        kept: list[Open] = []
        for one in self.open:
            quiet = t - one.until >= self.cfg.settle_s * 1e6 and not alive & set(one.members)
            if quiet or t - one.lead.hits[0].t >= self.cfg.longest_s * 1e6:
                yield self._event(one, None, closed=True)
            else:
                kept.append(one)
        self.open = kept

    def _end_all(self) -> Iterator[Event]:
        if self.tracker is not None:
            for track in self.tracker.tracks:
                device = self.site.devices[0].id if self.site.devices else self.site.id
                yield from self._consider(track, device, last_chance=True)
            self.tracker.tracks, self.tracker.recent = [], []
        for one in self.open:
            yield self._event(one, None, closed=True)
        self.open = []

    def _event(self, one: Open, verdict: Verdict | None, *, closed: bool) -> Event:
        assert self.tracker is not None
        track, height = one.lead, self.tracker.height
        if verdict is None:
            verdict = weigh(track.hits, self.cfg, height, self.facade)
        onset = _moment(track.hits[0].t)
        fit = verdict.fit if verdict is not None else None
        metric = verdict.metric if verdict is not None else None
        fastest = track.hits[len(track.hits) // 2]
        evidence: dict[str, Any] = {
            "track": [
                [iso(_moment(hit.t)), round(hit.x, 1), round(hit.y, 1)] for hit in track.hits
            ],
            "origin": origin_fact(metric) if metric is not None else None,
            "speed": round(metric.speed, 1) if metric is not None else None,
            "clip": None,
            "still": None,
            "hits": len(track.hits),
            "size_px": round(_median([max(hit.w, hit.h) for hit in track.hits]), 1),
            "score": round(track.best, 1),
            "tracks": len(one.members),
            "picture": [self.tracker.width, height],
            "why": _why(track, verdict, self.facade is not None, len(one.members)),
        }
        if fit is not None:
            evidence |= {
                "confidence": _confidence(track, evidence_of(fit, metric), self.cfg),
                "evidence_of_fall": round(evidence_of(fit, metric), 1),
                "misfit": round(fit.misfit, 2),
                "steady_misfit": round(fit.steady_misfit, 2),
                "drop_share": round(fit.drop, 3),
                "acceleration_share": round(fit.acceleration, 3),
            }
        if metric is not None:
            evidence |= {
                "acceleration": round(metric.acceleration, 2),
                "drop_m": round(metric.drop, 1),
                "release_m": [round(metric.place[0], 2), round(metric.place[1], 2)],
                "release_sd_m": [round(metric.sd[0], 2), round(metric.sd[1], 2)],
            }
        return revise(
            one.episode,
            kind=KIND,
            site=self.site.id,
            device=one.device,
            point=self.site.point,
            severity=self.cfg.severity,
            evidence=evidence,
            at=onset,
            closed=closed,
            footage=Footage(
                one.device,
                onset - FOOTAGE_BEFORE,
                _moment(track.last.t) + FOOTAGE_AFTER,
                _moment(fastest.t),
            ),
        )

    # --- state --------------------------------------------------------------------------------

    def _begin(self, shape: tuple[int, int]) -> None:
        camera = self.site.camera
        mask = mask_of(camera.detect_mask, camera.size, shape) if camera is not None else None
        calibrated = camera is not None and len(camera.points) >= 4
        self.facade = Facade(camera, shape) if camera is not None and calibrated else None
        self.sight, self.tracker = Sight(shape, mask), Tracker(shape)

    def snapshot(self) -> bytes:
        """All state: the last pictures (compressed without loss), noise map, tracks, open falls."""
        sight, tracker = self.sight, self.tracker
        state = State(
            last=self.last,
            received=self.received,
            shape=sight.shape if sight is not None else None,
            sight=sight.state() if sight is not None else None,
            tracker=tracker.state() if tracker is not None else None,
            ledger=self.ledger,
            open=self.open,
        )
        return msgspec.msgpack.encode(state)

    def _restore(self, state: State) -> None:
        self.last, self.received = state.last, state.received
        self.ledger, self.open = state.ledger, state.open
        if state.shape is None or state.sight is None or state.tracker is None:
            return
        self._begin(state.shape)
        assert self.sight is not None and self.tracker is not None
        self.sight.restore(state.sight)
        self.tracker.restore(state.tracker)
        # one track is one object, whether it is followed or shown
        live = {track.number: track for track in self.tracker.tracks}
        for one in self.open:
            one.lead = live.get(one.lead.number, one.lead)


def _x_at(track: Track, t: int) -> float:
    return min(track.hits, key=lambda hit: abs(hit.t - t)).x


def _drop(track: Track) -> float:
    return track.last.y - track.hits[0].y


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _confidence(track: Track, evidence: float, cfg: Settings) -> float:
    """0.5 where a limit is just met, towards 1 as both pass it by far."""
    margin = min(track.best / cfg.least_score, max(evidence, 0.0) / cfg.least_evidence)
    return round(min(0.99, 1 - 0.5 / max(margin, 0.5)), 2)


def _why(track: Track, verdict: Verdict | None, calibrated: bool, members: int) -> list[str]:
    """The reasons, for people."""
    seconds = (track.last.t - track.hits[0].t) / 1e6
    lines = [f"{len(track.hits)} pictures in {seconds:.2f} s show it on one way down"]
    if verdict is not None:
        lines.append(
            f"a fall fits with chi² {verdict.fit.misfit:.1f}, steady motion with "
            f"{verdict.fit.steady_misfit:.1f}"
        )
    if members > 1:
        lines.append("a parallel track at the same time (mirror image or piece) was merged")
    if not calibrated:
        lines.append("camera is not calibrated: cannot name a window")
    elif verdict is not None and verdict.metric is not None:
        metric = verdict.metric
        lines.append(f"it speeds up by {metric.acceleration:.1f} m/s² on the wall")
        if origin_fact(metric) is None:
            lines.append("the fall did not clearly begin in a known zone: no window is named")
    return lines
