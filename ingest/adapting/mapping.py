"""Any JSON by a declarative mapping: a TOML file says where device, time and values stand.

    records = "$.list[*]"                  each a message of its own; left out: the whole
    inside = ["$.body"]                    JSON in a text (also base64), unpacked first
    device = ["@.dev", "topic:2"]          the first that is there; `topic:2`: a level of it
    time = "@.ts"                          left out: readings are told apart by `seq`
    time_format = "auto"                   s, ms, us, ns, iso or like "%Y-%m-%d %H:%M:%S"
    time_zone = "Asia/Shanghai"            of times without one
    seq = "@.fcnt"
    online = "@.state"                     with online_values = ["up"], offline_values = ["down"]

    [metrics.level]                        our name of it; the short form: level = "@.data.lvl"
    path = "@.data.lvl"
    unit = "cm"                            turned into ours; else `factor` and `offset`
    invalid = [-9999, 65535]               values that say there is none
    values = { ON = 1, OFF = 0 }           texts that are numbers

    [all]                                  every other number in an object, by its own name
    path = ["@.data", "@"]
    except = ["rssi"]
    times = "@.metadata"                   where each of them has a time of its own

    aside = ["$.error"]                    nothing to read where one of these is there: no fault

Paths are JSONPath (RFC 9535). `$` is the message, `@` the record. A message that is an array is
several messages where `records` is left out. Names that begin with `$` are the sender's own
bookkeeping (`$version`), never values.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import msgspec

from contracts.errors import Permanent, Wrong
from ingest.adapting import units
from ingest.adapting.leaves import Leaf, as_number, holds, leaves, left_out, time_of, unpacked
from ingest.adapting.paths import ABSENT, Find, finder, first, listed, names_of, query_of

SHIPPED: Final = Path(__file__).parent / "mappings"
FOLDER: Final = "mappings"
"""Where in the city folder own ones stand."""
MOST_RECORDS: Final = 10_000


class MetricRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[metrics.<name>]`."""

    path: str
    unit: str | None = None
    factor: float = 1.0
    offset: float = 0.0
    invalid: list[float] = []
    values: dict[str, float] = {}


class AllRule(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True,
    rename={"without": "except"},
):  # fmt: skip
    """`[all]`."""

    path: str | list[str] = "@"
    without: list[str] = []
    times: str | list[str] | None = None
    """Objects like the one at `path`, with `{"timestamp": time}` in place of each value (the
    metadata of a device shadow): each value has its own time."""


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping file."""

    title: str = ""
    topics: list[str] = []
    """Where such messages usually come; told by the help, not used."""
    records: str = "$"
    inside: list[str] = []
    device: str | list[str]
    time: str | list[str] | None = None
    time_format: str = "auto"
    time_zone: str | None = None
    seq: str | None = None
    online: str | None = None
    online_values: tuple[Any, ...] = ("online", "ONLINE", "up", "connected", True)
    offline_values: tuple[Any, ...] = ("offline", "OFFLINE", "down", "disconnected", False)
    aside: list[str] = []
    """Where nothing else is found and one of these is there, the message is left aside: it is none
    that speaks of measurements (an answer, a command, a refusal)."""
    metrics: dict[
        Annotated[str, msgspec.Meta(pattern=r"^[^\W_][\w.\-/ ]{0,63}$")], str | MetricRule
    ] = {}
    all: AllRule | None = None


class Told(msgspec.Struct, frozen=True):
    """What a mapping found in one record."""

    device: str
    time: Any
    """As it stands in the message; None: there is none."""
    seq: int | None
    online: bool | None
    values: dict[str, float]
    own: dict[str, Leaf]
    """Values that bear the sender's own name (`[all]`)."""
    faults: tuple[str, ...]


class Mapping:
    """A mapping, checked and ready. Raises Wrong naming file, place, what was found and allowed."""

    def __init__(self, table: Table, where: str) -> None:
        if not table.metrics and table.all is None and table.online is None:
            raise Wrong(where, "maps nothing", "[metrics.<name>], [all] or `online`")
        if table.time_zone is not None:
            try:
                ZoneInfo(table.time_zone)
            except (KeyError, ValueError, OSError) as error:
                raise Wrong(
                    f"{where}, time_zone", repr(table.time_zone), "such as Asia/Shanghai"
                ) from error
        self.table = table
        self._records = None if table.records == "$" else query_of(table.records, where, "records")
        self._inside = [names_of(path, where) for path in table.inside]
        self._device = [finder(p, f"{where}, device") for p in listed(table.device)]
        self._time = [finder(p, f"{where}, time") for p in listed(table.time)]
        self._seq = None if table.seq is None else finder(table.seq, f"{where}, seq")
        self._online = None if table.online is None else finder(table.online, f"{where}, online")
        self._aside = [finder(p, f"{where}, aside") for p in table.aside]
        self._times = (
            [] if table.all is None
            else [finder(p, f"{where}, all.times") for p in listed(table.all.times)]
        )  # fmt: skip
        self._metrics: list[tuple[str, MetricRule, Find]] = []
        for name, rule in table.metrics.items():
            full = MetricRule(path=rule) if isinstance(rule, str) else rule
            place = f"{where}, metrics.{name}"
            if full.unit is not None and not units.known(full.unit):
                raise Wrong(f"{place}.unit", repr(full.unit), ", ".join(units.KNOWN))
            if full.unit is not None and not units.fits(name, full.unit):
                raise Wrong(f"{place}.unit", repr(full.unit), f"a unit that {name} can have")
            self._metrics.append((name, full, finder(full.path, f"{place}.path")))
        self._all = (
            [] if table.all is None
            else [finder(p, f"{where}, all.path") for p in listed(table.all.path)]
        )  # fmt: skip

    def told(self, message: Any, topic: str) -> Iterator[Told | Permanent]:
        """Each record, in order; one that cannot be read is the reason why not."""
        if isinstance(message, list) and self._records is None:
            if len(message) > MOST_RECORDS:
                yield Permanent("too_many", f"{len(message):,} are more than {MOST_RECORDS:,}")
                return
            if not message:
                yield Permanent("nothing_mapped", "the array is empty")
            for number, one in enumerate(message):
                for told in self._told(one, topic):
                    bad = isinstance(told, Permanent)
                    yield _in_element(number, told) if bad else told
            return
        yield from self._told(message, topic)

    def _told(self, message: Any, topic: str) -> Iterator[Told | Permanent]:
        try:
            for keys in self._inside:
                message = unpacked(message, keys)
        except Permanent as bad:
            yield bad
            return
        records = (
            [message]
            if self._records is None
            else [node.value for node in self._records.find(message)]
        )
        if not records:
            yield Permanent("nothing_mapped", f"there is nothing at records ({self.table.records})")
        if len(records) > MOST_RECORDS:
            yield Permanent("too_many", f"{len(records):,} records are more than {MOST_RECORDS:,}")
            return
        levels = topic.split("/")
        for number, record in enumerate(records):
            try:
                yield from self._one(message, record, levels)
            except Permanent as bad:
                where = f"record {number}: " if self._records is not None else ""
                yield Permanent(bad.code, where + bad.reason)

    def _one(self, message: Any, record: Any, levels: Sequence[str]) -> Iterator[Told]:
        device = first(self._device, message, record, levels, plain=True)
        if device is ABSENT or isinstance(device, bool) or device == "":
            if self._is_aside(message, record):
                return
            places = ", ".join(listed(self.table.device))
            raise Permanent("no_device", f"no device is named at {places}")
        time = first(self._time, message, record, levels)
        seq = self._seq(message, record) if self._seq else None
        values, own, faults, skipped = self._values(message, record)
        online = self._state(message, record)
        if not values and not own and online is None and not skipped:
            if self._is_aside(message, record):
                return
            if faults:
                raise Permanent("not_a_number", "; ".join(faults))
            paths = [rule.path for _, rule, _ in self._metrics]
            if self.table.all is not None:
                paths += listed(self.table.all.path)
            raise Permanent(
                "nothing_mapped", f"there is no number at any of {', '.join(paths)[:300]}"
            )
        told = Told(
            device=str(device),
            time=None if time is ABSENT else time,
            seq=seq if isinstance(seq, int) and not isinstance(seq, bool) and seq >= 0 else None,
            online=online,
            values=values,
            own=own,
            faults=tuple(faults),
        )
        yield from self._by_time(told, message, record) if self._times else (told,)

    def _by_time(self, told: Told, message: Any, record: Any) -> Iterator[Told]:
        """Values whose own time stands beside them, a `Told` for each time."""
        beside = next(
            (f for f in (find(message, record) for find in self._times) if holds(f)), None
        )
        of: dict[Any, dict[str, Leaf]] = {}
        for name, leaf in told.own.items():
            of.setdefault(time_of(beside, name), {})[name] = leaf
        rest = of.pop(None, {})
        if told.values or rest or told.online is not None or told.faults or not of:
            yield msgspec.structs.replace(told, own=rest)
        for time, own in of.items():
            yield msgspec.structs.replace(
                told, time=time, own=own, values={}, online=None, faults=()
            )

    def _is_aside(self, message: Any, record: Any) -> bool:
        return any(find(message, record) is not ABSENT for find in self._aside)

    def _values(
        self, message: Any, record: Any
    ) -> tuple[dict[str, float], dict[str, Leaf], list[str], bool]:
        values: dict[str, float] = {}
        own: dict[str, Leaf] = {}
        faults: list[str] = []
        skipped = False
        for name, rule, find in self._metrics:
            found = find(message, record)
            if found is ABSENT or found is None:
                continue
            number = as_number(found, rule.values)
            if number is None:
                faults.append(f"{rule.path}: {str(found)[:40]!r} is no number")
            elif number in rule.invalid:
                skipped = True
            else:
                values[name] = units.in_ours(number * rule.factor + rule.offset, rule.unit)
        if self.table.all is not None:
            found = next(
                (f for f in (find(message, record) for find in self._all) if holds(f)), None
            )
            mapped = {rule.path.rpartition(".")[2] for _, rule, _ in self._metrics}
            left = {*self.table.all.without, *mapped}
            own = {
                name: leaf
                for name, leaf in leaves(found, "", 0)
                if name not in values and not left_out(name, left)
            }
        return values, own, faults, skipped

    def _state(self, message: Any, record: Any) -> bool | None:
        if self._online is None:
            return None
        found = self._online(message, record)
        if found in self.table.online_values and found is not ABSENT:
            return True
        return False if found in self.table.offline_values else None


def load(name: str, folder: Path) -> Mapping:
    """A mapping by its file in the city folder (`mappings/acme.toml`), or a shipped one's name.

    Raises Wrong.
    """
    shipped = {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}
    path = folder / name if name.endswith(".toml") else shipped.get(name)
    if path is not None and not path.is_file() and (folder / FOLDER / name).is_file():
        path = folder / FOLDER / name
    if path is None or not path.is_file():
        raise Wrong(
            f"mapping {name!r}", "there is no such file",
            f"a file such as {FOLDER}/acme.toml in the city folder, or one of {', '.join(shipped)}",
        )  # fmt: skip
    return parse(path.read_text(encoding="utf-8"), str(path))


def parse(text: str, where: str) -> Mapping:
    """A mapping from the text of its file. Raises Wrong."""
    try:
        table = msgspec.convert(tomllib.loads(text), Table)
    except tomllib.TOMLDecodeError as error:
        raise Wrong(where, str(error), "TOML") from error
    except msgspec.ValidationError as error:
        said, _, at = str(error).partition(" - at `$")
        place = at.rstrip("`").lstrip(".")
        raise Wrong(
            f"{where}, {place}" if place else where, said, "see docs/adapters.md"
        ) from error
    return Mapping(table, where)


def _in_element(number: int, bad: Any) -> Permanent:
    return Permanent(bad.code, f"element {number}: {bad.reason}")
