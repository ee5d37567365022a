"""Sparkplug B (Eclipse Sparkplug 3.0): births, data by alias, deaths, and rebirths asked for.

`spBv1.0/{group}/{type}/{node}[/{device}]`. A device of ours goes by `group/node/device`,
`node/device` or `device`, an edge node by `group/node` or `node`.

What an alias stands for is told in births only. Where a message is missing (its `seq` does not
follow), a birth was not heard, or we have been away, the node is asked for its births again; what
its aliases stood for is believed until then, because only a birth changes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from contracts.city import Device
from contracts.clock import epoch_ms
from contracts.errors import Permanent
from contracts.nouns import Arrival, Status
from ingest.adapting import kit
from ingest.adapting.measured import measured
from ingest.codec import sparkplug
from ingest.codec.sparkplug import Metric, Payload
from ingest.codec.times import to_utc

NAMESPACE: Final = "spBv1.0"
ASK_AGAIN: Final = timedelta(seconds=10)
"""A node is not asked for its births more often."""
ASIDE: Final = ("Node Control/", "Device Control/", "Properties/", "Node Info/")
"""Metrics that tell of the gateway itself, not of what it measures."""
_MODULUS: Final = 256  # 6.4.4: seq goes from 0 to 255 and again from 0


_Value = tuple[str, float, str | None, bool, int | None]
"""Name, number, unit, whether it was a boolean, epoch milliseconds."""


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `use = "sparkplug"`."""

    host_id: str | None = None
    """We are the primary host of this id: nodes are told whether we listen
    (`spBv1.0/STATE/{host_id}`), and may keep what they measure while we do not. Left out: we are
    one listener of several."""


class Known(msgspec.Struct):
    """What a birth told of a metric."""

    name: str
    datatype: int
    unit: str | None


class Node(msgspec.Struct):
    """An edge node as its messages left it."""

    born: bool = False
    bd: float | None = None
    """`bdSeq` of its last birth: a death with another one is of an earlier connection."""
    aliases: dict[int, Known] = {}
    names: dict[str, Known] = {}
    """By name, of devices by `device NUL name`."""
    devices: dict[str, bool] = {}
    """Which of its devices were born, and whether they live."""


class Heard(msgspec.Struct):
    """What need not outlive a restart."""

    seq: int | None = None
    at_ms: int = 0
    asked: datetime | None = None
    told: bool = False
    """A birth of it came since we began."""


class SparkplugAdapter(kit.Adapter):
    """Keeps for each edge node what its births told."""

    def __init__(self, setting: kit.Setting, options: Options) -> None:
        self._register = setting.register
        self._rule = setting.rule
        self._host = options.host_id
        state = setting.state
        self._nodes: dict[str, Node] = (
            {} if state is None else msgspec.msgpack.decode(state, type=dict[str, Node])
        )
        self._heard: dict[str, Heard] = {}
        self._changed = False

    def snapshot(self) -> bytes | None:
        """All nodes, when a birth or death changed one."""
        if not self._changed:
            return None
        self._changed = False
        return msgspec.msgpack.encode(self._nodes)

    def presence(self, now: datetime, /) -> kit.Presence | None:
        """As a primary host: that we listen, and the will that we do not (6.4.26)."""
        if self._host is None:
            return None
        topic, at = f"{NAMESPACE}/STATE/{self._host}", epoch_ms(now)

        def said(online: bool) -> kit.Outgoing:
            body = msgspec.json.encode({"online": online, "timestamp": at})
            return kit.Outgoing(topic, body, retain=True)

        return kit.Presence(greeting=said(True), will=said(False))

    def decode(self, arrival: Arrival, /) -> Sequence[kit.Said]:
        """Readings and on-/offline; a rebirth is asked for where it is needed."""
        group, kind, node, device = _topic(arrival.topic)
        if kind not in ("NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH"):
            return kit.NOTHING  # STATE of hosts, commands to nodes
        if (device is None) != (kind[0] == "N"):
            raise Permanent(
                "wrong_topic",
                f"{kind} is a message of {'an edge node' if kind[0] == 'N' else 'a device'}: "
                f"{NAMESPACE}/group/{kind}/node{'' if kind[0] == 'N' else '/device'} was expected",
            )
        payload = sparkplug.decode(arrival.payload)
        key = f"{group}/{node}"
        out: list[kit.Said] = []
        state = self._nodes.get(key)
        if kind == "NDEATH":
            return self._death(group, node, payload, arrival)
        if kind == "NBIRTH":
            state = self._born(key, payload)
        followed = self._follows(key, payload)
        if state is None:
            state = self._nodes[key] = Node()
            self._changed = True
        if not state.born or not followed or not self._heard[key].told:
            out += self._ask(group, node, key, arrival)
        if kind == "DBIRTH" and device is not None:
            self._device_born(state, device, payload)
        if kind == "DDEATH" and device is not None:
            state.devices[device] = False
            self._changed = True
            return [*out, *self._status((group, node, device), arrival, online=False)]
        if kind.endswith("BIRTH"):
            out += self._status((group, node, device), arrival, online=True)
        return [*out, *self._values(state, (group, node, device), payload, arrival)]

    # --- births and deaths ----------------------------------------------------------------------

    def _born(self, key: str, payload: Payload) -> Node:
        bd = _bd(payload)
        node = Node(born=True, bd=bd)
        _learn(node, None, payload)
        heard = self._heard.setdefault(key, Heard())
        heard.told, heard.seq, heard.asked = True, None, None
        heard.at_ms = payload.at_ms or 0  # also of a node whose clock began anew
        self._nodes[key] = node
        self._changed = True
        return node

    def _device_born(self, node: Node, device: str, payload: Payload) -> None:
        for name in [name for name in node.names if name.startswith(f"{device}\0")]:
            del node.names[name]
        _learn(node, device, payload)
        node.devices[device] = True
        self._changed = True

    def _death(self, group: str, node: str, payload: Payload, arrival: Arrival) -> list[kit.Said]:
        key = f"{group}/{node}"
        state = self._nodes.get(key)
        bd = _bd(payload)
        if state is not None and state.bd is not None and bd is not None and bd != state.bd:
            return []  # of a connection before its last birth (6.4.20)
        out: list[kit.Said] = []
        self._heard.pop(key, None)
        out += self._status((group, node, None), arrival, online=False)
        for device in sorted(state.devices) if state is not None else ():
            if state is not None and state.devices[device]:
                state.devices[device] = False
                out += self._status((group, node, device), arrival, online=False)
        if state is not None:
            state.born = False
            self._changed = True
        return out

    # --- order ----------------------------------------------------------------------------------

    def _follows(self, key: str, payload: Payload) -> bool:
        """Whether no message of the node is missing before this one."""
        heard = self._heard.setdefault(key, Heard())
        at = payload.at_ms or 0
        if at < heard.at_ms or payload.seq is None:
            return True  # kept from before and taken up now, or it does not count
        before, heard.seq, heard.at_ms = heard.seq, payload.seq, at
        return before is None or payload.seq in (before, (before + 1) % _MODULUS)

    def _ask(self, group: str, node: str, key: str, arrival: Arrival) -> list[kit.Said]:
        heard, now = self._heard[key], arrival.received_at
        if heard.asked is not None and now - heard.asked < ASK_AGAIN:
            return []
        heard.asked = now
        topic = f"{NAMESPACE}/{group}/NCMD/{node}"
        return [kit.Outgoing(topic, sparkplug.rebirth(epoch_ms(now)), qos=0)]

    # --- values ---------------------------------------------------------------------------------

    def _values(
        self,
        node: Node,
        who: tuple[str, str, str | None],
        payload: Payload,
        arrival: Arrival,
    ) -> list[kit.Said]:
        told: list[_Value] = []
        unread = 0
        for metric in payload.metrics:
            known = _known(node, who[2], metric)
            name = metric.name or (known.name + metric.member if known else None)
            if name is None:
                unread += 1
                continue
            if name == "bdSeq" or name.startswith(ASIDE) or not metric.trusted:
                continue
            inherited = known.datatype if known and not metric.member else 0
            datatype = metric.datatype or inherited
            value = sparkplug.value_of(metric.raw, datatype)
            if value is None:
                continue
            unit = metric.unit or (known.unit if known else None)
            flag = datatype == sparkplug.BOOLEAN or isinstance(metric.raw, bool)
            told.append((name, value, unit, flag, metric.at_ms or payload.at_ms))
        out: list[kit.Said] = []
        if unread:
            out.append(
                kit.poison(
                    arrival,
                    "unknown_alias",
                    f"{unread} of {len(payload.metrics)} metrics say their alias only, and no "
                    "birth of this node has told what it stands for; the node was asked for its "
                    "births (Node Control/Rebirth)",
                    self._id(who),
                )
            )
        if not told:
            return out
        names = _names(who)
        device = self._register.device(*names)
        with kit.blaming(device):
            return [*out, *self._readings(device, names, told, arrival)]

    def _readings(
        self,
        device: Device,
        names: Sequence[str],
        told: list[_Value],
        arrival: Arrival,
    ) -> list[kit.Said]:
        alias = self._register.alias(device, *names)
        out: list[kit.Said] = []
        for name, raw, unit, flag, at_ms in told:
            found = measured(name, raw, unit, alias, flag=flag)
            if found is None:
                continue
            metric, value = found
            try:
                at = None if at_ms is None else to_utc(at_ms, None, "timestamp")
                out += kit.readings(device, {metric: value}, arrival, self._rule, at)
            except Permanent as bad:
                reason = f"metric {name}: {bad.reason}"
                out.append(kit.poison(arrival, bad.code, reason, device.id, {name: value}))
        return out

    def _status(
        self, who: tuple[str, str, str | None], arrival: Arrival, *, online: bool
    ) -> list[kit.Said]:
        device = self._register.find(*_names(who))
        if device is None:
            return []
        return [Status(device.id, arrival.received_at, arrival.received_at, online)]

    def _id(self, who: tuple[str, str, str | None]) -> str | None:
        device = self._register.find(*_names(who))
        return None if device is None else device.id


def _topic(topic: str) -> tuple[str, str, str, str | None]:
    """Group, message type, node and device."""
    levels = topic.split("/")
    if levels[:2] == [NAMESPACE, "STATE"] or levels[0] == "STATE":
        return "", "STATE", "", None
    if levels[0] != NAMESPACE or not 4 <= len(levels) <= 5 or not all(levels):
        raise Permanent(
            "wrong_topic", f"{NAMESPACE}/group/TYPE/node or …/node/device was expected (4.1)"
        )
    return levels[1], levels[2], levels[3], levels[4] if len(levels) == 5 else None


def _names(who: tuple[str, str, str | None]) -> tuple[str, ...]:
    group, node, device = who
    if device is None:
        return (f"{group}/{node}", node)
    return (f"{group}/{node}/{device}", f"{node}/{device}", device)


def _bd(payload: Payload) -> float | None:
    """The number of the connection that a birth and its death belong to."""
    found = (m.raw for m in payload.metrics if m.name == "bdSeq")
    return next((float(raw) for raw in found if raw is not None), None)


def _learn(node: Node, device: str | None, payload: Payload) -> None:
    for metric in payload.metrics:
        if metric.name is None:
            continue
        known = Known(metric.name, metric.datatype, metric.unit)
        node.names[_key(device, metric.name)] = known
        if metric.alias is not None:
            node.aliases[metric.alias] = known


def _known(node: Node, device: str | None, metric: Metric) -> Known | None:
    if metric.name is not None:
        return node.names.get(_key(device, metric.name))
    return None if metric.alias is None else node.aliases.get(metric.alias)


def _key(device: str | None, name: str) -> str:
    return name if device is None else f"{device}\0{name}"


def _prepare(options: Options, _folder: Path) -> kit.Build:
    return lambda setting: SparkplugAdapter(setting, options)


SPEC = kit.Spec(
    topics=(f"{NAMESPACE}/#",), options=Options, prepare=_prepare, limit=4 * 2**20, speaks=True
)
