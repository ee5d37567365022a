"""`python -m simulators.falls`: film one scene to look at, with its truth beside it.

Writes `scene.mp4` (all segments in one file), `truth.json`, `camera.json` and `strip.png` (the
scene with everything that fell in one picture, its true boxes drawn).
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.falls.film import film
from simulators.falls.take import Distraction, Order, Take


def pictures(take: Take) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """(seconds, BGR) of each picture of a take, decoded."""
    for start, data in take.segments:
        with av.open(io.BytesIO(data), mode="r") as container:
            for frame in container.decode(video=0):
                bgr = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
                yield start + float(frame.time or 0.0), bgr


def strip(take: Take) -> NDArray[np.uint8]:
    """The first picture with every fourth moment of each fall pasted in and all boxes drawn."""
    sheet: NDArray[np.uint8] | None = None
    for number, (t, picture) in enumerate(pictures(take)):
        if sheet is None:
            sheet = picture.copy()
        for fall in take.falls:
            for seen in fall.track:
                if abs(seen.t - t) > 0.4 / take.order.fps:
                    continue
                x0, y0 = int(seen.x) - 1, int(seen.y) - 1
                x1, y1 = int(seen.x + seen.w) + 2, int(seen.y + seen.h) + 2
                if number % 4 == 0:
                    here = (slice(max(y0, 0), max(y1, 0)), slice(max(x0, 0), max(x1, 0)))
                    sheet[here] = picture[here]
                elif number % 4 == 2:
                    cv2.rectangle(sheet, (x0 - 1, y0 - 1), (x1 + 1, y1 + 1), (0, 0, 255), 1)
    if sheet is None:
        raise ValueError("the take has no picture")
    return sheet


def _joined(take: Take, path: Path) -> None:
    with av.open(str(path), "w", format="mp4") as out:
        copy = None
        for start, data in take.segments:
            with av.open(io.BytesIO(data), mode="r") as container:
                stream = container.streams.video[0]
                if copy is None:
                    copy = out.add_stream_from_template(stream)
                base = stream.time_base
                for packet in container.demux(stream):
                    if packet.pts is None or base is None:
                        continue
                    packet.pts += round(start / base)
                    packet.dts = packet.pts
                    packet.stream = copy
                    out.mux(packet)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulators.falls", description=(__doc__ or "").strip()
    )
    parser.add_argument("out", type=Path, help="folder to write into (made if missing)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--falls", type=int, default=1, help="how many things are thrown")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--fps", type=float, default=25.0)
    parser.add_argument("--size", default="1280x720", help="WIDTHxHEIGHT")
    parser.add_argument("--size-px", default="", help="apparent size of the things, LOW-HIGH px")
    parser.add_argument("--visible", default="0.6-1.0", help="share of each path seen, LOW-HIGH")
    parser.add_argument("--mbit", type=float, default=3.0, help="rate of the stream, Mbit/s")
    parser.add_argument("--dropped", type=float, default=0.0, help="share of pictures lost")
    parser.add_argument("--doubled", type=float, default=0.0, help="share of pictures sent twice")
    parser.add_argument("--reflection", action="store_true", help="panes mirror the falls")
    parser.add_argument("--place", default="generated", help="`generated` or `plate:FILE`")
    parser.add_argument("--plates", type=Path, help="folder with photographs")
    parser.add_argument(
        "--with", dest="distractions", action="append", default=[], metavar="KIND[:STRENGTH]"
    )
    return parser


def _order(asked: argparse.Namespace) -> Order:
    def pair(text: str, by: str) -> tuple[float, float]:
        low, _, high = text.partition(by)
        return float(low), float(high or low)

    width, height = pair(asked.size, "x")
    distractions = []
    for text in asked.distractions:
        kind, _, strength = text.partition(":")
        distractions.append(Distraction(kind, float(strength or 0.5)))
    return Order(
        seed=asked.seed,
        place=asked.place,
        size=(int(width), int(height)),
        fps=asked.fps,
        seconds=asked.seconds,
        mbit_s=asked.mbit,
        falls=asked.falls,
        size_px=pair(asked.size_px, "-") if asked.size_px else None,
        visible=pair(asked.visible, "-"),
        distractions=tuple(distractions),
        dropped=asked.dropped,
        doubled=asked.doubled,
        reflection=asked.reflection,
    )


def main(words: list[str] | None = None) -> int:
    """Film what the command line asks for; 0, or 2 for an order that cannot be filmed."""
    asked = _parser().parse_args(words)
    try:
        take = film(_order(asked), asked.plates)
    except ValueError as error:
        print(f"falls: {error}", file=sys.stderr)
        return 2
    asked.out.mkdir(parents=True, exist_ok=True)
    _joined(take, asked.out / "scene.mp4")
    truth = msgspec.json.format(msgspec.json.encode({"order": take.order, "falls": take.falls}))
    (asked.out / "truth.json").write_bytes(truth)
    camera = msgspec.structs.replace(take.camera, picture=None)
    (asked.out / "camera.json").write_bytes(msgspec.json.format(msgspec.json.encode(camera)))
    cv2.imwrite(str(asked.out / "strip.png"), strip(take))
    for fall in take.falls:
        print(
            f"{fall.body} from {fall.zone}: {fall.size_px:.1f} px, contrast {fall.contrast:.0f}, "
            f"{fall.visible:.0%} of its path visible, {fall.floors:.1f} floors, "
            f"{fall.released_s:.2f} s to {fall.landed_s:.2f} s"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
