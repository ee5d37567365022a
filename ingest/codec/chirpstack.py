"""ChirpStack's protobuf marshaler: the same events as its JSON, in the JSON's own shape.

Only the members that are read are described (integration.proto and gw.proto of ChirpStack v4,
as/integration of the v3 application server); others are passed over, as protobuf does.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    json_format,
    message_factory,
    struct_pb2,
    timestamp_pb2,
)
from google.protobuf.message import DecodeError, Message

from contracts.errors import Permanent

_FIELD = descriptor_pb2.FieldDescriptorProto
_STRING, _BYTES, _BOOL = _FIELD.TYPE_STRING, _FIELD.TYPE_BYTES, _FIELD.TYPE_BOOL
_U32, _U64, _I32 = _FIELD.TYPE_UINT32, _FIELD.TYPE_UINT64, _FIELD.TYPE_INT32
_FLOAT, _DOUBLE = _FIELD.TYPE_FLOAT, _FIELD.TYPE_DOUBLE
_TIME, _STRUCT = ".google.protobuf.Timestamp", ".google.protobuf.Struct"

_WHO4: Final[dict[str, tuple[int, Any]]] = {"time": (2, _TIME), "device_info": (3, "DeviceInfo")}
_WHO3: Final[dict[str, tuple[int, Any]]] = {
    "application_id": (1, _U64),
    "application_name": (2, _STRING),
    "device_name": (3, _STRING),
    "dev_eui": (4, _BYTES),
}
_SHAPES: Final[dict[str, dict[str, tuple[int, Any]]]] = {
    "DeviceInfo": {
        "application_name": (4, _STRING),
        "device_profile_name": (6, _STRING),
        "device_name": (7, _STRING),
        "dev_eui": (8, _STRING),
        "tags[]": (9, "Tag"),
    },
    "Tag": {"key": (1, _STRING), "value": (2, _STRING)},
    "Rx": {
        "gateway_id": (1, _STRING),
        "gw_time": (3, _TIME),
        "rssi": (6, _I32),
        "snr": (7, _FLOAT),
        "ns_time": (17, _TIME),
    },
    "Rx3": {"time": (2, _TIME), "rssi": (5, _I32), "lora_snr": (6, _DOUBLE)},
    "Up4": {
        **_WHO4,
        "dev_addr": (4, _STRING),
        "f_cnt": (7, _U32),
        "f_port": (8, _U32),
        "data": (10, _BYTES),
        "object": (11, _STRUCT),
        "rx_info[]": (12, "Rx"),
    },
    "Status4": {
        **_WHO4,
        "margin": (5, _I32),
        "external_power_source": (6, _BOOL),
        "battery_level_unavailable": (7, _BOOL),
        "battery_level": (8, _FLOAT),
    },
    "Join4": dict(_WHO4),
    "Up3": {
        **_WHO3,
        "rx_info[]": (5, "Rx3"),
        "f_cnt": (9, _U32),
        "f_port": (10, _U32),
        "data": (11, _BYTES),
        "object_json": (12, _STRING),
        "tags[]": (13, "Tag"),
        "dev_addr": (15, _BYTES),
        "published_at": (16, _TIME),
        "device_profile_name": (18, _STRING),
    },
    "Status3": {
        **_WHO3,
        "margin": (5, _I32),
        "external_power_source": (6, _BOOL),
        "battery_level": (7, _FLOAT),
        "battery_level_unavailable": (8, _BOOL),
    },
    "Join3": {**_WHO3, "rx_info[]": (6, "Rx3")},
    "Conn": {"gateway_id": (3, _STRING), "online": (2, _BOOL)},
}
_KINDS: Final = {"up": "Up", "status": "Status", "join": "Join"}
_OF_V3: Final = 0x08
"""v3 begins with the number of its application (field 1, a varint), v4 with a text."""


def _classes() -> dict[str, type[Message]]:
    file = descriptor_pb2.FileDescriptorProto(
        name="gridsentry/chirpstack.proto",
        package="gridsentry.chirpstack",
        syntax="proto3",
        dependency=["google/protobuf/timestamp.proto", "google/protobuf/struct.proto"],
    )
    for name, fields in _SHAPES.items():
        shape = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            made = shape.field.add(
                name=field.removesuffix("[]"),
                number=number,
                label=_FIELD.LABEL_REPEATED if field.endswith("[]") else _FIELD.LABEL_OPTIONAL,
                type=_FIELD.TYPE_MESSAGE if isinstance(kind, str) else kind,
            )
            if isinstance(kind, str):
                made.type_name = kind if kind[0] == "." else f".{file.package}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    for known in (timestamp_pb2, struct_pb2):
        pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.{name}"))
        for name in _SHAPES
    }


_CLASSES: Final = _classes()


def is_json(payload: bytes) -> bool:
    """Whether an event is JSON: protobuf begins with the tag of a field."""
    return payload.lstrip()[:1] in (b"{", b"[", b"") or payload[:1] in b'"tfn'


def event(payload: bytes, kind: str) -> dict[str, Any]:
    """An `up`, `status` or `join` as its JSON would be. Raises Permanent `bad_protobuf`."""
    version = "3" if payload[:1] == bytes([_OF_V3]) else "4"
    told = _dict(_CLASSES[_KINDS[kind] + version], payload)
    for holder in (told, told.get("deviceInfo", {})):
        if isinstance(holder.get("tags"), list):
            holder["tags"] = {t.get("key", ""): t.get("value", "") for t in holder["tags"]}
    if "objectJson" in told:
        told["objectJSON"] = told.pop("objectJson")
    return told


def connection(payload: bytes) -> dict[str, Any]:
    """A gateway's connection state. Raises Permanent `bad_protobuf`."""
    told = _dict(_CLASSES["Conn"], payload)
    return {"gatewayId": told.get("gatewayId"), "state": "ONLINE" if told.get("online") else ""}


def _dict(cls: type[Message], payload: bytes) -> dict[str, Any]:
    message = cls()
    try:
        message.ParseFromString(payload)
        found: dict[str, Any] = json_format.MessageToDict(message)
    except (DecodeError, ValueError, json_format.Error) as error:
        raise Permanent(
            "bad_protobuf",
            f"neither JSON nor an event in ChirpStack's protobuf: {error}; set the integration's "
            "marshaler (`json` or `protobuf`)",
        ) from None
    return found
