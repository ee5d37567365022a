"""One job: simulate each order, let the detectors and the rules look, compare with the truth."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench._common.code import code_hash
from bench.lines import match
from bench.lines.pictures import Picture, picture
from bench.lines.plan import Job
from bench.lines.rules import Rules
from bench.lines.tree import Tree
from bench.lines.watch import Episode, begin_of, watch
from simulators.lines.run import take as simulate
from simulators.lines.take import Order, Take

CODE: Final = (
    "simulators/lines",
    "simulators/dice.py",
    "simulators/frame.py",
    "contracts",
    "detectors/__init__.py",
    "detectors/_common",
    "detectors/severed_cable",
    "detectors/pole_tilt",
    "ingest/screen.py",
    *(f"bench/lines/{name}.py" for name in
      ("match", "pictures", "plan", "rules", "scene", "tree", "watch")),
)  # fmt: skip
"""What a result depends on."""
LIBRARIES: Final = ("numpy", "msgspec", "scipy", "opendssdirect.py", "dss-python")
PICTURES: Final = 2
"""Of each sort, of one job."""
YEAR_S: Final = 365.25 * 86_400


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one order."""

    seed: int
    how: str = ""
    """In which way a confounder came, where there are several."""
    reports_s: float = 60.0
    years: float = 0.0
    """Monitors × years."""
    items: int = 0
    broken: match.Broken | None = None
    said: match.Said | None = None


class Result(msgspec.Struct, kw_only=True):
    """What became of one job."""

    job: Job
    error: str | None = None
    seen: tuple[Seen, ...] = ()
    pictures: tuple[Picture, ...] = ()


def result_code() -> str:
    """The code that a result depends on, as it stands."""
    return code_hash(CODE, LIBRARIES)


def score(job: Job, feeders: Path) -> Result:
    """Never raises: what fails is told in the result."""
    result = Result(job=job)
    seen: list[Seen] = []
    pictures: list[Picture] = []
    for order in job.orders():
        try:
            one, drawn = judge(simulate(order, feeders))
        except Exception:
            result.error = f"seed {order.seed}: {traceback.format_exc()}"
            continue
        seen.append(one)
        pictures += drawn
    result.seen = tuple(seen)
    sorts: dict[str, list[Picture]] = {}
    for one_picture in sorted(pictures, key=lambda p: -p.worth):
        sorts.setdefault(one_picture.sort, []).append(one_picture)
    result.pictures = tuple(p for some in sorts.values() for p in some[:PICTURES])
    return result


def judge(take: Take) -> tuple[Seen, list[Picture]]:
    """Compare what the detectors and the rules say of a take with its truth."""
    order = take.order
    episodes = watch(take)
    (line,) = take.city.lines
    tree = Tree(line)
    rules = Rules(tree, begin_of(take))
    alarms = rules.run(take.items)
    monitors = sum(device in tree.node_of for device in take.city.devices)
    broken = said = None
    if take.breaks:
        broken = match.broken(take, episodes, alarms, tree)
    else:
        said = match.said(take, episodes, alarms)
    seen = Seen(
        seed=order.seed,
        how=take.confounders[0].how if take.confounders else "",
        reports_s=order.reports_s,
        years=monitors * (order.before_s + order.after_s) / YEAR_S,
        items=len(take.items),
        broken=broken,
        said=said,
    )
    return seen, _pictures(order, take, seen, episodes, rules, tree)


def _pictures(
    order: Order, take: Take, seen: Seen, episodes: Sequence[Episode], rules: Rules, tree: Tree
) -> list[Picture]:
    """Of what went wrong."""
    told, sort, worth = "", "", 0.0
    if seen.broken is not None:
        answer = seen.broken.answers[match.OURS]
        told = match.why(seen.broken)
        sort, worth = f"missed {seen.broken.what}", 1e6
        if answer is not None:
            sort, worth = f"wrong {seen.broken.what}", answer.metres or 0.0
    elif seen.said is not None and (seen.said.confirmed or seen.said.suspected):
        told = seen.said.words
        sort, worth = f"false: {order.happening or 'quiet'}", 1e3 * seen.said.confirmed
    if not told:
        return []
    where = f"{order.feeder} {order.monitors} {order.seed}, every {order.reports_s:.0f} s"
    title = f"{where}{' ' + seen.how if seen.how else ''}\n{told}"
    return [picture(take, episodes, rules, tree, sort, worth, title)]
