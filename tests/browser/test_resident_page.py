"""The resident's page on a telephone: from the code on the wall to the last star. The loop behind
it is the real one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from center.pages.resident.codes import Codes
from center.pages.resident.spots import spots
from center.server import CenterServer
from center.settings import CenterSettings
from contracts.clock import SystemClock
from contracts.event import Event, Place, event_id
from gridsentry.placards import card, sheet
from tests.browser.axe import no_serious
from tests.unit.center.routed import RoutedScene

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
SECRET = "a-secret-of-sixteen-letters"
SETTINGS = CenterSettings(port=0, evidence_secret=SECRET)
OpenPhone = Callable[..., Page]


@pytest.fixture
def scene(tmp_path: Path) -> RoutedScene:
    return RoutedScene(tmp_path / "evidence", SystemClock())


@pytest.fixture
def server(scene: RoutedScene) -> Iterator[CenterServer]:
    server = scene.server(SETTINGS)
    server.start()
    yield server
    server.stop(2.0)


def code_of(scene: RoutedScene, ident: str = "drain:n4") -> str:
    spot = next(s for s in spots(scene.city) if s.id == ident)
    return Codes(scene.city, SETTINGS, SECRET).code(spot)


@pytest.fixture
def open_phone(browser: Browser, server: CenterServer, scene: RoutedScene) -> Iterator[OpenPhone]:
    """Opens the place's page as a telephone does; what it throws fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def opened(
        ident: str = "drain:n4", locale: str = "zh-CN", width: int = 360, path: str = "",
        scheme: str = "light",
    ) -> Page:  # fmt: skip
        context = browser.new_context(
            viewport={"width": width, "height": 780}, locale=locale, has_touch=True,
            is_mobile=True, timezone_id="Asia/Shanghai", color_scheme=scheme,  # type: ignore[arg-type]
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server.url + (path or f"/r/{code_of(scene, ident)}"))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


def water(scene: RoutedScene) -> str:
    """A sensor sees water at the drain; the ticket's id."""
    now = scene.desk.clock.now()
    drain = scene.city.drains.nodes["n4"].point  # type: ignore[union-attr]
    scene.desk.send(
        Event(
            id=event_id("flooding", "lvl-4", now), rev=1, kind="flooding", site="drain-a",
            device="lvl-4", at=now, severity=4, place=Place(drain.lon, drain.lat), phase="opened",
            evidence={"value": 0.4},
        )
    )  # fmt: skip
    (ticket,) = scene.desk.nouns
    return ticket


def photograph(folder: Path) -> Path:
    path = folder / "photo.jpg"
    picture = np.full((2400, 3200, 3), (120, 130, 140), np.uint8)
    cv2.circle(picture, (1600, 1200), 500, (200, 170, 130), -1)
    cv2.imwrite(str(path), picture)
    said = b"Exif\x00\x00GPS 30.27 120.15 of Zhang San"
    raw = path.read_bytes()
    path.write_bytes(raw[:2] + b"\xff\xe1" + (len(said) + 2).to_bytes(2, "big") + said + raw[2:])
    return path


def choose(page: Page, kind: str) -> None:
    page.locator(".kind", has=page.locator(f"input[value={kind}]")).click()


def test_a_report_with_a_photograph_joins_and_is_followed_to_the_stars(
    open_phone: OpenPhone, scene: RoutedScene, tmp_path: Path
) -> None:
    ticket = water(scene)
    worker = str(scene.desk.nouns[ticket].worker)
    assert scene.act(ticket, "accept", worker).ok
    page = open_phone()
    expect(page.locator("h1")).to_have_text("雨水井 n4")
    expect(page.locator(".known")).to_contain_text("道路积水")
    expect(page.locator(".known .state")).to_have_text("有人正在赶来")
    choose(page, "flooding")
    page.fill("#text", "水没过脚踝，我是张三")
    page.set_input_files("#photo", photograph(tmp_path))
    expect(page.locator(".shown img")).to_be_visible()
    no_serious(page)
    page.locator("button.primary").click()
    expect(page.locator("h1")).to_have_text("已收到，谢谢")
    expect(page.locator(".current")).to_contain_text("有人正在赶来")
    expect(page.locator(".joined")).to_contain_text("传感器也发现了同一情况")
    assert list(scene.desk.nouns) == [ticket], "it joined: nobody else is sent"
    sent = json.loads(scene.desk.reports[0][1])
    assert len(sent["photo"]) < 400_000, "made small on the telephone"

    assert scene.act(ticket, "arrive", worker).ok
    expect(page.locator(".current")).to_contain_text("有人在现场处理")
    (shown,) = scene.desk.nouns[ticket].reason["photos"]["near"]
    assert b"Zhang" not in (scene.evidence / shown["ref"]).read_bytes()
    assert scene.act(ticket, "dispose", worker).ok
    expect(page.locator(".current")).to_contain_text("已处理，正在核实")
    page.locator(".star").nth(3).click()
    expect(page.locator(".rate")).to_contain_text("感谢您的评价：4 分")
    assert scene.desk.nouns[ticket].reason["satisfaction"][0]["score"] == 4
    no_serious(page)
    assert "张三" not in page.content()

    page.locator(".deny summary").click()
    page.fill("#still", "井口还在冒水")
    page.locator(".deny button").click()
    expect(page.locator(".current")).to_contain_text("正在派人")
    assert len(scene.desk.nouns) == 2, "where it is not done somebody goes again"
    page.get_by_role("button", name="再报一件").click()
    expect(page.locator(".mine")).to_have_count(2)


def test_a_wrong_code_is_met_with_help(open_phone: OpenPhone, scene: RoutedScene) -> None:
    page = open_phone(path="/r/ABCD-1234-ABCD")
    expect(page.locator("h1")).to_have_text("没有找到这个地点")
    no_serious(page)
    page.fill("#code", code_of(scene).lower())
    page.locator("button.primary").click()
    expect(page.locator("h1")).to_have_text("雨水井 n4")


def test_pressing_twice_and_a_lost_answer_are_one_report(
    open_phone: OpenPhone, scene: RoutedScene
) -> None:
    page = open_phone(locale="en-US", width=390, scheme="dark")
    lost: list[object] = []

    def lose(route) -> None:  # type: ignore[no-untyped-def]
        if lost:
            route.continue_()
            return
        lost.append(route.fetch())  # the center has it, the telephone never hears of it
        route.abort()

    page.route("**/reports", lose)
    choose(page, "street_light_out")
    page.locator("button.primary").dblclick()
    expect(page.locator("#net")).to_contain_text("Kept on your phone")
    expect(page.locator(".mine")).to_contain_text("Waiting to be sent")
    expect(page.locator("h1")).to_have_text("Received, thank you")  # it is sent again by itself
    expect(page.locator(".current")).to_contain_text("Somebody is being sent")
    no_serious(page)
    events = [e for e in scene.desk.things["events"].values() if e["kind"] == "citizen_report"]
    assert len(events) == len(scene.desk.nouns) == 1


def test_without_a_network_it_is_kept_and_sent_later(
    open_phone: OpenPhone, scene: RoutedScene
) -> None:
    page = open_phone()
    choose(page, "pole_tilt")
    page.context.set_offline(True)
    expect(page.locator("#net")).to_contain_text("没有网络")
    page.locator("button.primary").click()
    expect(page.locator("#net")).to_contain_text("已保存在手机上")
    assert not scene.desk.reports
    page.context.set_offline(False)
    expect(page.locator("h1")).to_have_text("已收到，谢谢")
    assert len(scene.desk.reports) == 1


def test_who_sends_too_much_is_told_to_wait_and_it_goes_by_itself(
    browser: Browser, scene: RoutedScene
) -> None:
    settings = CenterSettings(port=0, evidence_secret=SECRET, place_reports_per_minute=12.0)
    server = scene.server(settings)
    server.start()
    page = browser.new_page(viewport={"width": 360, "height": 780}, locale="zh-CN")
    try:
        for n in range(12):  # somebody else behind the same address
            page.request.post(
                f"{server.url}/api/v1/places/{code_of(scene)}/reports",
                data={"key": f"somebody-else-{n:06}", "kind": "flooding"},
            )
        before = len(scene.desk.reports)
        page.goto(f"{server.url}/r/{code_of(scene)}")
        choose(page, "pole_tilt")
        page.locator("button.primary").click()
        expect(page.locator("#net")).to_contain_text("已保存在手机上")
        expect(page.locator("h1")).to_have_text("已收到，谢谢", timeout=25_000)
        assert len(scene.desk.reports) == before + 1
    finally:
        page.close()
        server.stop(2.0)


def test_nothing_is_sent_without_saying_what_it_is(
    open_phone: OpenPhone, scene: RoutedScene
) -> None:
    page = open_phone()
    page.locator("button.primary").click()
    expect(page.locator(".said[role=alert]")).to_contain_text("请选择类别")
    choose(page, "other")
    page.locator("button.primary").click()
    expect(page.locator(".said[role=alert]")).to_contain_text("请选择类别")
    page.locator("details summary").click()
    page.fill("#phone", "call me")
    page.fill("#text", "有东西坏了")
    page.locator("button.primary").click()
    expect(page.locator(".said[role=alert]")).to_contain_text("请填写电话号码")
    assert not scene.desk.reports
    page.fill("#phone", "13800138000")
    page.locator("button.primary").click()
    expect(page.locator("h1")).to_have_text("已收到，谢谢")
    assert json.loads(scene.desk.reports[0][1])["reporter"] == "13800138000"
    assert "13800138000" not in page.content()


def test_the_page_fits_small_telephones_in_both_languages_and_by_keyboard(
    open_phone: OpenPhone, scene: RoutedScene
) -> None:
    page = open_phone(ident="grid:g00", width=320)
    expect(page.locator(".where button")).to_be_visible()  # a grid is large: where exactly?
    page.locator("#lang").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("legend")).to_have_text("What is it?")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, summary, .kind, .camera')]
        .map(n => n.getBoundingClientRect())
        .filter(r => r.width && Math.min(r.width, r.height) < 36).length"""
    )
    assert small == 0
    page.locator(".kind input").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".kind input").nth(1)).to_be_checked()
    no_serious(page)


def test_a_sign_can_be_read_by_a_camera(browser: Browser, scene: RoutedScene) -> None:
    code = code_of(scene)
    url = f"https://grid.example.cn/r/{code}"
    spot = next(s for s in spots(scene.city) if s.id == "drain:n4")
    page = browser.new_page(viewport={"width": 1000, "height": 1300})
    try:
        page.set_content(sheet([card(spot, code, url, "文晖街道")] * 4, "a4"))
        signs = page.locator("main > svg")
        expect(signs).to_have_count(4)
        picture = cv2.imdecode(np.frombuffer(signs.nth(1).screenshot(), np.uint8), 1)
        assert picture is not None
        text, *_ = cv2.QRCodeDetector().detectAndDecode(picture)
        assert text == url
        box = signs.nth(1).bounding_box()
        assert box is not None
        assert box["width"] / 96 * 25.4 == pytest.approx(105, abs=0.5)
    finally:
        page.close()
