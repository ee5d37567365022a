"""The fold: pictures in, falls out. One instance watches one camera."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec

from contracts.clock import EPOCH
from contracts.detector import Site
from contracts.event import Event, Footage
from contracts.nouns import Frame
from detectors._common.episode import Episode, Ledger, revise
from detectors._common.facade import mask_of
from detectors._common.scene import SceneState, SceneWatch
from detectors.high_altitude_throw.halves import flies_on, is_one_flight, remembered, wholes
from detectors.high_altitude_throw.hypotheses import Track
from detectors.high_altitude_throw.merge import is_image, leads, same_fall
from detectors.high_altitude_throw.motion import RAIN_LEVEL, Sight, SightState
from detectors.high_altitude_throw.origin import Origin, origin_of
from detectors.high_altitude_throw.regime import Regime
from detectors.high_altitude_throw.settings import Settings
from detectors.high_altitude_throw.space import space_of
from detectors.high_altitude_throw.told import Told, evidence, moment
from detectors.high_altitude_throw.tracking import Tracker, TrackerState
from detectors.high_altitude_throw.verdict import (
    Verdict,
    cut_to_fall,
    judge,
    weigh,
    without_hanging,
)
from detectors.high_altitude_throw.wall import Wall, wall_of

KIND = "high_altitude_throw"

AGAIN = 1.25
"""A track is judged anew when it has this many times the hits: few fits, soon enough."""

FOOTAGE = timedelta(seconds=3)
"""Before the onset and after the end."""


CONDITIONS: dict[Regime, str] = {
    "rain": f"rain, snow or a crowd of moving things: only what stands out {RAIN_LEVEL:g} times as "
    "much as usual is looked for",
    "blind": "the picture shakes or flashes: much of it cannot be used",
}


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
    regime: Regime = "clear"
    """What the scene was like when it was found."""


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
    regime: Regime = "clear"
    scene: SceneState | None = None
    pieces: list[Track] = []


class ThrowDetector:
    """See `contracts.detector.Detector`. Pictures at or before the newest one are ignored."""

    def __init__(self, cfg: Settings, site: Site, snapshot: bytes | None) -> None:
        self.cfg, self.site = cfg, site
        self.last = -1
        self.received: datetime | None = None
        self.sight: Sight | None = None
        self.tracker: Tracker | None = None
        self.wall: Wall | None = None
        self.scene: SceneWatch | None = None
        """Whether a calibrated camera still sees what was calibrated."""
        self.regime: Regime = "clear"
        self.ledger = Ledger()
        self.open: list[Open] = []
        self.pieces: list[Track] = []
        """Tracks that ended lately and were no falls: beginnings of others perhaps."""
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
            self.pieces = []
            self._begin(shape)
        self.last, self.received = t, item.received_at
        assert self.sight is not None and self.tracker is not None
        if self.scene is not None:
            self.scene.add(t, item.luma)
        for found in self.sight.add(t, item.luma):
            self.regime = found.regime
            ended = self.tracker.add(found, rain=found.regime == "rain")
            for track in ended:
                events.extend(self._consider(track, item.device, last_chance=True))
            for track in self.tracker.tracks:
                silent = self.tracker.silent(track, found.t)
                events.extend(self._consider(track, item.device, last_chance=silent))
            self.pieces = remembered(ended, self.pieces, found.t)
        events.extend(self._settle(t))
        return events

    def on_time(self, now: datetime, /) -> Iterable[Event]:
        """No pictures for long: what is open ends."""
        if self.received is None or now < self.received + self._patience:
            return []
        return list(self._end_all())

    def condition(self) -> str | None:
        """Why less is seen or told than before a clear wall; None where nothing is in the way."""
        parts = [CONDITIONS[self.regime]] if self.regime in CONDITIONS else []
        if self.scene is not None and not self.scene.trusted:
            parts.append("the camera has moved or its picture is at fault: no window is named")
        return "; ".join(parts) or None

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
        if not due and not (last_chance and len(track.hits) > track.concluded):
            return
        size, hits = (self.tracker.height, self.tracker.width), track.hits
        fresh = last_chance and len(hits) > track.concluded
        verdict = judge(track, self.cfg, size, self._usable, ended=last_chance)
        if verdict is None or verdict.against:
            track.judged = len(hits) if verdict is not None else track.judged
            track.concluded = len(hits) if last_chance else track.concluded
            track.hits = without_hanging(hits)
            cut = len(hits) - len(track.hits)
            track.chances -= cut
            if cut >= self.cfg.least_hits:
                verdict = judge(track, self.cfg, size, self._usable, ended=last_chance)
            if cut < self.cfg.least_hits or verdict is None or verdict.against:
                track.hits, track.chances = hits, track.chances + cut
                verdict = self._as_end(track, size) if fresh else None
            if verdict is None:
                return
        self.tracker.trace_back(track)
        self._lengthen(track)
        track.judged = track.certain = len(track.hits)
        track.fall = True
        fellow = next((one for one in self.open if self._same(one, track)), None)
        if fellow is not None:
            fellow.members.append(track.number)
            self._grow(track)
            return
        episode = self.ledger.open(KIND, self.site.id, moment(track.hits[0].t))
        opened = Open(episode, device, track, [track.number], track.last.t, self.regime)
        self.open.append(opened)
        yield self._event(opened, verdict, closed=False)

    def _wholes(self, track: Track) -> Iterator[Track]:
        """The track with what may have been its beginning, before a calibrated wall."""
        wall = self._usable
        if wall is None or self.tracker is None or self.regime != "clear":
            return
        waiting = [one for one in self.tracker.tracks if one.misses and not one.fall]
        yield from wholes(track, [*self.pieces, *waiting], wall, self.tracker.height)

    def _as_end(self, track: Track, size: tuple[int, int]) -> Verdict | None:
        """The verdict on the track as the end of one that was torn; then it is the whole of it."""
        for whole in self._wholes(track):
            verdict = judge(whole, self.cfg, size, self._usable, ended=True)
            if self.wall is not None and is_one_flight(verdict, whole, self.wall, size[0]):
                track.hits, track.best, track.score = whole.hits, whole.best, whole.score
                track.chances, track.misses = whole.chances, 0
                return verdict
        return None

    def _lengthen(self, track: Track) -> None:
        """Add what was seen of a fall before it was lost for a while: its window hangs on it."""
        for whole in self._wholes(track):
            if self.wall is not None and flies_on(whole.hits, self.wall, self.wall.facade.shape[0]):
                track.hits, track.chances = whole.hits, whole.chances

    @property
    def _usable(self) -> Wall | None:
        """The wall, unless the camera no longer sees what was calibrated."""
        return self.wall if self.scene is None or self.scene.trusted else None

    def _same(self, one: Open, track: Track) -> bool:
        """Whether the track is a piece or a mirror image of a fall that is open."""
        assert self.tracker is not None
        return same_fall(one.lead.hits, track.hits, self.tracker.height, self._usable)

    def _grow(self, track: Track, *, ended: bool = False) -> None:
        assert self.tracker is not None
        height = self.tracker.height
        if ended and len(track.hits) > track.certain:
            track.hits = cut_to_fall(track.hits, track.certain, self.cfg, height, self._usable)
            track.certain = len(track.hits)
        for one in self.open:
            if track.number not in one.members:
                continue
            one.until = max(one.until, track.last.t)
            if track is not one.lead:
                self._join(one, track)

    def _join(self, one: Open, track: Track) -> None:
        """Of a fall's tracks the thing itself is shown, not its image; pieces one after the other
        become one track."""
        assert self.tracker is not None
        height = self.tracker.height
        if is_image(track.hits, one.lead.hits, height, self._usable):
            return
        if is_image(one.lead.hits, track.hits, height, self._usable):
            one.lead = track
            return
        early, late = sorted((one.lead, track), key=lambda part: part.hits[0].t)
        if late.hits[0].t > early.last.t:
            whole = [*early.hits, *late.hits]
            verdict = weigh(whole, self.cfg, height, self._usable)
            if verdict is not None and not verdict.against:
                late.hits, late.certain = whole, len(whole)
                late.best = max(early.best, late.best)
                one.lead = late
                return
        if leads(track, one.lead, height):
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
            self.tracker.forget()
        for one in self.open:
            yield self._event(one, None, closed=True)
        self.open = []

    def _event(self, one: Open, verdict: Verdict | None, *, closed: bool) -> Event:
        assert self.tracker is not None
        track, height, wall = one.lead, self.tracker.height, self._usable
        if verdict is None:
            verdict = weigh(track.hits, self.cfg, height, wall, steady=True)
        origin: Origin | None = None
        if wall is not None and len(track.hits) >= self.cfg.least_hits:
            origin = origin_of(track.hits, wall, height)
        told = Told(
            track=track,
            verdict=verdict,
            origin=origin,
            picture=(height, self.tracker.width),
            members=len(one.members),
            regime=one.regime,
            calibrated=self.wall is not None,
            moved=self.scene.why if self.scene is not None else "",
            closed=closed,
        )
        onset = moment(track.hits[0].t)
        return revise(
            one.episode,
            kind=KIND,
            site=self.site.id,
            device=one.device,
            point=self.site.point,
            severity=self.cfg.severity,
            evidence=evidence(told, self.cfg),
            at=onset,
            closed=closed,
            footage=Footage(
                one.device,
                onset - FOOTAGE,
                moment(track.last.t) + FOOTAGE,
                moment(track.hits[len(track.hits) // 2].t),
            ),
        )

    # --- state --------------------------------------------------------------------------------

    def _begin(self, shape: tuple[int, int]) -> None:
        camera = self.site.camera
        mask = mask_of(camera.detect_mask, camera.size, shape) if camera is not None else None
        calibrated = camera is not None and len(camera.points) >= 4
        self.wall = wall_of(camera, shape) if camera is not None and calibrated else None
        facade = self.wall.facade if self.wall is not None else None
        self.sight, self.tracker = Sight(shape, mask), Tracker(shape, space_of(facade, shape))
        if camera is not None and calibrated and self.scene is None:
            self.scene = SceneWatch(camera.picture, camera.size, adopts=False)

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
            regime=self.regime,
            scene=self.scene.state() if self.scene is not None else None,
            pieces=self.pieces,
        )
        return msgspec.msgpack.encode(state)

    def _restore(self, state: State) -> None:
        self.last, self.received = state.last, state.received
        self.ledger, self.open, self.regime = state.ledger, state.open, state.regime
        self.pieces = state.pieces
        if state.shape is None or state.sight is None or state.tracker is None:
            return
        self._begin(state.shape)
        assert self.sight is not None and self.tracker is not None
        self.sight.restore(state.sight)
        self.tracker.restore(state.tracker)
        if self.scene is not None and state.scene is not None:
            self.scene.restore(state.scene)
        # one track is one object, whether it is followed or shown
        live = {track.number: track for track in self.tracker.tracks}
        for one in self.open:
            one.lead = live.get(one.lead.number, one.lead)
