"""Adapters as the configuration names them: `[[adapters]]`, checked when the service starts."""

from __future__ import annotations

import pkgutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from contracts.aliases import Alias
from contracts.city import Device
from contracts.errors import Wrong
from ingest import adapters
from ingest.adapting import filters
from ingest.adapting.kit import Adapter, Build, Setting, Spec
from ingest.adapting.register import Register
from ingest.codec.times import ClockRule
from ingest.settings import MqttSettings

OURS: Final = ("gridsentry/v1/feed/#", "gridsentry/v1/worker/#", "gridsentry/v1/sim/#")
"""Topics of our own: an adapter never takes them."""


class AdapterSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[adapters]]` table; beside these stand the options of the adapter that it uses."""

    use: str
    """Which adapter: the name of a file in `ingest/adapters`."""
    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    """What it is called in metrics, health and dead letters; its own for each when an adapter is
    used twice."""
    topics: list[str] | None = None
    """Topic filters that are its messages'; left out: where such gateways publish by default."""
    district: str | None = None
    """Only devices of this district may speak through it; left out: any."""
    broker: dict[str, Any] = {}
    """Fields of `[mqtt]` that differ where the gateway publishes to another broker: `host`,
    `port`, `username`, `password`, `tls`."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One adapter, ready to be built; whatever it had to read is read."""

    name: str
    use: str
    topics: tuple[str, ...]
    build: Build
    limit: int
    speaks: bool = False
    heavy: tuple[str, ...] = ()
    """Topics of pictures, for a session of their own."""
    district: str | None = None
    broker: dict[str, Any] = {}

    def made(
        self,
        devices: Mapping[str, Device],
        aliases: Mapping[str, Alias],
        rule: ClockRule,
        state: bytes | None,
    ) -> Adapter:
        """A fresh adapter that continues from `state`."""
        register = Register(devices, aliases, self.district)
        return self.build(Setting(self.name, register, rule, state))

    def mqtt(self, base: MqttSettings) -> MqttSettings:
        """The broker it listens to."""
        return msgspec.structs.replace(base, **self.broker)


@cache
def names() -> tuple[str, ...]:
    """Every adapter by name: each file of `ingest.adapters` is one."""
    found = (module.name for module in pkgutil.iter_modules(adapters.__path__))
    return tuple(sorted(name for name in found if not name.startswith("_")))


def spec(name: str) -> Spec[Any]:
    """The `SPEC` of the adapter of that name; its file (and what it needs) is loaded now."""
    found: Spec[Any] = import_module(f"{adapters.__name__}.{name}").SPEC
    return found


def known() -> dict[str, Spec[Any]]:
    """Every adapter, loaded."""
    return {name: spec(name) for name in names()}


def read(tables: Sequence[Mapping[str, Any]], where: str, folder: Path) -> tuple[Plan, ...]:
    """The adapters of the configuration `where`, in its order; the first that a topic matches
    takes it. Files that options name are looked for in the city `folder`. Raises Wrong."""
    plans: list[Plan] = []
    for number, table in enumerate(tables, start=1):
        place = f"{where}, adapters {number}"
        plan = _plan(table, place, folder)
        for before in plans:
            if before.name == plan.name:
                raise Wrong(
                    f"{place}, name", f"{plan.name!r} again", "a `name` of its own for each adapter"
                )
            for mine in plan.topics:
                for other in before.topics:
                    if not plan.broker and not before.broker and filters.covers(other, mine):
                        raise Wrong(
                            f"{place}, topics",
                            f"{mine!r}: all of it goes to {before.name!r} already ({other!r})",
                            "the narrower filter first; the first adapter that matches takes it",
                        )
        plans.append(plan)
    return tuple(plans)


def usual(folder: Path) -> tuple[Plan, ...]:
    """Every adapter that works without options, at its usual topics: what a recording is read
    with when no configuration says otherwise."""
    plans = []
    for use, one in known().items():
        if not one.topics or any(f.required for f in msgspec.structs.fields(one.options)):
            continue
        plans.append(_plan({"use": use}, "", folder))
    return tuple(plans)


def _plan(table: Mapping[str, Any], place: str, folder: Path) -> Plan:
    mine = {field.name for field in msgspec.structs.fields(AdapterSettings)}
    common = _typed({k: v for k, v in table.items() if k in mine}, AdapterSettings, place)
    if common.use not in names():
        raise Wrong(f"{place}, use", repr(common.use), _near(common.use, names()))
    used = spec(common.use)
    rest = {key: value for key, value in table.items() if key not in mine}
    allowed = {field.encode_name for field in msgspec.structs.fields(used.options)}
    for name in rest:
        if name not in allowed:
            raise Wrong(
                f"{place}, {name}", "not a known field", _near(name, {*mine, *allowed} - {"use"})
            )
    options = _typed(rest, used.options, place)
    for name in common.broker:
        fields = {field.name for field in msgspec.structs.fields(MqttSettings)} - {"client_id"}
        if name not in fields:
            raise Wrong(f"{place}, broker.{name}", "not a known field", _near(name, fields))
    broker = _typed(common.broker, MqttSettings, f"{place}, broker")
    return Plan(
        name=common.name or common.use,
        use=common.use,
        topics=_topics(common.topics, used, place),
        build=used.prepare(options, folder),
        limit=used.limit,
        speaks=used.speaks,
        heavy=tuple(used.heavy(options)),
        district=common.district,
        broker={name: getattr(broker, name) for name in common.broker},
    )


def _topics(given: list[str] | None, used: Spec[Any], place: str) -> tuple[str, ...]:
    if given is None:
        if not used.topics:
            raise Wrong(f"{place}, topics", "missing", "the topic filters of its messages")
        return used.topics
    if not given:
        raise Wrong(f"{place}, topics", "an empty list", "at least one topic filter")
    for filter_ in given:
        fault = filters.fault(filter_)
        if fault is not None:
            raise Wrong(
                f"{place}, topics",
                f"{filter_!r}: {fault}",
                "an MQTT topic filter such as application/+/device/+/event/+ or plant/#",
            )
        for own in OURS:
            if filters.meet(filters.plain(filter_), own):
                raise Wrong(
                    f"{place}, topics",
                    f"{filter_!r} would also take our own topics ({own})",
                    "a filter that begins with the gateway's own first level",
                )
    # A filter within another would bring its messages twice.
    wide = dict.fromkeys(given)
    return tuple(one for one in wide if not any(o != one and filters.covers(o, one) for o in wide))


def _typed(values: Mapping[str, Any], cls: type[Any], place: str) -> Any:
    """The struct, or Wrong at the field that does not fit."""
    try:
        return msgspec.convert(values, cls, strict=False)
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at `$")
        field = path.rstrip("`").lstrip(".")
        found: Any = values
        for part in field.replace("[", ".[").split("."):
            if isinstance(found, Mapping):
                found = found.get(part)
            elif isinstance(found, list) and part.startswith("["):
                index = part.strip("[]")
                found = found[int(index)] if index.isdigit() else None
        shown = said if found is values or found is None else f"{found!r}: {said}"
        raise Wrong(
            f"{place}, {field}" if field else place, shown, "see docs/generated/configuration.md"
        ) from error


def _near(name: str, names: Collection[str] | Iterable[str]) -> str:
    every = sorted(names)
    near = get_close_matches(name, every, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return ", ".join(every) + hint
