"""The office pages in a real Chromium, over a scene with work behind it: shared by their tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page

from center.server import CenterServer
from center.settings import CenterSettings
from contracts.case import Change, Step
from contracts.city import Resource
from contracts.clock import iso
from contracts.geo import Point
from gridsentry.city.folder import CityFolder
from gridsentry.city.init import init_city
from gridsentry.live.plant import ServicePlant
from gridsentry.live.tally import TicketTally
from router.engine import GridRouter
from tests.unit.center.scene import LAT, LON, STEP, Scene

OpenOffice = Callable[..., Page]
STAGES = ("accepted", "arrived", "disposed", "verified", "closed")


def finished(scene: Scene, kind: str, hours_ago: float) -> str:
    """A ticket of so long ago that was worked on and closed."""
    id_ = scene.happen(kind, opened_s_ago=hours_ago * 3600)
    ticket = scene.desk.nouns[id_]
    steps = [
        Step(at=ticket.opened_at + timedelta(minutes=6 * n), change=stage, by="w-05")
        for n, stage in enumerate(STAGES, 1)
    ]
    scene.desk.amend(id_, "closed", stage="closed", timeline=(*ticket.timeline, *steps))
    return id_


@pytest.fixture
def worked(scene: Scene) -> Scene:
    """Three throws from one window and a flooding, finished; a flooding that goes on."""
    pumps = {
        f"pump-{n}": Resource(
            id=f"pump-{n}", what="pump", name=f"移动泵{n}号", owner="water", count=3,
            point=Point(LON + n * STEP, LAT + 1.2 * STEP),
        )
        for n in (1, 2, 4)
    }  # fmt: skip
    workers = {
        id_: msgspec.structs.replace(worker, shift=("", "08:00-20:00", "20:00-08:00")[n % 3])
        for n, (id_, worker) in enumerate(scene.city.workers.items())
    }
    scene.city = msgspec.structs.replace(scene.city, resources=pumps, workers=workers)
    for hours in (3, 5, 26):
        finished(scene, "high_altitude_throw", hours)
    finished(scene, "flooding", 4)
    scene.happen("flooding", severity=5, opened_s_ago=600)
    return scene


@pytest.fixture
def office_server(worked: Scene, tmp_path: Path) -> Iterator[CenterServer]:
    """The center with figures, a city folder, and a router for silences."""
    init_city(tmp_path / "city")
    folder = CityFolder(tmp_path / "city", tmp_path / "state")
    plant = ServicePlant(folder, lambda: worked.city, {}, list)
    router = GridRouter(worked.city)
    own = worked.desk.file_command

    async def file_command(command, wait_s):  # type: ignore[no-untyped-def]
        if command.action not in ("silence", "lift"):
            return await own(command, wait_s)
        changes, answer = router.on_command(command, worked.desk.clock.now())
        for change in changes:
            assert isinstance(change, Change)
            worked.desk.put(change)
        return answer

    worked.desk.file_command = file_command  # type: ignore[method-assign]
    server = worked.server(CenterSettings(port=0), tally=TicketTally, plant=plant)
    server.start()
    yield server
    server.stop(2.0)


@pytest.fixture
def open_office(browser: Browser, office_server: CenterServer) -> Iterator[OpenOffice]:
    """Opens an office page as a person would; what it logs as an error fails the test."""
    contexts, errors = [], []

    def opened(path: str, locale: str = "zh-CN", width: int = 1440, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, locale=locale, timezone_id="Asia/Shanghai",
            color_scheme=scheme, reduced_motion="reduce", accept_downloads=True,  # type: ignore[arg-type]
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(office_server.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


def moment(scene: Scene, **ago: float) -> str:
    """Then, as the wire says it."""
    return iso(scene.desk.clock.now() - timedelta(**ago))


__all__ = ["OpenOffice", "moment", "office_server", "open_office", "worked"]
