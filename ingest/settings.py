"""Settings of this room, each with its reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

import msgspec

from ingest.codec.times import ClockRule

_Positive = Annotated[int, msgspec.Meta(gt=0)]
_Seconds = Annotated[float, msgspec.Meta(gt=0)]
_MIB = 2**20


class MqttSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a session reaches its broker."""

    host: str = "127.0.0.1"
    """The broker's host name or address."""
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 1883
    """The broker's port; with TLS usually 8883."""
    client_id: str = "gridsentry"
    """Fixed: the broker keeps our session under it. Two services must not share one."""
    username: str | None = None
    """User name, when the broker asks for one."""
    password: str | None = None
    """Password of that user."""
    tls: bool = False
    """Speak TLS (system certificates, unless `tls_ca` names others)."""
    tls_ca: str | None = None
    """File of certificates that the broker's must descend from."""
    tls_cert: str | None = None
    """Our own certificate, when the broker asks for one."""
    tls_key: str | None = None
    """The key of our own certificate."""
    tls_insecure: bool = False
    """Do not check that the certificate names the host. For tests only."""
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    """MQTT version; `auto` tries 5 and falls back to 3.1.1 when the broker refuses it."""
    keepalive_s: Annotated[int, msgspec.Meta(ge=5, le=3600)] = 60
    """Seconds of silence after which either side checks that the other is there (iotcore
    refuses 0)."""
    connect_timeout_s: _Seconds = 10.0
    """How long to wait for a connection."""
    session_expiry_s: _Positive = 7 * 86_400
    """How long the broker keeps our session and its queue while we are away. Without it MQTT 5
    keeps nothing at all."""
    receive_maximum: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 10_000
    """How many messages may be with us unacknowledged: the backpressure (telemetry 10,000;
    bulk 16). From a broker that sends more no more is read for now."""
    max_unacknowledged_bytes: _Positive = 256 * _MIB
    """No more is read from the connection while messages of this many bytes are with us
    unacknowledged."""
    max_packet_bytes: _Positive = 48 * _MIB
    """The largest message we accept; the protocol's own limit is 256 MB. Larger ones are
    withheld by the broker (MQTT 5)."""
    max_unconfirmed: _Positive = 50_000
    """QoS 0 messages are outside the receive window; of more than this many waiting the oldest
    are dropped and counted."""
    reconnect_min_s: _Seconds = 1.0
    """Wait before the first attempt to connect again; doubles from there."""
    reconnect_max_s: _Seconds = 30.0
    """The longest wait between attempts."""
    evicted_wait_s: _Seconds = 30.0
    """Wait after another client took our id, so that the two do not throw each other out in
    turn; doubles up to ten times this."""


class DecoderSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a message may be."""

    clock_ahead_s: _Seconds = 120.0
    """A message from further in the future has a clock that is off: arrival time takes effect."""
    max_age_days: _Seconds = 7.0
    """A message older than this has a clock that is off; younger is history kept while offline."""
    max_telemetry_bytes: _Positive = _MIB
    """Largest telemetry, status or position message."""
    max_report_bytes: _Positive = 8 * _MIB
    """Largest report, its photo included."""
    max_frame_bytes: _Positive = 16 * _MIB
    """Largest JPEG, OTDR file, disturbance record or sound clip."""
    max_segment_bytes: _Positive = 40 * _MIB
    """Largest piece of video."""
    max_picture_side: _Positive = 8192
    """Widest or highest picture, in pixels."""
    max_picture_pixels: _Positive = 40_000_000
    """Largest picture, in pixels."""

    def clock_rule(self) -> ClockRule:
        """When a device's clock is believed."""
        return ClockRule(timedelta(seconds=self.clock_ahead_s), timedelta(days=self.max_age_days))

    def limits(self) -> dict[str, int]:
        """Largest payload in bytes for each last word of a topic."""
        small, frame = self.max_telemetry_bytes, self.max_frame_bytes
        return {
            "telemetry": small,
            "status": small,
            "position": small,
            "report": self.max_report_bytes,
            "frame": frame,
            "trace": frame,
            "record": frame,
            "clip": frame,
            "segment": self.max_segment_bytes,
        }


class SpoolSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ring of video kept for detection and evidence."""

    max_bytes_per_camera: _Positive = 512 * _MIB
    """Oldest segments of a camera go when it holds more."""
    max_age_s: _Seconds = 3600.0
    """Segments older than this go."""
