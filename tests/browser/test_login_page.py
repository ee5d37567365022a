"""Somebody logs in, sees their part of the city, and is logged out; nobody else gets in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from center.server import CenterServer
from tests.browser.axe import no_serious
from tests.unit.center.scene import PASSWORD, Scene

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

Visit = Callable[..., Page]


@pytest.fixture
def server(scene: Scene) -> Iterator[CenterServer]:
    """The center with people who log in."""
    scene.person("chief", "admin", display_zh="陈局长", display_en="Chief Chen")
    scene.person("north", "operator", grids=("c0",), display_zh="北坐席", display_en="North desk")
    scene.person("fresh", "operator", must_change=True)
    server = scene.server()
    server.start()
    yield server
    server.stop(2.0)


@pytest.fixture
def visit(browser: Browser, server: CenterServer) -> Iterator[Visit]:
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def visited(path: str = "/login", locale: str = "zh-CN", **more: object) -> Page:
        context = browser.new_context(locale=locale, timezone_id="Asia/Shanghai", **more)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server.url + path)
        return page

    yield visited
    for context in contexts:
        context.close()
    assert not errors


def log_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.fill("#name", name)
    page.fill("#password", password)
    page.click("#go")


def test_somebody_logs_in_where_they_were_going_and_out_again(visit: Visit, scene: Scene) -> None:
    scene.happen("flooding")
    page = visit("/login?next=%2F%3Fkind%3Dflooding")
    log_in(page, "Chief")
    page.wait_for_selector("#link[data-state=live]")
    assert page.url.endswith("/?kind=flooding")
    expect(page.locator(".card")).to_have_count(1)
    page.goto(page.url.partition("?")[0] + "account")
    expect(page.locator(".tile strong").first).to_have_text("chief")
    page.click("#logout")
    page.wait_for_url("**/login")
    assert page.evaluate("fetch('/api/v1/tickets').then((r) => r.status)") == 401


def test_the_way_on_never_leads_elsewhere(visit: Visit) -> None:
    page = visit("/login?next=%2F%2Fevil.example%2F")
    log_in(page, "chief")
    page.wait_for_selector("#link[data-state=live]")
    home = page.url
    for away in ("https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/%5Cevil"):
        page.goto(f"{home}login?{urlencode({'next': away})}")  # who is logged in goes on at once
        page.wait_for_url(lambda url: "/login" not in url)
        assert page.url.startswith(home), away


def test_a_wrong_password_says_so_without_telling_who_exists(visit: Visit) -> None:
    page = visit(locale="en-GB")
    said = []
    for name in ("chief", "nobody"):
        log_in(page, name, "not this one")
        expect(page.locator("#wrong")).not_to_be_empty()
        said.append(page.locator("#wrong").inner_text())
        assert page.input_value("#password") == ""
        page.fill("#password", "x")
    assert said == ["the name or the password is not right"] * 2
    page.click("#lang")
    assert page.locator("#wrong").inner_text() == "账号或密码不正确"


def test_who_guesses_waits_and_is_told_how_long(visit: Visit) -> None:
    page = visit()
    for _ in range(6):
        log_in(page, "chief", "not this one")
        expect(page.locator("#password")).to_have_value("")
    expect(page.locator("#wrong")).to_contain_text("登录失败次数过多")
    expect(page.locator("#go")).to_be_disabled()
    expect(page.locator("#go")).to_contain_text("秒后重试")


def test_a_password_that_was_given_must_be_changed_first(visit: Visit) -> None:
    page = visit()
    log_in(page, "fresh")
    expect(page.locator("#change")).to_be_visible()
    assert page.evaluate("fetch('/api/v1/tickets').then((r) => r.status)") == 403
    page.fill("#fresh", "short")
    page.fill("#again", "short")
    page.click("#change button.primary")
    expect(page.locator("#bad")).to_contain_text("至少 10 个字符")
    page.fill("#fresh", "seven wet dogs 7")
    page.fill("#again", "seven wet dogs 7")
    page.click("#change button.primary")
    page.wait_for_selector("#link[data-state=live]")


def test_a_desk_of_a_part_shows_that_part_only(visit: Visit, scene: Scene) -> None:
    scene.happen("high_altitude_throw")  # g03, in c0
    scene.happen("severed_cable")  # g12, in c1
    page = visit()
    log_in(page, "north")
    page.wait_for_selector("#link[data-state=live]")
    expect(page.locator(".card")).to_have_count(1)
    scene.happen("fibre_break")
    scene.happen("high_altitude_throw")
    expect(page.locator(".card")).to_have_count(2)
    found = page.evaluate("fetch('/api/v1/tickets').then((r) => r.json())")
    assert {ticket["kind"] for ticket in found["items"]} == {"high_altitude_throw"}


class Elsewhere(BaseHTTPRequestHandler):
    target = ""

    def do_GET(self) -> None:
        body = f"""<!doctype html><title>x</title>
        <form id=f method=post enctype="text/plain" action="{self.target}/api/v1/logout">
        <input name='{{"a":"' value='"}}'></form>""".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Be quiet."""


def test_a_page_of_somebody_else_changes_nothing(
    visit: Visit, scene: Scene, server: CenterServer
) -> None:
    """From another port of the same machine: the same site, so that cookies go along."""
    ticket = scene.happen("flooding")
    page = visit()
    log_in(page, "chief")
    page.wait_for_selector("#link[data-state=live]")
    handler = type("Handler", (Elsewhere,), {"target": server.url})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as attacker:
        threading.Thread(target=attacker.serve_forever, daemon=True).start()
        tab = page.context.new_page()
        tab.goto(f"http://127.0.0.1:{attacker.server_port}/")
        act = f"{server.url}/api/v1/tickets/{ticket}/actions"
        body = '{"action": "acknowledge", "rev": 1}'
        for kind in ("application/json", "text/plain"):
            sent = tab.evaluate(
                """([url, body, kind]) => fetch(url, {method: 'POST', credentials: 'include', body,
                mode: kind === 'text/plain' ? 'no-cors' : 'cors', headers: {'Content-Type': kind}})
                .then((r) => r.status, () => 'refused')""",
                [act, body, kind],
            )
            assert sent in ("refused", 0)  # not sent at all, or an answer nobody may read
        with tab.expect_response("**/api/v1/logout") as answer:
            tab.evaluate("document.querySelector('#f').submit()")
        assert answer.value.status == 403
        assert answer.value.json()["error"] == "foreign_origin"
        attacker.shutdown()
    assert scene.desk.commands == []
    # Neither does our own page without the session's token.
    sent = page.evaluate(
        """([url, body]) => fetch(url, {method: 'POST', body, headers: {'Content-Type':
        'application/json'}}).then((r) => r.json())""",
        [act, body],
    )
    assert sent["error"] == "csrf"
    assert scene.desk.commands == []


def test_a_session_that_was_ended_elsewhere_leads_to_the_login_and_back(
    visit: Visit, scene: Scene
) -> None:
    scene.happen("flooding")
    first, second = visit("/login?next=%2Fusers"), visit()
    log_in(first, "chief")
    expect(first.locator("tr[data-id]")).to_have_count(3)
    log_in(second, "chief")
    second.wait_for_selector("#link[data-state=live]")
    second.goto(second.url.split("/", 3)[0] + "//" + second.url.split("/")[2] + "/account")
    second.get_by_role("button", name="退出其他全部设备").click()
    expect(second.locator("tbody tr")).to_have_count(1)
    first.reload()
    first.wait_for_url("**/login?ended=1&next=%2Fusers")
    expect(first.locator("#notice")).to_contain_text("会话已结束")
    log_in(first, "chief")
    first.wait_for_url("**/users")


def test_an_administrator_makes_changes_and_disables_an_account(visit: Visit, scene: Scene) -> None:
    page = visit("/login?next=%2Fusers", locale="en-GB")
    log_in(page, "chief")
    page.click("#new")
    page.locator("dialog").get_by_label("Name", exact=True).fill("south.desk")
    page.locator("dialog").get_by_label("Called (English)").fill("South desk")
    page.get_by_label("Add a part: name or id of a grid").fill("c1")
    page.get_by_role("button", name="+ 流水社区 c1").click()
    page.get_by_role("button", name="Create").click()
    password = page.locator("#secret").inner_text()
    no_serious(page)
    page.get_by_role("button", name="Done").click()
    row = page.locator("tr", has_text="south.desk")
    expect(row).to_contain_text("流水社区")
    expect(row).to_contain_text("must change password")
    other = visit()
    log_in(other, "south.desk", password)
    expect(other.locator("#change")).to_be_visible()
    page.on("dialog", lambda box: box.accept())
    row.get_by_role("button", name="Change").click()
    page.click("#able")
    expect(row).to_contain_text("disabled")
    assert other.evaluate("fetch('/api/v1/tickets').then((r) => r.status)") == 401
    page.get_by_role("tab", name="Changes and logins").click()
    expect(page.locator("tbody")).to_contain_text("account disabled")
    page.get_by_role("tab", name="Who saw what").click()
    expect(page.locator("table")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1440)])
def test_everybody_can_use_these_pages(visit: Visit, scheme: str, width: int) -> None:
    size = {"width": width, "height": 820}
    page = visit(color_scheme=scheme, viewport=size)
    expect(page.locator("#form")).to_be_visible()
    no_serious(page)
    assert page.get_attribute("#name", "autocomplete") == "username"
    assert page.get_attribute("#password", "autocomplete") == "current-password"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "password"
    log_in(page, "chief")
    page.wait_for_selector("#link[data-state=live]")
    base = page.url
    for path, ready in (("users", "tr[data-id]"), ("account", "form#password")):
        page.goto(base + path)
        page.wait_for_selector(ready)
        no_serious(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
