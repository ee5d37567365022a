"""Writes a take for others: its city folder, its recording and, apart from both, its truth."""

from __future__ import annotations

from pathlib import Path

from contracts.city import City
from contracts.clock import epoch_ms
from contracts.nouns import Reading
from simulators.register import city_file, devices_file, drains_file, grids_file
from simulators.water.take import Take
from simulators.written import message, told, write_run

TRUTH = ("order", "overflows", "blockages", "faults", "storms", "outages", "sensed")


def write(take: Take, out: Path) -> None:
    """Write `out`/city/, `out`/readings.jsonl.gz and `out`/truth.json (replaced when there).

    Raises Wrong when `out` cannot be written.
    """
    recording = (line(take.city, reading) for reading in take.readings)
    write_run(out, city_files(take.city), recording, told(take, TRUTH))


def line(city: City, reading: Reading) -> bytes:
    """One line of a recording: a message with one reading."""
    sent = reading.sent_at if reading.sent_at is not None else reading.at
    payload = {"ts": epoch_ms(sent), "seq": reading.seq, "m": {reading.metric: reading.value}}
    return message(city.devices[reading.device], "telemetry", reading.received_at, payload)


def city_files(city: City) -> dict[str, bytes]:
    """The city folder of a take, by file name: what `gridsentry check` reads."""
    files = {
        "city.toml": city_file(city.id, city.id, city.timezone, city.profile.name),
        "grids.geojson": grids_file(city.grids),
        "devices.csv": devices_file(city.devices.values()),
    }
    if city.drains is not None:
        files["drains.geojson"] = drains_file(city.drains, ())
    return files
