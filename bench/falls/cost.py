"""Where the CPU of a picture goes: decoding, the front of the detector (to candidates), all of it.

`python -m bench.falls.cost` films calm, shaken, rainy and snowy scenes at 720p and 1080p and prints
ms of process time per picture, one thread. The three are measured one after another on the same
film, the cheapest of the runs counts: what else the machine does only adds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import cv2
import msgspec

from bench.falls.watch import segments_of, watch
from contracts.clock import EPOCH
from contracts.nouns import Frame, Segment
from detectors.high_altitude_throw.motion import Sight
from ingest.video import decode
from simulators.falls.film import film
from simulators.falls.take import Distraction, Order, Take

RUNS = 3

SCENES = ("calm", "falls", "shake", "rain", "snow")


class Parts(msgspec.Struct, frozen=True):
    """ms of CPU per picture."""

    decode_ms: float
    """Decoding alone: the floor."""
    front_ms: float
    """From a decoded picture to its candidates."""
    whole_ms: float
    """Decoding and the whole detector."""
    pictures: int
    candidates: float
    """Per picture."""
    snapshot_bytes: int
    """Of the front's state at the end."""


def parts_of(take: Take, runs: int = RUNS) -> Parts:
    """Of one film."""
    segments = list(segments_of(take.segments))
    pictures = sum(1 for segment in segments for _ in decode(segment))
    floor = _cheapest(lambda: _decode(segments), runs)
    front = _cheapest(lambda: _front(segments), runs)
    watched = [watch(take.segments, take.camera) for _ in range(runs)]
    sight, candidates = _front(segments)
    each = 1000 / max(1, pictures)
    return Parts(
        decode_ms=floor * each,
        front_ms=(front - floor) * each,
        whole_ms=min(one.decode_s + one.detect_s for one in watched) * each,
        pictures=pictures,
        candidates=candidates / max(1, pictures),
        snapshot_bytes=len(msgspec.msgpack.encode(sight.state())) if sight is not None else 0,
    )


def _cheapest(run: Callable[[], object], runs: int) -> float:
    spent = []
    for _ in range(runs):
        begin = time.process_time()
        run()
        spent.append(time.process_time() - begin)
    return min(spent)


def _decode(segments: Sequence[Segment]) -> None:
    for segment in segments:
        for _ in decode(segment):
            pass


def _front(segments: Sequence[Segment]) -> tuple[Sight | None, int]:
    sight: Sight | None = None
    count = 0
    for segment in segments:
        for frame in decode(segment):
            if sight is None:
                sight = Sight((int(frame.luma.shape[0]), int(frame.luma.shape[1])))
            count += sum(len(one.rows) for one in sight.add(_moment(frame), frame.luma))
    return sight, count


def _moment(frame: Frame) -> int:
    return round((frame.at - EPOCH).total_seconds() * 1e6)


def order(scene: str, size: tuple[int, int], seed: int, seconds: float) -> Order:
    """A film of one of SCENES."""
    weather = () if scene in ("calm", "falls") else (Distraction(scene, 0.7),)
    return Order(
        seed=seed,
        size=size,
        seconds=seconds,
        falls=0 if scene == "calm" else 1,
        size_px=(6.0, 20.0),
        distractions=weather,
    )


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--seconds", type=float, default=6.0)
    asked.add_argument("scenes", nargs="*", default=list(SCENES), help=", ".join(SCENES))
    given = asked.parse_args()
    cv2.setNumThreads(1)
    print(f"{'scene':8}{'size':>11}{'decode':>8}{'front':>8}{'whole':>8}  ms a picture")
    for size in ((1280, 720), (1920, 1080)):
        for scene in given.scenes:
            one = parts_of(film(order(scene, size, given.seed, given.seconds), None))
            told = f"{one.candidates:.1f} candidates, snapshot {one.snapshot_bytes / 1e6:.2f} MB"
            print(
                f"{scene:8}{size[0]:>6}x{size[1]:<4}{one.decode_ms:8.2f}{one.front_ms:8.2f}"
                f"{one.whole_ms:8.2f}  {told}",
                flush=True,
            )


if __name__ == "__main__":
    main()
