"""docs/generated/asyncapi.json: the MQTT topics in AsyncAPI 3.0, with the decoders' schemas."""

from __future__ import annotations

from typing import Any

import msgspec

from contracts.case import Ticket
from contracts.kinds import CHANGES, KINDS, METRICS, STAGES
from ingest.codec.people import PositionMessage, ReportMessage, StatusMessage
from ingest.codec.telemetry import Message

ID = "[A-Za-z0-9._-]{1,64}"
FEED = "gridsentry/v1/feed/{district}/{device}"

BINARY = {
    "frame": ("image/jpeg", "One JPEG."),
    "segment": (
        "video/mp4",
        "A self-contained piece of video that begins with a keyframe, MP4 or MPEG-TS, H.264 or "
        "H.265, 0.5 to 10 s; the time is that of its first picture.",
    ),
    "trace": ("application/octet-stream", "One OTDR file (Telcordia SR-4731 .sor)."),
    "record": (
        "application/octet-stream",
        "One disturbance record: COMTRADE .cff, or a zip of .cfg and .dat.",
    ),
    "clip": ("audio/flac", "A piece of sound, WAV or FLAC; the time is that of its first sample."),
}

SIMULATION = (
    (
        "simClock", "gridsentry/v1/sim/clock", "1782892800000",
        "Retained. The simulator's time in epoch milliseconds; heard only by a service that was "
        "started with --clock sim.",
    ),
    (
        "simFollower", "gridsentry/v1/sim/follower", "live",
        "Retained. Whose time the service follows: sim or live. A simulator runs faster than time "
        "only where it reads sim.",
    ),
)  # fmt: skip

SAMPLES: dict[str, Any] = {
    "telemetry": {"ts": "2026-07-01T08:00:00Z", "seq": 12, "m": {"level": 0.43, "rain_rate": 12.0}},
    "status": {"state": "online", "ts": "2026-07-01T08:00:00Z"},
    "report": {
        "id": "r-1", "ts": 1782892800000, "kind": "flooding", "text": "路口积水",
        "lon": 118.05, "lat": 26.05,
    },
    "position": {"ts": "2026-07-01T08:00:00Z", "lon": 118.05, "lat": 26.05, "accuracy_m": 8},
}  # fmt: skip


def asyncapi() -> dict[str, Any]:
    """The document."""
    structs = {
        "telemetry": Message, "status": StatusMessage,
        "report": ReportMessage, "position": PositionMessage,
    }  # fmt: skip
    _, schemas = msgspec.json.schema_components(
        [*structs.values(), Ticket], ref_template="#/components/schemas/{name}"
    )
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for name, struct in structs.items():
        address = (
            f"{FEED}/{name}" if name != "position" else "gridsentry/v1/worker/{worker}/position"
        )
        one = {"$ref": f"#/components/schemas/{struct.__name__}"}
        payload = {"oneOf": [one, {"type": "array", "items": one}]} if name == "telemetry" else one
        message: dict[str, Any] = {
            "contentType": "application/json",
            "payload": payload,
            "examples": [{"payload": SAMPLES[name]}],
        }
        _add(channels, operations, name, address, message, "receive")
    for name, (kind, text) in BINARY.items():
        message = {
            "contentType": kind, "summary": text, "payload": {"type": "string", "format": "binary"},
        }  # fmt: skip
        _add(channels, operations, name, f"{FEED}/{name}/{{epoch_ms}}", message, "receive")
    event = {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "description": "The idempotency key."},
            "source": {"type": "string"},
            "type": {"type": "string"},
            "subject": {"type": "string", "description": "The ticket's id."},
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "data": {"$ref": "#/components/schemas/Ticket"},
        },
    }
    for name, address, sample, text in SIMULATION:
        message = {
            "contentType": "text/plain",
            "summary": text,
            "payload": {"type": "string", "examples": [sample]},
        }
        action = "send" if name == "simFollower" else "receive"
        _add(channels, operations, name, address, message, action)
    for name, address in (
        ("alert", "gridsentry/v1/alert/{district}/{kind}/{change}"),
        ("workerTicket", "gridsentry/v1/worker/{worker}/ticket"),
        ("utilityTicket", "gridsentry/v1/utility/{utility}/ticket"),
    ):
        message = {"contentType": "application/cloudevents+json", "payload": event}
        _add(channels, operations, name, address, message, "send")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Gridsentry over MQTT",
            "version": "1",
            "description": "MQTT 3.1.1 and 5, QoS 1 recommended. Times are UTC, ISO 8601 with Z or "
            "integer epoch milliseconds; positions WGS 84; units SI. Metrics: "
            + ", ".join(f"{name} ({unit})" for name, unit in METRICS.items())
            + "; unknown ones are stored, not refused.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"schemas": schemas},
    }


def _add(
    channels: dict[str, Any],
    operations: dict[str, Any],
    name: str,
    address: str,
    message: dict[str, Any],
    action: str,
) -> None:
    enums = {"kind": list(KINDS), "change": [*CHANGES, *STAGES]}
    described = {
        "epoch_ms": "Milliseconds since 1970-01-01 UTC.",
        "kind": "Kind of incident.",
        "change": "What happened to the ticket.",
    }
    names = [part[1:-1] for part in address.split("/") if part.startswith("{")]
    channels[name] = {
        "address": address,
        "messages": {name: message},
        "parameters": {
            p: {
                "description": described.get(p, f"Id of the {p}: {ID}"),
                **({"enum": enums[p]} if p in enums else {}),
            }
            for p in names
        },
    }
    operations[f"{action}{name[0].upper()}{name[1:]}"] = {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
    }
