"""A grid worker's phone: one thumb, no network in between, nothing done twice."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from center.accounts.passwords import hashed
from center.pages.worker import shell
from center.pages.worker.shell import kept
from center.server import CenterServer
from contracts.accounts import Account, Note
from contracts.case import AS_IT_STANDS, Answer, Command, Hand
from store.memory_accounts import MemoryAccounts
from tests.browser.axe import no_serious
from tests.rig import eventually
from tests.unit.center.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
ME, OTHER = "w-05", "w-06"
HERE = {"latitude": 30.2741, "longitude": 120.1533, "accuracy": 9}
PASSWORD = "correct-horse-9"
PHONE = {"width": 390, "height": 844}
Phone = Callable[..., Page]


@pytest.fixture
def phone(browser: Browser, server: CenterServer) -> Iterator[Phone]:
    """Opens the page as this worker on a phone; what it logs as an error fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def opened(
        locale: str = "zh-CN", at: str = "", worker: str = ME, width: int = 390, **more: Any
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": PHONE["height"]}, locale=locale, has_touch=True,
            is_mobile=True, timezone_id="Asia/Shanghai", **more,
        )  # fmt: skip
        contexts.append(context)
        context.add_init_script(f"localStorage.setItem('worker.as', '{worker}')")
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{server.url}/w{at}")
        page.wait_for_selector(".me, .lead, .empty")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


def shelled(page: Page) -> None:
    """The page is on the phone."""
    page.evaluate(
        """async () => { const { serviceWorker } = navigator;
        const taken = new Promise((done) => {
        serviceWorker.addEventListener('controllerchange', done); });
        await serviceWorker.ready; if (!serviceWorker.controller) await taken; }"""
    )


def tap(page: Page, action: str) -> None:
    page.locator(f"#bar [data-step={action}]").tap()


def done(scene: Scene) -> list[str]:
    return [command.action for command in scene.desk.commands]


def picture(path: Path, size: tuple[int, int] = (2000, 1500)) -> Path:
    """As a phone takes it, in a street at night: rich in detail and noise."""
    rng = np.random.default_rng(3)
    rough = cv2.resize(rng.integers(0, 225, (60, 80, 3), dtype=np.uint8), size)
    noise = rng.integers(0, 30, rough.shape, dtype=np.uint8)
    assert cv2.imwrite(str(path), rough + noise)
    return path


def test_a_job_is_done_with_one_thumb(phone: Phone, scene: Scene, tmp_path: Path) -> None:
    ticket = scene.happen("high_altitude_throw", worker=ME, address="桃园社区3幢")
    page = phone()
    page.locator(f'.ticket[data-id="{ticket}"] > a').tap()
    expect(page.locator(".lead")).to_contain_text("桃园社区3幢")
    page.wait_for_selector(".sheet figure img")
    expect(page.locator(".sheet figure img")).to_have_js_property("naturalWidth", 960)
    box = page.locator("#bar .huge").bounding_box()
    assert box is not None
    assert box["height"] >= 64 and box["y"] > PHONE["height"] * 0.8  # where the thumb is
    tap(page, "accept")
    tap(page, "arrive")
    expect(page.locator(".lead .stage")).to_have_text("已到场")
    tap(page, "dispose")
    page.locator("dialog input[type=file]").set_input_files(picture(tmp_path / "after.jpg"))
    expect(page.locator("dialog figure figcaption")).to_contain_text("处置后")
    page.locator("dialog textarea").fill("已清理并警示")
    page.locator("dialog [data-send=dispose]").tap()
    expect(page.locator("#said")).to_have_text("处置完成：已受理")
    expect(page.locator(".lead .stage")).to_have_text("已处置")
    assert done(scene) == ["accept", "arrive", "dispose"]
    last = scene.desk.commands[-1]
    assert (last.by, last.rev, last.note) == (ME, AS_IT_STANDS, "已清理并警示")
    (photo,) = (last.data or {})["photos"]
    file = scene.evidence / photo["ref"]
    sent = cv2.imread(str(file))
    assert sent is not None
    assert (photo["name"], sent.shape) == ("after", (1200, 1600, 3))
    page.go_back()
    expect(page.locator(".group")).to_contain_text("本班已办")


def test_a_photograph_is_made_small_and_loses_what_the_camera_wrote(
    phone: Phone, scene: Scene, tmp_path: Path
) -> None:
    scene.happen("flooding", worker=ME)
    page = phone(at="#/t/t-1")
    sizes: list[int] = []
    bodies: list[bytes] = []

    def seen(route: Route) -> None:
        body = route.request.post_data_buffer or b""
        bodies.append(body)
        sizes.append(len(body))
        route.continue_()

    page.route("**/photos?*", seen)
    whole = picture(tmp_path / "p.jpg", (4000, 3000)).read_bytes()  # 12 megapixels
    exif = b"Exif\x00\x00" + b"II*\x00" + b"GPS-30.27-120.15" * 4
    marked = whole[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + whole[2:]
    (tmp_path / "marked.jpg").write_bytes(marked)
    page.locator("[data-box=photo]").tap()
    page.locator("dialog [data-shows=far]").tap()
    page.locator("dialog input[type=file]").set_input_files(tmp_path / "marked.jpg")
    page.wait_for_selector("dialog figure img")
    page.locator("dialog [data-send=photo]").tap()
    expect(page.locator("#said")).to_contain_text("已受理")
    assert done(scene) == ["note"]
    assert [p["name"] for p in (scene.desk.commands[0].data or {})["photos"]] == ["far"]
    assert len(marked) > 1_000_000
    assert sizes[0] <= 400_000
    assert b"Exif" not in bodies[0] and b"GPS-" not in bodies[0]


def test_work_goes_on_without_network_and_is_sent_once(
    phone: Phone, scene: Scene, tmp_path: Path
) -> None:
    ticket = scene.happen("flooding", worker=ME, address="流水桥下穿道")
    page = phone()
    page.locator(f'.ticket[data-id="{ticket}"] > a').tap()
    page.wait_for_selector(".lead")
    shelled(page)
    page.context.set_offline(True)
    tap(page, "accept")
    expect(page.locator(".lead .stage")).to_have_text("已接单")
    expect(page.locator("#state")).to_contain_text("1 项待发送")
    tap(page, "arrive")
    expect(page.locator(".lead .stage")).to_have_text("已到场")  # said once it is kept
    page.reload()  # from the phone itself
    expect(page.locator(".lead")).to_contain_text("流水桥下穿道")
    expect(page.locator(".lead .stage")).to_have_text("已到场")
    expect(page.locator("#state")).to_contain_text("无网络")
    tap(page, "dispose")
    page.locator("dialog input[type=file]").set_input_files(picture(tmp_path / "after.jpg"))
    page.wait_for_selector("dialog figure img")
    page.locator("dialog [data-send=dispose]").tap()
    expect(page.locator("#state")).to_contain_text("3 项待发送")
    page.reload()
    expect(page.locator("#state")).to_contain_text("3 项待发送")
    assert done(scene) == []
    page.context.set_offline(False)
    expect(page.locator("#state")).to_be_hidden(timeout=15_000)
    expect(page.locator(".lead .stage")).to_have_text("已处置")
    assert done(scene) == ["accept", "arrive", "dispose"]
    assert len({command.id for command in scene.desk.commands}) == 3
    assert [p["name"] for p in (scene.desk.commands[-1].data or {})["photos"]] == ["after"]


def test_an_answer_that_was_lost_does_not_double(
    phone: Phone, scene: Scene, server: CenterServer
) -> None:
    scene.happen("flooding", worker=ME)
    page = phone(at="#/t/t-1")
    sent: list[str] = []

    def lose_the_answer(route: Route) -> None:
        request = route.request
        sent.append(str(request.header_value("idempotency-key")))
        if len(sent) > 1:
            route.continue_()
            return
        # The center hears it; the phone does not hear the center.
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        path = request.url.removeprefix(server.url)
        headers = {"Content-Type": "application/json", "Idempotency-Key": sent[0]}
        connection.request("POST", path, request.post_data_buffer, headers)
        assert connection.getresponse().status == 200
        connection.close()
        route.abort("connectionreset")

    page.route("**/actions?*", lose_the_answer)
    tap(page, "accept")
    expect(page.locator("#said")).to_contain_text("已受理", timeout=15_000)
    assert len(sent) == 2 and sent[0] == sent[1]
    assert done(scene) == ["accept"]
    assert [step.change for step in scene.desk.nouns["t-1"].timeline].count("accepted") == 1


def test_what_came_too_late_is_said_and_kept_for_the_office(
    phone: Phone, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = scene.happen("flooding", worker=ME)
    scene.desk.step(ticket, "accepted", ME)
    obey = scene.desk.file_command

    async def strict(command: Command, wait_s: float) -> Answer | None:
        if command.action == "arrive":
            why = f"it is with {OTHER} / 该工单由 {OTHER} 承办"
            scene.desk.commands.append(command)
            return Answer(command.id, False, why, 9)
        return await obey(command, wait_s)

    monkeypatch.setattr(scene.desk, "file_command", strict)
    page = phone(at=f"#/t/{ticket}")
    shelled(page)
    page.context.set_offline(True)
    tap(page, "arrive")
    expect(page.locator("#state")).to_contain_text("待发送")
    # Two hours in a basement: the phone's own clock says so.
    page.evaluate(
        """() => new Promise((done) => { const o = indexedDB.open('gridsentry-worker');
        o.onsuccess = () => { const t = o.result.transaction('deeds', 'readwrite');
        t.objectStore('deeds').openCursor().onsuccess = (e) => { const c = e.target.result;
        if (c) { c.update({ ...c.value, done_at: c.value.done_at - 7200000 }); c.continue(); } };
        t.oncomplete = done; }; })"""
    )
    scene.desk.amend(ticket, "dispatched", stage="dispatched", worker=OTHER)
    page.context.set_offline(False)
    page.locator("#state a").tap(timeout=15_000)
    box = page.locator(".refusals")
    expect(box).to_contain_text(f"该工单由 {OTHER} 承办")
    expect(box).to_contain_text("作为备注交给中心")
    notes = [c for c in scene.desk.commands if c.action == "note"]
    assert [(c.by, c.ticket) for c in notes] == [(ME, ticket)]
    assert "离线办理" in (notes[0].note or "")
    box.locator("button").tap()
    expect(box).to_have_count(0)


def test_position_is_shared_only_with_consent_and_stops_at_once(phone: Phone, scene: Scene) -> None:
    ticket = scene.happen("flooding", worker=ME)
    scene.desk.step(ticket, "accepted", ME)
    page = phone(geolocation=HERE, permissions=["geolocation"])
    assert page.request.get(page.url).headers["permissions-policy"].startswith(
        "geolocation=(self), camera=(self)"
    )  # fmt: skip
    expect(page.locator("#sharing")).to_have_text("位置未共享")
    assert scene.desk.reports == []
    page.locator("#sharing").tap()
    expect(page.locator("dialog")).to_contain_text("谁能看到")
    expect(page.locator("dialog")).to_contain_text("不保存轨迹")
    page.locator("dialog [data-send=never]").tap()
    expect(page.locator("#sharing")).to_have_text("位置未共享")
    page.locator("#sharing").tap()
    page.locator("dialog [data-send=agree]").tap()
    expect(page.locator("#sharing")).to_have_text("位置共享中")
    expect(page.locator(".far").first).not_to_contain_text("驻点")
    deadline = 0
    while not scene.desk.reports and deadline < 50:
        page.wait_for_timeout(100)
        deadline += 1
    topic, payload = scene.desk.reports[0]
    assert topic == f"gridsentry/v1/worker/{ME}/position"
    assert b"120.1533" in payload
    page.reload()
    expect(page.locator("#sharing")).to_have_text("位置共享中")
    page.locator("#sharing").tap()
    page.locator("dialog [data-send=stop]").tap()
    expect(page.locator("#sharing")).to_have_text("位置未共享")
    page.wait_for_timeout(200)
    told = len(scene.desk.reports)
    page.context.set_geolocation({"latitude": 30.29, "longitude": 120.17})
    page.wait_for_timeout(800)
    assert len(scene.desk.reports) == told
    said = [entry[2] for entry in scene.desk.accesses if len(entry) > 2]
    assert [text.split(": ")[1] for text in said] == ["job", "off"]


def test_nothing_is_sent_while_no_ticket_is_in_hand(phone: Phone, scene: Scene) -> None:
    page = phone(geolocation=HERE, permissions=["geolocation"])
    page.locator("#sharing").tap()
    page.locator("dialog [data-send=agree]").tap()
    expect(page.locator("#sharing")).to_have_text("共享暂停")
    page.wait_for_timeout(500)
    assert scene.desk.reports == []


def test_a_new_ticket_rings_and_one_that_goes_is_gone(phone: Phone, scene: Scene) -> None:
    page = phone()
    expect(page.locator(".empty")).to_contain_text("暂无工单")
    ticket = scene.happen("flooding", worker=ME)
    row = page.locator(f'.ticket[data-id="{ticket}"]')
    expect(row).to_have_attribute("data-fresh", "true")
    expect(page.locator("#said")).to_have_text("新派单")
    expect(page).to_have_title("(1) 我的工单")
    scene.desk.amend(ticket, "dispatched", worker=OTHER)
    expect(row).to_have_count(0)
    expect(page).to_have_title("我的工单")


def test_what_the_phone_cannot_keep_is_said(phone: Phone, scene: Scene) -> None:
    scene.happen("flooding", worker=ME)
    page = phone(at="#/t/t-1")
    page.wait_for_selector("#bar [data-step=accept]")
    page.evaluate(
        """() => { IDBObjectStore.prototype.add = () => {
        throw new DOMException('full', 'QuotaExceededError'); }; }"""
    )
    tap(page, "accept")
    expect(page.locator("#said")).to_contain_text("未保存")
    expect(page.locator(".lead .stage")).to_have_text("已派遣")
    assert done(scene) == []


def test_somebody_elses_ticket_is_not_shown(phone: Phone, scene: Scene) -> None:
    scene.happen("flooding", worker=OTHER, address="不该看到的地址")
    page = phone(at="#/t/t-1")
    expect(page.locator("#main")).to_contain_text("工单已转他人")
    expect(page.locator("body")).not_to_contain_text("不该看到的地址")
    assert page.locator("#bar").is_hidden()


def test_a_refusal_needs_a_reason(phone: Phone, scene: Scene) -> None:
    scene.happen("flooding", worker=ME)
    page = phone("en-US", at="#/t/t-1")
    page.locator("[data-box=return]").tap()
    page.locator("dialog [data-send=return]").tap()
    expect(page.locator("dialog .wrong")).to_contain_text("reason first")
    assert done(scene) == []
    page.get_by_role("button", name="It is dangerous").tap()
    page.locator("dialog textarea").fill("live cable in the water")
    page.locator("dialog [data-send=return]").tap()
    expect(page.locator("#said")).to_contain_text("Return: done")
    assert scene.desk.commands[0].reason == (
        "It is dangerous: professionals are needed；live cable in the water"
    )


def test_who_is_asked_to_help_answers_for_themselves(phone: Phone, scene: Scene) -> None:
    ticket = scene.happen("severed_cable", worker="w-02")
    asked = Hand(ME, "requested", scene.desk.clock.now(), "router")
    scene.desk.amend(ticket, helpers=(ME,), hands=(asked,))
    page = phone("en-US", at=f"#/t/{ticket}")
    expect(page.locator(".lead .asked")).to_have_text("You are asked to help")
    expect(page.locator("#bar [data-box=refuse_help]")).to_be_visible()
    tap(page, "accept_help")
    expect(page.locator("#said")).to_contain_text("done")
    assert [(c.action, c.by) for c in scene.desk.commands] == [("accept_help", ME)]


def test_a_round_ends_with_what_was_found(phone: Phone, scene: Scene) -> None:
    reason = {"patrol": {"id": "p-1", "name_zh": "汛前巡查", "assets": ["lvl-1", "lvl-2"]}}
    ticket = scene.happen("patrol", worker=ME, reason=reason)
    scene.desk.step(ticket, "accepted", ME)
    scene.desk.step(ticket, "arrived", ME)
    page = phone(at=f"#/t/{ticket}")
    expect(page.locator(".items")).to_contain_text("lvl-2")
    tap(page, "dispose")
    page.locator("dialog .found").nth(0).locator("[data-ok=true]").tap()
    page.locator("dialog [data-send=dispose]").tap()
    expect(page.locator("dialog .wrong").last).to_have_text("请逐项填写")
    page.locator("dialog .found").nth(1).locator("[data-ok=false]").tap()
    page.locator("dialog .found").nth(1).locator("input").fill("井盖破损")
    page.locator("dialog [data-send=dispose]").tap()
    expect(page.locator("#said")).to_contain_text("已受理")
    assert scene.desk.commands[-1].data == {
        "findings": [
            {"ok": True, "asset": "lvl-1"},
            {"ok": False, "asset": "lvl-2", "text": "井盖破损"},
        ]
    }


def test_the_way_there_speaks_each_maps_coordinates(phone: Phone, scene: Scene) -> None:
    scene.happen("flooding", worker=ME, address="流水桥, 北口")
    place = scene.desk.nouns["t-1"].place
    page = phone(at="#/t/t-1")
    page.locator("[data-box=go]").tap()
    hrefs = {
        one.get_attribute("data-way"): one.get_attribute("href") or ""
        for one in page.locator("dialog [data-way]").all()
    }
    assert hrefs["geo"].startswith(f"geo:{place.lat},{place.lon}?q=")
    amap = hrefs["amap"]
    assert amap.startswith("https://uri.amap.com/navigation?to=120.15")
    assert "coordinate=gaode" in amap
    assert f"{place.lon}," not in amap  # those are WGS 84
    assert set(hrefs) == {"amap", "apple", "google", "geo"}


def test_a_session_that_is_over_loses_nothing(browser: Browser, scene: Scene) -> None:
    ticket = scene.happen("flooding", worker=ME)
    at = scene.desk.clock.now()
    accounts = MemoryAccounts()
    account = Account(
        id="a-1", name="yang", role="worker", worker=ME, password=hashed(PASSWORD),
        created_at=at, changed_at=at,
    )  # fmt: skip
    made = Note(at=at, who="test", action="made", subject="accounts/a-1")
    with ThreadPoolExecutor(1) as aside:  # playwright has a loop in this thread
        aside.submit(asyncio.run, accounts.add_account(account, made)).result()
    server = scene.server(accounts=accounts)
    server.start()
    context = browser.new_context(viewport=PHONE, locale="zh-CN", has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    try:
        page = context.new_page()
        page.goto(f"{server.url}/w")
        link = page.locator(".login a.primary")
        assert link.get_attribute("href") == "/login?next=%2Fw"

        def log_in() -> None:
            answer = context.request.post(
                f"{server.url}/api/v1/login", data={"name": "yang", "password": PASSWORD},
                headers={"Origin": server.url},
            )  # fmt: skip
            assert answer.ok, answer.text()

        log_in()
        page.goto(f"{server.url}/w#/t/{ticket}")
        page.reload()
        tap(page, "accept")
        expect(page.locator("#said")).to_have_text("接单：已受理")
        context.clear_cookies()  # a month later
        tap(page, "arrive")
        expect(page.locator("#state")).to_contain_text("请登录")
        expect(page.locator("#state")).to_contain_text("1 项待发送")
        assert done(scene) == ["accept"]
        log_in()
        page.reload()
        eventually(lambda: done(scene) == ["accept", "arrive"])
        expect(page.locator("#state")).to_be_hidden()
        assert scene.desk.commands[-1].by == ME
    finally:
        context.close()
        server.stop(2.0)


def test_the_shell_is_whole_and_of_one_version(phone: Phone, scene: Scene) -> None:
    page = phone()
    shelled(page)
    names = page.evaluate("caches.keys()")
    assert len(names) == 1 and names[0].startswith("worker-")
    paths = page.evaluate(
        """async (name) => (await (await caches.open(name)).keys())
        .map((r) => new URL(r.url).pathname)""",
        names[0],
    )
    assert sorted(paths) == sorted(kept())
    assert not [path for path in paths if path.startswith("/api/")]
    manifest = page.evaluate("fetch('/w/app.webmanifest').then((r) => r.json())")
    assert {(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]} == {
        ("192x192", "any"), ("512x512", "any"), ("512x512", "maskable"),
    }  # fmt: skip


def test_a_new_version_is_offered_and_taken(
    phone: Phone, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.happen("flooding", worker=ME)
    page = phone()
    shelled(page)
    (old,) = page.evaluate("caches.keys()")
    newer = shell.script().replace(old.removeprefix("worker-").encode(), b"another-version")
    monkeypatch.setattr(shell, "script", lambda: newer)
    page.evaluate("navigator.serviceWorker.ready.then((r) => r.update()).then(() => true)")
    expect(page.locator("#state")).to_contain_text("新版本已就绪")
    page.locator("#state button").tap()
    expect(page.locator(".ticket")).to_have_count(1)
    assert page.evaluate("caches.keys()") == ["worker-another-version"]


@pytest.mark.parametrize(("locale", "scheme"), [("zh-CN", "light"), ("en-US", "dark")])
def test_everybody_can_use_it(
    phone: Phone, scene: Scene, locale: str, scheme: str
) -> None:  # fmt: skip
    scene.happen("high_altitude_throw", worker=ME, severity=5)
    second = scene.happen("flooding", worker=ME, severity=3)
    scene.desk.step(second, "accepted", ME)
    page = phone(locale, width=360, color_scheme=scheme)
    page.wait_for_selector(".ticket .step")
    no_serious(page)
    page.locator('.ticket[data-id="t-1"] > a').tap()
    page.wait_for_selector(".lead")
    no_serious(page)
    page.locator("#sharing").tap()
    no_serious(page, "dialog")
    page.keyboard.press("Escape")
    page.locator("[data-box=return]").tap()
    no_serious(page, "dialog")
    page.keyboard.press("Escape")
    page.locator("[data-box=photo]").tap()
    no_serious(page, "dialog")
    page.keyboard.press("Escape")
    page.locator("[data-box=go]").tap()
    no_serious(page, "dialog")
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, .phone a.button, summary')]
        .filter((n) => n.offsetParent && n.getBoundingClientRect().height < 47.5)
        .map((n) => n.outerHTML.slice(0, 80))"""
    )
    assert small == []
    page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
