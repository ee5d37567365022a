"""Drives engine and cameras over a recording, in the recording's own time."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.aliases import aliases
from contracts.batch import DeadLetter
from contracts.clock import iso
from contracts.errors import Permanent
from contracts.nouns import Poison, Segment, Still
from contracts.wire import change_line
from detectors import specs as discover
from gridsentry.engine.cameras import CameraFold, Found, Output, Proof, camera_folds
from gridsentry.engine.chain import Chains
from gridsentry.engine.media import decode_media
from gridsentry.engine.proof import ProofMaker
from gridsentry.engine.rooms import build_engine
from ingest.adapting.dispatch import Adapted
from ingest.adapting.plan import read as read_adapters
from ingest.adapting.plan import usual
from ingest.decoder import NativeDecoder
from ingest.settings import DecoderSettings
from ingest.topics import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from contracts.batch import EvidenceLink
    from contracts.case import Change
    from contracts.city import City
    from contracts.event import Event, Footage
    from contracts.nouns import Arrival
    from contracts.ports import Router
    from ingest.adapting.plan import Plan
    from router.settings import RouterSettings

REMEMBERED = timedelta(seconds=60)


ORIGINALS = "originals"
CHAIN = "chain.jsonl"
"""Below the evidence folder: the unblurred originals, and the links of the chain, one a line."""


class MemoryCutter:
    """Keeps the last minute of one camera's segments and cuts clips from them into a folder."""

    def __init__(self, maker: ProofMaker, seal: Callable[[EvidenceLink], None]) -> None:
        self._maker = maker
        self._seal = seal
        self._segments: deque[Segment] = deque()

    def remember(self, segment: Segment) -> None:
        """Keep it; forget what is older than a minute."""
        self._segments.append(segment)
        while self._segments[0].at < segment.at - REMEMBERED:
            self._segments.popleft()

    def cut(self, event: Event, footage: Footage, now: datetime, district: str) -> Proof:
        """Clip and still of `footage` below the folder."""
        before = self._maker.known(event, footage)
        near = [
            s
            for s in self._segments
            if footage.start - timedelta(seconds=10) <= s.at <= footage.end
        ]
        if not near and before is None:
            raise Permanent("no_footage", "no segment of that time is left")
        made = before or self._maker.make(lambda: near, event, footage, now)
        if before is None:
            self._seal(made.link)
        return Proof(event.id, made.facts, now, district, made.link)


class Replay:
    """One run over one recording."""

    def __init__(
        self,
        city: City,
        router_settings: RouterSettings,
        configs: Mapping[str, object],
        evidence: Path | None = None,
        adapters: Callable[[], Sequence[Plan]] = tuple,
        watch: Callable[[Router], Router] = lambda router: router,
    ) -> None:
        """`adapters` read what does not come on our own topics; they are asked for when the first
        such message comes. `watch` may put somebody beside the router who hears what it hears."""
        self._engine = build_engine(city, router_settings, configs)
        self._engine.router = watch(self._engine.router)
        self._decoder = NativeDecoder(city.devices, city.workers)
        self._city = city
        self._adapters = adapters

        chains = Chains()

        def seal(link: EvidenceLink) -> None:
            assert evidence is not None
            with (evidence / CHAIN).open("ab") as file:
                file.write(msgspec.json.encode(link) + b"\n")

        def cutter(device: str) -> MemoryCutter | None:
            if evidence is None:
                return None
            originals = evidence / ORIGINALS
            camera = city.cameras.get(device)
            return MemoryCutter(
                ProofMaker(camera, city.timezone, evidence, originals, chains), seal
            )

        if evidence is not None:
            (evidence / CHAIN).unlink(missing_ok=True)  # every run is a chain of its own

        self._cameras = camera_folds(city, discover(), configs, decode_media, cutter)

    def lines(self, arrivals: Iterable[Arrival], tail: timedelta) -> Iterator[dict[str, Any]]:
        """One JSON-ready object per change, in the order they became known."""
        for change in self.changes(arrivals, tail):
            yield (
                dead_letter_line(change) if isinstance(change, DeadLetter) else change_line(change)
            )

    def changes(
        self, arrivals: Iterable[Arrival], tail: timedelta
    ) -> Iterator[Change | DeadLetter]:
        """Every change, in the order they became known; time runs on for `tail` after the last
        message."""
        last: datetime | None = None
        for read in arrivals:
            last = read.received_at if last is None else max(last, read.received_at)
            arrival = msgspec.structs.replace(read, received_at=last)
            self._advance(last)
            if self._decoder.adapted is None and not arrival.topic.startswith(f"{PREFIX}/"):
                rule = DecoderSettings().clock_rule()
                self._decoder.adapted = Adapted(
                    self._adapters(), self._city.devices, aliases(self._city), rule
                )
            nouns = self._decoder.decode(arrival)
            self._engine.take(arrival, nouns)
            for noun in nouns:
                if isinstance(noun, (Segment, Still)):
                    self._media(noun)
            yield from self._drain()
        if last is not None:
            self._advance(last + tail)
            yield from self._drain()

    def _media(self, media: Segment | Still) -> None:
        fold = self._cameras.get(media.device)
        if fold is not None:
            self._outputs(fold.on_media(media))

    def _advance(self, to: datetime) -> None:
        while True:
            first: CameraFold | None = None
            moment: datetime | None = None
            for fold in self._cameras.values():
                wanted = fold.wake_at()
                if wanted is not None and (moment is None or wanted < moment):
                    first, moment = fold, wanted
            if first is None or moment is None or moment > to:
                break
            self._engine.advance(moment)
            self._outputs(first.on_time(moment))
        self._engine.advance(to)

    def _outputs(self, outputs: Iterable[Output]) -> None:
        for out in outputs:
            if isinstance(out, Found):
                self._engine.emit(out.event, out.known_at, out.district)
            elif isinstance(out, Proof):
                self._engine.attach(out.event_id, out.facts, out.known_at, out.district)
            elif isinstance(out, Poison):
                self._engine.refuse(out)

    def _drain(self) -> Iterator[Change | DeadLetter]:
        if self._engine.has_draft():
            yield from self._engine.drain().changes


def adapters_of(
    tables: Sequence[Mapping[str, Any]], config: Path | None, city: Path
) -> Callable[[], tuple[Plan, ...]]:
    """The adapters a recording is read with: those of the configuration; where it names none,
    every one that needs no options, at its usual topics. Raises Wrong."""
    if not tables:
        return partial(usual, city)
    plans = read_adapters(tables, str(config), city)
    return lambda: plans


def dead_letter_line(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter as replay prints it."""
    return {
        "type": "dead_letter",
        "id": letter.id,
        "rev": 1,
        "change": "opened",
        "known_at": iso(letter.received_at),
        "topic": letter.topic,
        "received_at": iso(letter.received_at),
        "code": letter.code,
        "reason": letter.reason,
        "device": letter.device,
        "bytes": letter.bytes,
        "sha256": letter.sha256,
    }
