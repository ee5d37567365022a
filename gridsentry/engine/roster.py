"""Which detectors watch which sites of a city, and which items go where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from contracts.nouns import Frame, Reading, Segment, Still
from gridsentry.engine.runner import SiteRunner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.batch import SiteSnapshot
    from contracts.city import City
    from contracts.detector import Site, Spec

MEDIA = (Frame, Segment, Still)


class Watch(msgspec.Struct, frozen=True):
    """One kind of detector at one site, not yet built."""

    spec: Any
    cfg: Any
    site: Any


def watches(
    city: City, specs: Mapping[str, Spec[Any]], configs: Mapping[str, object]
) -> list[Watch]:
    """Every (kind, site) of this city in a fixed order: by kind, then as the spec lists sites."""
    found: list[Watch] = []
    for kind in sorted(specs):
        spec = specs[kind]
        cfg = configs.get(kind) or spec.config()
        found.extend(Watch(spec, cfg, site) for site in spec.sites(city, cfg))
    return found


def is_media(spec: Spec[Any], site: Site) -> bool:
    """Whether this kind folds pictures at that site, which cameras' own workers decode."""
    return any(noun in MEDIA for noun in spec.nouns(site))


class Roster:
    """The running detectors of everything but pictures, indexed by what they want."""

    def __init__(
        self,
        city: City,
        specs: Mapping[str, Spec[Any]],
        configs: Mapping[str, object],
        saved: Mapping[tuple[str, str], SiteSnapshot] | None = None,
    ) -> None:
        saved = saved or {}
        self.runners: list[SiteRunner] = []
        self.by_metric: dict[tuple[str, str], tuple[SiteRunner, ...]] = {}
        self.by_noun: dict[tuple[str, str], tuple[SiteRunner, ...]] = {}
        for watch in watches(city, specs, configs):
            if is_media(watch.spec, watch.site):
                continue
            self._add(watch.spec, watch.cfg, watch.site, saved)

    def _add(
        self,
        spec: Spec[Any],
        cfg: object,
        site: Site,
        saved: Mapping[tuple[str, str], SiteSnapshot],
    ) -> None:
        runner = SiteRunner(spec, cfg, site, len(self.runners), saved.get((spec.kind, site.id)))
        self.runners.append(runner)
        for device in site.devices:
            for noun in spec.nouns(site):
                if noun is Reading and spec.metrics:
                    for metric in spec.metrics:
                        key = (device.id, metric)
                        self.by_metric[key] = (*self.by_metric.get(key, ()), runner)
                else:
                    key = (device.id, noun.__name__)
                    self.by_noun[key] = (*self.by_noun.get(key, ()), runner)
