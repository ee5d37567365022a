"""The tables and properties of the files that say how a city is governed, as people write them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gridsentry.city.raw import Count, Id, Pair, Positive, Raw, Text

Clock = Annotated[
    str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="HH:MM, 00:00 to 23:59")
]
Weekday = Annotated[int, Meta(ge=1, le=7, description="1 (Monday) to 7 (Sunday)")]
Severity = Annotated[int, Meta(ge=1, le=5, description="1 minor to 5 extreme")]


class SpecialProperties(Raw, frozen=True, kw_only=True):
    """Properties of a polygon in `special.geojson`: a grid for one purpose over the others."""

    id: Id
    name: Text | None = None
    what: Text
    """A scenic area, a market, a school, a station, a main road (`main_road`)."""
    kinds: tuple[str, ...] = ()
    """Only for incidents of these kinds; empty: for all."""
    level: Text = "special"
    parent: Text | None = None
    """The grid it reports to; left out: the smallest one around it."""
    valid_from: Text | None = None
    valid_to: Text | None = None


class BarrierProperties(Raw, frozen=True, kw_only=True):
    """Properties of a feature in `barriers.geojson`: a polygon people must go round, or a Point
    where it can be crossed (`barrier` names whose)."""

    id: Id
    name: Text | None = None
    what: Text | None = None
    """A river, a railway, a wall; for a point: bridge, underpass, ferry."""
    barrier: Text | None = None
    """The barrier that this point crosses."""


class ResponseTable(Raw, frozen=True, kw_only=True):
    """A `[[response]]` of `responses.toml`: who else is called for a kind."""

    id: Id | None = None
    kind: str | tuple[str, ...] = "*"
    grid: Text | None = None
    """With everything inside it; left out: everywhere."""
    when: Literal["road_blocked"] | None = None
    """A fact that must be true; left out: always."""
    severity: Severity = 1
    """From this severity on."""
    departments: tuple[Text, ...] = ()
    """Of `utilities.csv`: each gets a sub-ticket."""
    helpers: Count = 0
    skills: tuple[str, ...] = ()
    """What the helpers must be able to do."""
    resources: tuple[Text, ...] = ()
    """Sorts (`what`) of `resources.csv` that are offered, the nearest first."""


class PatrolTable(Raw, frozen=True, kw_only=True):
    """A `[[patrol]]` of `patrols.toml`: a round by the clock (`at`), when rain is forecast or
    begins (`when = "rain"`), or both."""

    id: Id
    name: Text | None = None
    """Chinese name (as `name_zh`)."""
    name_zh: Text | None = None
    name_en: Text | None = None
    points: tuple[Pair, ...] = ()
    """[[lon, lat], …] to visit, in order."""
    assets: tuple[Text, ...] = ()
    """Devices, nodes or poles to look at, in order."""
    grid: Text | None = None
    """The grid whose people go; left out: that of the first place."""
    at: tuple[Clock, ...] = ()
    weekdays: tuple[Weekday, ...] = (1, 2, 3, 4, 5, 6, 7)
    when: Literal["rain"] | None = None
    from_mm_h: Positive = 8.0
    """Rain from this intensity on (mm/h): above 8 an hour's rain counts as heavy (大雨) in
    Chinese practice."""
    not_again_s: Annotated[float, Meta(ge=0, le=86_400, description="0 to 86400 s (a day)")] = (
        21_600.0
    )
    within_s: Annotated[float, Meta(ge=60, le=86_400, description="60 s to 86400 s (a day)")] = (
        7_200.0
    )
    role: Text | None = None
    """Who goes; left out: any role that patrols."""
    checklist: tuple[Text, ...] = ()
