"""`gridsentry evidence`: is the proof still what was sealed, and who opened originals?"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.errors import Wrong
from gridsentry.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from gridsentry.config import Settings

EPILOG = """\
examples:
  gridsentry evidence verify --config gridsentry.toml   chains in the database, files on this disk
  gridsentry evidence verify --dir DIR                  what `replay --evidence DIR` wrote
  gridsentry evidence opened --days 30                  who opened unblurred originals, and why

exit codes: 0 all as sealed (or expired by retention), 1 something is missing, changed or broken
"""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    import argparse

    p = subparsers.add_parser(
        "evidence",
        help="verify the chains of evidence; who opened originals",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = p.add_subparsers(dest="what", metavar="WHAT", required=True)
    verify = what.add_parser("verify", help="walk every chain and every file it vouches for")
    verify.add_argument("--dir", type=Path, help="a folder that replay wrote, instead of a service")
    verify.add_argument("--json", action="store_true", help="one JSON line for every finding")
    opened = what.add_parser("opened", help="who opened unblurred originals, when and why")
    opened.add_argument("--days", type=float, default=30.0, help="how far back (default 30)")
    for one in (verify, opened):
        one.add_argument("--config", type=Path, help="configuration file (TOML)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    from gridsentry import config

    if args.what == "opened":
        return _opened(config.load(args.config), timedelta(days=args.days))
    if args.dir is not None:
        return _verify_folder(args.dir, args.json)
    return _verify_service(config.load(args.config), args.json)


def _verify_folder(folder: Path, as_json: bool) -> int:
    from contracts.batch import EvidenceLink
    from gridsentry.engine.verify import Verifier
    from gridsentry.replay.run import CHAIN, ORIGINALS

    book = folder / CHAIN
    if not book.is_file():
        raise Wrong(str(book), "is not there", "a folder that `replay --evidence` wrote")
    verifier = Verifier({"shown": folder, "original": folder / ORIGINALS}, dict)
    try:
        lines = msgspec.json.Decoder(EvidenceLink).decode_lines(book.read_bytes())
    except msgspec.MsgspecError as error:
        raise Wrong(str(book), f"has a line that is no link: {error}") from error
    # replay writes links as they are sealed, cameras mixed
    lines.sort(key=lambda link: (link.device, link.number))
    return _tell(verifier, verifier.walk(lines), as_json)


def _verify_service(settings: Settings, as_json: bool) -> int:
    from gridsentry.config import folders
    from gridsentry.engine.verify import Verifier
    from store.evidence import EvidenceStore

    with database(settings) as dsn:
        store = EvidenceStore(dsn, settings.store)
        claimed = store.claimed()  # before the links: one that comes meanwhile is claimed later
        verifier = Verifier(folders(settings), store.gone)

        def findings() -> Iterator[Any]:
            yield from verifier.walk(store.chain())
            yield from verifier.claims(claimed)

        return _tell(verifier, findings(), as_json)


def _tell(verifier: Any, findings: Iterator[Any], as_json: bool) -> int:
    """Print what is not sound (or everything, as JSON) and a summary; the exit code."""
    from gridsentry.engine.verify import SOUND

    counts: Counter[str] = Counter()
    for finding in findings:
        counts["links" if finding.what == "link" else finding.state] += 1
        sound = finding.state in SOUND
        counts["unsound"] += not sound
        if as_json:
            print(msgspec.json.encode(finding).decode())
        elif not sound:
            where = f"{finding.device} link {finding.number} ({finding.event}) {finding.what}"
            print(f"{finding.state.upper():8} {where}: {finding.reason}")
    told = ", ".join(f"{counts[s]} {s}" for s in ("intact", "expired", "missing", "changed"))
    print(
        f"{counts['links']} links of {len(verifier.heads)} cameras; files: {told}", file=sys.stderr
    )
    for device, head in sorted(verifier.heads.items()):
        print(f"{device}: newest link {head.number}, {head.hash}", file=sys.stderr)
    return 1 if counts["unsound"] else 0


def _opened(settings: Settings, back: timedelta) -> int:
    from contracts.clock import SystemClock, iso
    from store.evidence import EvidenceStore

    with database(settings) as dsn:
        for one in EvidenceStore(dsn, settings.store).opened(SystemClock().now() - back):
            print(f"{iso(one.at)}  {one.who}  {one.what}  {one.reason}")
    return 0
