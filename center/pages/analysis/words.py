"""What places are called: a window, a pipe, a span, a cell; grids by name. (zh, en)."""

from __future__ import annotations

from contracts.annals import Spot
from contracts.city import City

Words = tuple[str, str]


class Names:
    """Names of one city, looked up instead of searched for."""

    def __init__(self, city: City) -> None:
        self._grids = {grid.id: grid.name for grid in city.grids}
        self._pipes = {} if city.drains is None else city.drains.pipes
        self._spans = {id: span for line in city.lines for id, span in line.spans.items()}
        self._zones = {
            f"{camera.device}/{zone.id}": zone
            for camera in city.cameras.values()
            for zone in camera.zones
        }
        self._devices = city.devices

    def grid(self, id: str | None) -> str:
        """Its name, or its id where nobody named it."""
        return "" if id is None else self._grids.get(id) or id

    def spot(self, spot: Spot) -> Words:
        """What people call that place."""
        name = spot.spot
        match spot.kind:
            case "high_altitude_throw" if "/" in name:
                return self._window(name)
            case "high_altitude_throw":
                return f"{name}（未能指认窗口）", f"{name} (window not told)"
            case "drain_blocked" if name in self._pipes:
                pipe = self._pipes[name]
                way = f"{pipe.from_} → {pipe.to}"
                return f"管段 {name}（{way}）", f"pipe {name} ({way})"
            case "severed_cable" if name in self._spans:
                span = self._spans[name]
                way = f"{span.from_} – {span.to}"
                return f"区段 {name}（{way}）", f"span {name} ({way})"
            case "fibre_break" if "@" in name:
                fibre, metres = name.rsplit("@", 1)
                return (
                    f"光缆 {fibre}，距起点约 {metres} 米",
                    f"fibre {fibre}, about {metres} m along",
                )
            case "citizen_report":
                zh, en = (
                    f"{spot.lat:.4f}, {spot.lon:.4f} 附近",
                    f"near {spot.lat:.4f}, {spot.lon:.4f}",
                )
                return zh, en
        known = self._devices.get(name)
        what = "" if known is None else f" · {known.type}"
        return f"{name}{what}", f"{name}{what}"

    def _window(self, name: str) -> Words:
        device, _, zone = name.partition("/")
        known = self._zones.get(name)
        if known is None or known.floor is None:
            return f"{zone} · {device}", f"{zone} · {device}"
        bay_zh = "" if known.bay is None else f"{known.bay} 列"
        bay_en = "" if known.bay is None else f", bay {known.bay}"
        return (
            f"{known.floor} 层{bay_zh}（{zone}）· {device}",
            f"floor {known.floor}{bay_en} ({zone}) · {device}",
        )
