"""The desk as an operator uses it through a night: filters, keyboard, many at once, the facade."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from center.server import CenterServer
from contracts.case import Command
from contracts.city import Zone
from contracts.clock import iso
from tests.browser.axe import no_serious
from tests.unit.center.scene import START, THROW, Scene
from tests.unit.center.test_center_desk import CASES

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
OpenPage = Callable[..., Page]


def shown(page: Page) -> list[str]:
    """The ids of the cards, as they stand in the list."""
    return list(page.locator(".card").evaluate_all("all => all.map((one) => one.dataset.id)"))


def acknowledged(scene: Scene) -> list[Command]:
    return [command for command in scene.desk.commands if command.action == "acknowledge"]


def test_filters_stand_in_the_address_and_go_back(open_page: OpenPage, scene: Scene) -> None:
    scene.happen("flooding", severity=5)
    scene.happen("severed_cable", severity=5)
    scene.happen("fibre_break", severity=2)
    page = open_page()
    expect(page.locator(".card")).to_have_count(3)
    page.locator("#severities [data-severity='5']").click()
    expect(page.locator(".card")).to_have_count(2)
    page.locator("#kinds button", has_text="道路积水").click()
    expect(page.locator(".card")).to_have_count(1)
    assert page.url.endswith("/?kind=flooding&severity=5")
    assert "kind=flooding" in str(page.locator("#csv").get_attribute("href"))
    page.reload()
    expect(page.locator(".card")).to_have_count(1)
    expect(page.locator("#shown")).to_have_text("1 / 3")
    page.go_back()
    expect(page.locator(".card")).to_have_count(2)
    page.go_back()
    expect(page.locator(".card")).to_have_count(3)
    page.locator("#q").fill("电信")
    expect(page.locator(".card")).to_have_count(1)
    assert "q=" in page.url
    page.locator("#clear").click()
    expect(page.locator(".card")).to_have_count(3)
    expect(page.locator("#q")).to_have_value("")


def test_a_shared_address_shows_the_same(open_page: OpenPage, scene: Scene) -> None:
    scene.happen("flooding")
    scene.happen("severed_cable")
    scene.happen("fibre_break", opened_s_ago=3_600)
    page = open_page(path="/?show=overdue&utility=tel#t-3")
    expect(page.locator(".card")).to_have_count(1)
    expect(page.locator("#detail h2")).to_have_text("光缆中断")
    expect(page.locator("#by-utility")).to_have_value("tel")
    page.locator("#by-utility").select_option("")
    page.locator("#shows button", has_text="超时").click()
    expect(page.locator(".card")).to_have_count(3)
    page.locator("#by-grid").select_option("c1")
    expect(page.locator(".card")).not_to_have_count(3)  # it is drawn with the next picture
    inside = shown(page)
    assert 0 < len(inside) < 3
    assert all(str(scene.desk.nouns[one].grid).startswith("g1") for one in inside)


def test_an_export_is_what_is_shown(open_page: OpenPage, scene: Scene) -> None:
    scene.happen("flooding")
    scene.happen("severed_cable")
    page = open_page(path="/?kind=flooding")
    expect(page.locator(".card")).to_have_count(1)
    with page.expect_download() as download:
        page.locator("#csv").click()
    text = download.value.path().read_text("utf-8-sig")
    assert "t-1" in text and "t-2" not in text


def test_the_keyboard_walks_opens_and_acknowledges(open_page: OpenPage, scene: Scene) -> None:
    for kind in ("flooding", "severed_cable", "fibre_break"):
        scene.happen(kind)
    page = open_page()
    expect(page.locator(".card")).to_have_count(3)
    first, second, _ = shown(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(f'.card[data-id="{second}"]')).to_have_attribute("data-selected", "true")
    page.keyboard.press("a")
    expect(page.locator(f'.card[data-id="{second}"]')).to_have_attribute("data-calls", "false")
    page.keyboard.press("k")
    expect(page.locator(f'.card[data-id="{first}"]')).to_have_attribute("data-selected", "true")
    page.keyboard.press("s")
    expect(page.locator("#detail form.ask select[name=whom]")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("V")
    expect(page.locator("#detail form.ask textarea[name=reason]")).to_be_focused()
    page.keyboard.type("j? a")  # letters are letters while somebody writes
    expect(page.locator("#detail form.ask textarea[name=reason]")).to_have_value("j? a")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    box = page.locator("#keys")
    expect(box).to_be_visible()
    for word in ("知悉", "搜索", "督办", "合并", "楼栋视图", "地图"):
        expect(box).to_contain_text(word)
    page.keyboard.press("Escape")
    page.keyboard.press("L")
    page.keyboard.press("?")
    expect(box).to_contain_text("Urge")
    assert [command.action for command in scene.desk.commands] == ["acknowledge"]


def test_chosen_tickets_are_acknowledged_together(open_page: OpenPage, scene: Scene) -> None:
    for _ in range(4):
        scene.happen("flooding")
    page = open_page()
    expect(page.locator(".card")).to_have_count(4)
    first, second, *rest = shown(page)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.locator(f'.card[data-id="{second}"]').hover()
    page.locator(f'.card[data-id="{second}"] .pick').click()
    expect(page.locator("#bulk")).to_have_text("知悉所选（2）")
    page.keyboard.press("A")
    expect(page.locator("#ask-bulk")).to_contain_text("2 件")
    page.locator("#ask-bulk .primary").click()
    expect(page.locator("#bulk")).to_have_text("全部知悉（2）")
    assert {command.ticket for command in acknowledged(scene)} == {first, second}
    page.locator("#bulk").click()
    page.locator("#ask-bulk button[value=cancel]").click()
    expect(page.locator("#bulk")).to_have_text("全部知悉（2）")
    page.locator("#bulk").click()
    page.locator("#ask-bulk .primary").click()
    expect(page.locator("#bulk")).to_be_hidden()
    expect(page.locator("body")).to_have_attribute("data-alarm", "false")
    assert {command.ticket for command in acknowledged(scene)} == {first, second, *rest}


def test_a_merge_takes_the_ticket_that_is_clicked_in_the_list(
    open_page: OpenPage, scene: Scene
) -> None:
    scene.happen("flooding")
    scene.happen("severed_cable")
    page = open_page()
    page.locator('.card[data-id="t-1"] .open').click()
    page.keyboard.press("M")
    form = page.locator("#detail form.ask")
    expect(form.locator("select[name=into]")).to_be_visible()
    page.locator('.card[data-id="t-2"] .open').click()
    expect(form.locator("select[name=into]")).to_have_value("t-2")
    expect(page.locator("#detail h2")).to_have_text("道路积水")
    form.locator("textarea[name=reason]").fill("同一处")
    form.locator(".primary").click()
    expect(form).to_have_count(0)
    assert scene.desk.commands[-1].data == {"into": "t-2"}


def test_a_panel_that_is_broken_leaves_the_others_alone(
    browser: Browser, scene: Scene, server: CenterServer
) -> None:
    scene.happen("flooding")
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.route(
        "**/panels/timeline/panel.js",
        lambda route: route.fulfill(content_type="text/javascript", body="let a; let a;"),
    )
    page.goto(server.url)
    page.locator(".card .open").click()
    expect(page.locator("#detail h2")).to_have_text("道路积水")
    expect(page.locator("#detail .why")).to_be_visible()
    expect(page.locator("#detail .timeline")).to_have_count(0)
    expect(page.locator(".toast.bad")).to_be_visible()
    context.close()


def test_who_sent_it_back_and_why_is_on_the_card(open_page: OpenPage, scene: Scene) -> None:
    ticket = scene.happen("flooding", worker="w-05")
    scene.desk.step(ticket, "returned", "w-05", "not our pipe / 非我单位管道")
    page = open_page()
    name = scene.city.workers["w-05"].name
    expect(page.locator(".card .rejected")).to_have_text(f"回退 · {name}：非我单位管道")
    page.locator(".card .open").click()
    expect(page.locator("#detail .top .rejected")).to_contain_text("非我单位管道")
    page.locator("#lang").click()
    expect(page.locator(".card .rejected")).to_contain_text("not our pipe")


def test_a_call_is_noted_on_the_ticket_without_a_persons_number(
    open_page: OpenPage, scene: Scene
) -> None:
    scene.happen("severed_cable", worker="w-05")
    page = open_page()
    page.locator(".card .open").click()
    name = scene.city.workers["w-05"].name
    for number, said in (("95598", "已致电国网供电所 95598"), ("660005", f"已致电{name}")):
        call = page.locator(f'#detail a.call[data-call="{number}"]')
        expect(call).to_have_attribute("href", f"tel:{number}")
        call.evaluate("link => link.removeAttribute('href')")  # no telephone here
        call.click()
        expect(page.locator("#detail .timeline")).to_contain_text(said)
        assert scene.desk.commands[-1].action == "note"
    expect(page.locator("#detail .timeline")).not_to_contain_text("660005")


def test_the_building_view_shows_the_facade_with_the_chance_of_each_window(
    browser: Browser, scene: Scene
) -> None:
    zones = tuple(
        Zone(id=f"F{f}-{b}", floor=f, bay=b, polygon=tuple(
            (3.0 * b + u, 3.1 * f + v) for u, v in ((0, 0), (1.7, 0), (1.7, 1.8), (0, 1.8))))
        for f in range(1, 21) for b in range(1, 8)
    )  # fmt: skip
    points = tuple(
        (205 + 82 * (b - 1.0), 66 + 78 * (20 - f), 3.0 * b, 3.1 * f)
        for f, b in ((20.0, 1), (20.0, 7), (14.0, 1), (14.0, 7))
    )
    camera = msgspec.structs.replace(scene.city.cameras["cam-1"], zones=zones, points=points)
    scene.city = msgspec.structs.replace(scene.city, cameras={"cam-1": camera})
    told = {**THROW, "origin": {"zone": "F17-3", "floor": 17, "bay": 3, "p": 0.8, "others": []}}
    scene.happen("high_altitude_throw", opened_s_ago=86_400, evidence=told)
    scene.desk.step("t-1", "closed", "center")
    others = [["F16-3", 0.2], ["F17-4", 0.1]]
    origin = {"zone": "F17-3", "floor": 17, "bay": 3, "p": 0.7, "others": others}
    scene.happen("high_altitude_throw", evidence={**THROW, "origin": origin, "picture": [960, 540]})
    server = scene.server()
    server.start()
    try:
        context = browser.new_context(locale="en-US", viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(server.url)
        page.locator(".card .open").click()
        facade = page.locator("#detail svg.facade")
        expect(facade.locator(".zone")).to_have_count(140)
        expect(facade.locator(".likely")).to_have_count(3)
        expect(facade.locator(".label")).to_contain_text(["F17-4 10 %", "F17-3 70 %", "F16-3 20 %"])
        depth = "one => Number(getComputedStyle(one).fillOpacity)"
        strong, weak = (
            facade.locator(f'[data-zone="{zone}"]').evaluate(depth) for zone in ("F17-3", "F17-4")
        )
        assert strong > weak
        expect(facade.locator(".hot-count")).to_have_text("1")  # the earlier one, not this one
        page.keyboard.press("b")
        box = page.locator("dialog.building")
        expect(box).to_be_visible()
        expect(box.locator(".over .likely")).to_have_count(3)
        expect(box.locator(".over .track")).to_have_count(1)
        expect(box.locator("video")).to_have_count(1)
        expect(box.locator(".bars tr")).to_have_count(3)
        # The window is drawn where the calibration puts it in the picture.
        corner = box.locator(".over .likely").first.get_attribute("points")
        x, y = (float(part) for part in str(corner).split()[0].split(","))
        window = next(zone for zone in zones if zone.id == "F16-3")
        u, v = window.polygon[0]
        assert (x, y) == pytest.approx((205 + 82 * (u / 3 - 1), 66 + 78 * (20 - v / 3.1)), abs=0.2)
        page.keyboard.press("Escape")
        expect(box).to_have_count(0)
        expect(page.locator("#detail")).to_be_visible()
        context.close()
    finally:
        server.stop(2.0)


class Cable:
    """The way to the center, which can be cut: everything that goes through it breaks off."""

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._ends: list[socket.socket] = []
        self.whole = True
        self._ear = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._ear.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                near, _ = self._ear.accept()
                if not self.whole:
                    near.close()
                    continue
                far = socket.create_connection(self._to)
            except OSError:
                return
            self._ends += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := one.recv(65_536):
                other.sendall(piece)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """From now on nothing gets through."""
        self.whole = False
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Close all of it."""
        self.cut()
        for end in (self._ear, *self._ends):
            end.close()


def test_a_cut_connection_is_said_and_nothing_is_missed(
    browser: Browser, scene: Scene, server: CenterServer
) -> None:
    scene.happen("flooding")
    cable = Cable(server.port)
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
    try:
        page = context.new_page()
        page.goto(cable.url)
        expect(page.locator(".card")).to_have_count(1)
        expect(page.locator("#away")).to_be_hidden()
        cable.cut()
        expect(page.locator("#away")).to_contain_text("列表停留在")
        expect(page.locator("#link")).to_have_attribute("data-state", "lost")
        scene.happen("severed_cable")
        scene.desk.step("t-1", "accepted", "w-01")
        scene.desk.step("t-1", "arrived", "w-01")
        expect(page.locator("#away time")).to_have_text(re.compile("已 00:0[2-9]"))
        expect(page.locator(".card")).to_have_count(1)
        cable.whole = True
        page.locator("#away button").click()
        expect(page.locator("#away")).to_be_hidden()
        expect(page.locator(".card")).to_have_count(2)
        expect(page.locator('.card[data-id="t-1"] .stage')).to_have_text("已到场")
        expect(page.locator(".toast", has_text="补收 3 条变更")).to_be_visible()
    finally:
        context.close()
        cable.end()


def test_five_thousand_tickets_are_two_requests_and_few_cards(
    browser: Browser, scene: Scene
) -> None:
    for n in range(5_000):
        scene.happen("flooding", severity=1 + n % 5, opened_s_ago=n)
    server = scene.server()
    server.start()
    try:
        context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(server.url)
        expect(page.locator("#counts .total")).to_have_text("5000 未结")
        queues = [url.partition("/queue")[2] for url in asked if "/api/v1/queue" in url]
        assert queues == ["?first=60", ""], "a screen's worth, then all of them, once"
        assert not [url for url in asked if "/api/v1/tickets?" in url]
        assert page.locator(".card").count() < 30
        worst = page.locator(".card .sev").first
        expect(worst).to_have_text("特大")
        page.locator("#scroller").evaluate("box => { box.scrollTop = box.scrollHeight; }")
        expect(page.locator('.card[aria-posinset="5000"]')).to_be_visible()
        assert page.locator(".card").count() < 30
        page.locator("#q").fill("t-4321")
        expect(page.locator(".card")).to_have_count(1)
        context.close()
    finally:
        server.stop(2.0)


def test_closed_between_the_first_screen_and_the_whole_it_is_not_shown_as_open(
    browser: Browser, scene: Scene, server: CenterServer
) -> None:
    scene.happen("flooding")
    gone = scene.happen("severed_cable")
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()

    def close_then_go_on(route: Route) -> None:
        scene.desk.step(gone, "closed", "center")
        route.continue_()

    page.route(re.compile(r"/api/v1/queue$"), close_then_go_on)
    page.goto(server.url)
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    expect(page.locator("#counts .total")).to_have_text("1 未结")
    expect(page.locator(".card")).to_have_count(1)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(open_page: OpenPage, scene: Scene, scheme: Any) -> None:
    scene.happen("high_altitude_throw")
    scene.happen("flooding", opened_s_ago=4_000)
    ticket = scene.happen("severed_cable")
    scene.desk.step(ticket, "returned", "w-05", "not ours / 非我单位管辖")
    page = open_page("en-US" if scheme == "dark" else "zh-CN")
    page.emulate_media(color_scheme=scheme)
    page.locator('.card[data-id="t-1"] .open').click()
    expect(page.locator("#detail svg.facade")).to_be_visible()
    no_serious(page)
    page.keyboard.press("?")
    no_serious(page, "#keys")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    no_serious(page, "dialog.building")


def test_the_page_and_the_exports_agree_on_what_calls(open_page: OpenPage) -> None:
    page = open_page()
    rows = [[told, iso(START + timedelta(minutes=minute))] for told, minute, _ in CASES]
    answers = page.evaluate(
        """async (rows) => {
            const { calls } = await import('/static/desk/urgency.js');
            return rows.map(([ticket, now]) => calls(ticket, Date.parse(now)));
        }""",
        rows,
    )
    assert answers == [sounds for _, _, sounds in CASES]
