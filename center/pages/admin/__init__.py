"""Administration: devices, dead letters, silences and planned works, the city's data."""

from center.pages.admin import city, devices, letters
from center.pages.page import Page
from center.route import Route
from contracts.city import City
from contracts.plant import Applied, Preview


def _routes(_city: City) -> tuple[Route, ...]:
    return (
        Route(
            method="GET", path="/api/v1/admin/devices", name="admin-devices",
            summary="How every registered device is: silent, faulty, offline, seeing less than it"
            " should, learning; by id.",
            handler=devices.Devices(), access="operate", query=devices.QUERY, answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/admin/dead-letters", name="admin-dead-letters",
            summary="Messages that were set aside, why, and what became of those tried again.",
            handler=letters.listing, access="administer", query=letters.QUERY,
            answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/admin/dead-letters/{id}", name="admin-dead-letter",
            summary="One of them with the beginning of its content, as text or hexadecimal.",
            handler=letters.single, access="administer", answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/admin/dead-letters/{id}/payload",
            name="admin-dead-letter-payload", summary="What was in it, as far as it was kept.",
            handler=letters.payload, access="administer",
            answers={200: "application/octet-stream"},
        ),
        Route(
            method="POST", path="/api/v1/admin/dead-letters/retry", name="retry-dead-letters",
            summary="Give messages to the intake again; asking twice tries once.",
            handler=letters.retry, access="administer", body=letters.RetryBody,
            answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/admin/works", name="planned-works",
            summary="Planned works: those that go on, then those to come, then those over.",
            handler=city.works, access="operate", answers={200: dict},
        ),
        Route(
            method="POST", path="/api/v1/admin/works", name="add-planned-works",
            summary="Add planned works to the city's works.csv.",
            handler=city.put_work, access="administer", body=city.WorkBody,
            answers={201: Applied},
        ),
        Route(
            method="DELETE", path="/api/v1/admin/works/{id}", name="end-planned-works",
            summary="End planned works now; those that have not begun are taken out.",
            handler=city.end_work, access="administer", query=("by",), answers={200: Applied},
        ),
        Route(
            method="GET", path="/api/v1/admin/city", name="city-folder",
            summary="The files of the city's folder.",
            handler=city.about, access="administer", answers={200: dict},
        ),
        Route(
            method="GET", path="/api/v1/admin/city/files", name="city-folder-archive",
            summary="The city's folder as an archive, to be edited and sent back.",
            handler=city.download, access="administer", answers={200: "application/zip"},
        ),
        Route(
            method="POST", path="/api/v1/admin/city/preview", name="preview-city",
            summary="What some files (or an archive of them) would change: added, gone and changed"
            " devices, grids, workers …, and everything that is wrong, by file and line.",
            handler=city.preview, access="administer", body=city.PreviewBody,
            answers={200: Preview},
        ),
        Route(
            method="POST", path="/api/v1/admin/city/apply", name="apply-city",
            summary="Make a preview true: all files or none, with a backup.",
            handler=city.apply, access="administer", body=city.ApplyBody, answers={200: Applied},
        ),
    )  # fmt: skip


PAGE = Page(
    path="/admin", title=("系统管理", "Administration"), order=90, needs="operate", routes=_routes
)
