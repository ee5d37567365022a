"""Where pictures come from: a URL, a file or a device; and what to do when it does not open."""

from __future__ import annotations

import errno
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import msgspec
from av.video.stream import VideoStream

from contracts.errors import Temporary, Wrong

SCHEMES = ("rtsp", "rtsps", "http", "https", "rtmp", "udp", "tcp", "srt")
ALLOWED = (
    "rtsp://user:password@host/path, a video file, or a device such as /dev/video0 "
    f"(also {', '.join(f'{name}://' for name in SCHEMES[2:])})"
)
OPEN_S = 15.0
"""How long a camera may take to describe its stream."""
_OPTIONS = {
    # Only what is asked for crosses the line; in TCP no picture arrives torn.
    "rtsp": {"allowed_media_types": "video", "max_delay": "500000"},
}


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What to open and how."""

    url: str
    kind: str
    """`file`, `device` or `net`."""
    udp: bool = False
    """RTSP: pictures by UDP instead of within the connection."""
    size: tuple[int, int] | None = None
    """Of a device: (width, height) to ask for."""
    fps: float | None = None
    """Of a device: pictures a second to ask for."""
    stall_s: float = 10.0
    """Nothing for that long: the stream has stalled."""

    @property
    def shown(self) -> str:
        """The address without its password."""
        return hidden(self.url)

    @property
    def live(self) -> bool:
        """Whether its pictures are taken now."""
        return self.kind != "file"


def hidden(text: str) -> str:
    """The text with every password in an address left out."""
    return re.sub(r"(\w+://[^\s:/@]*):[^\s/]*@", r"\1:***@", text)


def find(url: str) -> Source:
    """What kind of source it is. `@FILE` is an address kept in a file, out of the process list.

    Raises Wrong."""
    if url.startswith("@"):
        try:
            url = Path(url[1:]).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Wrong("URL", f"{url}: {error.strerror}", "@FILE with the address in it") from (
                error
            )
    if "://" in url:
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as error:
            raise Wrong("URL", f"{hidden(url)} ({error})", ALLOWED) from error
        if parts.scheme == "file":
            return find(parts.path)
        if parts.scheme.lower() not in SCHEMES:
            raise Wrong("URL", f"{parts.scheme}:// is no address of a camera", ALLOWED)
        if not parts.hostname and parts.scheme != "udp":
            raise Wrong("URL", f"no host in {hidden(url)}", ALLOWED)
        return Source(url=url, kind="net")
    path = Path(url)
    if re.fullmatch(r"/dev/\S+", url):
        if not path.exists():
            found = ", ".join(sorted(str(p) for p in Path("/dev").glob("video*"))) or "none"
            raise Wrong(
                "URL", f"there is no device {url}", f"a camera that is plugged in; there: {found}"
            )
        return Source(url=url, kind="device")
    if not path.is_file():
        raise Wrong("URL", f"there is no file {url}", ALLOWED)
    return Source(url=url, kind="file")


def open_stream(source: Source) -> tuple[Any, VideoStream]:
    """The open container and its video stream.

    Raises Wrong where trying again will not help, Temporary where it may; both say what to do.
    """
    options: dict[str, str] = {}
    form: str | None = None
    if source.kind == "device":
        form = "v4l2"
        if source.size:
            options["video_size"] = f"{source.size[0]}x{source.size[1]}"
        if source.fps:
            options["framerate"] = f"{source.fps:g}"
    elif source.url.startswith(("rtsp://", "rtsps://")):
        options = {**_OPTIONS["rtsp"], "rtsp_transport": "udp" if source.udp else "tcp"}
    try:
        container: Any = av.open(
            source.url,
            format=form,
            options=options,
            timeout=(OPEN_S, source.stall_s) if source.kind == "net" else None,
            metadata_errors="ignore",
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise explained(source, error) from error
    try:
        if not container.streams.video:
            raise Wrong(source.shown, "no video in it", "a stream with H.264, H.265 or MJPEG")
        stream: VideoStream = container.streams.video[0]
        context = stream.codec_context
        if context is None or context.name in (None, "", "none"):
            raise Wrong(
                source.shown,
                "its video has a coding nobody here can read",
                "set the camera to H.264 or H.265",
            )
    except Wrong:
        container.close()
        raise
    return container, stream


def explained(source: Source, error: Exception) -> Wrong | Temporary:
    """The error in words, and what to do next."""
    shown, number = source.shown, getattr(error, "errno", None)
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return Wrong(
            shown, "the camera refuses user name or password",
            "rtsp://user:password@… with a user that the camera knows; write special characters "
            "as %40 for @, %3A for :, %2F for /",
        )  # fmt: skip
    if isinstance(error, av.error.HTTPNotFoundError):
        return Wrong(
            shown, "the camera answers, but has no stream under this path",
            "the path of its manual, such as /Streaming/Channels/101 (Hikvision) or "
            "/cam/realmonitor?channel=1&subtype=0 (Dahua)",
        )  # fmt: skip
    if isinstance(error, av.error.HTTPBadRequestError):
        return Wrong(shown, "the camera does not understand the address", ALLOWED)
    if number in (errno.EACCES, errno.EPERM):
        if source.kind == "device":
            fix = "a user of the group video: sudo usermod -aG video $USER, then log in again"
        else:
            fix = "a file this user may read"
        return Wrong(shown, "no permission to open it", fix)
    if number == errno.EBUSY:
        return Temporary(f"{shown} is used by another program; close it")
    if isinstance(error, av.error.ProtocolNotFoundError):
        return Wrong(shown, "this kind of address cannot be read here", ALLOWED)
    if source.kind == "net":
        return Temporary(_network(source, error, number))
    if source.kind == "device":
        return Wrong(
            shown, f"the device cannot be opened as a camera ({_short(error)})",
            "a camera; another --size or --fps that it knows (v4l2-ctl --list-formats-ext)",
        )  # fmt: skip
    return Wrong(shown, f"not a video that can be read ({_short(error)})", "a video file")


def _network(source: Source, error: Exception, number: int | None) -> str:
    shown = source.shown
    parts = urlsplit(source.url)
    host = parts.hostname or ""
    if number == errno.ECONNREFUSED:
        return f"{shown}: nobody listens there; is it the camera's address and port?"
    if number in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return f"{shown}: no way to that host; is the camera on, and in this network?"
    if isinstance(error, av.error.ExitError | TimeoutError) or number == errno.ETIMEDOUT:
        return f"{shown}: no answer within {OPEN_S:g} s; is the camera on and reachable?"
    try:
        socket.getaddrinfo(host, None)
    except OSError as unknown:
        return f"{shown}: the name {host} is not known ({unknown.args[-1]}); is it spelt right?"
    if isinstance(error, av.error.InvalidDataError):
        return f"{shown}: what comes from there is no video; is it the address of the stream?"
    return f"{shown}: {_short(error)}"


def _short(error: Exception) -> str:
    """FFmpeg's words without the address, which may hold a password."""
    text = getattr(error, "strerror", None) or str(error)
    return hidden(str(text))
