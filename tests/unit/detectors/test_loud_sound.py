"""Bangs over the noise of a street: when, how loud, once each."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from contracts.event import Event
from contracts.nouns import Clip, Item, Sound
from detectors._common.drive import run
from detectors._common.sample import START, city, device, reading
from detectors.loud_sound import SPEC
from detectors.loud_sound.loudness import levels
from detectors.loud_sound.sample import RATE, add_bang, clips, street
from detectors.loud_sound.spec import LoudSoundConfig
from ingest.sound import decode

Wave = NDArray[np.float64]


def heard(items: list[Any], cfg: LoudSoundConfig | None = None, **fields: Any) -> list[Event]:
    named = {"type": "microphone", **fields}
    (site,) = SPEC.sites(city(devices={"mic": device("mic", **named)}), SPEC.config())
    return [e for _, e in run(SPEC, cfg or SPEC.config(), site, items, tail_s=60)]


def second(event: Event) -> float:
    return (event.at - START).total_seconds()


def test_a_tone_has_the_level_the_standard_gives_it() -> None:
    for hertz, weight in ((1000, 0.0), (100, -19.1), (4000, 1.0)):  # IEC 61672-1, table 3
        tone = np.sin(2 * np.pi * hertz * np.arange(16_000) / 16_000).astype(np.float32)
        # 10 ms tell frequencies apart to 100 Hz only
        rough = 3.5 if hertz < 200 else 0.7
        assert np.median(levels(tone, 16_000)) == pytest.approx(weight - 3.0, abs=rough)


@pytest.mark.parametrize("size", [0.3, 0.1])
def test_each_bang_is_one_event_with_its_onset_to_ten_milliseconds(size: float) -> None:
    rng = np.random.default_rng(4)
    sound = street(rng, 40)
    times = (9.123, 17.9995, 26.5, 33.456)  # one of them breaks over two clips
    for at in times:
        add_bang(sound, rng, at, size, 0.05)
        add_bang(sound, rng, at + 0.2, size / 4, 0.05)  # its echo
    events = heard(clips(sound, "mic"))
    assert [second(e) for e in events] == pytest.approx(times, abs=0.01)
    for event in events:
        told = event.evidence
        assert event.phase == "closed" and told["over_db"] >= 10 and told["prominence"] > 5
        assert told["level"] - told["median"] == pytest.approx(told["over_db"], abs=0.11)
        assert told["duration_s"] < 0.6


def test_a_bang_stands_out_of_a_sound_that_is_going_on() -> None:
    rng = np.random.default_rng(5)
    sound = street(rng, 20)
    sound[10 * RATE : 14 * RATE] *= 6  # a lorry
    add_bang(sound, rng, 11.5, 0.6, 0.05)
    starts = [second(e) for e in heard(clips(sound, "mic"))]
    assert min(abs(s - 11.5) for s in starts) < 0.01


def test_what_is_as_loud_as_ever_or_swells_slowly_is_no_bang() -> None:
    rng = np.random.default_rng(6)
    sound = street(rng, 60)
    swell = 10 ** (np.interp(np.arange(len(sound)) / RATE, (0, 20, 40, 60), (0, 0, 20, 20)) / 20)
    assert heard(clips(sound * swell, "mic")) == []


def test_the_median_is_kept_from_clip_to_clip_but_not_over_a_long_pause() -> None:
    rng = np.random.default_rng(7)
    first, second_ = street(rng, 4), street(rng, 2)
    add_bang(second_, rng, 0.3, 0.3, 0.05)
    soon = heard([*clips(first, "mic"), *clips(second_, "mic", 60)])
    late = heard([*clips(first, "mic"), *clips(second_, "mic", 600)])
    assert [round(second(e), 2) for e in soon] == [60.3]
    assert late == []


def test_a_calibrated_device_tells_decibels_of_the_standard() -> None:
    rng = np.random.default_rng(8)
    sound = street(rng, 10)
    sound[8 * RATE : 8 * RATE + RATE // 2] += 0.1 * np.sin(
        2 * np.pi * 1000 * np.arange(RATE // 2) / RATE
    )
    cfg = LoudSoundConfig(full_scale_dba={"mic": 114.0})
    (event,) = heard(clips(sound, "mic"), cfg)
    assert event.evidence["unit"] == "dB(A)"
    assert event.evidence["level"] == pytest.approx(94.0, abs=1.0)  # 20 dB below full scale


def test_a_jump_of_the_sound_level_is_told_once_and_how_exact_its_time_is() -> None:
    values = [55.0, 56, 54, 55, 57, 55, 54, 56, 55, 91, 90, 56, 55, 54, 55, 55]
    items: list[Item] = [
        reading("mic", "sound_level", value, 1.0 * s) for s, value in enumerate(values)
    ]
    (event,) = heard(items, type="meter", metrics=("sound_level",))
    assert second(event) == 9.0
    assert event.evidence["over_db"] == pytest.approx(36)
    assert event.evidence["onset_sd_s"] == 0.5


def test_no_sound_is_in_a_snapshot_or_an_event() -> None:
    rng = np.random.default_rng(9)
    sound = street(rng, 20)
    add_bang(sound, rng, 12.0, 0.3, 0.05)
    items = clips(sound, "mic")
    (site,) = SPEC.sites(city(devices={"mic": device("mic", type="microphone")}), SPEC.config())
    listener = SPEC.build(SPEC.config(), site, None)
    for item in items:
        list(listener.on_item(item))
    assert len(listener.snapshot()) < 4000  # 5 s of loudness; 5 s of sound would be 160,000


# --- real sound ---------------------------------------------------------------------------------


def loaded(path: Path) -> tuple[Wave, int]:
    sound = decode(Clip("mic", START, START, path.read_bytes()))
    return np.asarray(sound.samples, np.float64), round(sound.rate_hz)


def at_rate(wave: Wave, rate: int, to: int) -> Wave:
    new = round(len(wave) * to / rate)
    return np.interp(np.arange(new) * rate / to, np.arange(len(wave)), wave)


def pieces(wave: Wave, rate: int) -> list[Sound]:
    out = []
    for first in range(0, len(wave), 5 * rate):
        at = START + timedelta(seconds=first / rate)
        samples = np.clip(wave[first : first + 5 * rate], -1, 1).astype(np.float32)
        out.append(Sound("mic", at, at + timedelta(seconds=5), float(rate), samples))
    return out


@pytest.mark.recordings
@pytest.mark.parametrize("bang", ["glass_break_026.ogg", "explosion_033.ogg"])
@pytest.mark.parametrize(
    "bed", ["neg_street_023.flac", "neg_traffic_006.flac", "neg_rain_076.ogg", "neg_sea_089.ogg"]
)
def test_real_bangs_over_real_streets_are_found_in_time(
    bang: str, bed: str, recordings: Path
) -> None:
    """20 dB above the bed in the loudest 50 ms."""
    rate = 16_000
    noise = at_rate(*loaded(recordings / "sound" / bed), rate)
    noise = np.tile(noise, 14 * rate // len(noise) + 1)[: 14 * rate]
    event = at_rate(*loaded(recordings / "sound" / bang), rate)
    slope = np.diff(event, prepend=event[:1]) ** 2
    fine = slope[: len(slope) // 16 * 16].reshape(-1, 16).mean(axis=1)
    begins = float(np.argmax(fine >= 0.01 * fine.max())) / 1000
    loud = 10 ** (levels(event.astype(np.float32), rate) / 10)
    loudest = 10 * np.log10(np.convolve(loud, np.full(5, 0.2), "same").max())
    around = float(np.median(levels(noise[3 * rate : 8 * rate].astype(np.float32), rate)))
    first = 8 * rate
    noise[first : first + len(event)] += 10 ** ((around + 20 - loudest) / 20) * event
    starts = [second(e) for e in heard(pieces(noise / np.abs(noise).max(), rate))]
    assert min(abs(s - 8.0 - begins) for s in starts) <= 0.01


@pytest.mark.recordings
def test_as_evidence_it_comes_as_often_as_the_router_believes(recordings: Path) -> None:
    """Nothing happened on these beds: the rate that the odds are worked out with holds."""
    count, seconds = 0, 0.0
    for path in sorted((recordings / "sound").iterdir()):
        if any(name in path.name for name in ("street", "traffic", "rain", "sea", "helicopter")):
            wave, rate = loaded(path)
            count += len(heard(pieces(wave, rate)))
            seconds += len(wave) / rate
    assert 200 <= count / seconds * 3600 <= 1300
