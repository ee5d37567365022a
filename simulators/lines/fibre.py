"""The trace studio: fibres measured again and again, some of them broken, with the truth beside.

`fibre_take` delivers what a detector may see (city, traces) and what happened. The truth is of the
cable as laid; instruments err on top: in their clock, their noise, their event tables.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from contracts.city import City, Device, Fibre, Grid, Limit, Profile
from contracts.geo import Point
from contracts.nouns import Trace
from contracts.sor import parse_sor
from simulators import sor
from simulators.dice import dice
from simulators.lines.fibre_light import (
    ATTENUATION_DB_PER_KM,
    BEND_FACTOR,
    INDEX,
    Glass,
    Instrument,
    Spot,
    measure,
    pulse_m,
)
from simulators.lines.fibre_route import Route, lay

HAPPENINGS = ("break", "bend", "splice_loss", "remeasured")
"""Parted; bent too tightly (light passes on, longer waves lose more); a splice or connector gone
bad (light passes on); only measured again with other settings."""
START = datetime(2026, 6, 10, 1, 0, tzinfo=UTC)
OWNER = "telecom"
PULSES_NS = (5, 10, 20, 30, 50, 100, 200, 300, 500, 1000)
_DAMAGED_DB = (0.4, 4.5)


class FibreOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One fibre watched for a while: everything else follows from the seed."""

    seed: int
    happening: str | None
    """One of HAPPENINGS; None: nothing happens."""
    length_m: float | None = None
    """Metres of light; None: 500 m to 80 km, drawn."""
    pulse_ns: int | None = None
    """None: one that suits the length, drawn."""
    before: int = 2
    """Traces while it was whole."""
    after: int = 2
    """Traces after the happening."""
    baseline: bool | None = None
    """Whether the city has a healthy trace; None: drawn."""
    table: bool | None = None
    """Whether the instrument writes a table of events; None: drawn."""


class FibreTruth(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, and where."""

    what: str | None
    at: datetime | None = None
    light_m: float | None = None
    """Metres of light from the OTDR: what `distance_m` should say."""
    point: Point | None = None
    loss_db: float | None = None
    """Of a bend or a bad splice at the take's wavelength."""
    reflectance_db: float | None = None
    """Of the broken end; None: nothing comes back."""
    pulse_m: float
    """Length of the pulse on the fibre."""
    spacing_m: float
    length_m: float
    """Metres of light to the healthy end."""
    snr_db: float
    """Backscatter over the noise just before the place (the end, where nothing happened)."""


class FibreTake(msgspec.Struct, frozen=True, kw_only=True):
    """A finished take: a detector gets `city` and `items` alone."""

    order: FibreOrder
    city: City
    fibre: str
    items: tuple[Trace, ...]
    truth: FibreTruth


def fibre_take(order: FibreOrder) -> FibreTake:
    """Lay the fibre, measure it, let happen what was ordered, measure it again."""
    rng = dice(order.seed, "fibre", "laid")
    length = order.length_m or float(np.exp(rng.uniform(np.log(500.0), np.log(80_000.0))))
    route = lay(rng, length)
    instrument, db_per_km = _instrument(rng, order, length)
    whole = _glass(rng, route)
    happened, spot, reflectance = _happen(rng, order, whole, instrument)
    version = 1 if rng.random() < 0.25 else 2
    table = order.table if order.table is not None else bool(rng.random() < 0.5)
    shots = dice(order.seed, "fibre", "shots")
    made = [
        _shoot(shots, whole, instrument, db_per_km, k, version=version, table=table)
        for k in range(-1, order.before)
    ]
    later = instrument
    if order.happening == "remeasured":
        later = _set_otherwise(rng, instrument, length)
    made += [
        _shoot(shots, happened, later, db_per_km, order.before + k, version=version, table=table)
        for k in range(order.after)
    ]
    known = order.baseline if order.baseline is not None else bool(rng.random() < 0.5)
    device = Device(
        id="otdr-01", district="d1", type="otdr", point=route.path[0], owner=OWNER, site="fibre-01"
    )
    fibre = Fibre(
        id="fibre-01",
        owner=OWNER,
        path=route.path,
        device=device.id,
        baseline=made[0][1] if known else None,
        marks=_marks(rng, route),
    )
    items = tuple(parse_sor(data, device.id, at, at + _late()) for at, data in made[1:])
    place = spot.at_m if spot else route.light_m
    lost = db_per_km * place / 1000 + sum(s.loss_db for s in whole.spots if s.at_m < place)
    return FibreTake(
        order=order,
        city=_city(fibre, device),
        fibre=fibre.id,
        items=items,
        truth=FibreTruth(
            what=order.happening,
            at=items[order.before].at if order.happening and order.after else None,
            light_m=place if spot else None,
            point=route.point(place) if spot else None,
            loss_db=spot.loss_db if spot and order.happening != "break" else None,
            reflectance_db=reflectance,
            pulse_m=pulse_m(instrument),
            spacing_m=instrument.spacing_m,
            length_m=route.light_m,
            snr_db=instrument.dynamic_db - lost,
        ),
    )


def _late() -> timedelta:
    return timedelta(seconds=2)


def _instrument(
    rng: np.random.Generator, order: FibreOrder, length: float
) -> tuple[Instrument, float]:
    """(an OTDR set so that it should see the end, the fibre's loss in dB/km)."""
    nm = int(rng.choice([1310, 1550, 1550, 1625]))
    db_per_km = float(rng.uniform(*ATTENUATION_DB_PER_KM[nm]))
    need = db_per_km * length / 1000 + 0.1 * length / 2000 + 4.0
    quality = float(rng.uniform(17.0, 21.0))  # dynamic range of a pulse of 1 ns, dB
    reach = [p for p in PULSES_NS if quality + 5 * np.log10(p) >= need] or [PULSES_NS[-1]]
    pulse = order.pulse_ns or int(reach[int(rng.integers(0, min(7, len(reach))))])
    window = length * float(rng.uniform(1.1, 1.9)) + 60.0
    spacing = max(window / float(rng.uniform(12_000, 30_000)), 0.064)
    spacing = min(spacing, max(pulse * 0.1 / 2, 0.13) if window < 30_000 else 4.0)
    spacing = max(spacing, window / 40_000)
    return (
        Instrument(
            wavelength_nm=nm,
            pulse_ns=pulse,
            spacing_m=sor.spacing_on_file(spacing, INDEX[nm]),
            window_m=window,
            dynamic_db=max(quality + 5 * float(np.log10(pulse)), need - 1.0),
            headroom_db=float(rng.uniform(5.0, 16.0)),
            linger=float(10 ** rng.uniform(-4.5, -2.5)),
            linger_m=float(rng.uniform(1.5, 8.0)) * max(pulse * 0.1, 4.0),
            socket_db=float(rng.uniform(-50.0, -35.0)),
            level_db=float(rng.uniform(-26.0, -17.0)),
            rectifies=bool(rng.random() < 0.5),
            before_m=float(rng.choice([0.0, 0.0, 20.4, 1071.0])) if window > 5000 else 0.0,
        ),
        db_per_km,
    )


def _set_otherwise(rng: np.random.Generator, instrument: Instrument, length: float) -> Instrument:
    """The same fibre with a neighbouring pulse, sometimes another window."""
    at = min(range(len(PULSES_NS)), key=lambda k: abs(PULSES_NS[k] - instrument.pulse_ns)) + int(
        rng.choice([-1, 1])
    )
    pulse = PULSES_NS[min(max(at, 0), len(PULSES_NS) - 1)]
    gained = 5 * float(np.log10(pulse / instrument.pulse_ns))
    window = length * float(rng.uniform(1.1, 1.9)) + 60.0
    spacing = max(instrument.spacing_m, window / 40_000)
    return msgspec.structs.replace(
        instrument,
        pulse_ns=pulse,
        dynamic_db=instrument.dynamic_db + gained,
        window_m=window,
        spacing_m=sor.spacing_on_file(spacing, INDEX[instrument.wavelength_nm]),
    )


def _glass(rng: np.random.Generator, route: Route) -> Glass:
    """Splices where the drums meet, a connector behind the socket and before the end of some."""
    spots = [
        Spot(at_m=at, loss_db=float(np.clip(rng.normal(0.06, 0.05), 0.0, 0.3)))
        for at in route.splices
    ]
    spots += [
        Spot(
            at_m=share * route.light_m,
            loss_db=float(rng.uniform(0.1, 0.6)),
            reflectance_db=float(rng.uniform(-58.0, -38.0)),
        )
        for share in (0.01, 0.5, 0.985)
        if rng.random() < 0.3
    ]
    spots.sort(key=lambda s: s.at_m)
    uneven = tuple(float(u) for u in rng.normal(0.0, 0.1, len(spots) + 1))
    reflectance = float(rng.choice([-14.5, -16.0, -35.0, -50.0]))
    return Glass(
        end_m=route.light_m,
        end_reflectance_db=reflectance,
        spots=tuple(spots),
        unevenness=uneven,
    )


def _happen(
    rng: np.random.Generator, order: FibreOrder, whole: Glass, instrument: Instrument
) -> tuple[Glass, Spot | None, float | None]:
    """(the fibre afterwards, what changed, the reflectance of a broken end)."""
    share = float(rng.uniform(0.02, 0.97))
    place = share * whole.end_m
    clean = bool(rng.random() < 0.45)
    reflectance = float(rng.uniform(-40.0, -14.2)) if clean else None
    lost = float(np.exp(rng.uniform(*np.log(_DAMAGED_DB))))
    if order.happening == "break":
        spots = tuple(s for s in whole.spots if s.at_m < place)
        cut = msgspec.structs.replace(
            whole,
            end_m=place,
            end_reflectance_db=reflectance,
            spots=spots,
            unevenness=whole.unevenness[: len(spots) + 1],
        )
        return cut, Spot(at_m=place), reflectance
    if order.happening == "bend":
        factor = BEND_FACTOR[instrument.wavelength_nm]
        bend = Spot(at_m=place, loss_db=lost / factor, bend=True)
        return _with(whole, bend), Spot(at_m=place, loss_db=lost), None
    if order.happening == "splice_loss":
        joints = [s.at_m for s in whole.spots if s.at_m > 60.0] or [place]
        at = joints[int(rng.integers(len(joints)))]
        return _with(whole, Spot(at_m=at, loss_db=lost)), Spot(at_m=at, loss_db=lost), None
    return whole, None, None


def _with(whole: Glass, spot: Spot) -> Glass:
    """The fibre with one more spot; the same glass goes on behind it."""
    before = [s for s in whole.spots if s.at_m <= spot.at_m]
    after = [s for s in whole.spots if s.at_m > spot.at_m]
    uneven = whole.unevenness
    return msgspec.structs.replace(
        whole,
        spots=(*before, spot, *after),
        unevenness=(*uneven[: len(before) + 1], *uneven[len(before) :]),
    )


def _shoot(
    rng: np.random.Generator,
    glass: Glass,
    instrument: Instrument,
    db_per_km: float,
    number: int,
    *,
    version: int,
    table: bool,
) -> tuple[datetime, bytes]:
    """(when, the file) of one measurement. Clock and temperature stretch it a little (4e-5)."""
    at = START + timedelta(minutes=10 * number)
    stretch = 1 + float(rng.normal(0.0, 4e-5))
    power = measure(glass, msgspec.structs.replace(
        instrument, spacing_m=instrument.spacing_m * stretch), db_per_km, rng)  # fmt: skip
    events: list[sor.KeyEvent] = []
    if table:
        events = [
            sor.KeyEvent(distance_m=s.at_m, loss_db=s.loss_db)
            for s in glass.spots
            if s.loss_db > 0.05
        ]
        found = glass.end_m + float(rng.normal(0.0, 0.2)) * pulse_m(instrument)
        shines = glass.end_reflectance_db is not None
        if rng.random() < 0.9:  # now and then an instrument does not find the end
            events.append(
                sor.KeyEvent(
                    distance_m=max(found, 0.0),
                    loss_db=20.0,
                    reflectance_db=glass.end_reflectance_db or 0.0,
                    code="1E9999LS" if shines else "0E9999LS",
                )
            )
    shot = sor.Shot(
        at=at,
        power_db=power,
        spacing_m=instrument.spacing_m,
        events=tuple(events),
        wavelength_nm=instrument.wavelength_nm,
        pulse_ns=int(instrument.pulse_ns),
        index=INDEX[instrument.wavelength_nm],
        version=version,
        front_panel_m=instrument.before_m,
    )
    return at, sor.encode(shot)


def _marks(rng: np.random.Generator, route: Route) -> tuple[tuple[float | None, float], ...]:
    """What the city knows of the splices: nothing, where they are, or how much light too."""
    draw = float(rng.random())
    if draw < 0.25:
        return ()
    places = [(at, route.chainage(at)) for at in route.splices]
    if draw < 0.6:
        return tuple((None, round(chainage, 1)) for _, chainage in places)
    return tuple((round(at, 1), round(chainage, 1)) for at, chainage in places)


def _city(fibre: Fibre, device: Device) -> City:
    lons, lats = [p.lon for p in fibre.path], [p.lat for p in fibre.path]
    west, east = min(lons) - 0.01, max(lons) + 0.01
    south, north = min(lats) - 0.01, max(lats) + 0.01
    ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return City(
        id="fibres",
        timezone="Asia/Shanghai",
        profile=Profile(name="cn-default", kinds={}, default_limit=Limit(), calendars={}),
        grids=(Grid(id="g1", name="g1", level="grid", rings=((ring,),)),),
        devices={device.id: device},
        fibres={fibre.id: fibre},
    )
