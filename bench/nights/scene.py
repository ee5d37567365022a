"""Plays one night under one policy, or plans it with all that was to come."""

from __future__ import annotations

import time
import traceback
from datetime import timedelta

import msgspec
import numpy as np

from bench._common.code import ROOT, code_hash
from bench.nights.greedy import GreedyNearest
from bench.nights.offline import plan
from bench.nights.plan import Job
from bench.nights.watched import Watched
from contracts.city import City
from router.engine import GridRouter
from router.profiles import load
from router.settings import RouterSettings
from simulators.duty.night import Order, borough, troubles
from simulators.duty.play import Play

AFTER = timedelta(hours=12)
"""A night is played so long after its last trouble; who was not reached by then never is."""
PLAYED = (
    *("contracts", "simulators/duty", "simulators/dice.py", "simulators/names.py"),
    *("bench/nights/scene.py", "bench/nights/watched.py"),
)
OURS = ("router", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("router/profiles/*.toml")))
DECIDES = {
    "joint": OURS,
    "each": OURS,
    "greedy": ("bench/nights/greedy.py",),
    "offline": ("bench/nights/offline.py",),
}
"""What else a policy's results hang on."""


class Result(msgspec.Struct, kw_only=True):
    """What became of a night."""

    job: Job
    error: str | None = None
    waits: list[float] = []
    """Seconds from each trouble, in the order of the troubles, to somebody standing there; who was
    never reached waits until the end of the night."""
    severities: list[int] = []
    unreached: int = 0
    closed: int = 0
    resent: int = 0
    reworks: int = 0
    escalations: int = 0
    km: float | None = None
    """None where nobody really walks: a plan."""
    refused: list[str] = []
    decisions: int = 0
    spent_s: float = 0.0
    """Processor time of all decisions."""
    p99_s: float = 0.0
    """Of one decision, the 99th percentile."""


def night(job: Job) -> tuple[City, Order]:
    """The borough of a job and what is ordered of its night."""
    order = Order(seed=job.seed, people=job.people)
    return borough(order, load("cn-default")), order


def score(job: Job) -> Result:
    """Play it; a crash is told in the result."""
    try:
        return planned(job) if job.policy == "offline" else played(job)
    except Exception:
        return Result(job=job, error=traceback.format_exc())


def played(job: Job) -> Result:
    """One night in virtual time."""
    city, order = night(job)
    happens = troubles(order)
    router = Watched(_router(job.policy, city))
    journal = Play(router, city, happens, seed=job.seed).run(happens[-1].at + AFTER)
    courses = list(journal.courses.values())
    return Result(
        job=job,
        waits=journal.waits().tolist(),
        severities=[c.severity for c in courses],
        unreached=journal.unreached(),
        closed=sum(c.closed_at is not None for c in courses),
        resent=router.resent,
        reworks=sum(c.reworks for c in courses),
        escalations=sum(c.escalations for c in courses),
        km=journal.metres / 1000,
        refused=journal.refused,
        decisions=len(router.spent_s),
        spent_s=sum(router.spent_s) + router.positions_s,
        p99_s=float(np.quantile(router.spent_s, 0.99)),
    )


def planned(job: Job) -> Result:
    """The best plan that was found for it."""
    city, order = night(job)
    happens = troubles(order)
    begin = time.process_time()
    best = plan(city, happens, seed=job.seed, rounds=job.rounds)
    return Result(
        job=job,
        waits=best.all_waits().tolist(),
        severities=[t.severity for t in happens],
        closed=len(happens),
        decisions=1,
        spent_s=time.process_time() - begin,
    )


def mark(job: Job) -> bytes:
    """The code of the policy alone: a router that is tuned leaves the reference as it was."""
    if job.policy not in _MARKS:
        _MARKS[job.policy] = code_hash(DECIDES[job.policy], ("numpy", "msgspec", "scipy")).encode()
    return _MARKS[job.policy]


_MARKS: dict[str, bytes] = {}


def result_code() -> str:
    """Of what every policy's results hang on."""
    return code_hash(PLAYED, ("numpy", "msgspec"))


def _router(policy: str, city: City) -> GridRouter | GreedyNearest:
    if policy == "greedy":
        return GreedyNearest(city)
    settings = RouterSettings() if policy == "joint" else RouterSettings(policy="each")
    return GridRouter(city, settings)
