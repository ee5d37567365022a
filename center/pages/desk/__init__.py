"""The operator's desk: queue, map, and one ticket with its evidence."""

from center.pages.desk import building, bulk, menu, names, queue
from center.pages.page import Page
from center.route import Route
from contracts.city import City


def _routes(_city: City) -> tuple[Route, ...]:
    return (
        Route(
            method="GET", path="/api/v1/queue", name="queue",
            summary="Every open ticket in the few fields that a list shows, the most urgent first"
            " (overdue, severity, the next clock); kept up to date by the stream.",
            handler=queue.Queue(), access="read", query=("first",), answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/names", name="names",
            summary="What grids (with all they lie in) and workers are called.",
            handler=names.names, access="read", query=("grids", "workers"), answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/pages", name="pages",
            summary="The pages that whoever asks may open, in the menu's order.",
            handler=menu.menu, answers={200: list},
        ),
        Route(
            method="GET", path="/api/v1/desk/panels", name="desk-panels",
            summary="The parts that the desk shows of a ticket.",
            handler=menu.Panels(), answers={200: list},
        ),
        Route(
            method="POST", path="/api/v1/desk/acknowledge", name="acknowledge-many",
            summary="Acknowledge up to 500 tickets at once: their alarm is silent and their ladder"
            " waits until the acknowledgement expires (`router.acknowledge_s`).",
            handler=bulk.acknowledge, access="operate", body=bulk.BulkBody,
            answers={200: bulk.BulkDone},
        ),
        Route(
            method="GET", path="/api/v1/buildings/{camera}", name="building",
            summary="The facade before a camera: its windows, and those from which something fell"
            " before.",
            handler=building.building, access="evidence", answers={200: dict},
        ),
    )  # fmt: skip


PAGE = Page(path="/", title=("工作台", "Desk"), order=10, needs="read", routes=_routes)
