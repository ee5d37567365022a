"""A city as large as a province's capital: its folder, and what is open in it."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from contracts.batch import PublishedEvent
from contracts.case import Candidate, Change, Deadlines, Incident, Step, Ticket
from contracts.event import Event, Place
from contracts.nouns import Status

LON, LAT = 120.0, 30.05
CELL = 0.0016
"""A grid's width in degrees: about 150 m, some hundred households."""
BLOCK = 9
"""A community is BLOCK × BLOCK grids, a street BLOCK × BLOCK / 4 communities."""
TYPES = ("water_level", "camera", "line_monitor", "manhole", "drain", "street_light")
KINDS = ("flooding", "severed_cable", "high_altitude_throw", "drain_blocked", "sensor_silent",
         "pole_tilt", "citizen_report", "street_light_out")  # fmt: skip
STAGES = ("dispatched", "dispatched", "accepted", "arrived", "disposed", "verified")
SURNAMES, GIVEN = "王李张刘陈杨赵黄周吴徐孙马朱胡林", "建伟芳敏静磊洋艳勇军杰娟涛超霞平"


class Sizes(msgspec.Struct, frozen=True):
    """How much there is."""

    side: int = 324
    """Grids along each side: 324² = 104,976 of the smallest level, 106,309 of all."""
    devices: int = 20_000
    workers: int = 2_000
    tickets: int = 5_000


class Town:
    """The same city for the same sizes and seed."""

    def __init__(self, sizes: Sizes, seed: int) -> None:
        self.sizes = sizes
        self._random = random.Random(f"center {seed}")
        self._n = 0

    # --- the folder ----------------------------------------------------------------------------

    def write(self, folder: Path) -> None:
        """`city.toml`, grids, devices, workers, utilities, drains."""
        folder.mkdir(parents=True)
        (folder / "city.toml").write_text(
            'id = "capital"\ntimezone = "Asia/Shanghai"\nprofile = "cn-default"\n'
        )
        grids = {"type": "FeatureCollection", "features": list(self._grids())}
        (folder / "grids.geojson").write_text(json.dumps(grids, ensure_ascii=False))
        devices = ["id,district,type,lon,lat,owner,site,reports_every_s,metrics"]
        for i in range(self.sizes.devices):
            lon, lat = self._somewhere()
            type_ = TYPES[i % len(TYPES)]
            devices.append(f"dev-{i:05},d{i % 8},{type_},{lon:.6f},{lat:.6f},water,,,")
        (folder / "devices.csv").write_text("\n".join(devices) + "\n")
        workers = ["id,name,role,grid,skills,shift,lon,lat"]
        for i in range(self.sizes.workers):
            lon, lat = self._somewhere()
            grid = self.grid_at(lon, lat)
            workers.append(f"w-{i:04},{self._name(i)},grid_worker,{grid},,,{lon:.6f},{lat:.6f}")
        (folder / "workers.csv").write_text("\n".join(workers) + "\n")
        (folder / "utilities.csv").write_text(
            "id,name,owners,phone,restricted\nwater,城区排水公司,water,12319,false\n"
        )

    def grid_at(self, lon: float, lat: float) -> str:
        """The smallest grid at a place."""
        x, y = int((lon - LON) / CELL), int((lat - LAT) / CELL)
        return f"g{x}-{y}"

    def _grids(self) -> Iterator[dict[str, object]]:
        side, wide = self.sizes.side, BLOCK * BLOCK // 4
        yield _feature("city", None, "district", "省会", 0, 0, side)
        for x in range(0, side, wide * 2):
            for y in range(0, side, wide * 2):
                id_ = f"s{x}-{y}"
                size = min(wide * 2, side - x, side - y)
                yield _feature(id_, "city", "street", f"第{x}-{y}街道", x, y, size)
        for x in range(0, side, BLOCK):
            for y in range(0, side, BLOCK):
                above = f"s{x // (wide * 2) * wide * 2}-{y // (wide * 2) * wide * 2}"
                yield _feature(f"c{x}-{y}", above, "community", f"{x}-{y}社区", x, y, BLOCK)
        for x in range(side):
            for y in range(side):
                above = f"c{x // BLOCK * BLOCK}-{y // BLOCK * BLOCK}"
                yield _feature(f"g{x}-{y}", above, "grid", f"第{x * side + y}网格", x, y, 1)

    def _somewhere(self) -> tuple[float, float]:
        width = CELL * self.sizes.side
        return LON + self._random.random() * width, LAT + self._random.random() * width

    def _name(self, i: int) -> str:
        return SURNAMES[i % 16] + GIVEN[i // 16 % 16] + GIVEN[i // 256 % 16]

    # --- what is open ----------------------------------------------------------------------------

    def heard(self, now: datetime) -> list[Status]:
        """Every device was heard; one in forty has gone."""
        return [
            Status(device=f"dev-{i:05}", online=i % 40 != 0, at=now, received_at=now)
            for i in range(self.sizes.devices)
        ]

    def trouble(
        self, opened: datetime, known: datetime, *, severity: int | None = None
    ) -> tuple[list[PublishedEvent], list[Change], str]:
        """An event, its incident and its ticket as the router opens them; and the ticket's id."""
        self._n += 1
        n, draw = self._n, self._random
        kind, stage = draw.choice(KINDS), draw.choice(STAGES)
        if severity is None:
            severity = draw.choices((1, 2, 3, 4, 5), (5, 25, 40, 25, 5))[0]
        else:
            stage = "dispatched"
        lon, lat = self._somewhere()
        place = Place(lon, lat, self.grid_at(lon, lat), f"文晖路{n % 900 + 1}号")
        device = f"dev-{draw.randrange(self.sizes.devices):05}"
        event = Event(
            id=f"e-{n:06}", rev=1, kind=kind, site=device, device=device, at=opened,
            severity=severity, place=place, phase="opened",
            evidence={"value": 0.412, "metric": "level", "rate": 0.00004,
                      "curve": [[f"{i:02}", round(0.01 * i, 3)] for i in range(60)]},
        )  # fmt: skip
        incident = Incident(
            id=f"i-{n:06}", rev=1, kind=kind, events=(event.id,), reason="one sensor, one place",
            place=place, site=device, severity=severity, opened_at=opened, district="d0",
        )  # fmt: skip
        worker = draw.randrange(self.sizes.workers)
        name = self._name(worker)
        # Every seventh is late with its first clock.
        first = known + timedelta(minutes=draw.uniform(-20, 120))
        clocks = [first + timedelta(hours=hours) for hours in (0, 1, 8, 48)]
        ticket = Ticket(
            id=f"t-{n:06}", rev=1, incident=incident.id, kind=kind, stage=stage, lane="direct",
            worker=f"w-{worker:04}", helpers=(), utility="water", parent=None, grid=place.grid,
            reason={
                "worker": {
                    "text_en": f"{name} is nearest: 182 m, 2 min on foot, position 8 s old",
                    "text_zh": f"{name}距现场最近：182米，步行2分钟，定位8秒前",
                },
                "utility": {"text_en": "owner of the asset", "text_zh": "按设施权属"},
                "deadlines": {"text_en": "city rule, all hours", "text_zh": "市级标准"},
            },
            runners_up=tuple(
                Candidate(f"w-{i:04}", self._name(i), 240.0 + 60 * i, 170.0, 9.0, i % 3, True, True)
                for i in range(5)
            ),
            deadlines=Deadlines(
                accept=clocks[0], arrive=clocks[1], dispose=clocks[2], close=clocks[3]
            ),
            severity=severity, place=place, opened_at=opened, updated_at=opened, district="d0",
            timeline=tuple(
                Step(at=opened, change=change, by="router", note="one sensor, one place")
                for change in ("detected", "filed", "dispatched")
            ),
        )  # fmt: skip
        changes = [
            Change(
                type=type_,  # type: ignore[arg-type]  # one of three from the tuple below
                id=body.id, rev=1, change="opened", known_at=known, body=body,
                district="d0",
            )
            for type_, body in (("event", event), ("incident", incident), ("ticket", ticket))
        ]  # fmt: skip
        return [PublishedEvent(event, 1, known, True)], changes, ticket.id


def _feature(
    id_: str, parent: str | None, level: str, name: str, x: int, y: int, size: int
) -> dict[str, object]:
    corners = [(x, y), (x + size, y), (x + size, y + size), (x, y + size), (x, y)]
    ring = []
    for (ax, ay), (bx, by) in itertools.pairwise(corners):
        for step in range(4):  # an outline has bends, here on the straight
            at = (ax + (bx - ax) * step / 4, ay + (by - ay) * step / 4)
            ring.append([round(LON + at[0] * CELL, 7), round(LAT + at[1] * CELL, 7)])
    ring.append(ring[0])
    about = {"id": id_, "name": name, "level": level}
    return {
        "type": "Feature",
        "properties": {**about, "parent": parent} if parent else about,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
