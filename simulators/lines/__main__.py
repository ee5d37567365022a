"""`python -m simulators.lines OUT`: let a conductor part, or something that looks like it, and
record what the monitors of its feeder say.

The power flow is EPRI's OpenDSS. Into OUT come city/ (poles, spans, transformers, customers and
devices as a real city would have registered them), readings.jsonl.gz (what the gateways sent) and
truth.json (what broke where and whose cables, or what else happened: for scoring, never for a
detector).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from contracts.errors import Wrong
from simulators.lines.run import FEEDERS, MONITORS, take
from simulators.lines.take import BREAKS, CONFOUNDERS, Order, Take
from simulators.lines.write import write

_MORE = """\
examples:
  A span of a town's 10 kV line or of one of its 0.4 kV nets is torn down:
    python -m simulators.lines /tmp/torn
  The neutral of a village's net parts; only ends, customers and the transformer are watched:
    python -m simulators.lines /tmp/neutral --feeder village --what neutral_open --monitors leaves
  The IEEE 123-node feeder under a recloser's cycles (FOLDER holds 123Bus/IEEE123Master.dss):
    python -m simulators.lines /tmp/recloser --feeder ieee123 --feeders FOLDER --what recloser

what comes of it:
    gridsentry check OUT/city
    gridsentry replay OUT/readings.jsonl.gz --city OUT/city
The same order gives the same files, byte for byte.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="python -m simulators.lines",
        description=(__doc__ or "").strip(),
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = found.add_argument
    add("out", type=Path, metavar="OUT", help="folder to write into (made if missing)")
    add("--seed", type=int, default=1, help="everything random follows from it (default 1)")
    add("--feeder", default="town", help=f"{', '.join(FEEDERS)} (default town)")
    add("--feeders", type=Path, metavar="FOLDER", help="where the OpenDSS files lie")
    words = ", ".join(("none", *BREAKS, *CONFOUNDERS))
    add("--what", default="severed", help=f"what happens: {words} (default severed)")
    add("--monitors", default="everywhere", help=f"{', '.join(MONITORS)} (default everywhere)")
    add("--before", type=float, default=180.0, metavar="SECONDS", help="time before (default 180)")
    add("--after", type=float, default=240.0, metavar="SECONDS", help="time after (default 240)")
    add("--reports", type=float, default=60.0, metavar="SECONDS", help="spacing (default 60)")
    add("--loss", type=float, default=0.05, help="share of reports lost (default 0.05)")
    add("--delay", type=float, default=0.3, metavar="SECONDS", help="median delay (default 0.3)")
    return found


def order_of(asked: argparse.Namespace) -> Order:
    """The order of a command line."""
    return Order(
        seed=asked.seed,
        feeder=asked.feeder,
        happening=None if asked.what == "none" else asked.what,
        monitors=asked.monitors,
        before_s=asked.before,
        after_s=asked.after,
        reports_s=asked.reports,
        loss=asked.loss,
        delay_s=asked.delay,
    )


def summary(made: Take) -> str:
    """What a take holds, in a few lines."""
    lines = [f"{len(made.items)} readings of {len(made.city.devices)} devices"]
    for b in made.breaks:
        phases = " ".join("abc"[p - 1] for p in b.phases) or "neutral"
        whose = ", ".join(b.owners)
        lines.append(f"{b.span} {b.what} ({phases}) at {b.at:%m-%d %H:%M:%S}, of {whose}")
    for c in made.confounders:
        how = f" ({c.how})" if c.how else ""
        lines.append(f"{c.what}{how} from {c.begin:%m-%d %H:%M:%S}: {', '.join(c.assets[:4])}")
    return "\n".join(lines)


def main(words: list[str] | None = None) -> int:
    """Run what the command line asks for; 0, or 2 for an order that cannot be run."""
    asked = parser().parse_args(words)
    try:
        made = take(order_of(asked), asked.feeders)
        write(made, asked.out)
    except Wrong as error:
        print(f"lines: {error}", file=sys.stderr)
        return 2
    print(summary(made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
