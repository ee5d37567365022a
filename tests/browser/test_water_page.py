"""The chart of a flood on its ticket's page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from center.server import CenterServer
from tests.unit.center.scene import Scene
from tests.unit.center.wet import ABOVE, drench, rising

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture
def scene(scene: Scene) -> Scene:
    drench(scene)
    scene.happen(
        "flooding", opened_s_ago=1800, evidence=rising(scene.desk.clock.now())
    )  # before the server starts: it reads the city once
    return scene


def test_a_floods_ticket_shows_level_lines_fan_rain_neighbours_and_alarm(
    open_page: Callable[..., Page], server: CenterServer
) -> None:
    page = open_page("en-US")
    page.locator(".card .open").click()
    chart = page.locator("#detail figure.drawn svg.chart")
    expect(chart).to_be_visible()
    for part in (
        ".line",
        ".limit.warn",
        ".limit.close",
        ".limit.rim",
        ".fan",
        ".rain",
        "line.alarm",
    ):
        expect(chart.locator(part)).to_have_count(1)
    expect(chart).to_contain_text(f"upstream {ABOVE}")
    box = chart.bounding_box()
    assert box is not None
    assert box["width"] > 400, "as wide as the panel, so that its words can be read"
    page.locator("#lang").click()
    expect(chart).to_contain_text(f"上游 {ABOVE}")
