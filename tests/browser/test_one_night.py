"""One night at the real service with the real simulators: everybody at their own browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, ViewportSize, expect

from tests.browser.night import LOADED_MS, Night, People, night, people, pg_server
from tests.browser.test_alarm_page import heard, tones
from tests.browser.test_desk_page import Cable, shown
from tests.browser.test_resident_page import choose
from tests.browser.test_worker_page import picture, tap
from tests.rig import eventually

__all__ = ["night", "people", "pg_server"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.xdist_group("browser")]
KINDS = ("high_altitude_throw", "flooding", "severed_cable")
STAGE = "#detail .top .stage"
TALL: ViewportSize = {"width": 1440, "height": 9000}
"""Room for every card, however many the night brought: the list holds those that can be seen."""


@pytest.fixture(autouse=True, scope="module")
def patience() -> Any:
    """Expectations wait as long as a loaded machine may need."""
    expect.set_options(timeout=LOADED_MS)
    yield
    expect.set_options(timeout=5_000)


def card(page: Page, ticket: str) -> Any:
    return page.locator(f'.card[data-id="{ticket}"]')


def test_the_desk_hears_the_night_begin_until_another_desk_acknowledges(
    people: People, night: Night
) -> None:
    here, there = people.desk(), people.desk()
    for page in (here, there):
        page.locator("#list-title").click()  # silent until somebody has touched the page
        expect(page.locator("body")).to_have_attribute("data-alarm", "false")
        assert tones(page) == 0
    quiet = here.title()

    tickets = {kind: night.ticket(kind)["id"] for kind in KINDS}
    for page in (here, there):
        for ticket in tickets.values():
            expect(card(page, ticket)).to_have_count(1)  # by itself: nobody reloads tonight
        heard(page, 8)
        expect(page).to_have_title(re.compile("未知悉"))
        expect(page).to_have_title(quiet)  # it flashes

    there.locator("#bulk").click()
    there.locator("#ask-bulk .primary").click()
    for page in (here, there):
        expect(page.locator("body")).to_have_attribute("data-alarm", "false")
        expect(page).to_have_title(quiet)
        for ticket in tickets.values():
            expect(card(page, ticket).locator(".heard")).to_contain_text("已知悉")
    before = tones(here), tones(there)
    here.wait_for_timeout(3_500)  # the next siren would have come
    assert (tones(here), tones(there)) == before
    assert here.title() == there.title() == quiet
    assert shown(here) == shown(there)


def test_a_falls_clip_plays_beside_the_facade_that_names_the_window(
    people: People, night: Night
) -> None:
    ticket = night.ticket("high_altitude_throw")["id"]
    page = people.desk()
    card(page, ticket).locator(".open").click()
    video = page.locator("#detail video")
    expect(video).to_have_attribute("src", re.compile(r"\.mp4\?exp="))
    video.evaluate("video => video.play()")

    def time() -> float:
        return float(video.evaluate("video => video.currentTime"))

    started = eventually(time, 30)
    expect(video).to_have_js_property("error", None)
    expect(video).to_have_js_property("paused", False)
    eventually(lambda: time() > started + 0.3, 30)
    size = video.evaluate("video => [video.videoWidth, video.videoHeight]")
    assert min(size) >= 360, size
    still = page.locator("#detail img.still")
    still.scroll_into_view_if_needed()
    expect(still).to_have_js_property("complete", True)
    assert still.evaluate("image => image.naturalWidth") == size[0]

    (origin,) = (event["origin"] for event in night.now(ticket)["events"] if event.get("origin"))
    likeliest = f"{origin['zone']} {round(100 * origin['p'])} %"
    expect(page.locator("#detail .window")).to_contain_text(origin["zone"])
    facade = page.locator("#detail svg.facade")
    expect(facade.locator(f'[data-zone="{origin["zone"]}"].likely')).to_have_count(1)
    expect(facade.locator(".label", has_text=likeliest)).to_have_count(1)


def test_three_people_walk_a_ticket_from_detection_to_rating(
    people: People, night: Night, tmp_path: Path
) -> None:
    found = night.ticket("high_altitude_throw")
    ticket, utility = found["id"], found["utility"]
    desk = people.desk()
    card(desk, ticket).locator(".open").click()
    expect(desk.locator("#detail [data-reassign]").first).to_be_visible()
    offered = desk.locator("#detail [data-reassign]").evaluate_all(
        "all => all.map((one) => one.dataset.reassign)"
    )
    concerned = {found["worker"], *found["helpers"]}
    worker = next(one for one in offered if one not in concerned)
    phone = people.worker(worker, found["place"])
    theirs = phone.locator(f'.ticket[data-id="{ticket}"]')
    assert theirs.count() == 0

    desk.locator(f'#detail [data-reassign="{worker}"]').click()  # the operator sends another
    theirs.locator("a").first.tap()  # whose telephone has it by itself
    link = people.phone(night.link(ticket, utility))
    expect(link.locator(".stage")).to_have_text("待接单")
    tap(phone, "accept")
    expect(desk.locator(STAGE)).to_have_text("已接单")
    expect(link.locator(".stage")).to_have_text("已接单")

    link.locator("[name=by]").fill("环卫 王工")
    link.locator("[name=note]").fill("保洁车十分钟后到")
    link.locator("[data-action=note]").click()
    expect(desk.locator("#detail .timeline")).to_contain_text("保洁车十分钟后到")
    expect(link.locator("ol")).to_contain_text("保洁车十分钟后到")

    phone.locator("#sharing").tap()
    with phone.expect_response("**/api/v1/me/position*") as placed:
        phone.locator("dialog [data-send=agree]").tap()
    assert placed.value.status == 202
    expect(phone.locator("#sharing")).to_have_text("位置共享中")
    tap(phone, "arrive")
    expect(desk.locator(STAGE)).to_have_text("已到场")
    tap(phone, "dispose")
    phone.locator("dialog input[type=file]").set_input_files(picture(tmp_path / "after.jpg"))
    phone.wait_for_selector("dialog figure img")
    phone.locator("dialog textarea").fill("已清理并警示")
    phone.locator("dialog [data-send=dispose]").tap()
    expect(desk.locator(STAGE)).to_have_text("已处置")
    expect(link.locator(".stage")).to_have_text("已恢复，待核实")
    taken = desk.locator("#detail .photographs img")
    taken.scroll_into_view_if_needed()
    expect(taken).to_have_js_property("naturalWidth", 1600)

    for action, stage in (("verify", "已核实"), ("close", "已结案")):
        desk.locator(f"#detail .actions [data-action={action}]").click()
        expect(desk.locator(STAGE)).to_have_text(stage)
        expect(phone.locator(".lead .stage")).to_have_text(stage)
    desk.locator("#detail [data-action=evaluate]").click()
    form = desk.locator("#detail form.ask")
    form.locator("input[name=score][value='5']").check()
    form.locator(".primary").click()
    expect(desk.locator(STAGE)).to_have_text("已评价")
    expect(link.locator(".stage")).to_have_text("已评价")

    full = night.now(ticket)
    steps = [(step["change"], step["by"]) for step in full["timeline"]]
    walked = [step for step in steps if step[0] not in ("updated", "filed")]
    assert walked[0][0] == "detected" and walked[1][0] == "dispatched"
    assert [step for step in walked if step[0] not in ("detected", "dispatched")] == [
        ("accepted", worker), ("arrived", worker), ("disposed", worker), ("verified", "center"),
        ("closed", "center"), ("evaluated", "center"),
    ]  # fmt: skip
    assert full["reason"]["evaluation"]["person"]["score"] == 5
    assert [photo["by"] for photo in full["photographs"]] == [worker]


def test_a_desk_that_was_cut_off_resumes_without_a_gap(people: People, night: Night) -> None:
    for kind in KINDS:
        night.ticket(kind)
    flood = night.ticket("flooding")
    phone = people.worker(flood["worker"], flood["place"])
    resident = people.phone(f"/r/{night.sign_near(flood['place'])}")
    expect(resident.locator(".known")).to_contain_text("道路积水")
    cable = Cable(night.service.port)
    try:
        desk = people.desk(cable.url)
        card(desk, flood["id"]).locator(".open").click()
        expect(desk.locator(STAGE)).to_have_text("已派遣")
        asked: list[Request] = []
        # (Playwright marks its listeners: a builtin will not do.)
        desk.on("request", lambda request: asked.append(request))  # noqa: PLW0108
        cable.cut()
        expect(desk.locator("#link")).to_have_attribute("data-state", "lost")

        choose(resident, "flooding")
        resident.fill("#text", "水没过脚踝")
        resident.locator("button.primary").click()
        expect(resident.locator(".joined")).to_contain_text("传感器也发现了同一情况")
        phone.locator(f'.ticket[data-id="{flood["id"]}"] > a').tap()
        tap(phone, "accept")
        expect(resident.locator(".current")).to_contain_text("有人正在赶来")
        tap(phone, "arrive")
        eventually(lambda: night.stages()[flood["id"]] == "arrived", 30)
        expect(desk.locator(STAGE)).to_have_text("已派遣")  # it knows of nothing

        cable.whole = True
        expect(desk.locator("#away")).to_be_hidden()
        expect(desk.locator(STAGE)).to_have_text("已到场")
        caught_up = desk.locator(".toast", has_text="补收").inner_text()
        assert int(re.findall(r"补收 (\d+) 条", caught_up)[0]) >= 2
        expect(desk.locator("#detail .timeline [data-change=accepted]")).to_have_count(1)
        expect(desk.locator("#detail .timeline [data-change=arrived]")).to_have_count(1)
        resumed = [r.headers.get("last-event-id") for r in asked if "/api/v1/stream" in r.url]
        assert resumed and all(resumed), "from the last event on that it had"
        assert not [r.url for r in asked if "/api/v1/queue" in r.url], "nothing is read anew"

        desk.set_viewport_size(TALL)

        def differing() -> set[tuple[str, str]]:
            cards = desk.locator(".card").evaluate_all(
                "all => all.map((one) => [one.dataset.id, one.dataset.stage])"
            )
            assert len(cards) == len(dict(cards)), "every ticket once"
            return set(dict(cards).items()) ^ set(night.stages().items())

        eventually(lambda: not differing(), 30, why=differing)
    finally:
        cable.end()
    # (The traffic police get a part of it, another street may follow: the report is of this one.)
    for other in night.service.items("/api/v1/tickets?kind=flooding"):
        if (other["parent"] or other["id"]) != flood["id"]:
            kinds = {event["kind"] for event in night.now(other["id"])["events"]}
            assert "citizen_report" not in kinds, other
    full = night.now(flood["id"])
    assert "citizen_report" in {event["kind"] for event in full["events"]}
    done = [step["change"] for step in full["timeline"] if step["by"] == flood["worker"]]
    assert done == ["accepted", "arrived"]
