"""`gridsentry camera`: a camera, a video file or a USB device onto a broker."""

from __future__ import annotations

import argparse
import logging
import re
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.errors import Temporary, Wrong
from gridsentry.commands import brokers

if TYPE_CHECKING:
    from datetime import datetime

    from gridsentry.camera.gateway import Reader, Wishes
    from gridsentry.camera.ring import Ring
    from gridsentry.camera.sender import Sender
    from gridsentry.camera.source import Source
    from ingest.publisher import MqttPublisher

log = logging.getLogger(__name__)

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MIB = 1024 * 1024
_LOG_EVERY_S = 60.0
EPILOG = """\
examples:
  gridsentry camera rtsp://admin:secret@10.0.0.7/Streaming/Channels/101 \\
      --city mycity --device cam-3 --broker mqtt://10.0.0.2
                                          an IP camera; district and names from the city folder
  gridsentry camera @cam-3.url --district d1 --device cam-3 --broker mqtts://10.0.0.2 \\
      --user cam-3 --password-file secret
                                          without a city folder, passwords out of sight, TLS
  gridsentry camera /dev/video0 --size 1280x720 --fps 25 --district d1 --device usb-1 --broker localhost
                                          a USB camera
  gridsentry camera clip.mp4 --loop --realtime --district d1 --device demo --broker localhost
                                          a file as if it were a camera
  gridsentry camera clip.mp4 --at 2026-07-01T08:00:00+08:00 --district d1 --device demo --broker localhost
                                          a file with its own time, as fast as it goes

what to set in the camera: H.264 or H.265, one keyframe (I-frame) a second, no B-frames, no
"smart" coding (H.264+, H.265+), 1080p at 25 pictures and 2 to 4 Mbit/s. Then nothing is coded
anew, and a gateway needs next to no CPU.

While the broker is away everything is kept in --buffer and sent later, in order, with its own
times; also when the gateway itself is stopped or killed. A full buffer drops its oldest and says
so. A segment may reach the broker twice (a kill between sending and its answer): the service
knows it by its time and keeps it once.
"""  # noqa: E501


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    p = subparsers.add_parser(
        "camera",
        help="publish a camera (RTSP, USB or a file) to a broker",
        description="Takes a camera and publishes its pictures as one-second segments of video "
        "that begin with a keyframe, or as JPEG pictures with --frames.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument(
        "url",
        metavar="URL",
        help="rtsp://…, a file, a device (/dev/video0), or @FILE with the address in it",
    )
    who = p.add_argument_group("who it is")
    who.add_argument("--device", required=True, metavar="ID", help="the camera's id")
    who.add_argument("--city", type=Path, metavar="DIR", help="city folder: names the district")
    who.add_argument("--district", metavar="ID", help="the district, without a city folder")
    brokers.add_options(p)
    how = p.add_argument_group("how")
    how.add_argument(
        "--segment",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="length of segments, 0.5 to 10; the camera's keyframes decide (default 1)",
    )
    how.add_argument(
        "--frames",
        type=float,
        metavar="FPS",
        help="publish JPEG pictures instead, up to 30 a second",
    )
    how.add_argument("--transcode", action="store_true", help="code anew even where copying works")
    how.add_argument(
        "--ignore-rotation", action="store_true", help="of a file that is wrongly marked"
    )
    how.add_argument("--udp", action="store_true", help="RTSP pictures by UDP (default: TCP)")
    how.add_argument(
        "--stall",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="connect again when no picture came for so long (default 10)",
    )
    how.add_argument("--size", metavar="WxH", help="of a USB camera, such as 1280x720")
    how.add_argument("--fps", type=float, help="of a USB camera")
    file = p.add_argument_group("a file")
    file.add_argument("--loop", action="store_true", help="again and again")
    file.add_argument("--realtime", action="store_true", help="as slow as it was filmed")
    file.add_argument("--at", metavar="TIME", help="when it begins, ISO 8601 (default: now)")
    keep = p.add_argument_group("while the broker is away")
    keep.add_argument(
        "--buffer",
        type=Path,
        metavar="DIR",
        help="folder (default: the state folder's camera/DEVICE)",
    )
    keep.add_argument(
        "--buffer-mb",
        type=float,
        default=2048,
        metavar="MB",
        help="most that is kept (default 2048, over an hour at 4 Mbit/s)",
    )
    p.add_argument("--verbose", action="store_true", help="say more")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Publish until the file ends or it is told to stop. Exit code 1 when something stayed."""
    from contracts.clock import SystemClock, epoch_ms
    from gridsentry.camera.gateway import Reader
    from gridsentry.camera.place import Place
    from gridsentry.camera.ring import Ring
    from gridsentry.camera.sender import Sender
    from gridsentry.commands.serve import log_to_stderr
    from gridsentry.commands.signals import stop_on_signals
    from ingest.publisher import MqttPublisher

    source, wanted = the_source(args), wishes(args)
    topic = f"gridsentry/v1/feed/{district(args)}/{args.device}"
    mqtt = brokers.chosen(args, f"gridsentry-camera-{args.device}")
    if args.buffer_mb < 1:
        raise Wrong("--buffer-mb", f"{args.buffer_mb:g}", "at least 1")
    log_to_stderr("INFO" if args.verbose else "WARNING")
    logging.getLogger("libav").setLevel(logging.ERROR)
    folder = args.buffer or default_buffer(args.device)
    ring = Ring(folder, int(args.buffer_mb * _MIB))
    halt = stop_on_signals()
    clock = SystemClock()
    state = {"state": "offline", "ts": epoch_ms(clock.now())}

    def greeting() -> tuple[str, bytes, bool]:
        return f"{topic}/status", msgspec.json.encode(state), True

    publisher = MqttPublisher(mqtt, will=(f"{topic}/status", b"offline", True), greeting=greeting)

    def on_state(online: bool) -> None:
        state.update(state="online" if online else "offline", ts=epoch_ms(clock.now()))
        try:
            publisher.publish(*greeting()[:2], retain=True)
        except Temporary:
            log.debug("the state is said once the broker is there")

    reader = Reader(source, wanted, ring, Place(folder), clock, on_state)
    sender = Sender(ring, publisher, topic)
    if len(ring):
        say(f"{len(ring)} messages of an earlier run wait in {folder}: they go first")
    publisher.start()
    sender.start()
    reader.start()
    say(f"{source.shown} → {mqtt.host}:{mqtt.port} {topic}/…    (Ctrl-C stops)")
    try:
        watch(reader, sender, ring, publisher, halt)
    finally:
        reader.halt()
        reader.join(2.0)
        if publisher.health()["connected"]:
            drain(sender, ring, publisher, 5.0)
        sender.stop(2.0)
        publisher.stop()
        ring.close()
    if reader.failure is not None:
        raise reader.failure
    print(summary(sender, ring), flush=True)
    return 1 if not source.live and len(ring) else 0


def the_source(args: argparse.Namespace) -> Source:
    """The source as asked for. Raises Wrong."""
    from gridsentry.camera.source import find

    source = find(args.url)
    for option, kind in (
        ("loop", "file"),
        ("realtime", "file"),
        ("at", "file"),
        ("size", "device"),
        ("fps", "device"),
    ):
        if getattr(args, option) and source.kind != kind:
            raise Wrong(f"--{option}", f"with {source.shown}", f"only with a {kind}")
    size = None
    if args.size is not None:
        found = re.fullmatch(r"(\d{2,5})[x×](\d{2,5})", args.size)
        if found is None:
            raise Wrong("--size", repr(args.size), "WIDTHxHEIGHT, such as 1280x720")
        size = (int(found[1]), int(found[2]))
    if args.stall < 1:
        raise Wrong("--stall", f"{args.stall:g}", "at least 1 second")
    return msgspec.structs.replace(
        source, udp=args.udp, size=size, fps=args.fps, stall_s=args.stall
    )


def wishes(args: argparse.Namespace) -> Wishes:
    """What is wanted of it. Raises Wrong."""
    from gridsentry.camera.gateway import Wishes
    from gridsentry.record.times import read_at

    if not 0.5 <= args.segment <= 10:
        raise Wrong("--segment", f"{args.segment:g}", "0.5 to 10 seconds")
    if args.frames is not None and not 0.01 <= args.frames <= 30:
        raise Wrong("--frames", f"{args.frames:g}", "0.01 to 30 pictures a second")
    at: datetime | None = read_at(args.at, "--at", None) if args.at else None
    return Wishes(
        segment_s=args.segment,
        frames=args.frames,
        transcode=args.transcode,
        rotate=not args.ignore_rotation,
        loop=args.loop,
        realtime=args.realtime,
        at=at,
    )


def district(args: argparse.Namespace) -> str:
    """The device's district. Raises Wrong."""
    from gridsentry.city import load_city
    from gridsentry.record.fromfile import find_device

    if not _ID.fullmatch(args.device):
        raise Wrong("--device", repr(args.device), "1 to 64 letters, digits, dots, dashes, _")
    if args.city is not None:
        registered = find_device(load_city(args.city), args.device).district
        if args.district not in (None, registered):
            raise Wrong("--district", args.district, f"{registered}, as the city folder says")
        return registered
    if args.district is None:
        raise Wrong("--district", "missing", "the device's district, or --city DIR that names it")
    if not _ID.fullmatch(args.district):
        raise Wrong("--district", repr(args.district), "1 to 64 letters, digits, dots, dashes, _")
    return str(args.district)


def default_buffer(device: str) -> Path:
    """The device's folder below the state folder."""
    from gridsentry import config

    return config.state_dir(config.load(None)) / "camera" / device


def watch(
    reader: Reader, sender: Sender, ring: Ring, publisher: MqttPublisher, halt: threading.Event
) -> None:
    """Show how it goes until all is done or it is told to stop; say what is wrong, once each."""
    from contracts.clock import monotonic

    began = logged = monotonic()
    said = ""
    with status_line() as show:
        while not halt.wait(0.5):
            now = monotonic()
            reader.look()
            health = publisher.health()
            problem = "" if health["connected"] else str(health["last_error"] or "")
            if problem and problem != said and now - began > 2.0:
                log.warning("%s. Pictures are kept in %s until it is back", problem, ring.folder)
            elif said and not problem:
                log.warning("the broker is back: %d kept messages follow", len(ring))
            if now - began > 2.0 or not problem:
                said = problem
            line = status(reader, sender, ring, connected=bool(health["connected"]))
            show(line)
            if now - logged > _LOG_EVERY_S:
                logged = now
                log.info("%s", line)
            if reader.done.is_set() and (reader.failure is not None or not len(ring)):
                return


def drain(sender: Sender, ring: Ring, publisher: MqttPublisher, seconds: float) -> None:
    """Let the last pieces out."""
    from contracts.clock import monotonic

    until = monotonic() + seconds
    while len(ring) and monotonic() < until and publisher.health()["connected"]:
        ring.wait_new(0.1)


def status(reader: Reader, sender: Sender, ring: Ring, *, connected: bool) -> str:
    """One line: camera, broker, rates, buffer."""
    figures = reader.figures
    pictures, size = figures.rates()
    how = {None: "", True: "copied", False: "coded anew"}[figures.copying]
    parts = [
        f"camera {'on' if figures.connected else 'away'} {figures.what}".rstrip(),
        f"{pictures:.0f} fps {size / 1000:.0f} kB/s {how}".rstrip(),
        f"broker {'on' if connected else 'away'}",
        f"sent {sender.sent}",
        f"buffered {len(ring)} ({ring.bytes / _MIB:.1f} MB)",
    ]
    if ring.dropped:
        parts.append(f"LOST {ring.dropped}")
    return " · ".join(parts)


def status_line() -> AbstractContextManager[Callable[[str], None]]:
    """A line on stderr that is written over while it is a terminal, else nothing."""
    from contextlib import contextmanager

    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)
    if not console.is_terminal:
        return nullcontext(lambda _line: None)

    @contextmanager
    def shown() -> Any:
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            yield lambda line: live.update(Text(line, no_wrap=True, overflow="ellipsis"))

    return shown()


def summary(sender: Sender, ring: Ring) -> str:
    """What became of it all."""
    text = f"sent {sender.sent} messages, {sender.sent_bytes / _MIB:.1f} MB"
    if len(ring):
        text += f"; {len(ring)} wait in {ring.folder} for the next start"
    if ring.dropped:
        text += f"; {ring.dropped} were lost (the buffer was full)"
    return text


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(f"gridsentry: {text}", file=sys.stderr, flush=True)
