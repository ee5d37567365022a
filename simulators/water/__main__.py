"""`python -m simulators.water OUT`: let it rain on a sewer network and record its sensors.

The water is EPA SWMM's. Into OUT come city/ (manholes, pipes and devices as a real city would have
registered them), readings.jsonl.gz (what the gateways sent) and truth.json (storms, overflows,
blocked pipes, faults, outages: for scoring, never for a detector).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from contracts.errors import Wrong
from simulators.water.run import take
from simulators.water.take import Order, Take
from simulators.water.write import write

_MORE = """\
examples:
  A day and a half over the demo town's own sewers, one storm:
    python -m simulators.water /tmp/wet
  Dry weather, a pipe that blocks, a third of the sensors at fault, reports each quarter of an hour:
    python -m simulators.water /tmp/dry --storms 0 --blockages 1 --faults 0.33 --reports 900
  A SWMM file of your own (FOLDER/north.inp or north.inp.gz) under a heavy storm:
    python -m simulators.water /tmp/north --network north --networks FOLDER --years 10-50

what comes of it:
    gridsentry check OUT/city
    gridsentry replay OUT/readings.jsonl.gz --city OUT/city
The same order gives the same files, byte for byte.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="python -m simulators.water",
        description=(__doc__ or "").strip(),
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = found.add_argument
    add("out", type=Path, metavar="OUT", help="folder to write into (made if missing)")
    add("--seed", type=int, default=1, help="everything random follows from it (default 1)")
    add("--network", default="town", help="`town`, or the name of a SWMM file (default town)")
    add("--networks", type=Path, metavar="FOLDER", help="where the SWMM files lie")
    add("--hours", type=float, default=36.0, help="length of the recording (default 36)")
    add("--storms", type=int, default=1, help="storms in it; 0: dry weather (default 1)")
    add("--years", default="0.5-20", metavar="LOW-HIGH", help="return periods (default 0.5-20)")
    add("--blockages", type=int, default=0, help="pipes that block, one at a time (default 0)")
    add("--faults", type=float, default=0.0, help="share of sensors with a fault (default 0)")
    add("--outages", type=int, default=0, help="times a gateway is away (default 0)")
    add("--reports", type=float, default=60.0, metavar="SECONDS", help="spacing (default 60)")
    add("--sensors", type=float, default=0.4, help="share of manholes with one (default 0.4)")
    add("--gauges", type=int, default=1, help="rain gauges (default 1)")
    return found


def order_of(asked: argparse.Namespace) -> Order:
    """The order of a command line. Raises Wrong for return periods that are none."""
    low, _, high = str(asked.years).partition("-")
    try:
        years = (float(low), float(high or low))
    except ValueError:
        raise Wrong("--years", asked.years, "two numbers such as 0.5-20") from None
    return Order(
        seed=asked.seed,
        network=asked.network,
        hours=asked.hours,
        storms=asked.storms,
        return_years=years,
        blockages=asked.blockages,
        faults=asked.faults,
        outages=asked.outages,
        reports_s=asked.reports,
        sensors=asked.sensors,
        gauges=asked.gauges,
    )


def summary(made: Take) -> str:
    """What a take holds, in a few lines."""
    lines = [f"{len(made.readings)} readings of {len(made.city.devices)} devices"]
    lines += [f"storm at {s.begin:%m-%d %H:%M}, {s.peak_mm_h:.0f} mm/h" for s in made.storms]
    lines += [f"{o.node} overflowed at {o.begin:%m-%d %H:%M}" for o in made.overflows]
    for b in made.blockages:
        noticed = f"felt at {b.effect:%m-%d %H:%M}" if b.effect else "never felt"
        lines.append(f"{b.pipe} lost {b.lost:.0%} from {b.begin:%m-%d %H:%M}, {noticed}")
    lines += [f"{f.device} {f.what} from {f.begin:%m-%d %H:%M}" for f in made.faults]
    lines += [f"{o.gateway} away from {o.begin:%m-%d %H:%M}" for o in made.outages]
    return "\n".join(lines)


def main(words: list[str] | None = None) -> int:
    """Run what the command line asks for; 0, or 2 for an order that cannot be run."""
    asked = parser().parse_args(words)
    try:
        made = take(order_of(asked), asked.networks)
        write(made, asked.out)
    except Wrong as error:
        print(f"water: {error}", file=sys.stderr)
        return 2
    print(summary(made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
