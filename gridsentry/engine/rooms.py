"""Puts the rooms together into one engine: the composition that replay and the service share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from contracts.errors import Wrong
from detectors import specs as discover
from gridsentry.engine.book import EventBook
from gridsentry.engine.engine import Engine
from gridsentry.engine.roster import Roster
from ingest.screen import Screen
from router.engine import GridRouter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contracts.batch import PublishedEvent, SiteSnapshot
    from contracts.city import City
    from router.settings import RouterSettings


def detector_configs(settings: Mapping[str, Any]) -> dict[str, object]:
    """`[detectors.<kind>]` of the configuration as each kind's own typed config. Raises Wrong."""
    specs = discover()
    for kind in settings:
        if kind not in specs:
            raise Wrong("configuration: [detectors]", f"no detector {kind!r}", ", ".join(specs))
    configs: dict[str, object] = {}
    for kind, spec in specs.items():
        try:
            configs[kind] = msgspec.convert(settings.get(kind, {}), spec.config)
        except (msgspec.ValidationError, ValueError) as error:
            raise Wrong(f"configuration: [detectors.{kind}]", str(error)) from error
    return configs


def build_engine(
    city: City,
    router_settings: RouterSettings,
    configs: Mapping[str, object],
    *,
    known: Iterable[PublishedEvent] = (),
    saved: Mapping[tuple[str, str], SiteSnapshot] | None = None,
    routes: bool = True,
) -> Engine:
    """An engine over this city, continuing from snapshots and known events when given."""
    router = GridRouter(city, router_settings)
    roster = Roster(city, discover(), configs, saved)
    return Engine(city, roster, EventBook(router.place, known), router, Screen(), routes=routes)
