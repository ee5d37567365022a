"""应急资源一张图: pumps, barriers and crews on the map, what is out, where to and with whom."""

from center.pages.page import Page
from center.pages.resources.api import QUERY, Resources
from center.route import Route
from contracts.city import City


def _routes(_city: City) -> tuple[Route, ...]:
    resources = Resources()
    return (
        Route(
            method="GET", path="/api/v1/resources", name="resources",
            summary="Pumps, barriers, crews …: how many there are, how many are out, with which"
            " ticket, by whom, since when; the nearest to a place first.",
            handler=resources.listing, access="operate", query=QUERY, answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/resources/{id}/tickets", name="resource-tickets",
            summary="Open tickets that a resource could go to, the nearest first.",
            handler=resources.nearest, access="operate", answers={200: dict},
        ),
    )  # fmt: skip


PAGE = Page(
    path="/resources", title=("应急资源", "Resources"), order=50, needs="operate", routes=_routes
)
