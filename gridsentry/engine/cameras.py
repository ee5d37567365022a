"""All picture detectors of one camera, fed segment by segment, and the proof they call for."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from contracts.batch import EvidenceLink, SiteSnapshot
from contracts.errors import Permanent
from contracts.event import Event, Footage
from contracts.nouns import Frame, Poison, Segment, Still
from gridsentry.engine.media import as_segment
from gridsentry.engine.roster import is_media, watches
from gridsentry.engine.runner import SiteRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from contracts.city import City
    from contracts.detector import Spec

log = logging.getLogger(__name__)

PROOF_PATIENCE = timedelta(seconds=10)
"""After a closed event we wait this long for the rest of its footage, then cut what is there."""


class Found(msgspec.Struct, frozen=True):
    """A detector's event revision."""

    event: Event
    known_at: datetime
    district: str


class Proof(msgspec.Struct, frozen=True):
    """Evidence cut for an event: facts such as `clip` and `still`, and its link of the chain."""

    event_id: str
    facts: dict[str, Any]
    known_at: datetime
    district: str
    link: EvidenceLink | None = None


LASTING_KINDS = frozenset({"sensor_faulty"})
"""Kinds that last until somebody comes: their proof shows how they began, and is cut then."""

Output = Found | Proof | Poison


class Cutter(Protocol):
    """Cuts footage of a camera into a clip, a still and the track, sealed into its chain."""

    def remember(self, segment: Segment) -> None:
        """This segment may be needed soon."""
        ...

    def cut(self, event: Event, footage: Footage, now: datetime, district: str) -> Proof | None:
        """The proof; None when it comes later by another way. Permanent: nothing is left of it."""
        ...


class CameraFold:
    """One camera: pictures in, events out, and the clip once its footage is complete."""

    def __init__(
        self,
        device: str,
        district: str,
        runners: list[SiteRunner],
        decode: Callable[[Segment | Still], Iterable[Frame]],
        cutter: Cutter | None,
    ) -> None:
        self.device = device
        self.district = district
        self.runners = runners
        self._decode = decode
        self._cutter = cutter
        self._wanted: dict[str, tuple[Event, datetime]] = {}
        self._seen_until: datetime | None = None
        self.now: datetime | None = None

    def on_media(self, media: Segment | Still) -> list[Output]:
        """Fold one segment or still. One that cannot be decoded becomes a Poison."""
        out = self.on_time(media.received_at)
        if self._cutter is not None:
            self._cutter.remember(as_segment(media))
        try:
            for frame in self._decode(media):
                self._seen_until = frame.at
                for runner in self.runners:
                    events, _ = runner.put(frame)
                    out.extend(self._found(events, media.received_at))
        except Permanent as error:
            what = "segment" if isinstance(media, Segment) else "frame"
            out.append(
                Poison(
                    topic=f"gridsentry/v1/feed/{self.district}/{self.device}/{what}",
                    received_at=media.received_at,
                    code=error.code,
                    reason=error.reason,
                    payload=media.data,
                    device=self.device,
                )
            )
        out.extend(self._proofs(media.received_at))
        return out

    def on_time(self, now: datetime) -> list[Output]:
        """Wake-ups due by `now`, each at its own moment, then proofs that waited long enough."""
        out: list[Output] = []
        for runner in self.runners:
            while (moment := runner.wake_at()) is not None and moment <= now:
                out.extend(self._found(runner.wake(moment), moment))
        out.extend(self._proofs(now))
        self.now = now
        return out

    def wake_at(self) -> datetime | None:
        """The next moment `on_time` is wanted."""
        wanted = [w for r in self.runners if (w := r.wake_at()) is not None]
        wanted.extend(due for _, due in self._wanted.values())
        return min(wanted, default=None)

    def want_proof(self, event: Event, now: datetime) -> None:
        """Cut this event's footage when it is complete (also called again after a restart)."""
        if self._cutter is not None and event.footage is not None:
            self._wanted[event.id] = (event, now + PROOF_PATIENCE)

    def snapshots(self, number: int) -> list[SiteSnapshot]:
        """State after the segment with that number of the spool."""
        return [
            msgspec.structs.replace(r.snapshot(), number=number)
            for r in self.runners
            if r.failure is None
        ]

    def failures(self) -> list[str]:
        """Detectors that are left out, and why."""
        return [r.failure for r in self.runners if r.failure is not None]

    def _found(self, events: Iterable[Event], known_at: datetime) -> list[Output]:
        found: list[Output] = []
        for event in events:
            found.append(Found(event, known_at, self.district))
            if needs_proof(event):
                self.want_proof(event, known_at)
        return found

    def _proofs(self, now: datetime) -> list[Output]:
        out: list[Output] = []
        for key, (event, due) in list(self._wanted.items()):
            footage = event.footage
            if footage is None or self._cutter is None:
                continue
            complete = self._seen_until is not None and self._seen_until >= footage.end
            if not complete and now < due:
                continue
            del self._wanted[key]
            known_at = min(now, due) if not complete else now
            try:
                proof = self._cutter.cut(event, footage, known_at, self.district)
            except Permanent as error:
                log.warning("no clip for %s: %s", event.id, error.reason)
                continue
            if proof is not None:
                out.append(proof)
        return out


def needs_proof(event: Event) -> bool:
    """Whether this revision's footage is as it will stay."""
    return event.footage is not None and (event.phase == "closed" or event.kind in LASTING_KINDS)


def camera_folds(
    city: City,
    specs: Mapping[str, Spec[Any]],
    configs: Mapping[str, object],
    decode: Callable[[Segment | Still], Iterable[Frame]],
    cutter: Callable[[str], Cutter | None],
    saved: Mapping[tuple[str, str], SiteSnapshot] | None = None,
) -> dict[str, CameraFold]:
    """A fold for every camera that some picture detector watches."""
    saved = saved or {}
    runners: dict[str, list[SiteRunner]] = {}
    for order, watch in enumerate(watches(city, specs, configs)):
        if is_media(watch.spec, watch.site):
            runner = SiteRunner(
                watch.spec,
                watch.cfg,
                watch.site,
                order,
                saved.get((watch.spec.kind, watch.site.id)),
            )
            for device in watch.site.devices:
                runners.setdefault(device.id, []).append(runner)
    return {
        device: CameraFold(device, city.devices[device].district, own, decode, cutter(device))
        for device, own in sorted(runners.items())
    }
