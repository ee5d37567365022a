"""`gridsentry places`: printable signs with a QR code for every place, and a list of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.errors import Wrong

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from contracts.spots import Spot

EPILOG = """\
examples:
  gridsentry places --config gridsentry.toml --out signs.html      grids and places.csv, A4 to cut
  gridsentry places --config … --what drain,pole --only n4,t17 --size a6 --out signs.html
  gridsentry places --config … --out signs/                        a folder of SVGs, one each
  gridsentry places --config …                                     a list: id, code, address, name

Print the page from any browser (no margins, 100 %). Codes follow from the key of the center
(center.place_secret, else its evidence_secret or the one kept in its state folder), so the same
command prints the same codes next year. One place gets a new code, and its old one is void, with
center.place_salts = {"drain:n4" = "2"}; all of them with center.place_salt.
"""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    import argparse

    p = subparsers.add_parser(
        "places",
        help="print signs with QR codes where residents report",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("--config", type=Path, help="configuration file (TOML)")
    p.add_argument("--city", type=Path, help="city folder (default: the configuration's)")
    p.add_argument("--url", help="how telephones reach the center (default: center.public_url)")
    p.add_argument(
        "--what", default="place,grid", help="sorts: place, grid, drain, pole (default place,grid)"
    )
    p.add_argument("--only", default="", help="only these ids, with commas between")
    p.add_argument("--size", choices=("a4", "a6"), default="a4", help="page size (default a4)")
    p.add_argument("-o", "--out", help="a page (.html) or a folder of SVGs; none: a list")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write or list them."""
    from center.pages.resident.codes import Codes
    from gridsentry import config
    from gridsentry.city.load import load_city
    from gridsentry.placards import card, sheet
    from gridsentry.secret import kept_secret

    settings = config.load(args.config)
    url = str(args.url or settings.center.public_url).rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise Wrong(
            "--url", repr(url), "https://… as telephones on the street reach the center"
            " (or center.public_url)",
        )  # fmt: skip
    city = load_city(args.city or Path(settings.service.city))
    secret = settings.center.evidence_secret or kept_secret(config.state_dir(settings))
    codes = Codes(city, settings.center, secret)
    chosen = [(spot, codes.code(spot)) for spot in _chosen(city, args.what, args.only)]
    if not chosen:
        raise Wrong("--what", repr(args.what), "a sort of place that this city has")
    if args.out is None:
        for spot, code in chosen:
            print(f"{spot.id}\t{code}\t{url}/r/{code}\t{spot.zh}")
        return 0
    town = str(city.extra.get("name") or city.id)
    cards = [card(spot, code, f"{url}/r/{code}", town) for spot, code in chosen]
    out = Path(args.out)
    if out.suffix.lower() == ".html":
        out.write_text(sheet(cards, args.size), encoding="utf-8")
        print(f"{len(cards)} signs in {out}", file=sys.stderr)
        return 0
    if out.suffix:
        raise Wrong("--out", repr(args.out), "a name that ends in .html, or a folder")
    out.mkdir(parents=True, exist_ok=True)
    for (spot, _), drawn in zip(chosen, cards, strict=True):
        (out / f"{spot.id.replace(':', '-')}.svg").write_text(drawn, encoding="utf-8")
    print(f"{len(cards)} signs in {out}/", file=sys.stderr)
    return 0


def _chosen(city: Any, what: str, only: str) -> Iterator[Spot]:
    from center.pages.resident.spots import WHAT, sort_of, spots

    sorts = [word.strip() for word in what.split(",") if word.strip()]
    for word in sorts:
        if word not in WHAT:
            raise Wrong("--what", repr(word), ", ".join(WHAT))
    wanted = {word.strip() for word in only.split(",") if word.strip()}
    left = set(wanted)
    for spot in spots(city):
        names = {spot.id, spot.id.partition(":")[2]}
        if sort_of(spot) in sorts and (not wanted or names & wanted):
            left -= names
            yield spot
    if left:
        raise Wrong("--only", ", ".join(sorted(left)), f"ids of {what} in this city")
