"""Every route of the center in one table: the app and the OpenAPI document are made from it."""

from __future__ import annotations

from typing import Any

from center import (
    evidence,
    figures,
    geodata,
    history,
    live,
    ops,
    originals,
    photos,
    plot,
    reads,
    silences,
    writes,
)
from center.context import Handler
from center.feeds import cap, exports, open311, shown
from center.notify import counter, office
from center.pages import page_routes
from center.query import FILTERS
from center.route import Route
from center.sensorthings.table import sensorthings_routes
from center.shapes import (
    ActionBody,
    ActionWaiting,
    Dossier,
    FiguresTable,
    Health,
    OriginalBody,
    ReportBody,
    ReportTaken,
    SilenceBody,
)
from contracts.case import Incident, Silence, Ticket
from contracts.city import City
from contracts.event import Event
from contracts.ports import What

ITEMS: dict[What, type | None] = {
    "tickets": Ticket,
    "incidents": Incident,
    "events": Event,
    "silences": Silence,
    "devices": None,
    "workers": None,
    "dead-letters": None,
    "readings": None,
}
"""The noun of each listing; None: a plain JSON object."""

ORDER: dict[What, str] = {
    "readings": "oldest first: of one `device`, or of all within a day at most (`until` is now"
    " and `since` an hour before it, when not given).",
    "devices": "by id: as registered, with what was last heard.",
    "workers": "by id: as registered, with their last position.",
}
_STREAM = ("last_event_id", "from", "type", "kind", "grid")


def routes(city: City, openapi: Handler) -> tuple[Route, ...]:
    """The table for this city; `openapi` serves the document made from it."""
    table = []
    for what, noun in ITEMS.items():
        one = what.removesuffix("s")
        table += [
            Route(
                method="GET", path=f"/api/v1/{what}", name=f"list-{what}",
                summary=f"One page of {what}, "
                + ORDER.get(what, "newest first."),
                handler=reads.listing, access="read", query=FILTERS[what],
                answers={200: (list, noun)},
            ),
            Route(
                method="GET", path=f"/api/v1/{what}/{{id}}", name=f"get-{one}",
                summary="A ticket with its incident, events and evidence links."
                if what == "tickets" else f"One {one}.",
                handler=reads.single, access="read",
                answers={200: (Ticket, Dossier) if what == "tickets" else noun or dict},
            ),
        ]  # fmt: skip
    table += [
        Route(
            method="GET", path=f"/api/v1/{what}/{{id}}/plot.svg",
            name=f"plot-{what.removesuffix('s')}",
            summary="The chart of a water incident (level with its lines, forecast, rain, sensors"
            " up- and downstream, where the alarm fell) or of a line incident (map with the"
            " probability by span, voltages around the moment, a fibre's trace over its baseline).",
            handler=plot.plot, access="read", query=("width", "lang"),
            answers={200: "image/svg+xml"},
        )
        for what in plot.PLOTTED
    ]  # fmt: skip
    table += [
        Route(
            method="POST", path="/api/v1/tickets/{id}/actions", name="act-on-ticket",
            summary="Ask for a step of a ticket; the router applies it or refuses with a reason.",
            handler=writes.act, access="work", body=ActionBody,
            answers={200: Ticket, 202: ActionWaiting},
        ),
        Route(
            method="POST", path="/api/v1/tickets/{id}/photos", name="add-photo",
            summary="Keep a photograph (JPEG or PNG, at most 8 MB; written anew without EXIF, long"
            " side 1600 px); `ref` goes into an action's `data.photos`.",
            handler=photos.add, access="work", query=("name",), body=bytes,
            body_type="image/jpeg", answers={201: photos.Stored},
        ),
        Route(
            method="POST", path="/api/v1/silences", name="silence",
            summary="Hold tickets back until a time, for a reason; events and incidents go on.",
            handler=silences.make, access="operate", body=SilenceBody,
            answers={201: Silence, 202: ActionWaiting},
        ),
        Route(
            method="DELETE", path="/api/v1/silences/{id}", name="lift-silence",
            summary="End a silence now: what it held back and still goes on gets its ticket.",
            handler=silences.lift, access="operate", query=("by", "reason"),
            answers={200: Silence, 202: ActionWaiting},
        ),
        Route(
            method="POST", path="/api/v1/reports", name="report",
            summary="File a resident's report.",
            handler=writes.report, access="report", body=ReportBody, answers={202: ReportTaken},
        ),
        Route(
            method="POST", path="/api/v1/events/{id}/original", name="open-original",
            summary="The unblurred clip or still of an event: needs the right `originals` and a"
            " reason, which is noted before the file is sent.",
            handler=originals.original, access="originals", body=OriginalBody,
            answers={200: "application/octet-stream"},
        ),
        Route(
            method="GET", path="/api/v1/stream", name="stream",
            summary="Server-Sent Events: every change of a ticket, incident, event or silence;"
            " CloudEvents, resumed by Last-Event-ID.",
            handler=live.stream, access="read", query=_STREAM, answers={200: "text/event-stream"},
        ),
        Route(
            method="GET", path="/api/v1/targets", name="targets",
            summary="How each outgoing target stands, and what was not delivered.",
            handler=office.targets, access="evidence", answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/passes/{link}", name="look-by-link",
            summary="The ticket that a signed link of a utility opens, without personal data;"
            " 204 while it is at the `rev` that is given.",
            handler=counter.look, access="pass", query=("rev",), answers={200: dict},
        ),
        Route(
            method="POST", path="/api/v1/passes/{link}/actions", name="act-by-link",
            summary="A step of that ticket in the utility's name: accept, arrive, dispose"
            " (restored), return, note.",
            handler=counter.act, access="pass", body=counter.PassBody,
            answers={200: dict, 202: ActionWaiting},
        ),
        Route(
            method="POST", path="/api/v1/passes/{link}/photos", name="add-photo-by-link",
            summary="A photograph for that ticket; `ref` goes into the step's `photos`.",
            handler=counter.photo, access="pass", query=("name",), body=bytes,
            body_type="image/jpeg", answers={201: photos.Stored},
        ),
        Route(
            method="GET", path="/api/v1/grids", name="grids",
            summary="The grid polygons as GeoJSON: all, or what a viewport shows at a zoom.",
            handler=geodata.grid_places(city), query=("bbox", "zoom"), answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/assets", name="assets",
            summary="Drains, lines and fibres as GeoJSON: all, or what a viewport shows at a zoom.",
            handler=geodata.asset_places(city), query=("bbox", "zoom"), answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/city", name="city",
            summary="The city's names: kinds, stages, utilities, workers.",
            handler=geodata.About(city), answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/openapi.json", name="openapi",
            summary="This document.", handler=openapi, answers={200: dict},
        ),
        Route(
            method="GET", path="/evidence/{path}", name="evidence",
            summary="A picture, clip or track, by signed link or bearer token; answers Range.",
            handler=evidence.evidence, query=("exp", "sig"),
            answers={200: "application/octet-stream"},
        ),
        Route(
            method="GET", path="/healthz", name="healthz", summary="Alive.",
            handler=ops.healthz, answers={200: dict},
        ),
        Route(
            method="GET", path="/readyz", name="readyz",
            summary="Ready, or 503 with the reasons.",
            handler=ops.readyz, answers={200: Health, 503: Health},
        ),
        Route(
            method="GET", path="/metrics", name="metrics", summary="Prometheus metrics.",
            handler=ops.metrics, answers={200: "text/plain"},
        ),
        Route(
            method="GET", path="/feeds/cap.atom", name="cap-feed",
            summary="Open tickets as CAP 1.2 alerts in an Atom feed.",
            handler=cap.feed, answers={200: "application/atom+xml"},
        ),
        Route(
            method="GET", path="/feeds/cap/{id}.xml", name="cap-alert",
            summary="One ticket as CAP 1.2 alert.",
            handler=cap.alert_file, answers={200: "application/cap+xml"},
        ),
        Route(
            method="GET", path="/feeds/tickets.geojson", name="geojson-feed",
            summary="Open tickets as GeoJSON points.",
            handler=exports.geojson, access="read", answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/tickets.csv", name="tickets-csv",
            summary="Tickets as CSV (UTF-8 with mark), with the listing's filters and"
            " those of the desk's page.",
            handler=exports.table, access="evidence",
            query=(*FILTERS["tickets"], *shown.QUERY),
            answers={200: "text/csv"},
        ),
        Route(
            method="GET", path="/api/v1/figures", name="figures",
            summary="Rates and times of grids, kinds, utilities, workers or districts over a"
            " period: filing, closing on time, rework, response, satisfaction, the grid's verdict.",
            handler=figures.table, access="evidence", query=figures.QUERY,
            answers={200: FiguresTable},
        ),
        Route(
            method="GET", path="/api/v1/figures.csv", name="figures-csv",
            summary="The same as CSV (UTF-8 with mark).",
            handler=figures.sheet, access="evidence", query=figures.QUERY,
            answers={200: "text/csv"},
        ),
        Route(
            method="GET", path="/api/v1/history", name="history",
            summary="Readings over time by device and metric, raw or rolled up (1m, 15m, 1h, 1d; by"
            " itself so that there are at most `points`), as JSON, CSV or Arrow.",
            handler=history.history, access="evidence", query=history.QUERY,
            answers={200: dict},
        ),
        Route(
            method="GET", path="/feeds/{mapping}/tickets.json", name="mapped-tickets",
            summary="Open tickets as another system wants them: `wecom`, `hotline12345`.",
            handler=exports.mapped_list, access="evidence", answers={200: list},
        ),
        Route(
            method="GET", path="/feeds/{mapping}/tickets/{id}.json", name="mapped-ticket",
            summary="One ticket as another system wants it.",
            handler=exports.mapped, access="evidence", answers={200: dict},
        ),
    ]  # fmt: skip
    for ext in ("json", "xml"):
        table += _open311(ext)
    return (*table, *sensorthings_routes(), *page_routes(city))


def _open311(ext: str) -> tuple[Route, ...]:
    """GeoReport v2 in one of its two formats."""
    name, base = ("open311" if ext == "json" else "open311-xml"), "/open311/v2"
    shape: Any = list if ext == "json" else "text/xml"
    return (
        Route(
            method="GET", path=f"{base}/services.{ext}", name=f"{name}-services",
            summary="GeoReport v2: what can be reported.",
            handler=open311.services, query=open311.COMMON, answers={200: shape},
        ),
        Route(
            method="GET", path=f"{base}/services/{{code}}.{ext}", name=f"{name}-service",
            summary="GeoReport v2: the further fields of a service (none).",
            handler=open311.definition, query=open311.COMMON,
            answers={200: dict if ext == "json" else shape},
        ),
        Route(
            method="GET", path=f"{base}/requests.{ext}", name=f"{name}-requests",
            summary="GeoReport v2: tickets as service requests.",
            handler=open311.requests, query=open311.LIST, answers={200: shape},
        ),
        Route(
            method="GET", path=f"{base}/requests/{{id}}.{ext}", name=f"{name}-request",
            summary="GeoReport v2: one service request.",
            handler=open311.single, query=open311.COMMON, answers={200: shape},
        ),
        Route(
            method="GET", path=f"{base}/tokens/{{token}}.{ext}", name=f"{name}-token",
            summary="GeoReport v2: the request that a posted report became.",
            handler=open311.token, query=open311.COMMON, answers={200: shape},
        ),
        Route(
            method="POST", path=f"{base}/requests.{ext}", name=f"{name}-report",
            summary="GeoReport v2: file a report (form fields); answers with a token.",
            handler=open311.file, access="report", query=open311.COMMON, body=open311.Form,
            body_type="application/x-www-form-urlencoded", answers={201: shape},
        ),
    )  # fmt: skip
