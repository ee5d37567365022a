"""Device profiles: what a vendor's payload means in our metrics. Data, not code.

Shipped ones lie in `ingest/profiles`, a city's own in its folder `device_profiles`; a city's
replaces a shipped one of the same name. docs/adapters.md describes the format.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from contracts.aliases import Alias
from contracts.errors import Permanent, Wrong
from ingest.adapting import loose, quantities
from ingest.adapting.layout import Channels, Fixed, Told, Words

SHIPPED: Final = Path(__file__).resolve().parent.parent / "profiles"
FOLDER: Final = "device_profiles"
_SHORTEST: Final = 4
"""Of a model that is looked for within a text."""
KPA_PER_M: Final = 9.80665
"""Of a column of water (1,000 kg/m3)."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one field of the payload is here."""

    metric: str
    """Our metric; empty: left out."""
    unit: str = ""
    """What the field is in; it is converted to the metric's unit."""
    scale: float = 1.0
    offset: float = 0.0
    """Value = field x scale + offset, before the unit."""
    words: dict[str, float] = {}
    """Texts (or codes) and the numbers they mean."""
    errors: list[float] = []
    """Raw values that mean that there is none."""
    level: Literal["", "down", "up", "head"] = ""
    """The field also says a water level: `down` the distance down to the water, `up` the depth over
    the sensor, `head` the pressure over the sensor."""


class DeviceTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One device of a profile file."""

    about: str = ""
    models: list[str] = []
    """What network servers call it (device profile name, model id), if not by its name here."""
    layout: Literal["", "channels", "fixed", "words"] = ""
    """How its bytes are laid out; empty: only decoded payloads are read."""
    big_endian: bool = False
    each: int = 0
    """Of layout `fixed`: a payload may hold several pieces of this many bytes."""
    blocks: dict[str, str] = {}
    """Key → fields (`ingest.adapting.layout`)."""
    sensors: list[dict[str, Any]] = []
    """Of layout `words`: `words` (how many) and `values` (name → formula)."""
    parameters: dict[str, float] = {}
    """Of the formulas: numbers of one's own sensor, to be replaced by a profile of the city."""
    aside_ports: list[int] = []
    """LoRaWAN ports that carry no measurements (answers to configuration)."""
    aside_keys: list[str] = []
    """Of layout `channels`: keys from which on the rest is no measurement."""
    metrics: dict[str, Rule | str | list[Rule]] = {}
    like: str = ""
    """Another device of this file (or a shipped one) that all this stands on."""


class ProfileFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A profile file: what its devices share, and the devices."""

    vendor: str = ""
    source: str = ""
    """Where the layout comes from."""
    shared: DeviceTable = DeviceTable()
    devices: dict[str, DeviceTable]


class Profile:
    """A profile ready for use."""

    def __init__(self, name: str, vendor: str, table: DeviceTable) -> None:
        """Raises ValueError naming what is wrong in it."""
        self.name = name
        self.vendor = vendor
        self.models = tuple(table.models)
        self.aside_ports = frozenset(table.aside_ports)
        self._rules = {field: _rules(rule) for field, rule in table.metrics.items()}
        for field, rules in self._rules.items():
            for rule in rules:
                if quantities.conversion(rule.unit) is None:
                    known = quantities.allowed()
                    raise ValueError(f"metrics.{field}.unit: {rule.unit!r}; allowed: {known}")
        self._layout: Channels | Fixed | Words | None = None
        if table.layout == "channels":
            self._layout = Channels(table.blocks, table.big_endian, table.aside_keys)
        elif table.layout == "fixed":
            self._layout = Fixed(table.blocks, table.big_endian, table.each)
        elif table.layout == "words":
            self._layout = Words(table.sensors, table.parameters)

    @property
    def reads_bytes(self) -> bool:
        """Whether it says how the payload's bytes are laid out."""
        return self._layout is not None

    def told(self, data: bytes, port: int | None = None) -> Told:
        """The vendor's fields in a payload. Raises Permanent."""
        if self._layout is None:
            raise Permanent(
                "no_decoder",
                f"profile {self.name} does not say how the bytes are laid out: let the network "
                "server decode them, or add a layout (docs/adapters.md)",
            )
        return self._layout.told(data, port)

    def knows(self, fields: Iterable[str]) -> bool:
        """Whether any of these fields is the profile's."""
        return any(field in self._rules for field in fields)

    def values(self, fields: Mapping[str, object], alias: Alias | None = None) -> dict[str, float]:
        """Our metrics of decoded fields, in our units. Texts without a number are left out."""
        out: dict[str, float] = {}
        height = None if alias is None else alias.height_m
        single = loose.single_channels(fields)
        for field, value in fields.items():
            rules = self._rules.get(field)
            if rules is None:
                name = single.get(field, field)
                common = COMMON.get(name.lower().replace("-", "_"))
                if common is None:
                    found = loose.told(name, value, fields)
                    if found is not None:
                        out[found[0]] = found[1]
                    continue
                rules = (common,)
            for rule in rules:
                if rule.metric:
                    _apply(rule, value, height, out)
        return _renamed(out, alias)


def _rules(said: Rule | str | list[Rule]) -> tuple[Rule, ...]:
    if isinstance(said, list):
        return tuple(said)
    return (Rule(metric=said) if isinstance(said, str) else said,)


def _apply(rule: Rule, value: object, height: float | None, out: dict[str, float]) -> None:
    found = quantities.number(value, rule.words)
    if found is None or found[0] in rule.errors:
        return
    told, unit = found
    factor, offset = quantities.conversion(rule.unit or unit) or (1.0, 0.0)
    here = (told * rule.scale + rule.offset) * factor + offset
    out[rule.metric] = here
    match rule.level:
        case "down" if height is not None:
            out["level"] = height - here
        case "up":
            out["level"] = here + (height or 0.0)
        case "head" if height is not None:
            out["level"] = height + here / KPA_PER_M


def _renamed(values: dict[str, float], alias: Alias | None) -> dict[str, float]:
    if alias is None or not alias.metrics:
        return values
    named = {alias.metrics.get(metric, metric): value for metric, value in values.items()}
    named.pop("", None)
    return named


COMMON: Final[dict[str, Rule]] = {
    # What every second codec calls these; other fields keep their own names.
    **{
        name: Rule(metric="temperature")
        for name in ("temp", "tempc", "temp_c", "temperature_c", "air_temperature",
                     "airtemperature", "ambient_temperature", "air.temperature", "tempc_sht",
                     "tempc1", "temperaturesensor")
    },
    **{
        name: Rule(metric="battery")
        for name in ("battery_voltage", "batteryvoltage", "battery_volt", "batteryvolt", "batv",
                     "bat_v", "battv", "vbat", "v_bat", "battery_v", "supply_voltage")
    },
    **{name: Rule(metric="battery", unit="mV") for name in ("vdd", "battery_mv", "bat_mv")},
    **{
        name: Rule(metric="battery_percent")
        for name in ("battery_level", "batterylevel", "battery_percentage", "battery_percent",
                     "batterylevelinpercentage", "bat_percent", "rem_batt_capacity")
    },
    **{
        name: Rule(metric="humidity")
        for name in ("hum_sht", "humiditysensor", "air.relativehumidity", "air_humidity")
    },
    "air.lightintensity": Rule(metric="lux"),
    **{name: Rule(metric="lux") for name in ("illuminance", "illumination", "lux")},
    **{name: Rule(metric="sound_level") for name in ("laeq", "noise_level")},
    **{name: Rule(metric="rain_rate") for name in ("rain_intensity", "rain.intensity", "rainrate")},
}  # fmt: skip

ANY: Final = Profile("any", "", DeviceTable())
"""Of a device without a profile: decoded fields under their own names."""


class Profiles:
    """Every profile at hand, by name and by what network servers call their devices."""

    def __init__(self, profiles: Iterable[Profile]) -> None:
        """Later ones replace earlier ones of the same name."""
        self._by_name: dict[str, Profile] = {}
        for profile in profiles:
            self._by_name[plain(profile.name)] = profile
        self._by_model: dict[str, Profile] = {}
        for profile in self._by_name.values():
            for model in (profile.name, *profile.models, f"{profile.vendor}{profile.name}"):
                self._by_model[plain(model)] = profile

    def named(self, name: str) -> Profile | None:
        """By its name or a model of it, however it is spelt."""
        return self._by_model.get(plain(name))

    def of(self, hints: Iterable[str | None]) -> Profile | None:
        """The profile of the first hint that names one; else of the first that has a model in it
        as a word, alone or with a region or variant behind it (`EM500-UDL-915M`). Models without a
        digit (`Comfort`) must be named exactly: they are words of other people, too."""
        told = [hint for hint in hints if hint]
        for hint in told:
            found = self.named(hint)
            if found is not None:
                return found
        for hint in told:
            words = re.split(r"[\s/_,;:()]+", hint)
            for first in range(len(words)):
                for last in (first + 2, first + 1):
                    found = self._beginning(plain("".join(words[first:last])))
                    if found is not None:
                        return found
        return None

    def _beginning(self, word: str) -> Profile | None:
        """Of the longest model that the word begins with."""
        for size in range(len(word), _SHORTEST - 1, -1):
            found = self._by_model.get(word[:size])
            if found is not None and any(c.isdigit() for c in word[:size]):
                return found
        return None

    def near(self, name: str) -> str:
        """The allowed names for a message, the nearest first."""
        every = sorted(p.name for p in self._by_name.values())
        near = get_close_matches(name, every, n=3)
        return ", ".join([*near, *(n for n in every if n not in near)][:12]) + ", …"


def plain(name: str) -> str:
    """Small letters and digits only: `EM310-TILT`, `em310_tilt` and `EM310 Tilt` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def read(folder: Path) -> Profiles:
    """The shipped profiles and those of the city `folder`. Raises Wrong naming file and place."""
    return Profiles([*shipped(), *own(folder)])


def own(folder: Path) -> list[Profile]:
    """Those of the city `folder`. Raises Wrong."""
    place = folder / FOLDER
    files = sorted(place.glob("*.toml")) if place.is_dir() else []
    return [p for path in files for p in _file(path)]


@cache
def shipped() -> tuple[Profile, ...]:
    """Those that come with the program."""
    return tuple(p for path in sorted(SHIPPED.glob("*.toml")) for p in _file(path))


def _file(path: Path) -> list[Profile]:
    where = path.name if path.is_relative_to(SHIPPED) else f"{FOLDER}/{path.name}"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        file = msgspec.convert(raw, ProfileFile)
    except OSError as error:
        raise Wrong(where, f"cannot be read ({error.strerror})", "a readable file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Wrong(where, f"is not TOML ({error})", "see docs/adapters.md") from error
    except msgspec.ValidationError as error:
        raise Wrong(where, str(error), "see docs/adapters.md") from error
    out = []
    for name, table in file.devices.items():
        try:
            out.append(Profile(name, file.vendor, _whole(name, table, file)))
        except ValueError as error:
            raise Wrong(f"{where}, devices.{name}", str(error), "see docs/adapters.md") from error
    return out


def _whole(name: str, table: DeviceTable, file: ProfileFile) -> DeviceTable:
    """The table with what it stands on: `like`, else what the file shares."""
    base = file.shared
    if table.like:
        if table.like == name or table.like not in file.devices:
            known = ", ".join(sorted(set(file.devices) - {name}))
            raise ValueError(
                f"like: there is no device {table.like!r} in this file; allowed: {known}"
            )
        base = _whole(table.like, file.devices[table.like], file)
    return DeviceTable(
        about=table.about,
        models=table.models,
        layout=table.layout or base.layout,
        big_endian=table.big_endian or base.big_endian,
        each=table.each or base.each,
        blocks={**base.blocks, **table.blocks},
        sensors=table.sensors or base.sensors,
        parameters={**base.parameters, **table.parameters},
        aside_ports=[*base.aside_ports, *table.aside_ports],
        aside_keys=[*base.aside_keys, *table.aside_keys],
        metrics={**base.metrics, **table.metrics},
    )
