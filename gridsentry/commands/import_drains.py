"""`gridsentry import-drains`: a SWMM model's network as the city's drains."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from contracts.errors import Wrong
from contracts.geo import Point

EPILOG = """\
where on earth? A SWMM file has x and y, rarely a datum. One of:
  --crs EPSG:4549          the drawing is in that system (China: 4491-4554; UTM: 326xx, 327xx;
                           web: 3857; degrees: 4326)
  --origin 118.10,26.05    put the middle of the drawing there, north up

examples:
  gridsentry import-drains sewer.inp --city mycity --crs EPSG:4549
  gridsentry import-drains sewer.inp.gz --city mycity --origin 118.10,26.05 --replace
  gridsentry check mycity

It writes drains.geojson: manholes and outfalls with invert and rim, pipes with diameter and
length, all in metres (a file in CFS, GPM or MGD is in feet). Pumps, weirs, orifices and outlets
become pipes without a diameter. A level sensor stands at the manhole that bears its id, or its
site's, else at the nearest one within 30 m: so name devices after manholes where you can.
"""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    p = subparsers.add_parser(
        "import-drains",
        help="write drains.geojson of a city from a SWMM model (.inp)",
        description="Takes the drainage network out of a SWMM 5 input file.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("file", type=Path, metavar="FILE.inp", help="the model, .inp or .inp.gz")
    p.add_argument("--city", type=Path, required=True, metavar="DIR", help="the city folder")
    where = p.add_mutually_exclusive_group()
    where.add_argument("--origin", type=position, metavar="LON,LAT",
                       help="the middle of the drawing lies here (WGS 84)")  # fmt: skip
    where.add_argument("--crs", metavar="EPSG:…", help="the system of its coordinates")
    p.add_argument("--replace", action="store_true", help="replace a drains.geojson that is there")
    p.set_defaults(run=run)


def position(text: str) -> Point:
    """`LON,LAT` in degrees."""
    try:
        lon, lat = (float(part) for part in text.split(","))
        if not (-180 <= lon <= 180 and -90 < lat < 90):
            raise ValueError
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not LON,LAT in degrees") from None
    return Point(lon, lat)


def run(args: argparse.Namespace) -> int:
    """Read, write, and say what came of it."""
    from gridsentry.city import drains
    from gridsentry.swmm.drains import drains_of

    out = args.city / drains.NAME
    if not args.city.is_dir():
        raise Wrong("--city", f"there is no folder {args.city}", "one made by `gridsentry init`")
    if out.exists() and not args.replace:
        raise Wrong(str(out), "is there already", "--replace, or another city folder")
    got = drains_of(args.file, origin=args.origin, crs=args.crs)
    out.write_bytes(got.geojson)
    low, high = got.west_south, got.east_north
    print(
        f"wrote {out}: {got.nodes} nodes, {got.pipes} pipes (from {got.flow_units}), "
        f"{low.lon:.5f} to {high.lon:.5f} east, {low.lat:.5f} to {high.lat:.5f} north"
    )
    for warning in got.warnings:
        print(f"  {warning}")
    print(f"next: `gridsentry check {args.city}`")
    return 0
