"""The wall, as it hangs in the hall: nobody touches it, and it is right or says that it is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from center.server import CenterServer
from center.settings import CenterSettings, Token
from tests.browser.axe import no_serious
from tests.unit.center.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
OpenWall = Callable[..., Page]


@pytest.fixture
def open_wall(browser: Browser, server: CenterServer) -> Iterator[OpenWall]:
    contexts, errors = [], []

    def opened(
        width: int = 1920, height: int = 1080, locale: str = "zh-CN", path: str = "/wall",
        url: str = "",
    ) -> Page:  # fmt: skip
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale=locale,
            timezone_id="Asia/Shanghai", reduced_motion="reduce",
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((url or server.url) + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


def counter(page: Page, name: str) -> str:
    return page.locator(f"[data-name={name}] dd").inner_text()


def test_it_shows_the_city_and_what_happens_without_being_touched(
    open_wall: OpenWall, scene: Scene
) -> None:
    first = scene.happen("flooding", severity=5)
    page = open_wall()
    expect(page.locator("body")).to_have_attribute("data-state", "live")
    expect(page.locator("#map .pin")).to_have_count(1)
    assert counter(page, "open") == "1"
    scene.happen("severed_cable", severity=4)
    expect(page.locator("#map .pin")).to_have_count(2)
    expect(page.locator("[data-name=open] dd")).to_have_text("2")
    expect(page.locator("#ticker li").first).to_contain_text("架空线缆断裂")
    scene.desk.step(first, "accepted", "w-01")
    expect(page.locator("[data-name=onway] dd")).to_have_text("1")
    expect(page.locator("#ticker li").first).to_contain_text(re.compile("道路积水.*已接单", re.S))
    scene.desk.step(first, "closed", "desk")
    expect(page.locator("#map .pin")).to_have_count(1)
    expect(page.locator("[data-name=closed] dd")).to_have_text("1")
    no_serious(page)


@pytest.mark.parametrize(
    ("width", "height", "locale"),
    [(1920, 1080, "zh-CN"), (3840, 2160, "en-US"), (1080, 1920, "zh-CN")],
)
def test_every_word_can_be_read_from_six_metres(
    open_wall: OpenWall, scene: Scene, width: int, height: int, locale: str
) -> None:
    for kind in ("flooding", "severed_cable", "high_altitude_throw", "citizen_report"):
        scene.happen(kind)
    page = open_wall(width, height, locale)
    expect(page.locator("#map .pin")).not_to_have_count(0)
    small = page.evaluate(
        """() => { const least = Math.min(innerWidth, innerHeight) / 40, found = [];
        const few = (n) => n.outerHTML.slice(0, 80);
        for (const n of document.querySelectorAll('body *')) {
          const box = n.getBoundingClientRect(), own = [...n.childNodes];
          if (box.width < 3 || n.matches('.late, .late *') || n.closest('svg')) continue;
          if (!own.some((c) => c.nodeType === 3 && c.textContent.trim())) continue;
          if (parseFloat(getComputedStyle(n).fontSize) < least) found.push(few(n));
        } return found; }"""
    )
    assert not small
    axis = page.locator("#trend text").first.bounding_box()
    assert axis is not None
    assert axis["height"] >= min(width, height) / 50
    cut = page.evaluate(
        """() => [...document.querySelectorAll('section, dl > div, figure, header')]
        .filter((n) => n.scrollWidth > n.clientWidth + 2 || n.scrollHeight > n.clientHeight + 3)
        .map((n) => n.id || n.outerHTML.slice(0, 60))"""
    )
    assert not cut
    assert page.evaluate("document.documentElement.scrollHeight") <= height


def test_it_says_that_it_is_cut_off_and_recovers_by_itself(
    open_wall: OpenWall, scene: Scene, server: CenterServer
) -> None:
    scene.happen("flooding")
    page = open_wall()
    expect(page.locator("body")).to_have_attribute("data-state", "live")
    expect(page.locator("#away")).to_be_hidden()
    port = server.port
    server.stop(2.0)
    expect(page.locator("#away")).to_be_visible(timeout=15_000)
    expect(page.locator("#away b")).to_have_text("与中心的连接中断")
    expect(page.locator("#away span")).to_contain_text("画面停留在")
    assert "grayscale" in page.evaluate("getComputedStyle(document.querySelector('dl')).filter")
    scene.happen("severed_cable")
    again = scene.server(CenterSettings(port=port))
    again.start()
    try:
        expect(page.locator("body")).to_have_attribute("data-state", "live", timeout=30_000)
        expect(page.locator("#away")).to_be_hidden()
        expect(page.locator("[data-name=open] dd")).to_have_text("2")
        expect(page.locator("#map .pin")).to_have_count(2)
    finally:
        again.stop(2.0)


def test_a_database_that_is_away_is_said_and_the_last_picture_stays(
    open_wall: OpenWall, scene: Scene
) -> None:
    scene.happen("flooding")
    page = open_wall()
    expect(page.locator("[data-name=open] dd")).to_have_text("1")
    scene.desk.down = True
    expect(page.locator("#away b")).to_have_text("数据暂时无法更新", timeout=15_000)
    assert counter(page, "open") == "1"
    scene.desk.down = False
    scene.happen("severed_cable")
    expect(page.locator("[data-name=open] dd")).to_have_text("2", timeout=15_000)
    expect(page.locator("#away")).to_be_hidden()


def test_other_pages_on_the_server_are_loaded_by_themselves(
    open_wall: OpenWall, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_wall()
    expect(page.locator("body")).to_have_attribute("data-state", "live")
    with page.expect_event("load", timeout=20_000):
        monkeypatch.setattr("center.pages.wall.api.build", lambda: "another")
    expect(page.locator("body")).to_have_attribute("data-state", "live")


def test_a_screen_without_a_keyboard_brings_its_token_along(
    open_wall: OpenWall, scene: Scene
) -> None:
    scene.happen("flooding")
    viewer = Token(token="viewer-token-000001", name="hall", role="viewer")
    reporter = Token(token="reporter-token-0001", name="app", role="reporter")
    server = scene.server(CenterSettings(port=0, tokens=(viewer, reporter)))
    server.start()
    try:
        page = open_wall(path="/wall#token=viewer-token-000001", url=server.url)
        expect(page.locator("[data-name=open] dd")).to_have_text("1")
        wrong = open_wall(path="/wall?lang=en#token=nobody-knows-this-one", url=server.url)
        expect(wrong.locator("#away")).to_contain_text("This screen may not look", timeout=15_000)
    finally:
        server.stop(2.0)


def test_days_of_changes_leave_the_page_as_large_as_it_was(
    open_wall: OpenWall, scene: Scene
) -> None:
    tickets = [scene.happen("flooding") for _ in range(12)]
    page = open_wall()
    expect(page.locator("#ticker li")).to_have_count(12)
    count = "document.querySelectorAll('*').length"
    before = page.evaluate(count)
    for stage in ("accepted", "arrived", "disposed", "reworked") * 5:
        for ticket in tickets:
            scene.desk.step(ticket, stage, "w-01")
        page.wait_for_timeout(100)
    expect(page.locator("#ticker li .state").first).to_have_text("返工")
    assert page.evaluate(count) <= before + 10


def test_nobody_is_named_in_the_hall(open_wall: OpenWall, scene: Scene) -> None:
    scene.happen(
        "citizen_report", address="3幢1单元502",
        evidence={"text": "我是张三 13800138000", "reporter": "13800138000"},
    )  # fmt: skip
    scene.happen("high_altitude_throw")
    page = open_wall()
    expect(page.locator("#ticker li")).to_have_count(2)
    said = page.content()
    names = [worker.name for worker in scene.city.workers.values()]
    hidden = ("13800138000", "张三", "502", "F17-3", *names)
    assert not [word for word in hidden if word in said]
