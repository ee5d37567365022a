"""From messages that were heard to a mapping that reads them: a proposal to be corrected by hand.

Pure: it looks at topics, payloads and arrival times, and guesses which member names the device,
which is the time, the counter, the state, and which numbers are metrics of ours.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

import msgspec

from contracts.errors import Permanent
from contracts.kinds import METRICS
from contracts.nouns import Arrival
from ingest.adapting import units
from ingest.adapting.leaves import alone_pair, is_quantity, pair, unit_of
from ingest.adapting.moments import moment
from ingest.adapting.naming import metric_of
from ingest.adapting.spelling import key_of, line, literal, path, path_of, quoted

_anything: Final = msgspec.json.Decoder()
DEVICE_NAMES: Final = (
    "deviceid", "device_id", "deviceuid", "device", "deveui", "dev_eui", "devid", "dev_id", "dev",
    "imei", "sn", "serial", "serialnumber", "mac", "nodeid", "node", "sensorid", "sensor_id",
    "sensor", "stationid", "station", "terminal", "terminalid", "gatewayid", "id", "name", "编号",
    "设备编号", "设备号",
)  # fmt: skip
TIME_NAMES: Final = (
    "ts", "time", "timestamp", "datetime", "date_time", "at", "t", "collecttime", "sampletime",
    "measuredat", "reportedat", "createdat", "datatime", "utc", "时间", "采集时间",
)  # fmt: skip
SEQ_NAMES: Final = ("seq", "fcnt", "f_cnt", "counter", "cnt", "msgid", "packetid", "frame", "序号")
STATE_NAMES: Final = ("status", "state", "online", "link", "connected", "conn")
STATE_WORDS: Final = {
    "online": True, "offline": False, "up": True, "down": False, "connected": True,
    "disconnected": False,
}  # fmt: skip
NEAR_S: Final = 7 * 86_400.0
"""A number is taken for a time when it lies so near the arrival of its message."""
_UNIT = re.compile(
    r"^(?P<name>.+?)[_ ]?(?:[(（\[](?P<in>[^)）\]]+)[)）\]]|_(?P<tail>[A-Za-z0-9/%]+))$"
)
BATTERY_V: Final = 20.0
"""No battery of a sensor has more volts, no line so few."""
MOST: Final = 2000
"""Messages that are looked at."""
_EXAMPLES: Final = 3


class Member(msgspec.Struct):
    """A place in the messages and what stood there."""

    steps: tuple[str, ...]
    """Names; `*` for the elements of a list; `[?…]`, as it stands in a path, for the one of a list
    of `{name, value}` that has this name."""
    called: str | None = None
    """The name in such a list."""
    unit: str | None = None
    """What it says of its unit there."""
    seen: int = 0
    numbers: list[float] = []
    texts: Counter[str] = msgspec.field(default_factory=Counter)
    flags: int = 0
    near: int = 0
    """How often it was a time near the arrival."""

    @property
    def name(self) -> str:
        """The last name, small, without signs between."""
        return re.sub(r"[\s\-_]", "", self.called or self.steps[-1]).lower()


class Lesson:
    """What was heard so far, and what it proposes."""

    def __init__(self) -> None:
        self.messages: list[Arrival] = []
        self.heard = 0
        self.unread = 0
        """Messages that are no JSON."""
        self.strange: Arrival | None = None
        """The first of those."""
        self.members: dict[tuple[str, ...], Member] = {}
        self.records: tuple[str, ...] | None = None
        self._lists: Counter[tuple[str, ...]] = Counter()
        self._named_in: dict[tuple[str, ...], tuple[str, str | None]] = {}

    def hear(self, arrival: Arrival) -> None:
        """Take one message into account."""
        self.heard += 1
        if len(self.messages) >= MOST:
            return
        try:
            body = _anything.decode(arrival.payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.unread += 1
            self.strange = self.strange or arrival
            return
        self.messages.append(arrival)
        for steps, value in self._leaves(body, ()):
            member = self.members.setdefault(steps, Member(steps))
            member.called, member.unit = self._named_in.get(steps, (None, None))
            member.seen += 1
            if isinstance(value, bool):
                member.flags += 1
            elif isinstance(value, (int, float)):
                member.numbers.append(float(value))
            elif isinstance(value, str):
                member.texts[value[:80]] += 1
            member.near += _near(value, arrival.received_at)

    def _leaves(self, value: Any, steps: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        if isinstance(value, dict):
            if steps and is_quantity(value):
                self._named_in[*steps, "value"] = (steps[-1], unit_of(value))
            for key, inner in value.items():
                yield from self._leaves(inner, (*steps, str(key)))
        elif isinstance(value, list):
            pairs = [pair(inner) for inner in value]
            if pairs and all(pairs):
                for inner, found in zip(value, pairs, strict=True):
                    assert found is not None
                    name, told, key, inside = found
                    way = (*steps, f"[?@{path((key,), '')}=={literal(name)}]", inside)
                    self._named_in[way] = (name, unit_of(inner))
                    yield way, told
            elif "*" not in steps and value and all(isinstance(v, dict) for v in value):
                self._lists[steps] += 1
                for inner in value:
                    yield from self._leaves(inner, (*steps, "*"))
            else:
                for index, inner in enumerate(value[:50]):
                    yield from self._leaves(inner, (*steps, str(index)))
        elif steps:
            yield steps, value

    # --- the proposal ---------------------------------------------------------------------------

    def proposal(self) -> str:
        """A mapping file's text. Raises Permanent when nothing of it was JSON with numbers."""
        if not self.messages:
            raise Permanent(
                "nothing_heard",
                ("no JSON was heard" if self.heard else "nothing was heard: is anything published?")
                + (f"; {self.unread} messages are something else" if self.unread else "")
                + self._strange(),
            )
        lists = [steps for steps, count in self._lists.items() if count * 2 >= len(self.messages)]
        base = (*lists[0], "*") if lists else ()
        time = self._time(base)
        seq = self._named(SEQ_NAMES, base, lambda m: bool(m.numbers) and not m.texts)
        state = self._state(base)
        device = self._device(base)
        taken = {m.steps for m in (time, seq, state) if m is not None}
        taken |= {steps for steps, _ in device}
        out = [f"title = {quoted(self._title())}", ""]
        if lists:
            out.append(f"records = {quoted(path(lists[0], '$') + '[*]')}")
        paths = [quoted(path_of(steps, base)) for steps, _ in device]
        if (level := self._level()) is not None:
            paths.append(f'"topic:{level}"')
        paths = paths or ['"topic:-1"']
        out.append(f"device = [{', '.join(paths)}]{_told(device)}")
        if time is not None:
            out.append(f"time = {quoted(path_of(time.steps, base))}{_examples(time)}")
            if _naive(time):
                out.append('time_zone = "Asia/Shanghai"  # its times have none: is it this one?')
        if seq is not None:
            out.append(f"seq = {quoted(path_of(seq.steps, base))}")
        if state is not None:
            out.append(f"online = {quoted(path_of(state.steps, base))}{_examples(state)}")
        long = self._long(base, taken)
        if long is not None:
            root = "@" if base else "$"
            out += ["", "[all]  # one value a record, called by its own name", *long]
            out.append(f"path = {quoted(root)}")
            return "\n".join(out) + "\n"
        metrics, rest = self._metrics(base, taken)
        out += ["", *metrics, *rest]
        left = self._words(base, taken)
        out += [f"# Left out, being words: {', '.join(left)}"] if left else []
        return "\n".join(out) + "\n"

    def _strange(self) -> str:
        if self.strange is None:
            return ""
        start = line(self.strange.payload[:60].decode("utf-8", "backslashreplace"))
        return (
            f", such as {start!r} on {self.strange.topic}; a mapping reads JSON: let the gateway "
            "send JSON, or write an adapter (docs/adapters.md)"
        )

    def _title(self) -> str:
        topics = sorted({a.topic for a in self.messages})
        return f"proposed from {len(self.messages)} messages on {topics[0]}"

    def _within(self, base: tuple[str, ...]) -> Iterator[Member]:
        """Members of the record, or of the message around it."""
        for steps, member in self.members.items():
            if "*" not in steps[len(base) :] and (steps[: len(base)] == base or "*" not in steps):
                yield member

    def _named(self, names: Iterable[str], base: tuple[str, ...], fits: Any) -> Member | None:
        known = {re.sub(r"[\s\-_]", "", name).lower(): place for place, name in enumerate(names)}
        found = [m for m in self._within(base) if m.name in known and fits(m)]
        found.sort(key=lambda m: (-m.seen, len(m.steps), known[m.name]))
        return found[0] if found else None

    def _time(self, base: tuple[str, ...]) -> Member | None:
        named = self._named(TIME_NAMES, base, lambda m: m.near * 2 > m.seen or _naive(m))
        if named is not None:
            return named
        found = [m for m in self._within(base) if m.near == m.seen and not m.flags]
        found.sort(key=lambda m: (-m.seen, len(m.steps)))
        return found[0] if found else None

    def _state(self, base: tuple[str, ...]) -> Member | None:
        return self._named(
            STATE_NAMES, base,
            lambda m: m.texts and all(t.lower() in STATE_WORDS for t in m.texts),
        )  # fmt: skip

    def _device(self, base: tuple[str, ...]) -> list[tuple[tuple[str, ...], Member]]:
        """What names the device: what also stands in the topic first, then what is called so."""
        levels = {level for a in self.messages for level in a.topic.split("/")}
        found = []
        known = [re.sub(r"[\s\-_]", "", name).lower() for name in DEVICE_NAMES]
        for member in self._within(base):
            if not member.texts and not (member.numbers and member.name in known[:-4]):
                continue
            in_topic = bool(member.texts) and all(text in levels for text in member.texts)
            if in_topic or member.name in known:
                place = known.index(member.name) if member.name in known else len(known)
                found.append((not in_topic, -member.seen, place, member))
        found.sort(key=lambda one: one[:3])
        return [(one[3].steps, one[3]) for one in found[:1]]

    def _level(self) -> int | None:
        """The level of the topic in which messages differ most; None: all have one topic."""
        split = [a.topic.split("/") for a in self.messages]
        if len({len(levels) for levels in split}) != 1:
            return None
        different = [len({levels[k] for levels in split}) for k in range(len(split[0]))]
        best = max(range(len(different)), key=lambda k: different[k])
        return best if different[best] > 1 else None

    def _long(self, base: tuple[str, ...], taken: set[tuple[str, ...]]) -> list[str] | None:
        """Where a record is one value beside its name: what it was called, as comments."""
        record: dict[str, Any] = {
            steps[-1]: next(iter(member.texts), None) or next(iter(member.numbers), 0)
            for steps, member in self.members.items()
            if steps[:-1] == base and steps not in taken
        }
        found = alone_pair(record)
        if found is None:
            return None
        names = self.members[*base, found[2]].texts
        return [
            f"# {line(name)}: {metric_of(name)}, {count} times" for name, count in names.items()
        ]

    def _words(self, base: tuple[str, ...], taken: set[tuple[str, ...]]) -> list[str]:
        """Members that hold words, with some of them."""
        found = (m for m in self._within(base) if m.texts and not _digits(m))
        return [
            f"{line(m.called or m.steps[-1])} ({line(next(iter(m.texts)))})"
            for m in found
            if m.steps not in taken and m.near * 2 <= m.seen
        ][:20]

    def _metrics(
        self, base: tuple[str, ...], taken: set[tuple[str, ...]]
    ) -> tuple[list[str], list[str]]:
        sure: list[str] = []
        rest: list[str] = []
        used: set[str] = set()
        for member in self._within(base):
            if member.steps in taken or not (member.numbers or member.flags or _digits(member)):
                continue
            if member.near * 2 > member.seen:
                continue
            name, unit = _named_unit(member.called or member.steps[-1])
            unit = units.spelt(member.unit) if member.unit else unit
            metric = _battery(metric_of(name) or "value", member)
            place = quoted(path_of(member.steps, base))
            ours = None if unit is None else units.ours(unit)
            wrong = unit is not None and not units.fits(metric, unit)
            if wrong or (metric in METRICS and member.flags):  # no such quantity: by its own name
                told = metric_of(member.called or member.steps[-1])
                metric, unit = (told if told not in METRICS else f"{told}_state") or "value", None
            if (metric in METRICS or unit is not None) and metric not in used:
                used.add(metric)
                lines = [
                    f"[metrics.{key_of(metric)}]  # {_like(metric, ours)}",
                    f"path = {place}{_examples(member)}",
                ]
                if unit is not None:
                    lines.append(f'unit = "{unit}"')
                elif metric in METRICS and METRICS[metric] != "1":
                    lines[1] += f'; is it in {METRICS[metric]}? else add unit = "…"'
                sure += [*lines, ""]
            else:
                for deep in range(2, len(member.steps) + 1):
                    if metric in used:
                        metric = metric_of(".".join(member.steps[-deep:])) or "value"
                if metric in used:
                    continue
                rest += [f"{key_of(metric)} = {place}{_examples(member)}"]
                used.add(metric)
        if rest:
            rest = [
                "[metrics]  # stored and drawn under these names; rename what is one of ours",
                *rest,
            ]
        # A plain table must come before its own sub-tables for a person to find it.
        return ([*rest, ""] if rest else []), sure


def _like(metric: str, unit: str | None) -> str:
    """The unit it is told in, and which metrics of ours something in that unit might be."""
    found = [name for name, theirs in METRICS.items() if theirs == unit]
    if metric in METRICS or not found:
        return METRICS.get(metric, unit or "")
    return f"{unit}; rename it if it is {' or '.join(found)}"


def _near(value: Any, received_at: datetime) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return False
    if isinstance(value, str) and not re.match(r"\s*\d", value):
        return False
    try:
        return abs((moment(value) - received_at).total_seconds()) <= NEAR_S
    except Permanent:
        return False


def _naive(member: Member) -> bool:
    """Whether it holds times without a zone."""
    for text in list(member.texts)[:_EXAMPLES]:
        try:
            moment(text)
        except Permanent as bad:
            return bad.code == "naive_time"
    return False


def _digits(member: Member) -> bool:
    """Whether all its texts are numbers."""
    return bool(member.texts) and all(
        re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", text) for text in member.texts
    )


def _battery(metric: str, member: Member) -> str:
    """The charge of a battery goes by many names, in volts or per cent."""
    high = max(member.numbers, default=0.0)
    if metric == "voltage_a" and 0 < high <= BATTERY_V:
        return "battery"
    if metric.lower() in ("bat", "batt", "battery", "vbat", "batv", "batteryvoltage"):
        return "battery" if high <= BATTERY_V else "battery_percent"
    return metric


def _named_unit(name: str) -> tuple[str, str | None]:
    """A unit in the name: `level_mm`, `Temp (°C)`."""
    if metric_of(name) in METRICS:
        return name, None  # voltage_c is a phase, no voltage in coulombs
    found = _UNIT.match(name)
    unit = units.spelt(found["in"] or found["tail"]) if found else None
    return (found["name"], unit) if found and unit is not None else (name, None)


def _examples(member: Member) -> str:
    if member.numbers:
        low, high = min(member.numbers), max(member.numbers)
        told = f"{low:.13g}" if low == high else f"{low:.13g} to {high:.13g}"
        if member.near * 2 > member.seen:
            told += f", which is {moment(low):%Y-%m-%d %H:%M:%S} UTC"
    else:
        told = ", ".join(repr(text) for text in list(member.texts)[:_EXAMPLES])
    return f"  # {line(told)}" if told else ""


def _told(device: list[tuple[tuple[str, ...], Member]]) -> str:
    return _examples(device[0][1]) if device and device[0][1].texts else ""
