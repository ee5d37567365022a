"""How it goes: figures by grid, kind, department, worker and time, hot spots, and how often alarms
are right."""

from typing import Any

from center.context import Handler
from center.pages.analysis import api, labels
from center.pages.page import Page
from center.route import Route
from contracts.annals import Label
from contracts.city import City

TABLES: dict[str, tuple[Handler, str, tuple[str, ...]]] = {
    "series": (api.series, "The figures of each hour, day, week or month of a period.", ("step",)),
    "ratings": (api.ratings, "What each grid thinks of each department's work (1 to 5).", ()),
    "spots": (
        api.spots,
        "Places where the same happened again: the window, the pipe, the span, the device.",
        ("kind",),
    ),
    "detectors": (
        api.detectors,
        "How often alarms are right, by kind and by device, with a 95 % interval; labels decide,"
        " else closed work speaks for an alarm.",
        (),
    ),
}


def _routes(_city: City) -> tuple[Route, ...]:
    table: list[Route] = []
    for name, (handler, summary, query) in TABLES.items():
        asked = (*api.PERIOD, *query)
        answers: dict[str, Any] = {"": dict, ".csv": "text/csv"}
        table += [
            Route(
                method="GET", path=f"/api/v1/analysis/{name}{ending}",
                name=f"analysis-{name}{ending.replace('.', '-')}",
                summary=summary if not ending else "The same as CSV (UTF-8 with mark).",
                handler=handler, access="operate", query=asked, answers={200: shape},
            )
            for ending, shape in answers.items()
        ]  # fmt: skip
    return (
        *table,
        Route(
            method="GET", path="/api/v1/labels", name="labels",
            summary="What people said of events: true, false (and what it was), or missed.",
            handler=labels.listing, access="operate", query=labels.QUERY,
            answers={200: (list, Label)},
        ),
        Route(
            method="GET", path="/api/v1/labels.jsonl", name="labels-jsonl",
            summary="The same, one JSON object a line, the oldest first: for scorecards.",
            handler=labels.lines, access="operate", query=labels.QUERY,
            answers={200: "application/x-ndjson"},
        ),
        Route(
            method="GET", path="/api/v1/labels/causes", name="label-causes",
            summary="What a false alarm may have been, by kind, in both languages.",
            handler=labels.reasons, answers={200: dict},
        ),
        Route(
            method="POST", path="/api/v1/labels", name="label",
            summary="Say of an event, or of all events of a ticket, that it was so or was not, or"
            " that something was missed.",
            handler=labels.give, access="operate", body=labels.LabelBody,
            answers={201: labels.Given},
        ),
        Route(
            method="DELETE", path="/api/v1/labels/{id}", name="take-back-label",
            summary="Take back what was said.", handler=labels.take_back, access="operate",
            query=("by",), answers={200: Label},
        ),
    )  # fmt: skip


PAGE = Page(
    path="/analysis", title=("统计分析", "Analysis"), order=60, needs="operate", routes=_routes
)
