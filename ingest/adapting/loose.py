"""Decoded fields of a device without a profile: what their names and neighbours say they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ingest.adapting import quantities
from ingest.adapting.measured import air_kpa, is_air, measured

_CHANNELLED: Final = {
    # what codecs of Cayenne LPP call a channel: `temperatureSensor.1`, `temperature_1`
    "temperaturesensor": "temperature", "temperature": "temperature",
    "humiditysensor": "humidity", "relative_humidity": "humidity",
    "illuminancesensor": "lux", "luminosity": "lux",
    "barometer": "air_pressure", "barometric_pressure": "air_pressure",
}  # fmt: skip
_CHANNEL: Final = re.compile(r"([A-Za-z_]+?)[._]\d{1,3}")
_WRAPPINGS: Final = ("data", "values", "decoded", "measurements", "payload", "result")
_RAW: Final = frozenset({"bytes", "raw", "raw_bytes", "rawbytes", "payload", "frmpayload"})
_TIMES: Final = frozenset(
    {"time", "ts", "timestamp", "datetime", "date", "unixtime", "epoch", "received_at", "utc"}
)
_SINCE_2000: Final = 9.4e8


def inner(decoded: Any) -> Any:
    """What a codec wrapped: `{"data": {...}, "errors": [], "warnings": []}`."""
    if isinstance(decoded, dict):
        rest = {
            name: part
            for name, part in decoded.items()
            if name not in ("errors", "warnings") and not _is_bytes(name, part)
        }
        if len(rest) == 1:
            ((name, part),) = rest.items()
            if name in _WRAPPINGS and isinstance(part, dict):
                return part
        return rest
    return decoded


def _is_bytes(name: str, part: Any) -> bool:
    """The payload once more, as a codec that decodes nothing hands it on."""
    return name.lower() in _RAW and isinstance(part, list) and len(part) != 1


def single_channels(fields: Iterable[str]) -> dict[str, str]:
    """Field → plain name, of quantities that only one channel tells; several keep their numbers."""
    found: dict[str, str] = {}
    for field in fields:
        match = _CHANNEL.fullmatch(field)
        name = _CHANNELLED.get(match[1].lower()) if match else None
        if name is not None:
            found[field] = name
    count = Counter(found.values())
    return {field: name for field, name in found.items() if count[name] == 1}


def told(name: str, value: object, fields: Mapping[str, object]) -> tuple[str, float] | None:
    """(metric, value) of a field beside its neighbours `fields`; None: it is no quantity."""
    found = quantities.number(value)
    if found is None:
        return None
    number, unit = found
    last = name.rpartition(".")[2].lower()
    if last in _TIMES and number > _SINCE_2000:
        return None  # the device's own clock; the network server's time is kept
    flag = isinstance(value, bool) or (
        isinstance(value, str) and value.strip().lower() in quantities.WORDS
    )
    if is_air(name, number, unit or None, fields):
        return "air_pressure", air_kpa(number)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return measured(name, int(number) if whole else number, unit or None, flag=flag)
