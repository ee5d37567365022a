"""A utility's page, opened by the link in a message."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from center.notify.passes import Passes
from center.server import CenterServer
from center.settings import CenterSettings
from tests.browser.axe import no_serious
from tests.browser.conftest import browser
from tests.unit.center.scene import Scene

__all__ = ["browser"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.xdist_group("browser")]
SECRET = "a secret of ours, long"


@pytest.fixture
def server(scene: Scene) -> Iterator[CenterServer]:
    """The center with a secret that the test knows, too."""
    server = scene.server(CenterSettings(port=0, evidence_secret=SECRET))
    server.start()
    yield server
    server.stop(2.0)


@pytest.fixture
def open_link(browser: Browser, scene: Scene, server: CenterServer) -> Iterator[Any]:
    """Opens the link of a ticket on a telephone; what the page throws fails the test."""
    contexts, errors = [], []

    def opened(ticket: str, locale: str = "zh-CN", scheme: Any = "light") -> Page:
        context = browser.new_context(
            viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True,
            locale=locale, timezone_id="Asia/Shanghai", color_scheme=scheme,
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server.url + Passes(SECRET, 3600, scene.desk.clock).make(ticket, "gd"))
        page.wait_for_selector(".stage")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


def test_what_others_do_shows_at_once_and_what_is_being_written_stays(
    scene: Scene, open_link: Any
) -> None:
    ticket = scene.happen("severed_cable")
    page = open_link(ticket)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.fill("[name=note]", "抢修车在路上")
    scene.desk.step(ticket, "accepted", "w-05")
    expect(page.locator(".stage")).to_have_text("已接单", timeout=3_000)  # polls come every 8 s
    expect(page.locator("[name=note]")).to_have_value("抢修车在路上")
    assert len([url for url in asked if "?rev=" in url and "plot" not in url]) <= 2
    scene.desk.amend(ticket, utility="tel")
    expect(page.locator("[role=alert]")).to_contain_text("已改派其他单位", timeout=3_000)


def test_accept_arrive_and_restored_with_a_note_and_a_photograph(
    scene: Scene, open_link: Any, tmp_path: Path
) -> None:
    ticket = scene.happen("severed_cable")
    page = open_link(ticket)
    picture = tmp_path / "after.jpg"
    noise = np.random.default_rng(3).integers(0, 255, (2400, 3200, 3), dtype=np.uint8)
    cv2.imwrite(str(picture), noise)
    assert picture.stat().st_size > 8_000_000, "too large to be taken as it is"
    page.locator("[data-action=accept]").tap()
    expect(page.locator(".stage")).to_have_text("已接单")
    page.locator("[data-action=arrive]").tap()
    expect(page.locator(".stage")).to_have_text("处置中")
    expect(page.locator("[name=shows]")).to_have_value("after")
    page.fill("[name=by]", "钱工")
    page.fill("[name=note]", "换了一档线")
    page.set_input_files("[name=photo]", picture)
    page.locator("[data-action=dispose]").tap()
    expect(page.locator(".stage")).to_have_text("已恢复，待核实", timeout=15_000)
    done = scene.desk.commands[-1]
    assert (done.by, done.note) == ("utility:gd", "钱工: 换了一档线")
    assert [photo["name"] for photo in (done.data or {})["photos"]] == ["after"]
    expect(page.locator("[name=note]")).to_have_value("")


def test_without_network_it_says_as_of_when_and_nothing_that_was_written_is_lost(
    scene: Scene, open_link: Any
) -> None:
    ticket = scene.happen("severed_cable")
    page = open_link(ticket)
    page.fill("[name=note]", "马上到")
    page.context.set_offline(True)
    expect(page.locator("#net")).to_contain_text("没有网络")
    page.locator("[data-action=accept]").tap()
    expect(page.locator(".said")).to_contain_text("未能提交")
    expect(page.locator("[name=note]")).to_have_value("马上到")
    page.context.set_offline(False)
    expect(page.locator("#net")).to_be_hidden(timeout=12_000)
    page.locator("[data-action=accept]").tap()
    expect(page.locator(".stage")).to_have_text("已接单")
    assert [c.action for c in scene.desk.commands] == ["accept"]


def test_both_languages_by_a_switch_and_nothing_serious_in_either_light(
    scene: Scene, open_link: Any
) -> None:
    ticket = scene.happen("severed_cable")
    page = open_link(ticket, "en-GB")
    expect(page.locator("h2").last).to_have_text("So far")
    expect(page.locator(".chart img")).to_have_js_property("complete", True)
    no_serious(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("#lang").tap()
    expect(page.locator("h2").last).to_have_text("经过")
    expect(page.locator("[data-action=accept]")).to_have_text(re.compile("接单"))
    no_serious(open_link(ticket, "zh-CN", "dark"))
