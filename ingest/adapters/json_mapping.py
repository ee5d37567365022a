"""JSON of any shape, by a mapping file (`ingest.adapting.mapping` says what stands in it)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from contracts.errors import Permanent
from contracts.nouns import Arrival, Status
from ingest.adapting import kit
from ingest.adapting.mapping import Mapping, Told, load
from ingest.adapting.measured import is_air, measured
from ingest.adapting.moments import moment
from ingest.adapting.naming import metric_of
from ingest.codec.text import complain

_anything: Final = msgspec.json.Decoder()


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `use = "json_mapping"`."""

    mapping: str
    """A file of the city folder (`mappings/acme.toml`), or a shipped one by name: `aws_shadow`,
    `azure_iot_hub`, `flat`."""


class MappedAdapter(kit.Adapter):
    """Reads JSON as its mapping says; has no state."""

    def __init__(self, setting: kit.Setting, mapping: Mapping) -> None:
        self._register = setting.register
        self._rule = setting.rule
        self._mapping = mapping

    def decode(self, arrival: Arrival, /) -> Sequence[kit.Said]:
        """The readings of each record; a record that cannot be read is set aside alone."""
        try:
            message = _anything.decode(arrival.payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise complain(arrival.payload, error) from None
        out: list[kit.Said] = []
        unknown: set[str | None] = set()
        for told in self._mapping.told(message, arrival.topic):
            if isinstance(told, Permanent):
                out.append(kit.poison(arrival, told.code, told.reason))
                continue
            try:
                out += self._said(told, arrival)
            except Permanent as bad:
                device = getattr(bad, "device", None)
                if bad.code == "unknown_device":
                    if device in unknown:
                        continue
                    unknown.add(device)
                out.append(kit.poison(arrival, bad.code, bad.reason, device))
        return out

    def _said(self, told: Told, arrival: Arrival) -> list[kit.Said]:
        device = self._register.device(told.device)
        with kit.blaming(device):
            at = None
            if told.time is not None:
                table = self._mapping.table
                at = moment(told.time, table.time_format, table.time_zone or device.timezone)
            out: list[kit.Said] = [
                kit.poison(arrival, "not_a_number", fault, device.id) for fault in told.faults
            ]
            alias = self._register.alias(device, told.device)
            values: dict[str, float] = {}
            for name, leaf in told.own.items():
                if is_air(name, leaf.value, leaf.unit, told.own):
                    found = measured("air_pressure", leaf.value, None, alias)
                else:
                    found = measured(name, leaf.value, leaf.unit, alias, flag=leaf.flag)
                if found is not None:
                    values[found[0]] = found[1]
            for name, value in told.values.items():
                renamed = alias is not None and name in alias.metrics
                metric = metric_of(name, alias) if renamed else name
                if metric is not None:
                    values[metric] = value
            if told.online is not None:
                out.append(Status(device.id, arrival.received_at, arrival.received_at, told.online))
            if values and arrival.retained and at is None:
                return out  # comes back at every subscription: no news
            out += kit.readings(device, values, arrival, self._rule, at, seq=told.seq)
        return out


def _prepare(options: Options, folder: Path) -> kit.Build:
    mapping: Any = load(options.mapping, folder)
    return lambda setting: MappedAdapter(setting, mapping)


SPEC = kit.Spec(topics=(), options=Options, prepare=_prepare)
