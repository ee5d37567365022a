"""What another recorder saw while an event of ours went on: matched, veiled, sealed, once each."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from contracts.clock import iso
from contracts.errors import Permanent
from contracts.event import Event, Footage
from gridsentry.commands import version
from gridsentry.engine.cameras import Proof
from gridsentry.engine.chain import Chains, File, canonical, digest
from gridsentry.engine.sight import private_of
from ingest.evidence_beside import beside, check
from ingest.evidence_view import View

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from contracts.batch import EvidenceLink
    from contracts.city import City
    from ingest.adapting.seen import Picture
    from ingest.album import Album, Thing

BEFORE = timedelta(seconds=30)
"""What was there so long before an event may have to do with it."""
AFTER = timedelta(seconds=30)
PATIENCE = timedelta(seconds=60)
"""What is still tracked so long after it stood beside an event is shown as it is by then."""
SETTLED = timedelta(seconds=5)
"""After the last word of a thing its last picture may be under way."""
FORGOTTEN = timedelta(minutes=10)
"""Nothing is added to an event after this time without a word of it."""
EVERY = timedelta(seconds=1)
MOST = 8
"""Things beside one event."""


class Order(msgspec.Struct, frozen=True):
    """A picture that is to stand beside an event."""

    cutter: Beside
    event: Event
    footage: Footage
    now: datetime
    district: str
    thing: Thing
    picture: Picture


class _Watched(msgspec.Struct):
    event: Event
    district: str
    cameras: tuple[str, ...]
    told_at: datetime


class Beside:
    """Events that are going on, and the album. The writer's loop calls it; `make` is called by the
    thread that cuts proof, which the chains belong to."""

    def __init__(
        self, city: City, album: Album, chains: Chains, shown: Path, originals: Path
    ) -> None:
        self._city = city
        self._album = album
        self._chains = chains
        self._shown = shown
        self._originals = originals
        self._sites: dict[str, list[str]] = {}
        for device in city.devices.values():
            if device.site is not None:
                self._sites.setdefault(device.site, []).append(device.id)
        self._events: dict[str, _Watched] = {}
        self._asked: set[tuple[str, str]] = set()
        self._looked: datetime | None = None
        self.ordered: list[Order] = []
        """Not yet handed to the thread that cuts."""

    def watch(self, events: Iterable[Event], now: datetime) -> None:
        """These revisions were published."""
        for event in events:
            filmed = None if event.footage is None else event.footage.device
            own = [
                d for name in (event.device, filmed) if (d := self._city.devices.get(name or ""))
            ]
            places = [event.site, *(device.site or "" for device in own)]
            near = [name for place in places for name in self._sites.get(place, ())]
            cameras = tuple(dict.fromkeys([*(device.id for device in own), *near]))
            if cameras:
                district = self._city.devices[cameras[0]].district
                self._events[event.id] = _Watched(event, district, cameras, now)

    def look(self, now: datetime) -> None:
        """Order what has come to stand beside an event; looks once a second."""
        if self._looked is not None and now - self._looked < EVERY:
            return
        self._looked = now
        self._album.forget(now)
        for key, watched in list(self._events.items()):
            if now - watched.told_at > FORGOTTEN:
                del self._events[key]
                self._asked = {one for one in self._asked if one[0] != key}
                continue
            for camera in watched.cameras:
                for thing in self._album.things(camera):
                    self._weigh(watched, thing, now)

    def _weigh(self, watched: _Watched, thing: Thing, now: datetime) -> None:
        event, told = watched.event, thing.told
        start, end = event.at, event.at
        if event.footage is not None:
            start, end = min(start, event.footage.start), max(end, event.footage.end)
        if event.phase != "closed" and event.footage is None:
            end = max(end, watched.told_at)
        last = told.end or told.received_at
        if told.start > end + AFTER or last < start - BEFORE:
            return
        key = (event.id, told.id)
        if key in self._asked or sum(one[0] == event.id for one in self._asked) >= MOST:
            return
        heard = told.received_at if told.end is not None else thing.first_at
        if now - heard < (SETTLED if told.end is not None else PATIENCE):
            return
        picture = self._album.picture_of(thing)
        if picture is None:
            return
        self._asked.add(key)
        if self._chains.known(event.id, _basis(event, told.id)) is None:
            where = Footage(told.device, start, end, told.start)
            self.ordered.append(Order(self, event, where, now, watched.district, thing, picture))

    def make(self, order: Order) -> Proof:
        """Veil, write, hash and seal. Raises Permanent, Temporary."""
        told, event = order.thing.told, order.event
        basis = _basis(event, told.id)
        name = f"{event.id}-beside-{basis[:8]}.jpg"
        camera = self._city.cameras.get(told.device)
        size = camera.size if camera is not None else (1920, 1080)
        offset = order.now.astimezone(ZoneInfo(self._city.timezone)).utcoffset()
        view = View(
            size=size,
            private=private_of(camera, size),
            caption=f"{told.device} {told.label}" if told.device.isascii() else told.label,
            zone_s=int(offset.total_seconds()) if offset is not None else 0,
        )
        at = order.picture.received_at
        beside(order.picture.data, at, view, name, shown=self._shown, originals=self._originals)
        files = {
            part: {"still": _file(folder, name)}
            for part, folder in (("shown", self._shown), ("original", self._originals))
        }
        link = self._chains.seal(
            device=told.device, event=event.id, kind=event.kind, onset=event.at,
            sealed_at=order.now, basis=basis,
            calibration=digest(canonical(camera)) if camera is not None else None,
            software=f"gridsentry {version()}", files=files,
        )  # fmt: skip
        facts = {"beside": [self._facts(order, link, files)]}
        return Proof(event.id, facts, order.now, order.district, link)

    def _facts(
        self, order: Order, link: EvidenceLink, files: dict[str, dict[str, File]]
    ) -> dict[str, Any]:
        told = order.thing.told
        return {
            "id": told.id,
            "device": told.device,
            "label": told.label,
            "score": told.score,
            "from": iso(told.start),
            "until": None if told.end is None else iso(told.end),
            "picture_at": iso(order.picture.received_at),
            "still": files["shown"]["still"].file,
            "sha256": {
                "still": files["shown"]["still"].sha256,
                "original_still": files["original"]["still"].sha256,
            },
            "chain": {"number": link.number, "prev": link.prev or None, "hash": link.hash},
        }


def check_camera(city: City, picture: Picture) -> None:
    """Whether a picture can be veiled. Raises Permanent."""
    camera = city.cameras.get(picture.device)
    size = camera.size if camera is not None else (1920, 1080)
    try:
        check(picture.data, size, bool(camera and camera.privacy_mask))
    except Permanent as bad:
        raise Permanent(bad.code, f"{picture.device}: {bad.reason}") from None


def _basis(event: Event, thing: str) -> str:
    """The same thing beside the same event is one picture, whichever it is."""
    return digest(canonical([event.id, "beside", thing]))


def _file(folder: Path, name: str) -> File:
    data = (folder / name).read_bytes()
    return File(name, len(data), hashlib.sha256(data).hexdigest())
