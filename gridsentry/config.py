"""The typed configuration: one TOML file, every field with a default, environment over file.

`GRIDSENTRY_<TABLE>_<FIELD>` overrides one field, as in `GRIDSENTRY_STORE_DSN=postgresql://…`; that
is how containers hand over secrets. `GRIDSENTRY_ADAPTERS` is all of `[[adapters]]` as JSON. Unknown
tables and fields are errors that name what is allowed.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from center.notify.settings import NotifySettings
from center.settings import CenterSettings
from contracts.errors import Wrong
from gridsentry.live.parts import CoreSettings
from ingest.settings import DecoderSettings, MqttSettings, SpoolSettings
from router.settings import RouterSettings
from store.settings import StoreSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "GRIDSENTRY_"


class ServiceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where things lie and what this process is."""

    city: str = "city"
    """The city folder."""
    state_dir: str = ""
    """Database, broker, spool and evidence of an embedded service; empty: a folder for this user
    (`/var/lib/gridsentry` for root, else `$XDG_STATE_HOME/gridsentry`)."""
    clock: Literal["system", "sim"] = "system"
    """`system`, or `sim` to follow a simulator that runs faster than time."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    probe_host: str = "127.0.0.1"
    """Where a process without the center role answers `/healthz`, `/readyz` and `/metrics`."""
    probe_port: int = 0
    """Its port; 0: it does not."""
    watch_city: bool = True
    """Take the city folder up again when it changes on disk."""


class EvidenceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Clips and stills cut for events."""

    keep_days: float = 30.0
    """Days the blurred clips, the stills and the tracks are kept, and as many days after the end of
    the last ticket they belong to; cameras look at homes, so not longer than the case needs it."""
    originals_days: float = 7.0
    """The same for the unblurred originals."""


class BrokerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An embedded broker as a child process, for one machine; `[mqtt]` names any other."""

    embedded: Literal["none", "auto", "mosquitto", "iotcore"] = "none"
    """`none` uses `[mqtt]`; `auto` runs Mosquitto where found, else iotcore."""
    port: int = 0
    """Port on 127.0.0.1; 0: 1883 when free, else any."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole configuration."""

    service: ServiceSettings = ServiceSettings()
    core: CoreSettings = CoreSettings()
    mqtt: MqttSettings = MqttSettings()
    decoder: DecoderSettings = DecoderSettings()
    broker: BrokerSettings = BrokerSettings()
    store: StoreSettings = StoreSettings()
    spool: SpoolSettings = SpoolSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    center: CenterSettings = CenterSettings()
    notify: NotifySettings = NotifySettings()
    router: RouterSettings = RouterSettings()
    adapters: list[dict[str, Any]] = []
    """`[[adapters]]`: outside gateways, each with its own options."""
    detectors: dict[str, dict[str, Any]] = {}
    """`[detectors.<kind>]`: each kind's own table."""


def load(path: Path | None, environ: Mapping[str, str] | None = None) -> Settings:
    """The configuration of a file (or none) with the environment on top. Raises Wrong."""
    raw: dict[str, Any] = {}
    where = "configuration"
    if path is not None:
        where = str(path)
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise Wrong(where, f"cannot be read ({error.strerror})") from error
        except tomllib.TOMLDecodeError as error:
            raise Wrong(where, f"is not TOML ({error})") from error
    _overlay(raw, os.environ if environ is None else environ)
    try:
        return msgspec.convert(raw, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise Wrong(where, str(error), "see docs/generated/configuration.md") from error


def _overlay(raw: dict[str, Any], environ: Mapping[str, str]) -> None:
    adapters = environ.get(f"{PREFIX}ADAPTERS")
    if adapters is not None:
        raw["adapters"] = _parsed(adapters)
    for table in msgspec.structs.fields(Settings):
        struct = table.type
        if not (isinstance(struct, type) and issubclass(struct, msgspec.Struct)):
            continue
        for field in msgspec.structs.fields(struct):
            value = environ.get(f"{PREFIX}{table.name}_{field.name}".upper())
            if value is not None:
                raw.setdefault(table.name, {})[field.name] = _parsed(value)


def _parsed(text: str) -> Any:
    """A list or table is given as JSON, as in `["a", "b"]`; everything else is the text itself."""
    if text[:1] in "[{":
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
    return text


def folders(settings: Settings) -> dict[str, Path]:
    """Where each part of evidence lies: `shown`, and `original` in a folder apart."""
    state = state_dir(settings)
    return {"shown": state / "evidence", "original": state / "originals"}


def state_dir(settings: Settings) -> Path:
    """Where an embedded service keeps its state: absolute, made when missing."""
    given = settings.service.state_dir
    if given:
        path = Path(given)
    elif os.geteuid() == 0:
        path = Path("/var/lib/gridsentry")
    else:
        base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        path = Path(base) / "gridsentry"
    path = path.absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path
