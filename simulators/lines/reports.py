"""When monitors report, and what of it arrives when."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.nouns import Reading, Status
from simulators.lines.course import Course, Stretch
from simulators.lines.values import METRICS, reach, values_of

_BAND_V = 0.05
"""Dead band of voltages: this share of the rated one is reported at once."""
_BAND_I, _LEAST_A = 0.3, 2.0
"""Dead band of currents: this share of it, and this many amperes."""
_SHOWS = 0.10
"""A voltage that changed by this share of the rated one could show the break."""
_SHOWS_N = 0.07
"""The same for the neutral."""
_STEPS_EVERY_S = 400.0
"""A customer's own switching makes a monitor report out of turn this often."""
_DROWNED = 0.1
"""Share of the meters' last gasps that drown in the others' radio."""
_SPREAD = 0.6


class Told(msgspec.Struct, frozen=True):
    """What arrived, and the first word of a break in it."""

    items: tuple[Reading | Status, ...]
    first_word: datetime | None
    showing: tuple[str, ...]


class _Reports(msgspec.Struct):
    """Reports to be: who, when, and whether it is a last gasp."""

    who: list[NDArray[np.intp]]
    when: list[NDArray[np.float64]]
    gasp: list[NDArray[np.bool_]]

    def add(self, who: NDArray[np.intp], when: NDArray[np.float64], gasp: bool = False) -> None:
        """More of them."""
        self.who.append(np.asarray(who, dtype=np.intp))
        self.when.append(np.asarray(when, dtype=np.float64))
        self.gasp.append(np.full(len(who), gasp))


def report(stretch: Stretch, rng: np.random.Generator) -> Told:
    """All readings of a take in the order of receipt."""
    course = Course(stretch, rng)
    due = _Reports([], [], [])
    _regular(stretch, course, due, rng)
    _changes(course, due, rng)
    _gasps(stretch, course, due, rng)
    _alarms(stretch, course, due, rng)
    who, t = np.concatenate(due.who), np.concatenate(due.when)
    gasp = np.concatenate(due.gasp)
    inside = (t >= 0) & (t < course.length)
    who, t, gasp = who[inside], t[inside], gasp[inside]
    order = np.lexsort((gasp, who, t))
    who, t, gasp = who[order], t[order], gasp[order]
    values = values_of(stretch, course, who, t, gasp, rng)
    heard = _heard(stretch, course, who, t, gasp, rng)
    delay = stretch.order.delay_s * np.exp(rng.normal(0, _SPREAD, len(t)))
    slow = ~course.gauges[who] & gasp  # a meter's modem queues behind its neighbours'
    received = t + np.maximum(delay, 0.02) + np.where(slow, rng.uniform(0, 3.0, len(t)), 0.0)
    return _told(stretch, course, (who, t, received, heard), values)


def _regular(stretch: Stretch, course: Course, due: _Reports, rng: np.random.Generator) -> None:
    every, monitors = stretch.order.reports_s, stretch.installed.monitors
    count = int(course.length / every) + 2
    phase = np.array([m.phase_s for m in monitors])
    t = phase[:, None] + every * np.arange(count) + rng.normal(0, 0.01 * every, (len(phase), count))
    who = np.repeat(np.arange(len(phase)), count)
    due.add(who, t.ravel())
    extra = rng.poisson(course.length / _STEPS_EVERY_S, len(phase))
    due.add(
        np.repeat(np.arange(len(phase)), extra), rng.uniform(0, course.length, int(extra.sum()))
    )


def _changes(course: Course, due: _Reports, rng: np.random.Generator) -> None:
    """Reports at once of what changed by more than the dead band, unless it was over before the
    monitor had measured it."""
    for s in range(1, len(course.starts)):
        step = np.abs(course.low[s] - course.low[s - 1])
        volts = np.nanmax(step[:, :4], axis=1, initial=0.0) > _BAND_V * course.nominal
        was = np.maximum(course.low[s - 1, :, 4:], course.low[s, :, 4:])
        band = np.maximum(_BAND_I * was, _LEAST_A)
        amps = np.nansum(step[:, 4:] > band, axis=1) > 0
        changed = np.flatnonzero(volts | amps)
        takes = np.where(
            course.gauges[changed],
            rng.uniform(0.05, 0.4, len(changed)),
            rng.uniform(0.5, 2.0, len(changed)),
        )
        t = course.starts[s] + takes
        seen = t < course.stops[s]
        due.add(changed[seen], t[seen])


def _gasps(stretch: Stretch, course: Course, due: _Reports, rng: np.random.Generator) -> None:
    hold = np.array([np.inf if m.gasp_s is None else m.gasp_s for m in stretch.installed.monitors])
    gasped: set[tuple[int, float]] = set()
    for s in range(len(course.starts)):
        since = course.dark_since[s]
        t = since + hold
        for k in np.flatnonzero((t >= course.starts[s]) & (t < course.stops[s])):
            if (int(k), float(since[k])) not in gasped:
                gasped.add((int(k), float(since[k])))
                if course.gauges[k] or rng.random() >= _DROWNED:
                    due.add(np.array([k]), np.array([t[k]]), gasp=True)


def _alarms(stretch: Stretch, course: Course, due: _Reports, rng: np.random.Generator) -> None:
    """Blows, leaning poles, fallen conductors and sick sensors make monitors report at once."""
    monitors = stretch.installed.monitors
    for strike in stretch.scene.strikes:
        felt = np.flatnonzero(reach(stretch, strike.span) * strike.peak > 1.0)
        due.add(felt, strike.at_s + rng.uniform(0.05, 0.4, len(felt)))
    for pull in stretch.scene.pulls:
        near = [
            k
            for k, m in enumerate(monitors)
            if m.node == pull.node
            and ((m.pulled and pull.tension < 0.5) or (m.shaken and pull.tilt))
        ]
        due.add(np.array(near), pull.at_s + rng.uniform(0.1, 1.0, len(near)))
    for sick in stretch.scene.sick:
        one = np.array([sick.monitor])
        if sick.what in ("zero", "phase_dead"):
            due.add(one, np.array([sick.at_s + 0.2]))
        elif sick.what == "gasp":
            due.add(one, np.array([sick.at_s]), gasp=True)
        elif sick.what == "noise":
            count = int(rng.poisson((sick.end_s - sick.at_s) / 10.0))
            due.add(np.repeat(one, count), rng.uniform(sick.at_s, sick.end_s, count))
    if stretch.scene.wind > 0:
        shaken = np.flatnonzero([m.shaken for m in monitors])
        gusts = rng.poisson(course.length / 60.0 * stretch.scene.wind, len(shaken))
        due.add(np.repeat(shaken, gusts), rng.uniform(0, course.length, int(gusts.sum())))


def _heard(
    stretch: Stretch,
    course: Course,
    who: NDArray[np.intp],
    t: NDArray[np.float64],
    gasp: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Which reports arrive."""
    heard = rng.random(len(t)) >= stretch.order.loss
    heard &= gasp | (t < course.silent_from[course.state_at(t), who])
    for silence in stretch.scene.silences:
        name = stretch.installed.gateways[silence.gateway]
        away = np.array([m.gateway == name for m in stretch.installed.monitors])
        heard &= ~(away[who] & (t >= silence.at_s))
    return heard


def _shows(stretch: Stretch, course: Course) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Monitors whose voltages show the break, and those whose tension does."""
    step = np.abs(course.low[-1] - course.low[0])
    volts = np.nanmax(step[:, :3], axis=1, initial=0.0) > _SHOWS * course.nominal
    neutral = np.nan_to_num(step[:, 3]) > _SHOWS_N * course.nominal
    pulled = np.zeros(len(volts), dtype=np.bool_)
    for k, m in enumerate(stretch.installed.monitors):
        pulled[k] = m.pulled and any(
            p.node == m.node and p.tension < 0.5 for p in stretch.scene.pulls
        )
    return volts | neutral, pulled


def _told(
    stretch: Stretch,
    course: Course,
    sent: tuple[
        NDArray[np.intp],
        NDArray[np.float64],
        NDArray[np.float64],
        NDArray[np.bool_],
    ],
    values: NDArray[np.float64],
) -> Told:
    who, t, received, heard = sent
    begin, monitors = stretch.begin, stretch.installed.monitors
    first_word: datetime | None = None
    showing: tuple[str, ...] = ()
    if stretch.scene.breaks:
        parted = float(course.starts[-1])
        volts, pulled = _shows(stretch, course)
        could = volts | pulled | course.dead[-1]
        showing = tuple(m.device for m, shows in zip(monitors, could, strict=True) if shows)
        words = received[heard & (t >= parted) & could[who]]
        if len(words):
            first_word = _moment(begin, float(words.min()))
    # numbered as sent, in the order in which each device spoke
    numbers = np.zeros(len(t), dtype=np.intp)
    for k in range(len(monitors)):
        mine = np.flatnonzero(who == k)
        numbers[mine] = np.arange(len(mine)) + 1
    items: list[Reading | Status] = []
    rows = np.flatnonzero(heard)
    rows = rows[np.argsort(received[rows], kind="stable")]
    people = who.tolist()
    said = ~np.isnan(values)
    for row in rows.tolist():
        m = monitors[people[row]]
        sent_at = _moment(begin, float(t[row]) + m.skew_s)
        got = _moment(begin, float(received[row]))
        number = int(numbers[row])
        for column in np.flatnonzero(said[row]).tolist():
            value = float(values[row, column])
            items.append(
                Reading(m.device, METRICS[column], value, sent_at, got, sent_at, 0, number, 0)
            )
    statuses = _statuses(stretch)
    if statuses:
        items = sorted([*items, *statuses], key=lambda i: i.received_at)
    return Told(tuple(items), first_word, showing)


def _statuses(stretch: Stretch) -> list[Status]:
    found = []
    for silence in stretch.scene.silences:
        if (
            silence.told_s is None
            or silence.told_s > stretch.order.before_s + stretch.order.after_s
        ):
            continue
        name, at = (
            stretch.installed.gateways[silence.gateway],
            _moment(stretch.begin, silence.told_s),
        )
        names = [name]
        if silence.each:
            names += [m.device for m in stretch.installed.monitors if m.gateway == name]
        found += [Status(n, at, at, False) for n in names]
    return found


def _moment(begin: datetime, seconds: float) -> datetime:
    return begin + timedelta(milliseconds=round(seconds * 1000))
