"""交接班: who is on duty, what is open, and the handover that two people sign."""

from center.pages.page import Page
from center.pages.shift import api
from center.route import Route
from contracts.city import City


def _routes(_city: City) -> tuple[Route, ...]:
    return (
        Route(
            method="GET", path="/api/v1/shift", name="shift",
            summary="Who is on duty and comes next, what is open (the most urgent first, what it"
            " waits for, and whose that is), what is held back, and earlier handovers.",
            handler=api.shift, access="operate", answers={200: dict},
        ),
        Route(
            method="POST", path="/api/v1/shift/handovers", name="hand-over",
            summary="The leaving person signs how things stand now, with notes.",
            handler=api.make, access="operate", body=api.HandoverBody, answers={201: dict},
        ),
        Route(
            method="GET", path="/api/v1/shift/handovers/{id}", name="handover",
            summary="A handover as it was signed.",
            handler=api.single, access="operate", answers={200: dict},
        ),
        Route(
            method="POST", path="/api/v1/shift/handovers/{id}/take", name="take-over",
            summary="The coming person signs it.",
            handler=api.take, access="operate", body=api.TakeBody, answers={200: dict},
        ),
    )  # fmt: skip


PAGE = Page(path="/shift", title=("交接班", "Handover"), order=55, needs="operate", routes=_routes)
