"""What a device measured, looked at from administration."""

from __future__ import annotations

import math
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.axe import no_serious
from tests.browser.office import OpenOffice, office_server, open_office, worked
from tests.unit.center.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
__all__ = ["office_server", "open_office", "worked"]
HOUR_MS = 3_600_000


def test_a_closer_look_asks_for_the_grain_that_fits(open_office: OpenOffice, worked: Scene) -> None:
    now = worked.desk.clock.now()
    for minute in range(1, 1440):
        at = now - timedelta(minutes=minute)
        for metric, value in (("battery", 3.6), ("level", 1 + math.sin(minute / 100))):
            worked.desk.measurements.append(("lvl-3", metric, at, 0, value))
    page = open_office("/admin?q=lvl-3")
    asked: list[dict[str, list[str]]] = []
    page.on(
        "request",
        lambda r: asked.append(parse_qs(urlsplit(r.url).query)) if "v1/history" in r.url else None,
    )
    opener = page.locator('[data-history="lvl-3"]')
    opener.click()
    metrics = page.locator("#history section")
    expect(metrics).to_have_count(2)
    assert metrics.first.get_attribute("data-metric") == "level", "what it is there for comes first"
    expect(page.locator("#history canvas")).to_have_count(2)
    no_serious(page, "#history")

    def wide(query: dict[str, list[str]]) -> float:
        return (int(query["until"][0]) - int(query["since"][0])) / HOUR_MS

    assert wide(asked[-1]) == pytest.approx(24, abs=0.01)
    over = page.locator("#history .u-over").first.bounding_box()
    assert over is not None
    y = over["y"] + 40
    page.mouse.move(over["x"] + 0.5 * over["width"], y)
    page.mouse.down()
    page.mouse.move(over["x"] + 0.53 * over["width"], y, steps=4)
    page.mouse.up()
    expect(page.locator("#history .his-head .soft")).to_have_text("逐条读数")
    assert wide(asked[-1]) == pytest.approx(0.03 * 24, abs=0.1)
    assert len(asked) == 2, "two charts, one question"
    page.locator("[data-do='7d']").click()
    expect(page.locator("[data-do='7d']")).to_have_attribute("aria-pressed", "true")
    assert wide(asked[-1]) == pytest.approx(168, abs=0.01)
    page.locator("[data-do=in]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-do='7d']")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("[data-do=in]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
