"""`devices.csv`: every sensor, camera, line monitor and OTDR that is registered."""

from __future__ import annotations

from pathlib import Path

from contracts.city import Device
from contracts.geo import to_wgs84
from gridsentry.city.citytoml import check_zone
from gridsentry.city.files import read_table
from gridsentry.city.notes import Notes
from gridsentry.city.raw import DeviceRow

NAME = "devices.csv"


def read_devices(folder: Path, crs: str, notes: Notes) -> dict[str, Device]:
    """The devices by id, positions in WGS 84. `crs` is the datum of rows that name none."""
    devices: dict[str, Device] = {}
    for place, row in read_table(folder / NAME, DeviceRow, notes):
        if row.id in devices:
            notes.wrong(f"{place}, column id", f"{row.id} again", "each id once")
            continue
        check_zone(row.timezone, f"{place}, column timezone", notes)
        devices[row.id] = Device(
            id=row.id,
            district=row.district,
            type=row.type,
            point=to_wgs84(row.lon, row.lat, row.crs or crs),
            owner=row.owner,
            site=row.site,
            reports_every_s=row.reports_every_s,
            metrics=row.metrics,
            reorder_s=row.reorder_s,
            timezone=row.timezone,
            crs=row.crs or crs,
        )
    return devices
