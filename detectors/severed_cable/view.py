"""A monitor's last words since a loss, in the classes that likelihoods know."""

from __future__ import annotations

from datetime import datetime

from contracts.city import LineNode
from detectors.severed_cable.config import SeveredCableConfig
from detectors.severed_cable.expect import View
from detectors.severed_cable.monitors import CURRENTS, MEDIUM_V, NEUTRAL, PHASES, Monitor

NOTHING_WEIGHT = 1e5
"""Weight of nothing at all having happened, against 1 for a break of one span: what single
monitors do of themselves is counted in shares of it."""
LEAST_MOVED = 0.06
"""A neutral that moved by less than this share of a phase's voltage moved as it does every day."""
LEAST_A = 0.5
"""A usual current below this tells nothing when it is gone (amperes)."""


def view_of(
    monitor: Monitor, node: LineNode, since: datetime, cfg: SeveredCableConfig
) -> View | None:
    """What it says of its channels since then; None: nothing (it is unknown, never lost)."""
    channels = monitor.channels
    fresh = monitor.fresh(since)
    gasp = monitor.gasp is not None and monitor.gasp >= since
    if not fresh and not gasp:
        return None
    steps, shares = [-1, -1, -1], [0.0, 0.0, 0.0]
    for k in fresh:
        channel = channels[PHASES[k]]
        steps[k] = channel.step()
        shares[k] = channel.value / channel.usual if channel.usual > 0 else 1.0
    neutral = channels.get(NEUTRAL)
    rose = -1
    if neutral is not None and neutral.at >= since:
        rose = int(neutral.value > neutral.high)
    three = len(fresh) == 3
    customer = node.what == "customer"
    weight = cfg.customer_weight if customer else cfg.fault_weight
    return View(
        medium=any(channels[PHASES[k]].usual >= MEDIUM_V for k in fresh),
        phases=(steps[0], steps[1], steps[2]),
        amps=_amps(monitor, since),
        neutral=rose,
        halves=(
            three and abs(shares[1] + shares[2] - 1.0) < 0.12,
            three and abs(shares[0] + shares[2] - 1.0) < 0.12,
            three and abs(shares[0] + shares[1] - 1.0) < 0.12,
        ),
        moved=shift(shares) if three else -1,
        even=three and max(shares) - min(shares) < 0.06,
        gasp=gasp,
        singles=monitor.phases,
        own=weight / NOTHING_WEIGHT,
        customer=customer,
        restless=min(4, monitor.restless),
    )


def shift(shares: list[float]) -> int:
    """Whether a neutral that moved explains three phases' shares of what they were: 1, 0; -1 when
    they hardly changed.

    With the neutral displaced by d (in shares, a phasor) each share is |e_k - d|, e_k the phases'
    unit phasors; so d = -1/3 sum s_k^2 e_k, and mean s_k^2 = 1 + |d|^2 must hold.
    """
    squares = [s * s for s in shares]
    a, b, c = squares
    along, across = (a - (b + c) / 2) / 3, (b - c) * 3**0.5 / 6
    moved = along * along + across * across
    if moved < LEAST_MOVED**2:
        return -1 if abs(sum(squares) / 3 - 1) < 0.06 else 0
    return int(abs(sum(squares) / 3 - 1 - moved) < 0.06 + 0.1 * moved)


def _amps(monitor: Monitor, since: datetime) -> tuple[int, int, int]:
    classes = [-1, -1, -1]
    for k, metric in enumerate(CURRENTS):
        channel = monitor.channels.get(metric)
        if channel is None or channel.at < since or channel.usual < LEAST_A:
            continue
        share = channel.value / channel.usual
        classes[k] = 0 if share < 0.1 else 1 if share < 0.5 else 2
    return classes[0], classes[1], classes[2]
