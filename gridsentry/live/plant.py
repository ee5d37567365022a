"""What the center's administration is handed: the city folder, and what detectors say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from contracts.detector import Site
from contracts.errors import Wrong
from contracts.plant import Applied, CityFile, Condition, Learning, Preview
from detectors import specs
from gridsentry.city.folder import CityFolder

if TYPE_CHECKING:
    from contracts.city import City, Work

LEARNS = {"learn_s": 1.0, "learning_s": 1.0, "learn_h": 3600.0}
"""Settings of detectors that say how long they learn, and their unit in seconds."""


class ServicePlant:
    """`contracts.plant.Plant` of one process of the service."""

    def __init__(
        self,
        folder: CityFolder,
        city: Callable[[], City],
        configs: Mapping[str, object],
        conditions: Callable[[], Iterable[tuple[str, str, str]]],
    ) -> None:
        """`conditions` gives (kind, site, text) of every detector that sees less than it should."""
        self._folder = folder
        self._city = city
        self._configs = configs
        self._conditions = conditions
        self._learns: tuple[City, Mapping[str, Sequence[Learning]]] | None = None

    def conditions(self) -> Sequence[Condition]:
        """Detectors of this process that see less than they should now."""
        return sorted(
            (Condition(*told) for told in self._conditions()), key=lambda c: (c.kind, c.site)
        )

    def learns(self) -> Mapping[str, Sequence[Learning]]:
        """What learns each device, by device; worked out once for each state of the city."""
        city = self._city()
        if self._learns is None or self._learns[0] is not city:
            self._learns = (city, learning(city, self._configs))
        return self._learns[1]

    def files(self) -> Sequence[CityFile]:
        """The city folder's files."""
        return self._folder.files()

    def file(self, name: str) -> bytes | None:
        """One of them."""
        return self._folder.file(name)

    def preview(self, files: Mapping[str, bytes], now: datetime) -> Preview:
        """What these files would change."""
        return self._folder.preview(files, now)

    def apply(self, preview: str, by: str, now: datetime) -> Applied:
        """Put previewed files into the folder."""
        return self._folder.apply(preview, by, now)

    def works(self) -> Sequence[Work]:
        """Planned works, as the folder has them now; as they were read, where it is broken."""
        try:
            return self._folder.city().works
        except Wrong:
            return self._city().works

    def put_work(self, work: Work, by: str, now: datetime) -> Applied:
        """Add it."""
        return self._folder.put_work(work, by, now)

    def end_work(self, id: str, by: str, now: datetime) -> Applied:
        """End it now."""
        return self._folder.end_work(id, by, now)


def learning(city: City, configs: Mapping[str, object]) -> dict[str, list[Learning]]:
    """By device: the detectors that learn it, and how long. Detectors that need none, or that
    count traces instead of time, are not in it."""
    found: dict[str, list[Learning]] = {}
    for spec in specs().values():
        cfg: Any = configs.get(spec.kind)
        if cfg is None:
            cfg = spec.config()
        seconds = max(
            (getattr(cfg, name) * unit for name, unit in LEARNS.items() if hasattr(cfg, name)),
            default=0.0,
        )
        if seconds <= 0.0:
            continue
        sites: Iterable[Site] = spec.sites(city, cfg)
        for device in {device.id for site in sites for device in site.devices}:
            if spec.metrics and not spec.metrics & set(
                city.devices[device].metrics or spec.metrics
            ):
                continue
            found.setdefault(device, []).append(Learning(spec.kind, seconds))
    return found
