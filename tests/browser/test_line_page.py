"""The chart of a torn cable on its ticket's page, by day and by night."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from center.server import CenterServer
from tests.unit.center.scene import Scene
from tests.unit.center.torn import tear, torn

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture
def scene(scene: Scene) -> Scene:
    tear(scene)
    scene.happen("severed_cable", opened_s_ago=270, evidence=torn(scene))
    return scene


def test_a_torn_cables_ticket_shows_the_map_the_monitors_and_the_reasons(
    open_page: Callable[..., Page], server: CenterServer
) -> None:
    page = open_page("en-US")
    page.locator(".card .open").click()
    chart = page.locator("#detail figure.drawn svg.line-chart")
    expect(chart).to_be_visible()
    expect(chart.locator("path.likely")).to_have_count(3)
    expect(chart.locator(".strip")).to_have_count(7)
    expect(chart).to_contain_text("sp4 88 %")
    expect(page.locator("#detail .reasons")).to_contain_text("5 monitors lost supply")
    expect(page.locator("#detail .event")).to_contain_text("outage upstream（0.2 %）")
    expect(page.locator("#detail .event")).to_contain_text("switching（8.0 %）")
    light = chart.locator(".ground").evaluate("one => getComputedStyle(one).fill")
    page.emulate_media(color_scheme="dark")
    dark = chart.locator(".ground").evaluate("one => getComputedStyle(one).fill")
    assert light != dark
    page.locator("#lang").click()
    expect(chart).to_contain_text("失电 5")
