"""`gridsentry import-lines`: an OpenDSS circuit as the city's lines."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from contracts.errors import Wrong
from gridsentry.commands.import_drains import position

EPILOG = """\
where on earth? OpenDSS knows x and y of buses (buscoords), never a datum. One of:
  --crs EPSG:4326          they are degrees (x the longitude); or another system, such as
                           EPSG:4549 (China: 4491-4554; UTM: 326xx, 327xx; web: 3857)
  --origin 118.78,31.26    put the middle of the drawing there, north up; its unit is the one by
                           which most lines are as long as they say, or --unit METRES

examples:
  gridsentry import-lines feeder/Master.dss --city mycity --crs EPSG:4326
  gridsentry import-lines 13Bus/IEEE13Nodeckt.dss --coords 13Bus/IEEE13Node_BusXY.csv \\
             --city mycity --origin 118.78,31.26 --line 10kV-101
  gridsentry check mycity

It writes lines.geojson: a bus becomes a pole; buses that a transformer or regulator joins become
one node, a transformer where the voltage steps down; a line becomes a span that points away from
the source, with voltage, phases, whether it is a switch (also: has a fuse, recloser, relay), and
its distance along the line. A load becomes a customer: the bus itself at an end of the line, else
one on a drop of its own, 12 m aside (--customers ends|none leaves these out). Open and disabled
lines and what is not fed are left out, and said.

OpenDSS itself reads the script, with all its redirects: pip install 'gridsentry[town]'. Who else's
cables hang on a pole is not in a circuit: write `carries` into lines.geojson, and name monitors in
devices.csv after their poles, or give a pole its `device`.
"""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    p = subparsers.add_parser(
        "import-lines",
        help="write lines.geojson of a city from an OpenDSS circuit (.dss)",
        description="Takes poles, spans, transformers and customers out of an OpenDSS circuit.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument(
        "file", type=Path, metavar="MASTER.dss", help="the script that makes the circuit"
    )
    p.add_argument("--city", type=Path, required=True, metavar="DIR", help="the city folder")
    p.add_argument("--coords", type=Path, metavar="FILE.csv",
                   help="lines `bus, x, y`, where the script has no buscoords")  # fmt: skip
    where = p.add_mutually_exclusive_group()
    where.add_argument("--origin", type=position, metavar="LON,LAT",
                       help="the middle of the drawing lies here (WGS 84)")  # fmt: skip
    where.add_argument("--crs", metavar="EPSG:…", help="the system of its coordinates")
    p.add_argument("--unit", type=float, metavar="METRES", help="a unit of the drawing in metres")
    p.add_argument("--owner", default="power", help="whose it is (default power)")
    p.add_argument("--line", metavar="ID", help="what the line is called (default: the circuit)")
    p.add_argument("--customers", choices=("all", "ends", "none"), default="all",
                   help="which loads become customers (default all)")  # fmt: skip
    p.add_argument("--replace", action="store_true", help="replace a lines.geojson that is there")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, write, and say what came of it."""
    from gridsentry.city import lines
    from gridsentry.opendss.lines import lines_of

    out = args.city / lines.NAME
    if not args.city.is_dir():
        raise Wrong("--city", f"there is no folder {args.city}", "one made by `gridsentry init`")
    if out.exists() and not args.replace:
        raise Wrong(str(out), "is there already", "--replace, or another city folder")
    if args.unit is not None and not 1e-4 <= args.unit <= 1e5:
        raise Wrong("--unit", f"{args.unit:g}", "metres a unit, such as 0.3048 for feet")
    got = lines_of(
        args.file,
        coordinates=args.coords,
        origin=args.origin,
        crs=args.crs,
        unit_m=args.unit,
        owner=args.owner,
        line=args.line,
        customers=args.customers,
    )
    out.write_bytes(got.geojson)
    low, high = got.west_south, got.east_north
    told = ", ".join(f"{count} {what}" for what, count in got.counts.items())
    print(
        f"wrote {out}: {told}, {low.lon:.5f} to {high.lon:.5f} east, "
        f"{low.lat:.5f} to {high.lat:.5f} north"
    )
    if got.unit_m is not None and args.unit is None:
        print(f"  drawing: a unit taken as {got.unit_m:.4g} m, by the lengths of the lines")
    for warning in got.warnings:
        print(f"  {warning}")
    print(f"next: `gridsentry check {args.city}`")
    return 0
