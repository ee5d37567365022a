"""`gridsentry init`: a minimal valid city folder with one sample of everything, to be edited."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from contracts.errors import Wrong
from gridsentry.city import init_governance

LON, LAT = 118.7700, 32.0600
"""Where the sample community lies; every position of the samples is counted from here."""

CITY_TOML = """\
# Who this city is. `gridsentry check DIR` says what is wrong, `gridsentry check --schema` what
# every file may hold. Positions are WGS 84 unless `crs` says gcj02 or bd09 (高德、百度坐标).
id = "sample"
name = "示例街道"
timezone = "Asia/Shanghai"   # calendars, shifts and days are counted in it
profile = "cn-default"       # codes, limits, calendars: shipped by name, or a TOML file here
# crs = "gcj02"              # datum of every position in this folder that names none of its own
"""

DEVICES_CSV = """\
# One line for each sensor; site groups sensors of one network, line or camera position.
id,district,type,lon,lat,owner,site,reports_every_s,metrics
cam-1,sample,camera,{0[0]},{0[1]},,cam-1,1,
level-1,sample,water_level,{1[0]},{1[1]},water,street-1,60,depth;battery
cover-1,sample,manhole_cover,{2[0]},{2[1]},water,,3600,tilt
hydrant-1,sample,hydrant,{3[0]},{3[1]},water,,3600,pressure
line-1,sample,line_monitor,{4[0]},{4[1]},power,feeder-1,60,voltage_a;voltage_b;voltage_c;voltage_n
line-2,sample,line_monitor,{5[0]},{5[1]},power,feeder-1,60,voltage_a;voltage_b;voltage_c;last_gasp
otdr-1,sample,otdr,{6[0]},{6[1]},telecom,fibre-1,3600,
pole-1,sample,pole_tilt,{7[0]},{7[1]},power,,600,tilt
lamp-1,sample,street_light,{8[0]},{8[1]},lighting,,600,lamp_current;lux
sound-1,sample,microphone,{9[0]},{9[1]},,,60,sound_level
"""

WORKERS_CSV = """\
# shift: HH:MM-HH:MM in the city's zone, several joined by ; - empty: always on.
# phone: for a call from the desk; shown to those alone who may see evidence.
id,name,role,grid,skills,shift,phone,lon,lat
w-1,张三,grid_worker,sample-1-1,drain;electric,,,{0[0]},{0[1]}
w-2,李四,grid_head,sample-1,,08:00-20:00,,{1[0]},{1[1]}
"""

UTILITIES_CSV = """\
# owners: the values of `owner` on devices, poles and cables that mean this utility.
# restricted: may receive windows, reporters and photographs.
id,name,owners,phone,restricted
water,水务集团,water,,false
power,供电公司,power,,false
telecom,电信公司,telecom,,false
lighting,路灯管理所,lighting,,false
traffic-police,交警大队,,,false
"""

RULES_TOML = """\
# kind (and grid) → department, lane, helpers; the first rule that matches applies.
# lane: self (the grid worker settles it), direct (to the department), joint (会商).
[[rule]]
kind = "flooding"
grid = "sample-1"
utility = "water"
lane = "direct"
helpers = 1

[[rule]]
kind = "high_altitude_throw"
lane = "self"
"""

CAMERA_TOML = """\
# How camera cam-1 sees its facade; pixels are of a picture of this size.
size = [1920, 1080]

# [px, py, u_m, v_m]: picture ↔ facade, u metres along the wall, v metres up. At least four,
# well spread; corners of windows do well.
points = [
    [300, 100, 0.0, 54.0],
    [1600, 120, 24.0, 54.0],
    [1580, 980, 24.0, 0.0],
    [320, 1000, 0.0, 0.0],
]

# Or lines that are level or upright on the facade, two or more of each; `gridsentry calibrate`
# proposes them. v metres up, u metres along, [x, y] two places on the line:
# floor_lines = [
#     {v = 3.0, line = [[310, 960], [1590, 940]]},
#     {v = 51.0, line = [[301, 150], [1599, 170]]},
# ]
# bay_lines = [
#     {u = 0.0, line = [[320, 1000], [300, 100]]},
#     {u = 24.0, line = [[1580, 980], [1600, 120]]},
# ]

# The picture these pixels were read from, beside this file: tells when the camera has been moved.
# picture = "cam-1.jpg"

# Boundaries in metres make the windows: F17-3 is floor 17, bay 3.
floors = [{floors}]
bays = [0, 4, 8, 12, 16, 20, 24]

# What is no window: [[zones]] with id, what (balcony, corridor, roof_edge, window), polygon
# [[u, v], …] in metres.
[[zones]]
id = "roof"
what = "roof_edge"
polygon = [[0, 54], [24, 54], [24, 56], [0, 56]]

# detect_mask = [[[0, 0], [1920, 0], [1920, 1000], [0, 1000]]]   # where falls are looked for
# privacy_mask = [[[0, 0], [200, 0], [200, 300], [0, 300]]]      # blacked out in every picture
# distortion = [-0.12, 0.03, 0.0, 0.0]                           # OpenCV's k1, k2, p1, p2
# focal_px = 1500.0
"""


def _at(east_m: float, north_m: float) -> list[float]:
    """[lon, lat] that many metres from the sample's corner (flat: it is 400 m wide)."""
    return [round(LON + east_m / 94_300, 6), round(LAT + north_m / 111_200, 6)]


def _feature(shape: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {key.rstrip("_"): value for key, value in properties.items()},
        "geometry": {"type": shape, "coordinates": coordinates},
    }


def _collection(*features: dict[str, Any]) -> str:
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    return f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'


def _square(east: float, north: float, side: float) -> list[list[list[float]]]:
    corners = [(0, 0), (side, 0), (side, side), (0, side), (0, 0)]
    return [[_at(east + x, north + y) for x, y in corners]]


def files() -> dict[str, str]:
    """The sample's files by name."""
    places = [_at(20.0 + 40 * n, 200.0) for n in range(10)]
    fibre = [_at(260, 200), _at(260, 20), _at(20, 20)]
    return {
        "city.toml": CITY_TOML,
        "grids.geojson": _collection(
            _feature(
                "Polygon", _square(0, 0, 400), id="sample-1", name="示例社区", level="community"
            ),
            _feature(
                "Polygon",
                _square(0, 0, 399),
                id="sample-1-1",
                name="第一网格",
                level="grid",
                parent="sample-1",
            ),
        ),
        "devices.csv": DEVICES_CSV.format(*[[p[0], p[1]] for p in places]),
        "workers.csv": WORKERS_CSV.format(_at(100, 100), _at(200, 100)),
        "utilities.csv": UTILITIES_CSV,
        "rules.toml": RULES_TOML,
        "drains.geojson": _collection(
            _feature("Point", _at(60, 190), id="m-1", invert_m=3.1, rim_m=5.2),
            _feature("Point", _at(120, 190), id="m-2", invert_m=2.9, rim_m=5.1),
            _feature("LineString", [_at(60, 190), _at(120, 190)], id="p-1", from_="m-1", to="m-2"),
            _feature("Point", places[1], id="level-1", warn_m=0.15, close_m=0.27),
        ),
        "lines.geojson": _collection(
            _feature(
                "Point", places[4], id="t-1", kind="transformer", owner="power", device="line-1"
            ),
            _feature("Point", places[5], id="c-1", kind="customer", owner="power", device="line-2"),
            _feature(
                "LineString", [places[4], places[5]], id="s-1", owner="power", from_="t-1", to="c-1"
            ),
            _feature(
                "LineString",
                fibre,
                id="fibre-1",
                owner="telecom",
                start="otdr-1",
                direction="forward",
            ),
        ),
        "cameras/cam-1.toml": CAMERA_TOML.replace(
            "{floors}", ", ".join(str(3 * n) for n in range(19))
        ),
        **init_governance.files(_at, _feature, _collection),
    }


def init_city(folder: Path) -> None:
    """Write the sample to `folder`, which must be new or empty. Raises Wrong."""
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Wrong(str(folder), "there is something in it", "a new or empty folder")
    try:
        for name, text in files().items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Wrong(
            str(folder), f"cannot be written ({error.strerror})", "a folder of yours"
        ) from error
