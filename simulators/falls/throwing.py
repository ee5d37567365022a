"""Who throws what, when, and out of which opening; so that the order is met."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.dice import between, dice
from simulators.falls.physics import BODIES, Thing, fly
from simulators.falls.scene import Scene
from simulators.falls.take import Order
from simulators.falls.thrown import Drop, form

APART_S = 2.0
_FEWEST_FLOORS = 3.0
_TRIES = 80


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """A drop's way through the picture, finely sampled while its middle is inside."""

    times: NDArray[np.float64]
    """Scene times, shape (n,)."""
    pixels: NDArray[np.float64]
    """Shape (n, 2)."""
    size_px: float
    """Expected median size: the square root of the mean silhouette."""
    floors: float


def path(drop: Drop, scene: Scene) -> Path | None:
    """Its way through the picture until it leaves or the scene ends; None if it has none."""
    count = max(2, int(drop.flight.seconds / 0.01))
    since = np.linspace(0, drop.flight.seconds, count)
    places = drop.flight.at(since)
    pixels = scene.lens.project(places)
    times = drop.released_s + since
    w, h = scene.size
    with np.errstate(invalid="ignore"):
        inside = (pixels[:, 0] >= 0) & (pixels[:, 0] < w) & (pixels[:, 1] >= 0)
        inside &= (pixels[:, 1] < h) & (times < scene.seconds)
    if np.count_nonzero(inside) < 3:
        return None
    depth = scene.lens.camera_space(places[inside])[:, 2]
    size = math.sqrt(drop.thing.silhouette_m2) * scene.lens.focal_px / float(np.median(depth))
    heights = places[inside, 1]
    return Path(
        times=times[inside],
        pixels=pixels[inside],
        size_px=size,
        floors=float(heights.max() - heights.min()) / scene.floor_m,
    )


def drops(order: Order, scene: Scene) -> list[Drop]:
    """The falls of a scene, in the order of release.

    Each is drawn anew until it can be seen over three floors, has the ordered size and ends in the
    scene's time; where that cannot be, the one that comes closest is taken. Raises ValueError when
    there is no room for one at all.
    """
    found: list[Drop] = []
    for number in range(order.falls):
        rng = dice(order.seed, "fall", number)
        room = order.seconds - 0.8 - APART_S * (order.falls - 1)
        earliest = 0.8 if not found else found[-1].released_s + APART_S
        best: tuple[float, Drop] | None = None
        for _ in range(_TRIES):
            drop = _draw(rng, scene, _wanted(rng, order), earliest)
            if drop is None:
                continue
            way = path(drop, scene)
            if way is None:
                continue
            late = (
                max(0.0, drop.landed_s - order.seconds)
                if way.times[-1] > order.seconds - 0.05
                else 0.0
            )
            miss = max(0.0, _FEWEST_FLOORS - way.floors) + late
            if order.size_px is not None:
                low, high = order.size_px
                miss += 5 * abs(math.log(min(max(way.size_px, low), high) / way.size_px))
            if best is None or miss < best[0]:
                best = (miss, _later(rng, drop, way, order, earliest, room))
            if miss == 0.0:
                break
        if best is None:
            raise ValueError(
                f"order.falls is {order.falls}: no room for fall {number + 1} within "
                f"{order.seconds:g} s of {order.place}, with {APART_S:g} s between falls"
            )
        found.append(best[1])
    return found


def _wanted(rng: np.random.Generator, order: Order) -> float | None:
    """The size to aim for, px; small ones as often as large ones (log-uniform)."""
    if order.size_px is None:
        return None
    low, high = order.size_px
    return math.exp(between(rng, (math.log(low), math.log(max(high, low * 1.0001)))))


def _later(
    rng: np.random.Generator,
    drop: Drop,
    way: Path,
    order: Order,
    earliest: float,
    room: float,
) -> Drop:
    """The same drop at some time that leaves it and those after it the time they need."""
    length = float(way.times[-1] - way.times[0])
    latest = (
        min(order.seconds - length - 0.2, 0.8 + room)
        if order.falls > 1
        else (order.seconds - length - 0.2)
    )
    if latest <= earliest:
        return drop
    share = rng.random() if order.falls == 1 else rng.random() * 0.5
    return msgspec.structs.replace(drop, released_s=earliest + share * (latest - earliest))


def _draw(
    rng: np.random.Generator, scene: Scene, wanted: float | None, released: float
) -> Drop | None:
    """One throw: an opening, a thing that looks as large as wanted, a hand's speed, the wind."""
    openings = [one for one in scene.openings if one.what != "roof" or rng.random() < 0.5]
    if not openings:
        return None
    opening = openings[int(rng.integers(len(openings)))]
    u0, v0, u1, v1 = opening.box
    place = (
        between(rng, (u0 + 0.15 * (u1 - u0), u1 - 0.15 * (u1 - u0))),
        between(rng, (v0 + 0.05 * (v1 - v0), v0 + 0.7 * (v1 - v0))),
        opening.out_m * between(rng, (0.4, 1.2)),
    )
    # half way down it is as far from the camera as it will be on the median
    middle = np.array([place[0], place[1] / 2, place[2] + 1.0])
    thing = _thing(rng, scene.lens.px_per_m(middle), wanted)
    if thing is None:
        return None
    outward = between(rng, (0.2, 4.0)) if rng.random() < 0.6 else between(rng, (0.0, 1.0))
    velocity = (
        float(rng.normal(0, 0.7)),
        between(rng, (-1.5, 1.8)),
        outward,
    )
    wind = (float(rng.normal(0, 1.4)), float(rng.normal(0, 0.15)), float(rng.normal(0, 0.6)))
    size = thing.size_m[0]
    rhythm = (
        between(rng, (0, 2 * math.pi)),
        between(rng, (-0.6, 0.6)),
        between(rng, (0.1, 0.2)) / size,
    )
    flight = fly(
        place, velocity, thing.drag_per_m, wind=wind, flutter=thing.body.flutter, rhythm=rhythm
    )
    axis = rng.standard_normal(3)
    axis /= np.linalg.norm(axis)
    # a flick of the wrist turns small things faster than large ones
    spin = between(rng, (0.3, 3.0)) / max(size, 0.06) ** 0.7
    if thing.body.form == "sheet":  # turns once with each swing
        spin = 2 * math.pi * rhythm[2] * thing.terminal_m_s
    low, high = thing.body.shade
    return Drop(
        thing=thing,
        flight=flight,
        opening=opening,
        released_s=released,
        form=form(rng, thing),
        axis=(float(axis[0]), float(axis[1]), float(axis[2])),
        spin_rad_s=spin,
        shade=between(rng, (low, high)),
        gloss=between(rng, (0.1, 0.6)) if thing.body.form != "sheet" else 0.3,
    )


def _thing(rng: np.random.Generator, per_m: float, wanted: float | None) -> Thing | None:
    """A body, as large as comes; or one that can look `wanted` px large, at the scale it takes."""
    options = []
    for body in BODIES:
        usual = math.sqrt(Thing(body=body, scale=1.0).silhouette_m2) * per_m
        low, high = body.scale
        if wanted is None:
            if usual >= 1.5:
                options.append(Thing(body=body, scale=between(rng, (low, high))))
        elif low <= wanted / usual <= high:
            options.append(Thing(body=body, scale=wanted / usual))
    if not options and wanted is not None:  # the nearest there is

        def miss(body_index: int) -> float:
            body = BODIES[body_index]
            usual = math.sqrt(Thing(body=body, scale=1.0).silhouette_m2) * per_m
            return abs(math.log(wanted / usual))

        body = BODIES[min(range(len(BODIES)), key=miss)]
        usual = math.sqrt(Thing(body=body, scale=1.0).silhouette_m2) * per_m
        options = [
            Thing(
                body=body, scale=min(max(wanted / usual, body.scale[0] * 0.7), body.scale[1] * 1.5)
            )
        ]
    if not options:
        return None
    weights = np.array([thing.body.often for thing in options])
    return options[int(rng.choice(len(options), p=weights / weights.sum()))]
