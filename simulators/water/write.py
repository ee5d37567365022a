"""Writes a take for others: its city folder, its recording and, apart from both, its truth."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import msgspec

from contracts.city import City
from contracts.clock import epoch_ms, iso
from contracts.errors import Wrong
from contracts.nouns import Reading
from simulators.register import city_file, devices_file, drains_file, grids_file
from simulators.water.take import Take
from simulators.world import feed


def write(take: Take, out: Path) -> None:
    """Write `out`/city/, `out`/readings.jsonl.gz and `out`/truth.json (replaced when there).

    Raises Wrong when `out` cannot be written.
    """
    city = out / "city"
    try:
        city.mkdir(parents=True, exist_ok=True)
        for name, data in city_files(take.city).items():
            (city / name).write_bytes(data)
        with (
            (out / "readings.jsonl.gz").open("wb") as plain,
            gzip.GzipFile("", "wb", fileobj=plain, mtime=0) as file,
        ):
            for reading in take.readings:
                file.write(line(take.city, reading))
        (out / "truth.json").write_bytes(truth(take))
    except OSError as error:
        raise Wrong(
            str(out), f"cannot be written ({error.strerror})", "a folder you may write"
        ) from error


def line(city: City, reading: Reading) -> bytes:
    """One line of a recording: when the message arrived, its topic, its payload."""
    device = city.devices[reading.device]
    sent = reading.sent_at if reading.sent_at is not None else reading.at
    said = {
        "at": iso(reading.received_at),
        "topic": feed(device.district, device.id, "telemetry"),
        "payload": {
            "ts": epoch_ms(sent),
            "seq": reading.seq,
            "m": {reading.metric: reading.value},
        },
    }
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def truth(take: Take) -> bytes:
    """What really happened, as JSON."""
    fields = ("order", "overflows", "blockages", "faults", "storms", "outages", "sensed")
    told = {name: getattr(take, name) for name in fields}
    return msgspec.json.format(msgspec.json.encode(told)) + b"\n"


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
