"""The map of all pages: under the hand, by keyboard, for those who cannot see it, and when full."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import no_serious
from tests.unit.center.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
OpenPage = Callable[..., Page]


def at(page: Page) -> tuple[float, float]:
    """Where the first pin stands on the screen."""
    box = page.locator("#map .pin").first.bounding_box()
    assert box is not None
    return box["x"], box["y"]


def test_the_map_asks_for_what_it_shows_and_draws_it(open_page: OpenPage, scene: Scene) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(page.locator("#map canvas")).to_have_count(2)
    drawn = """[...document.querySelectorAll('#map canvas')].every((canvas) => canvas.width > 0
        && canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
          .some((byte) => byte > 0))"""
    for _ in range(50):
        if page.evaluate(drawn):
            break
        page.wait_for_timeout(100)
    assert page.evaluate(drawn)
    grids = [url for url in asked if "/api/v1/grids" in url]
    assert grids
    assert all("bbox=" in url and "zoom=" in url for url in grids)


def test_the_keyboard_moves_zooms_and_shows_the_whole_city(
    open_page: OpenPage, scene: Scene
) -> None:
    scene.happen("flooding")
    page = open_page()
    expect(page.locator("#map .pin")).to_have_count(1)
    page.wait_for_timeout(300)  # the first view stands
    home = at(page)
    city = page.locator("#city")
    expect(city).to_have_attribute("aria-label", re.compile("方向键"))
    city.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(500)
    assert at(page)[0] < home[0] - 40
    page.keyboard.press("0")
    page.wait_for_timeout(600)
    assert at(page) == pytest.approx(home, abs=3)
    page.keyboard.press("+")
    page.wait_for_timeout(600)
    assert at(page) != pytest.approx(home, abs=3)


def test_a_pin_is_a_button_that_says_what_it_is_and_when_it_is_late(
    open_page: OpenPage, scene: Scene
) -> None:
    scene.happen("flooding", opened_s_ago=3_000)
    page = open_page("en-US")
    pin = page.locator("#map .pin")
    expect(pin).to_have_attribute("aria-label", re.compile("Flooding · Severe · .*overdue"))
    expect(pin.locator(".late")).to_be_visible()
    pin.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#detail")).to_be_visible()
    expect(page.locator("#map .pin")).to_have_attribute("aria-pressed", "true")


def test_many_at_one_place_are_told_together_and_come_apart(
    open_page: OpenPage, scene: Scene
) -> None:
    for _ in range(3):
        scene.happen("flooding")
    scene.happen("severed_cable")
    page = open_page()
    together = page.locator("#map .pin.many")
    expect(together).to_have_text("3")
    expect(together).to_have_attribute("aria-label", re.compile("^3 张工单 · 最高 重大 .*逐一打开"))
    expect(page.locator("#map .pin")).to_have_count(2)
    together.focus()
    page.keyboard.press("Enter")  # one place: they are opened in turn
    expect(page.locator("#detail")).to_be_visible()
    expect(page.locator("#map .pin[aria-pressed=true]")).to_have_count(1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_hinders_anybody_on_the_map(
    open_page: OpenPage, scene: Scene, theme: str
) -> None:
    for kind in ("flooding", "flooding", "severed_cable", "fibre_break"):
        scene.happen(kind, opened_s_ago=1_000)
    page = open_page()
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    expect(page.locator("#map .pin")).to_have_count(3)
    no_serious(page, "#map")


def test_a_map_without_its_data_says_so_and_comes_back(open_page: OpenPage, scene: Scene) -> None:
    page = open_page()
    page.route("**/api/v1/grids?*", lambda route: route.abort())
    page.locator("#map [data-do=in]").click()
    expect(page.locator(".map-status")).to_have_text("地图数据暂不可用")
    page.unroute("**/api/v1/grids?*")
    expect(page.locator(".map-status")).to_have_text("", timeout=15_000)
