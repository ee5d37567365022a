"""What is folded and never stored: speech, and signs that a camera lives."""

from __future__ import annotations

import io
import wave
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from contracts.batch import DeadLetter
from contracts.case import Change, Ticket
from contracts.clock import iso
from contracts.event import Event
from contracts.nouns import Arrival
from detectors._common.sample import city, device
from gridsentry.engine.engine import Engine
from gridsentry.engine.rooms import build_engine, detector_configs
from ingest.decoder import NativeDecoder
from router.settings import RouterSettings
from tests.footage import segments

START = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
TOWN = city(
    devices={
        "cam": device("cam", type="camera"),
        "mic": device("mic", type="microphone"),
        "s": device("s", reports_every_s=30.0, metrics=("level",)),
    }
)


def wav(seconds: float = 1.0, samples: NDArray[np.float64] | None = None) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        noise = np.random.default_rng(1).normal(0, 300, round(16_000 * seconds))
        file.writeframes((noise if samples is None else samples).astype("<i2").tobytes())
    return out.getvalue()


class Feed:
    """An engine and its decoder."""

    def __init__(self) -> None:
        self.engine: Engine = build_engine(TOWN, RouterSettings(), detector_configs({}))
        self.decoder = NativeDecoder(TOWN.devices, ())

    def take(self, s: float, device: str, what: str, payload: bytes) -> None:
        at = START + timedelta(seconds=s)
        topic = f"gridsentry/v1/feed/d/{device}/{what}"
        if what != "telemetry":
            topic += f"/{round(at.timestamp() * 1000)}"
        arrival = Arrival(topic, payload, at + timedelta(seconds=1))
        self.engine.take(arrival, self.decoder.decode(arrival))

    def level(self, s: float) -> None:
        at = (START + timedelta(seconds=s)).isoformat().replace("+00:00", "Z")
        self.take(s, "s", "telemetry", f'{{"ts": "{at}", "m": {{"level": 1}}}}'.encode())


def test_a_camera_that_stops_sending_segments_becomes_a_silent_sensor() -> None:
    feed, piece = Feed(), segments()[0]
    for s in range(0, 400, 10):
        feed.level(s)
        if s < 100:
            feed.take(s + 1, "cam", "segment", piece)
    draft = feed.engine.drain()
    assert [(p.event.kind, p.event.device) for p in draft.events] == [("sensor_silent", "cam")]
    assert not draft.items and not draft.spool  # a second of video costs no row


def test_a_clip_is_folded_but_neither_stored_nor_forgotten_by_a_crash() -> None:
    feed = Feed()
    feed.engine.drain()
    feed.take(0, "mic", "clip", wav())
    draft = feed.engine.drain()
    assert not draft.items
    assert ("loud_sound", "mic") in {(s.kind, s.site) for s in draft.snapshots}


def test_a_broken_sound_is_a_dead_letter_with_its_reason_and_no_more_than_its_header() -> None:
    feed = Feed()
    broken = wav()[:44] + b"\x00"  # its header stands, the samples are gone
    flac = b"fLaC" + bytes(4) + b"\x00\x10\x00\x10" + bytes(6) + b"\x03\xe8\x00\xf0" + bytes(300)
    for s, payload in enumerate((broken[:44], flac)):
        feed.take(s, "mic", "clip", payload)
    feed.take(5, "nobody", "clip", wav())
    draft = feed.engine.drain()
    letters = [c for c in draft.changes if isinstance(c, DeadLetter)]
    assert letters[0].code in ("no_sound", "bad_sound")
    assert [x.code for x in letters][1:] == ["bad_sound", "unknown_microphone"]
    assert all(x.reason and len(x.payload) <= 64 < x.bytes + 21 for x in letters)
    assert not draft.unknown


def test_a_bang_in_a_clip_joins_the_fall_whose_landing_it_is() -> None:
    """From the bytes on the wire to the ticket's reason; the bang alone opened no ticket."""
    feed, rng = Feed(), np.random.default_rng(2)
    noise = rng.normal(0, 200, 16_000 * 5)
    noise[16_000 * 3 :][:800] += rng.normal(0, 9000, 800)
    for s, piece in ((0, rng.normal(0, 200, 16_000 * 5)), (5, noise)):
        feed.take(s, "mic", "clip", wav(samples=piece))
    feed.engine.advance(START + timedelta(seconds=40))
    before = feed.engine.drain()
    (bang,) = [p.event for p in before.events if p.event.kind == "loud_sound"]
    assert abs((bang.at - START).total_seconds() - 8.0) < 0.01
    assert not [c for c in before.changes if isinstance(c, Change) and c.type == "ticket"]

    landed = START + timedelta(seconds=7.9)
    fall = Event(
        id="e-fall",
        rev=1,
        kind="high_altitude_throw",
        site="cam",
        device="cam",
        at=START + timedelta(seconds=5),
        severity=4,
        place=bang.place,
        phase="closed",
        evidence={"track": [[iso(landed), 10.0, 300.0]], "confidence": 0.8},
    )
    feed.engine.emit(fall, feed.engine.now, "d")
    after = feed.engine.drain()
    (ticket,) = [c.body for c in after.changes if isinstance(c, Change) and c.type == "ticket"]
    assert isinstance(ticket, Ticket)
    assert ticket.reason["sound"]["event"] == bang.id
    assert ticket.reason["sound"]["confidence_after"] > 0.93
