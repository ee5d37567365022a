"""The routes of SensorThings."""

from __future__ import annotations

from center.route import Route
from center.sensorthings.asking import OPTIONS
from center.sensorthings.service import ROOT, SensorThings, service


def sensorthings_routes() -> tuple[Route, ...]:
    """Two for the service root, with and without the slash, and one for all below it."""
    roots = (("sensorthings", ROOT), ("sensorthings-root", f"{ROOT}/"))
    return (
        *(
            Route(
                method="GET", path=path, name=name,
                summary="OGC SensorThings API 1.1, read only: its entity sets.",
                handler=service, access="read", answers={200: dict},
            )
            for name, path in roots
        ),
        Route(
            method="GET", path=f"{ROOT}/{{path}}", name="sensorthings-entities",
            summary="OGC SensorThings API 1.1: devices as Things, their metrics as Datastreams,"
            " readings as Observations; `Datastreams('lvl-1:level')/Observations`.",
            handler=SensorThings(), access="read", query=OPTIONS, answers={200: dict},
        ),
    )  # fmt: skip
