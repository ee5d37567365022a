"""The first page, used as a person uses it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from center.server import CenterServer
from center.settings import CenterSettings, Token
from tests.unit.center.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
OpenPage = Callable[..., Page]


def test_a_new_ticket_appears_without_reload(open_page: OpenPage, scene: Scene) -> None:
    page = open_page()
    expect(page.locator("#empty")).to_be_visible()
    scene.happen("flooding")
    card = page.locator(".card")
    expect(card).to_contain_text("道路积水")
    expect(card).to_contain_text("市政排水公司")
    expect(card).to_contain_text("距现场最近")
    expect(page.locator(".pin")).to_have_count(1)
    expect(page.locator(".toast")).to_contain_text("道路积水")
    expect(page.locator("#counts")).to_contain_text("1 未结")


def test_a_click_shows_the_picture_and_names_the_window(open_page: OpenPage, scene: Scene) -> None:
    scene.happen("high_altitude_throw")
    page = open_page()
    page.locator(".card .open").click()
    still = page.locator("#detail img.still")
    expect(still).to_be_visible()
    page.wait_for_function("document.querySelector('#detail img.still').naturalWidth === 960")
    expect(page.locator("#detail .window")).to_contain_text("F17-3")
    expect(page.locator("#detail video")).to_have_attribute("src", re.compile(r"throw\.mp4\?exp="))
    assert ("local (link)", "evidence/cam-1/throw.jpg") in scene.desk.accesses


def test_the_ticket_walks_its_loop_by_buttons(open_page: OpenPage, scene: Scene) -> None:
    ticket = scene.happen("severed_cable")
    page = open_page()
    page.locator(".card .open").click()
    for action, stage in (
        ("accept", "已接单"), ("arrive", "已到场"), ("dispose", "已处置"), ("verify", "已核实"),
        ("close", "已结案"),
    ):  # fmt: skip
        page.locator(f"#detail [data-action={action}]").click()
        expect(page.locator("#detail .top .stage")).to_have_text(stage)
    assert scene.desk.nouns[ticket].stage == "closed"
    expect(page.locator(".card")).to_have_count(0)  # closed ones leave the open list
    page.locator("#scope button", has_text="全部").click()
    expect(page.locator(".card")).to_have_count(1)


def test_accepting_on_the_card_changes_its_stage(open_page: OpenPage, scene: Scene) -> None:
    scene.happen("flooding")
    page = open_page()
    page.locator(".card .step").click()
    expect(page.locator(".card .stage")).to_have_text("已接单")
    expect(page.locator(".card .step")).to_have_text("到场")


def test_a_stale_revision_shows_the_refusal_in_the_readers_language(
    open_page: OpenPage, scene: Scene
) -> None:
    ticket = scene.happen("flooding")
    page = open_page("en-US")
    stale = page.evaluate(
        """async (id) => (await fetch(`/api/v1/tickets/${id}/actions`, {method: 'POST',
        headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({action: 'accept', by: 'other', rev: 1})})).status""",
        ticket,
    )
    assert stale == 200
    # The page asks with revision 1 although the ticket stands at 2.
    page.route(
        "**/actions",
        lambda route: route.continue_(
            post_data=(route.request.post_data or "").replace('"rev":2', '"rev":1')
        ),
    )
    page.locator(".card .step", has_text="Arrive").click()
    expect(page.locator(".toast.bad")).to_contain_text("you saw 1: look again")
    expect(page.locator(".toast.bad")).not_to_contain_text("工单")


def test_the_page_survives_a_restart_and_catches_up(
    open_page: OpenPage, scene: Scene, server: CenterServer
) -> None:
    scene.happen("flooding")
    page = open_page()
    expect(page.locator(".card")).to_have_count(1)
    port = server.port
    server.stop(2.0)
    expect(page.locator("#link")).to_have_attribute("data-state", "lost")
    scene.happen("severed_cable")
    scene.desk.step("t-1", "accepted", "w-01")
    again = scene.server(CenterSettings(port=port))
    again.start()
    try:
        expect(page.locator("#link")).to_have_attribute("data-state", "live")
        expect(page.locator(".card")).to_have_count(2)
        expect(page.locator(".card", has_text="道路积水").locator(".stage")).to_have_text("已接单")
    finally:
        again.stop(2.0)


def test_hostile_strings_are_inert(open_page: OpenPage, scene: Scene) -> None:
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>\u202egnp.exe\u2066\x07"
    scene.happen(
        "citizen_report", address=evil,
        reason={"worker": {"text_en": evil, "text_zh": evil}, evil: {"text_en": evil}},
        evidence={"text": evil, "<b>key</b>": "<svg onload=alert(3)>"},
    )  # fmt: skip
    page = open_page()
    page.locator(".card .open").click()
    expect(page.locator("#detail .event")).to_be_visible()
    shown = page.locator("body").inner_text()
    assert "<img src=x onerror=alert(1)>" in shown
    assert not {"\u202e", "\u2066", "\x07"} & set(shown)
    assert page.locator("#detail script, .card script, [onerror], [onload]").count() == 0


def test_the_language_can_be_switched_and_is_kept(open_page: OpenPage, scene: Scene) -> None:
    scene.happen("flooding")
    page = open_page("en-US")
    expect(page.locator(".card .kind")).to_have_text("Flooding")
    expect(page.locator("#list-title")).to_have_text("Tickets")
    page.locator("#lang").click()
    expect(page.locator(".card .kind")).to_have_text("道路积水")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.reload()
    expect(page.locator("#list-title")).to_have_text("工单")


def test_the_page_asks_nobody_else(open_page: OpenPage, scene: Scene, server: CenterServer) -> None:
    scene.happen("high_altitude_throw")
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.locator(".card .open").click()
    expect(page.locator("#detail img.still")).to_be_visible()
    assert asked
    assert all(url.startswith((server.url, "data:", "blob:")) for url in asked)


def test_the_keyboard_reaches_everything(open_page: OpenPage, scene: Scene) -> None:
    scene.happen("flooding")
    scene.happen("severed_cable")
    page = open_page()
    expect(page.locator(".card")).to_have_count(2)
    page.locator(".card .open").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")  # the one whose clock runs longer stands second
    expect(page.locator("#detail h2")).to_have_text("架空线缆断裂")
    expect(page.locator("#detail")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    expect(page.locator(".card .open").nth(1)).to_be_focused()


def test_a_phone_shows_list_then_map(open_page: OpenPage, scene: Scene) -> None:
    scene.happen("flooding")
    page = open_page(width=390)
    expect(page.locator(".card")).to_be_visible()
    expect(page.locator("#map")).to_be_hidden()
    page.locator("nav [data-tab=map]").click()
    expect(page.locator(".pin")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_with_tokens_the_page_asks_for_one_and_then_shows_the_evidence(
    browser: Browser, scene: Scene
) -> None:
    token = Token(token="operator-token-0001", name="desk", role="operator")
    server = scene.server(CenterSettings(port=0, tokens=(token,)))
    server.start()
    context = browser.new_context(locale="en-US")
    try:
        scene.happen("high_altitude_throw")
        page = context.new_page()
        page.goto(server.url)
        page.locator(".card .open").click()
        expect(page.locator("#detail .hint")).to_have_text("Evidence is withheld without a token")
        page.locator("#detail [data-action=accept]").click()
        page.locator("#token-box input").fill("operator-token-0001")
        page.locator("#token-box .primary").click()
        expect(page.locator("#detail img.still")).to_be_visible()
        page.locator("#detail [data-action=accept]").click()
        expect(page.locator("#detail .top .stage")).to_have_text("Accepted")
    finally:
        context.close()
        server.stop(2.0)
