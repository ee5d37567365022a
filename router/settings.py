"""What can be tuned about routing. City facts (codes, limits, calendars) live in the profile."""

from __future__ import annotations

from typing import Literal

import msgspec


class RouterSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Distances in metres, durations in seconds."""

    ladder: bool = True
    """Reminders and escalations; off in `replay --no-escalate`."""

    join_radius_m: float = 50.0
    """Events of one kind this near are one incident (the field's "similar case": 50 m)."""
    join_radius_by_kind: dict[str, float] = msgspec.field(
        default_factory=lambda: {"sensor_silent": 150.0}
    )
    """Kinds with a radius of their own."""
    error_radius_cap_m: float = 500.0
    """An event's own `error_m` widens its radius, at most by this."""
    relapse_s: float = 1800.0
    """A new episode this soon after the last one ended belongs to it, while work goes on."""
    moment_kinds: tuple[str, ...] = ("high_altitude_throw", "loud_sound")
    """Kinds that are over in a moment: no sensor can say that the work is done."""
    moment_window_s: float = 10.0
    """Two momentary events this close in time are one (several cameras, one fall)."""
    report_window_s: float = 86400.0
    """A resident's report joins an incident this long (the field's "similar case": 24 h)."""
    report_window_by_kind: dict[str, float] = msgspec.field(
        default_factory=lambda: {
            "high_altitude_throw": 3600.0,
            "flooding": 43_200.0,
            "street_light_out": 604_800.0,
            "manhole_cover_displaced": 259_200.0,
            "pole_tilt": 604_800.0,
        }
    )
    """Kinds with a window of their own: what stays broken is reported for days, water runs off
    within hours, and of a fall people talk within the hour."""
    asset_kinds: tuple[str, ...] = (
        "street_light_out",
        "pole_tilt",
        "hydrant_no_pressure",
        "manhole_cover_displaced",
        "sensor_silent",
        "sensor_faulty",
    )
    """Kinds that are about one asset: the same device again joins its incident while a ticket of
    it is open, however long ago it seemed over."""
    related_kinds: tuple[tuple[str, ...], ...] = (("severed_cable", "fibre_break", "pole_tilt"),)
    """Kinds with one cause when near in place and time; the first of a group names it."""
    related_radius_m: float = 150.0
    """How near related kinds must be."""
    related_window_s: float = 600.0
    """How close in time related kinds must begin."""
    explained_by: dict[str, tuple[str, ...]] = msgspec.field(
        default_factory=lambda: {
            "sensor_silent": ("severed_cable",),
            "street_light_out": ("severed_cable",),
            "hydrant_no_pressure": ("severed_cable",),
        }
    )
    """Symptoms and the causes that explain them: they join and get no ticket of their own."""
    fed_kinds: tuple[str, ...] = ("street_light_out", "hydrant_no_pressure")
    """Symptoms that only the line's topology explains, never mere nearness: lamps and pumps have
    reasons of their own."""
    fed_reach_m: float = 30.0
    """What stands this near to a customer's connection or a transformer is fed from it (where no
    node of the line is registered for the device itself)."""
    check_first: tuple[str, ...] = ("severed_cable",)
    """Kinds of which a faint suspicion (`state` suspected, at most `check_severity`, reported by
    nobody) sends a grid worker to look, and calls the owner once it is confirmed."""
    check_severity: int = 3
    """From the next severity on the owner is called at once."""
    drain_reach_m: float = 500.0
    """Blockages told of at pipes this near along the drains are one."""
    suspected_of: dict[str, tuple[str, ...]] = msgspec.field(
        default_factory=lambda: {"flooding": ("drain_blocked",)}
    )
    """What is probably behind a kind without making it a mere symptom (water above a blocked
    drain): it keeps its ticket, and the ticket names the cause."""
    explained_radius_m: float = 500.0
    """How near a symptom must be to its cause."""
    explained_window_s: float = 900.0
    """How long before its cause a symptom may have begun."""
    grace_s: float = 60.0
    """A symptom waits this long for its cause before it becomes a ticket ..."""
    grace_kinds: tuple[str, ...] = ("sensor_silent",)
    """... if it is one of these; others are tickets at once, withdrawn when a cause turns up."""
    evidence_kinds: tuple[str, ...] = ("loud_sound",)
    """Kinds that nobody is ever sent for: they only make other things more or less likely."""
    keep_evidence_s: float = 300.0
    """How long such an event waits for what it belongs to."""
    bang_radius_m: float = 150.0
    """A bang is heard at most this far from a fall or a line (an event's `error_m` widens it)."""
    bang_landing_s: float = 0.4
    """A bang may come so much before or after the moment when a fall's landing is heard."""
    bang_cable_s: float = 3.0
    """The same around a line's own report that it is cut."""
    bangs_per_hour: float = 818.0
    """Bangs heard in a city without anything having happened (measured on beds of city sound)."""
    bang_recall: float = 0.84
    """Share of bangs 10 dB above the street that are found (measured; of those at 20 dB: all)."""
    silence_max_s: float = 604_800.0
    """A silence lasts no longer than this: what is held back for ever is forgotten."""
    hold_broken_by: int = 5
    """From this severity on neither a silence nor a planned work holds a ticket back."""
    never_held: tuple[str, ...] = ("high_altitude_throw",)
    """Kinds whose tickets are never held back: a danger to life without warning."""
    works_hold: tuple[str, ...] = (
        *("severed_cable", "fibre_break", "pole_tilt", "street_light_out", "hydrant_no_pressure"),
        *("drain_blocked", "manhole_cover_displaced", "sensor_silent", "sensor_faulty"),
    )
    """Kinds that planned works hold back at their place: what crews do themselves. Water on the
    street and what residents report is somebody's trouble, planned or not."""
    storm_kinds: tuple[str, ...] = ("flooding",)
    """Kinds that a storm makes: several of them are one storm's, each with its own ticket."""
    storm_places: int = 3
    """From so many places on it is a storm."""
    storm_window_s: float = 10_800.0
    """So long after its last street a storm still gains another (a heavy shower passes within one
    to three hours)."""
    storm_reach_m: float = 5000.0
    """How near to one of its streets the next must be (cells of heavy showers are 5 to 10 km)."""
    storm_rain_mm_h: float = 2.5
    """Less rain makes no storm (moderate rain begins here): gauges that say less are believed,
    and where none speaks at all there is no storm."""
    self_healing_kinds: tuple[str, ...] = ("sensor_silent", "sensor_faulty")
    """A ticket nobody has taken yet is withdrawn when the sensor itself says it is over."""
    observer_kinds: tuple[str, ...] = ("high_altitude_throw", "loud_sound", "citizen_report")
    """Kinds where the device only watched: its owner is not the one responsible."""

    off_grid_m: float = 200.0
    """A point outside every grid belongs to the nearest one within this."""
    move_m: float = 20.0
    """People are told when the place of an incident moved by more than this."""

    walking_mps: float = 1.3
    """Walking speed (m/s): the usual design value for adult pedestrians. Roles of the profile may
    have a speed of their own."""
    riding_mps: float = 2.5
    """Who gets about faster than this rides: steps and footways are slow for them."""
    detour: float = 1.3
    """Walked distance over crow-fly distance in a street network, where there is no road map."""
    off_road_m: float = 1000.0
    """A place farther than this from any road of the map is reached crow-fly."""
    no_way_cost_s: float = 3600.0
    """No known way there (another island) weighs like this much more travel."""
    load_cost_s: float = 1800.0
    """Each ticket a worker still has to see to weighs like this much more travel: the way there and
    the work (median some 25 minutes in simulated storm nights), then they are free."""
    offer_cost_s: float = 60.0
    """Each offer they have not answered yet weighs like this much more again: an answer late."""
    policy: Literal["joint", "each"] = "joint"
    """`joint`: tickets that can still move are matched together whenever something changed, who is
    at work is given what they go to next, and an offer without an answer goes to the next; `each`:
    a ticket goes to its own best once, and stays until somebody returns it or the ladder climbs."""
    age_share: float = 1.0
    """What has waited an hour may be so many hours farther away: who goes where in scarcity, and
    what people are believed to go to first."""
    gravity_s: float = 600.0
    """One severity more may be so much farther away (seconds of travel)."""
    work_s: float = 900.0
    """What work on site takes while nobody has said that it is done."""
    rematch_reach_m: float = 3000.0
    """Tickets this near to what changed are thought over again."""
    rematch_most: int = 120
    """At most so many at once, the gravest and oldest."""
    resend_s: float = 120.0
    """Nobody is re-sent twice within this."""
    offer_share: float = 0.1
    """An offer that is not answered within this share of the time to accept goes to the next."""
    offer_least_s: float = 120.0
    """But not sooner than this."""
    offer_busy: float = 3.0
    """Who had something else to see to when it was sent gets so many times as long."""
    most_offers: int = 3
    """Nobody is sent more while this many offers are unanswered, unless nobody else is there."""
    unskilled_cost_s: float = 900.0
    """A missing skill weighs like this much more travel."""
    outside_cost_s: float = 30.0
    """Being responsible for another grid weighs like this much more travel."""
    coverage_cost_s: float = 180.0
    """Taking the last free worker out of another community weighs like this much more travel for
    a severity of 1, less for the graver, and nothing for a severity of 5."""
    stability_s: float = 180.0
    """When several are matched together, an offer nobody has accepted moves to somebody else only
    if that saves more than this."""
    coverage_level: str = "community"
    """The level of the grids that are not to be left without a free worker."""
    stale_position_s: float = 1800.0
    """An older position is not believed: the registered place is used."""
    roam_m: float = 600.0
    """People stay about their grid: however old a position, they are expected within this of it.
    (A grid of Jiangsu is about 1 km², a disc of 564 m.)"""
    runners_up: int = 5
    """How many runners-up a ticket keeps."""
    office_roles: tuple[str, ...] = ("liaison",)
    """Roles that are never sent to a place. Those of the profile's ladder are sent only when nobody
    else is on shift."""
    helper_roles: tuple[str, ...] = ("helper",)
    """Roles that help others (辅助员): sent alone only when nobody else can be."""

    consult_s: float = 7200.0
    """How long the first receiver of an unclear ownership may take to name the utility, and each
    rung above after them. The Beijing 12345 draft has the first receiver lead (首接负责) and sends
    unclear duty up; two hours, as it gives emergencies, is our choice."""
    help_wait_s: float = 600.0
    """A helper who says nothing for so long while somebody is at work is replaced by the next."""
    rain_reach_m: float = 5000.0
    """Measured rain (and a forecast flooding) calls for patrols this near: what a summer storm's
    cell covers."""
    forecast_reach_m: float = 25000.0
    """Forecast rain calls for patrols this near to the device that told of it."""

    verify_wait_s: float = 1800.0
    """Where the profile sets no verification limit: how long a sensor may still contradict."""
    escalate_every_s: float = 1800.0
    """From one rung of the ladder to the next (on the ticket's calendar)."""
    remind_every_s: float = 14400.0
    """After the top rung the reminders go on at this pace: an overdue ticket is never silent."""
    acknowledge_s: float = 1800.0
    """An acknowledgement holds back the next rung by this much, then it expires."""
    supervised_pace: float = 0.5
    """Each 督办 of a person shortens the pauses of the ladder by this factor."""
    shortest_pause_s: float = 300.0
    """But not below this."""
    ask_s: float = 1800.0
    """A question to people (is it over? more time? whose is it?) is asked again after this long,
    one rung higher."""
    most_returns: int = 3
    """After so many returns a ticket goes to the grid head instead of the next worker."""
    suspend_s: float = 604800.0
    """挂账 without a date comes back after this long."""
    suspend_most_s: float = 15552000.0
    """No date of a suspension or an extension may lie further ahead (180 days)."""
    reopen_s: float = 86400.0
    """So long after closing, a relapse or a resident may open a ticket again (kept at most
    `keep_ended_s`)."""
    appeal_s: float = 86400.0
    """So long after a verdict an appeal is heard."""
    closes_itself_s: float = 1800.0
    """What a sensor verified and did not take back for this long is closed without a person, the
    parent after its parts; 0: never."""
    keep_ended_s: float = 86400.0
    """How long ended incidents and tickets stay known."""
