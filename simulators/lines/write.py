"""Writes a take for others: its city folder, its recording and, apart from both, its truth."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from contracts.city import City
from contracts.clock import epoch_ms
from contracts.nouns import Reading, Status
from simulators.lines.take import Take
from simulators.register import (
    city_file,
    collection,
    devices_file,
    grids_file,
    line_features,
    utilities_file,
    works_file,
)
from simulators.written import message, told, write_run

TRUTH = ("order", "breaks", "confounders", "first_word", "showing")


def write(take: Take, out: Path) -> None:
    """Write `out`/city/, `out`/readings.jsonl.gz and `out`/truth.json (replaced when there).

    Raises Wrong when `out` cannot be written.
    """
    write_run(out, city_files(take.city), lines(take), told(take, TRUTH))


def lines(take: Take) -> Iterator[bytes]:
    """The recording, a line a message: all that a monitor reported at once is one."""

    def sent(item: Reading | Status) -> tuple[object, ...]:
        seq = item.seq if isinstance(item, Reading) else None
        return item.received_at, item.device, item.at, seq

    for _, parts in itertools.groupby(take.items, key=sent):
        yield _line(take.city, list(parts))


def _line(city: City, parts: list[Reading | Status]) -> bytes:
    first = parts[0]
    payload: dict[str, object]
    if isinstance(first, Status):
        what = "status"
        payload = {"state": "online" if first.online else "offline", "ts": epoch_ms(first.at)}
    else:
        what = "telemetry"
        values = {r.metric: r.value for r in parts if isinstance(r, Reading)}
        payload = {"ts": epoch_ms(first.sent_at or first.at), "seq": first.seq, "m": values}
    return message(city.devices[first.device], what, first.received_at, payload)


def city_files(city: City) -> dict[str, bytes]:
    """The city folder of a take, by file name: what `gridsentry check` reads."""
    files = {
        "city.toml": city_file(city.id, city.id, city.timezone, city.profile.name),
        "grids.geojson": grids_file(city.grids),
        "devices.csv": devices_file(city.devices.values()),
        "lines.geojson": collection(f for line in city.lines for f in line_features(line)),
        "utilities.csv": utilities_file(city.utilities.values()),
    }
    if city.works:
        files["works.csv"] = works_file(city.works)
    return files
