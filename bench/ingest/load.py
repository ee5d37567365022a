"""The city that is measured and what its devices send: 1,000 street sensors, 200-byte telemetry.

Of five metrics that each sensor sends one (`depth`, 20 %) is watched by a detector; the other four
are stored only. Water stays low and restless, so that detection works and finds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from contracts.clock import from_epoch_ms, iso

DEVICES = 1000
ROW = 32
"""Sensors stand on a square lattice, this many in a row."""
SPACING_DEG = 0.004
"""About 400 m: floods at two of them are two incidents."""
WEST, SOUTH = 118.0, 26.0
WATCHED = "depth"
OTHERS = ("temperature", "battery", "lux", "signal")
METRICS = (WATCHED, *OTHERS)
BYTES = 200
"""Size of a message with one reading."""
ELEMENTS = 20
"""A batched message is an array of so many elements, each with all five metrics: 100 readings."""
FLOOD_M = 0.6
"""Depth over the road of a measured flood; the detector's closing line is 0.3 m by default."""


_SPANS = {
    "depth": (0.0, 0.02, 4),
    "temperature": (18.0, 1.0, 2),
    "battery": (3.5, 0.1, 3),
    "lux": (0.0, 500.0, 1),
    "signal": (-100.0, 20.0, 1),
}


def device(number: int) -> str:
    """Name of a sensor."""
    return f"street-{number:04d}"


def district(number: int) -> str:
    """Whose it is: two districts, turn by turn, so that two processes can share the city."""
    return f"d{1 + number % 2}"


def topic(number: int) -> str:
    """Where that sensor publishes."""
    return f"gridsentry/v1/feed/{district(number)}/{device(number)}/telemetry"


def place(number: int) -> tuple[float, float]:
    """(lon, lat) of a sensor, degrees."""
    row, column = divmod(number, ROW)
    return round(WEST + SPACING_DEG * (column + 0.5), 6), round(
        SOUTH + SPACING_DEG * (row + 0.5), 6
    )


def write_city(folder: Path) -> None:
    """The city folder: one grid, 1,000 sensors, a hundred workers, one utility."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "city.toml").write_text(
        'id = "bench"\ntimezone = "Asia/Shanghai"\nprofile = "cn-default"\n'
    )
    east, north = WEST + SPACING_DEG * ROW, SOUTH + SPACING_DEG * ROW
    ring = [[WEST, SOUTH], [east, SOUTH], [east, north], [WEST, north], [WEST, SOUTH]]
    grid = {
        "type": "Feature",
        "properties": {"id": "g-1", "name": "第一网格", "level": "grid"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    (folder / "grids.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [grid]}, ensure_ascii=False)
    )
    rows = ["id,district,type,lon,lat,owner,site,reports_every_s,metrics"]
    for number in range(DEVICES):
        lon, lat = place(number)
        name = device(number)
        rows.append(
            f"{name},{district(number)},drain,{lon},{lat},water,{name},,{';'.join(METRICS)}"
        )
    (folder / "devices.csv").write_text("\n".join(rows) + "\n")
    people = ["id,name,role,grid,skills,shift,lon,lat"]
    for number in range(100):
        lon, lat = place(number * (DEVICES // 100))
        people.append(f"w-{number:03d},巡查员{number},grid_worker,g-1,,,{lon},{lat}")
    (folder / "workers.csv").write_text("\n".join(people) + "\n")
    (folder / "utilities.csv").write_text(
        "id,name,owners,phone,restricted\nwater,城区排水公司,water,,false\n"
    )


def value(metric: str, number: int, turn: int) -> float:
    """What a sensor says: restless, within range, and no water on the road."""
    wave = (number * 7 + turn * 13) % 97 / 97
    low, span, digits = _SPANS[metric]
    return round(low + span * wave, digits)


@lru_cache(maxsize=8)
def _said(ms: int) -> str:
    return iso(from_epoch_ms(ms))


def single(number: int, metric: str, reading: float, ms: int, seq: int) -> bytes:
    """One message of one reading, padded to 200 bytes by what gateways add."""
    head = (
        f'{{"ts":"{_said(ms)}","seq":{seq},"boot":1,"m":{{"{metric}":{reading}}},'
        f'"gateway":"gw-{number % 40:03d}","rssi":-97,"snr":7.25,"fw":"2.4.1-'
    )
    return (head + "0" * max(0, BYTES - len(head) - 2) + '"}').encode()


def singles(count: int, start_ms: int) -> Iterator[tuple[str, bytes]]:
    """`count` messages of one reading each; a sensor's metrics take turns, a second apart."""
    for n in range(count):
        turn, number = divmod(n, DEVICES)
        metric = METRICS[(turn + number) % len(METRICS)]
        yield (
            topic(number),
            single(number, metric, value(metric, number, turn), start_ms + turn * 1000, turn),
        )


def batched(count: int, start_ms: int) -> Iterator[tuple[str, bytes]]:
    """`count` messages of 100 readings: what a gateway sends after it was offline."""
    for n in range(count):
        turn, number = divmod(n, DEVICES)
        elements = []
        for i in range(ELEMENTS):
            at = turn * ELEMENTS + i
            m = ",".join(f'"{name}":{value(name, number, at)}' for name in METRICS)
            elements.append(f'{{"ts":"{_said(start_ms + at * 1000)}","seq":{at},"m":{{{m}}}}}')
        yield topic(number), ("[" + ",".join(elements) + "]").encode()


def live(n: int, now_ms: int) -> tuple[str, bytes]:
    """The `n`th message of a stream that goes on: a fifth of it is watched, all of it from the
    second half of the streets, so that the first half can be flooded."""
    turn, step = divmod(n, DEVICES // 2)
    number = DEVICES // 2 + step
    metric = METRICS[(turn + number) % len(METRICS)]
    return topic(number), single(number, metric, value(metric, number, turn), now_ms, turn)


def span_s(count: int, *, per_message: int) -> int:
    """Seconds of device time that so many messages take up."""
    return -(-count // DEVICES) * per_message + 1
