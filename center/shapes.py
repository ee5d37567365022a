"""Bodies of the API that have no noun of their own in `contracts`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from contracts.case import Allowed
from contracts.geo import Point


class ActionBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What somebody asks of a ticket."""

    action: str
    """Such as `accept`, `arrive`, `dispose`, `verify`, `close`, `return`, `extend`, `appeal`; all
    of them, who may and in which stage: docs/generated/loop.md. The router decides."""
    by: str | None = None
    """Who asks: a worker's or a utility's id, `resident:…`, or a person's name at the center. Who
    is logged in need not say it, and cannot say another's."""
    rev: Annotated[int, msgspec.Meta(ge=0)]
    """The ticket's `rev` as the asker saw it; a stale one is refused."""
    reason: str | None = None
    note: str | None = None
    data: dict[str, Any] | None = None
    """What the action needs beside words, such as `{"until": "…Z"}`, `{"score": 4}`,
    `{"worker": "w-17"}`, `{"photos": [{"name": "after", "ref": "…"}]}`."""


class SilenceBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Whose tickets are held back, until when, by whom and why. All that is said must hold; at
    least one of kinds, sites, grid and point is."""

    until: str | int
    """ISO 8601 with a zone, or epoch milliseconds; it ends then by itself."""
    by: str
    reason: str
    since: str | int | None = None
    """Now, where it is left out."""
    kinds: tuple[str, ...] = ()
    """One of these."""
    sites: tuple[str, ...] = ()
    """One of these devices, lines, networks, cameras."""
    grid: str | None = None
    """A grid with everything inside it."""
    point: Point | None = None
    radius_m: float | None = None
    """About `point`, in metres."""


class OriginalBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Which original of an event's evidence is to be opened, and why."""

    what: Literal["clip", "still"]
    reason: str
    """Such as the number of the case; kept in the access log with the caller's name."""


class ReportBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a person reports; the same as an app sends by MQTT, `id` and `ts` may be left out."""

    text: str
    lon: float
    lat: float
    id: str | None = None
    """Makes sending again harmless."""
    ts: str | int | None = None
    """When it was seen: ISO 8601 with a zone, or epoch milliseconds."""
    kind: str | None = None
    crs: str | None = None
    """`wgs84` (default), `gcj02` or `bd09`."""
    reporter: str | None = None
    photo: str | None = None
    """A JPEG, base64."""


class ReportTaken(msgspec.Struct, frozen=True):
    """The report is durably taken; what becomes of it shows as an event and a ticket."""

    id: str
    event: str
    """The event it becomes: leads to its ticket."""


class ActionWaiting(msgspec.Struct, frozen=True):
    """The command is filed but not yet answered."""

    command: str
    reason: str


class Error(msgspec.Struct, frozen=True, omit_defaults=True):
    """Every refusal."""

    error: str
    """Short stable name for machines."""
    reason: str
    """Plain words for people."""
    path: str | None = None
    """The parameter or JSON path that is wrong."""
    rev: int | None = None
    """The ticket's current revision, when an action was refused."""


class Dossier(msgspec.Struct, frozen=True):
    """What `GET /tickets/{id}` adds to the ticket."""

    incident_detail: dict[str, Any] | None
    """The ticket's incident."""
    events: list[dict[str, Any]]
    """The incident's events, newest first, each with `links` to its evidence."""
    group_detail: dict[str, Any] | None = None
    """The incident that this one belongs to: the storm of a flooded street."""
    photographs: list[dict[str, Any]] = []
    """What people sent: `name` (near, far, reference, before, after), `by`, `at`, and `photo`, a
    signed link."""
    actions: list[Allowed] | None = None
    """What the loop allows on the ticket at this revision, in the order of its table; not there
    for who may not act. The router still decides: it knows more than the ticket."""


class FiguresLine(msgspec.Struct, frozen=True):
    """The figures of one grid, kind, utility, worker or district."""

    id: str
    name: str
    figures: dict[str, Any]
    """`reported filed due deferred closed on_time` are counts; `…_rate` 0 to 1; `first_response
    disposal recovery` are {n, mean, p50, p90} in seconds; `satisfaction` and `score` 1 to 5. What
    there is nothing to count for is null."""


class FiguresTable(msgspec.Struct, frozen=True):
    """Figures of a period [since, until), the most punctual first."""

    by: str
    since: str
    until: str
    items: list[FiguresLine]
    total: dict[str, Any]
    """Of all tickets, also of those that have no such line (no utility)."""


class Health(msgspec.Struct, frozen=True):
    """Whether the service can do its work, and why not."""

    ready: bool
    reasons: list[str]
