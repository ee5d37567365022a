"""Samples of the files that say how a city is governed, for `gridsentry init`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

RESOURCES_CSV = """\
# Pumps, barriers, crews: offered to tickets by distance. count: how many of it there are.
id,what,name,lon,lat,owner,count
pump-1,pump,一号移动泵,{0[0]},{0[1]},water,1
barrier-1,barrier,应急围挡,{1[0]},{1[1]},,10
crew-1,crew,供电抢修班,{2[0]},{2[1]},power,1
"""
PLACES_CSV = """\
# Signs with a QR code where residents report: gridsentry places prints them.
id,name,name_en,what,lon,lat
gate-1,示例小区东门,East gate,gate,{0[0]},{0[1]}
hall-1,便民服务站,Service hall,building,{1[0]},{1[1]}
"""

RESPONSES_TOML = """\
# Who else is called, beside what the profile says (the same id replaces the profile's response).
[[response]]
id = "road-blocked"
kind = "*"
when = "road_blocked"               # shown by the evidence, or reported by who is there
departments = ["traffic-police"]    # of utilities.csv: each gets a part of the ticket
resources = ["barrier"]             # sorts (`what`) of resources.csv

[[response]]
id = "cable-down"
kind = "severed_cable"
helpers = 2                         # the nearest able people on shift are asked
# skills = ["electric"]
# grid = "sample-1"                 # with everything inside it
# severity = 3                      # from this severity on
"""

PATROLS_TOML = """\
# Rounds: by the clock, or when rain is forecast or begins.
[[patrol]]
id = "drains-before-rain"
name_zh = "雨前查看雨水口"
name_en = "Drains before the rain"
assets = ["level-1"]                # devices, nodes, poles; or points = [[lon, lat], …]
when = "rain"
from_mm_h = 8.0
not_again_s = 21600
within_s = 7200
checklist = ["雨水口有无堵塞", "井盖是否完好"]

# Every working day at half past eight (take away the # to have it):
# [[patrol]]
# id = "cabinets"
# name_zh = "设备日常巡检"
# name_en = "Daily look at the cabinets"
# assets = ["line-1", "otdr-1"]
# at = ["08:30"]
# weekdays = [1, 2, 3, 4, 5]
# role = "grid_worker"              # left out: any role of the profile that patrols
"""


def files(
    at: Callable[[float, float], list[float]],
    feature: Callable[..., dict[str, Any]],
    collection: Callable[..., str],
) -> dict[str, str]:
    """The samples by name; `at` gives [lon, lat] for metres east and north of the corner."""

    def box(west: float, south: float, east: float, north: float) -> list[list[list[float]]]:
        corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
        return [[at(x, y) for x, y in corners]]

    return {
        "resources.csv": RESOURCES_CSV.format(at(80, 180), at(200, 240), at(240, 210)),
        "places.csv": PLACES_CSV.format(at(60, 60), at(300, 200)),
        "responses.toml": RESPONSES_TOML,
        "patrols.toml": PATROLS_TOML,
        "special.geojson": collection(
            feature(
                "Polygon",
                box(320, 320, 380, 380),
                id="market-1",
                name="农贸市场",
                what="market",
                kinds=["flooding"],
            )
        ),
        "barriers.geojson": collection(
            feature("Polygon", box(-100, -60, 500, -20), id="river-1", what="river"),
            feature("Point", at(200, -40), id="bridge-1", what="bridge", barrier="river-1"),
        ),
    }
