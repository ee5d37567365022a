"""City folders for the real recordings, as an integrator would write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RING = [[118.0, 26.0], [118.2, 26.0], [118.2, 26.2], [118.0, 26.2], [118.0, 26.0]]


def feature(geometry: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    """A GeoJSON feature."""
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": geometry, "coordinates": coordinates},
    }


def write(folder: Path, devices: list[str], **files: list[dict[str, Any]]) -> Path:
    """A city of one grid, one worker and three utilities; `files` are GeoJSON by name."""
    folder.mkdir(parents=True)
    (folder / "city.toml").write_text(
        'id = "golden"\ntimezone = "Asia/Shanghai"\nprofile = "cn-default"\n'
    )
    grids = [feature("Polygon", [RING], id="g-1", name="第一网格", level="grid")]
    for name, features in {"grids": grids, **files}.items():
        (folder / f"{name}.geojson").write_text(
            json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
        )
    head = "id,district,type,lon,lat,owner,site,reports_every_s,metrics"
    (folder / "devices.csv").write_text("\n".join([head, *devices]) + "\n")
    (folder / "workers.csv").write_text(
        "id,name,role,grid,skills,shift,lon,lat\nw-1,林小梅,grid_worker,g-1,,,118.05,26.05\n"
    )
    (folder / "utilities.csv").write_text(
        "id,name,owners,phone,restricted\n"
        "water,排水公司,water,,false\ntelecom,电信公司,telecom,,false\n"
        "city,综合执法队,city,,true\n"
    )
    (folder / "rules.toml").write_text(
        '[[rules]]\nid = "throws"\nkind = "high_altitude_throw"\nutility = "city"\n'
    )
    return folder
