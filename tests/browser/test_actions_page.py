"""Every action of the loop from the page: forms, one click, refusals, and what belongs together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Page, expect

from contracts.case import Answer, Cause, Change, Command, Hand, Hold, Incident
from contracts.clock import iso
from tests.unit.center.scene import Scene, draw_still

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
OpenPage = Callable[..., Page]


def opened(page: Page, ticket: str = "t-1") -> None:
    page.locator(f'.card[data-id="{ticket}"] .open').click()
    expect(page.locator("#detail [data-action=note]")).to_be_visible()


def last(scene: Scene) -> Command:
    return scene.desk.commands[-1]


def amend_incident(scene: Scene, name: str, **fields: Any) -> None:
    known = msgspec.convert(scene.desk.things["incidents"][name], Incident, strict=False)
    body = msgspec.structs.replace(known, rev=known.rev + 1, **fields)
    now = scene.desk.clock.now()
    scene.put(
        Change(
            type="incident", id=name, rev=body.rev, change="updated", known_at=now, body=body
        )
    )  # fmt: skip


def test_a_return_needs_its_reason_and_goes_with_it(open_page: OpenPage, scene: Scene) -> None:
    scene.happen("flooding")
    page = open_page()
    opened(page)
    page.locator("#detail [data-action=return]").click()
    form = page.locator("#detail form.ask")
    expect(form.locator("textarea[name=reason]")).to_be_focused()
    form.locator(".primary").click()
    expect(form.locator(".refused")).to_contain_text("请先填写")
    assert scene.desk.commands == []
    form.locator("textarea[name=reason]").fill("非我单位管辖")
    form.locator(".primary").click()
    expect(page.locator("#detail .top .stage")).to_have_text("回退")
    expect(form).to_have_count(0)
    assert (last(scene).action, last(scene).reason) == ("return", "非我单位管辖")


def test_a_runner_up_is_sent_by_one_click(open_page: OpenPage, scene: Scene) -> None:
    scene.happen("flooding")
    page = open_page()
    opened(page)
    page.locator('#detail [data-reassign="w-01"]').click()
    expect(page.locator("#detail .top .facts")).to_contain_text("rev 2")
    assert (last(scene).action, last(scene).data) == ("reassign", {"worker": "w-01"})
    page.locator('#detail [data-help="w-02"]').click()
    expect(page.locator("#detail .top .facts")).to_contain_text("rev 3")
    assert (last(scene).action, last(scene).data) == ("request_helper", {"worker": "w-02"})


def test_two_tickets_are_merged_from_a_list(open_page: OpenPage, scene: Scene) -> None:
    scene.happen("flooding")
    scene.happen("severed_cable")
    page = open_page()
    opened(page, "t-1")
    page.locator("#detail [data-action=merge]").click()
    form = page.locator("#detail form.ask")
    form.locator("select[name=into]").select_option("t-2")
    form.locator("textarea[name=reason]").fill("同一处")
    form.locator(".primary").click()
    expect(page.locator("#detail .top .stage")).to_have_text("作废")
    assert (last(scene).action, last(scene).data) == ("merge", {"into": "t-2"})


def test_a_question_stands_above_its_answers(open_page: OpenPage, scene: Scene) -> None:
    ticket = scene.happen("flooding")
    until = scene.desk.clock.now() + timedelta(hours=3)
    question = {
        "state": "open", "by": "w-05", "until": iso(until),
        "text_en": "w-05 asks for 3 h more", "text_zh": "w-05 申请延期3小时",
    }  # fmt: skip
    reason = {**scene.desk.nouns[ticket].reason, "questions": {"extension": question}}
    scene.desk.amend(ticket, reason=reason)
    page = open_page("en-US")
    opened(page)
    asked = page.locator("#detail .question")
    expect(asked).to_contain_text("asks for 3 h more")
    expect(asked.locator("button")).to_have_count(2)
    asked.locator("[data-action=refuse]").click()
    form = page.locator("#detail form.ask")
    form.locator("textarea[name=reason]").fill("the pump is there")
    form.locator(".primary").click()
    expect(form).to_have_count(0)
    assert (last(scene).action, last(scene).reason) == ("refuse", "the pump is there")


def test_who_telephoned_asks_in_their_own_name(open_page: OpenPage, scene: Scene) -> None:
    ticket = scene.happen("severed_cable")
    page = open_page("en-US")
    opened(page)
    page.locator("#detail [data-action=extend]").click()
    form = page.locator("#detail form.ask")
    form.locator("select[name=by]").select_option("gd")
    form.locator("input[name=until]").fill("2099-01-01T08:00")
    form.locator("textarea[name=reason]").fill("the crane is late")
    form.locator(".primary").click()
    expect(form).to_have_count(0)
    assert (last(scene).by, last(scene).ticket) == ("gd", ticket)
    assert last(scene).data == {"until": "2099-01-01T00:00:00.000Z"}


def test_a_form_survives_what_happens_meanwhile(open_page: OpenPage, scene: Scene) -> None:
    ticket = scene.happen("flooding")
    page = open_page()
    opened(page)
    page.locator("#detail [data-action=suspend]").click()
    box = page.locator("#detail form.ask textarea[name=reason]")
    box.fill("等待材料")
    scene.desk.amend(ticket, severity=5)
    expect(page.locator("#detail .top .sev")).to_have_text("特大")
    expect(box).to_have_value("等待材料")
    expect(box).to_be_focused()


def test_a_refused_click_says_why_and_asks_for_words(
    open_page: OpenPage, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = scene.happen("flooding")
    scene.desk.step(ticket, "disposed", "w-05")
    obey = scene.desk.file_command
    why = (
        "the sensor still says it is not over: verify with a reason / 传感器显示未恢复：须说明原因"
    )

    async def stubborn(command: Command, wait_s: float) -> Answer | None:
        if command.action == "verify" and not command.reason:
            return Answer(command.id, False, why, command.rev)
        return await obey(command, wait_s)

    monkeypatch.setattr(scene.desk, "file_command", stubborn)
    page = open_page()
    opened(page)
    page.locator("#detail .actions [data-action=verify]").click()
    form = page.locator("#detail form.ask")
    expect(form.locator(".refused")).to_have_text("传感器显示未恢复：须说明原因")
    form.locator("textarea[name=reason]").fill("现场已看过")
    form.locator(".primary").click()
    expect(page.locator("#detail .top .stage")).to_have_text("已核实")


def test_the_keyboard_fills_and_leaves_a_form(open_page: OpenPage, scene: Scene) -> None:
    scene.happen("flooding")
    page = open_page()
    opened(page)
    page.locator("#detail [data-action=void]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#detail form.ask textarea")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#detail form.ask")).to_have_count(0)
    expect(page.locator("#detail")).to_be_visible()
    expect(page.locator("#detail [data-action=void]")).to_be_focused()


def test_what_belongs_together_is_named_and_linked(open_page: OpenPage, scene: Scene) -> None:
    scene.happen("severed_cable")
    scene.happen("street_light_out")
    scene.happen("flooding")
    now = scene.desk.clock.now()
    cause = Cause(
        "i-1", "severed_cable", "t-1", "suspected", "perhaps the cut span", "可能是断线所致"
    )
    amend_incident(scene, "i-2", cause=cause)
    storm = msgspec.structs.replace(
        msgspec.convert(scene.desk.things["incidents"]["i-3"], Incident, strict=False),
        id="i-s", rev=1, name="storm of 14 July / 7月14日暴雨", children=("i-3", "i-2"),
        reason="streets under one storm / 同一场暴雨下的道路",
    )  # fmt: skip
    scene.put(
        Change(type="incident", id="i-s", rev=1, change="opened", known_at=now, body=storm)
    )  # fmt: skip
    amend_incident(scene, "i-3", parent="i-s")
    page = open_page()
    opened(page, "t-2")
    expect(page.locator("#detail .related")).to_contain_text("可能是断线所致")
    page.locator("#detail .related a").click()
    expect(page.locator("#detail h2")).to_have_text("架空线缆断裂")
    page.locator('.card[data-id="t-3"] .open').click()
    related = page.locator("#detail .related")
    expect(related).to_contain_text("7月14日暴雨")
    expect(related.locator("a")).to_contain_text("t-2")


def test_what_is_held_back_is_listed_with_its_reason(open_page: OpenPage, scene: Scene) -> None:
    scene.happen("flooding")
    until = scene.desk.clock.now() + timedelta(hours=2)
    held = Hold("silence", "s-1", until, "drill at the underpass", "下穿道演练")
    amend_incident(scene, "i-1", held=held)
    page = open_page()
    box = page.locator("#held")
    expect(box.locator("summary")).to_have_text("暂不派单 1")
    box.locator("summary").click()
    expect(box).to_contain_text("下穿道演练")
    opened(page)
    expect(page.locator("#detail .related")).to_contain_text("下穿道演练")
    page.locator("#lang").click()
    expect(page.locator("#detail .related")).to_contain_text("drill at the underpass")
    amend_incident(scene, "i-1", held=None)
    expect(box).to_be_hidden()


def test_helpers_are_answered_for_by_name(open_page: OpenPage, scene: Scene) -> None:
    ticket = scene.happen("severed_cable")
    now = scene.desk.clock.now()
    scene.desk.amend(
        ticket, helpers=("w-02",), hands=(Hand("w-02", "requested", now, "router"),)
    )  # fmt: skip
    page = open_page()
    opened(page)
    page.locator("#detail [data-action=accept_help]").click()
    form = page.locator("#detail form.ask")
    expect(form.locator("select[name=worker]")).to_contain_text("张芳 · 已请求")
    form.locator(".primary").click()
    expect(form).to_have_count(0)
    assert last(scene).data == {"worker": "w-02"}


def test_a_photograph_goes_with_the_step(open_page: OpenPage, scene: Scene, tmp_path: Path) -> None:
    ticket = scene.happen("flooding")
    picture = tmp_path / "after.jpg"
    draw_still(picture)
    page = open_page()
    opened(page)
    page.locator("#detail [data-action=with]").click()
    form = page.locator("#detail form.ask")
    form.locator("input[name=photo]").set_input_files(picture)
    form.locator("select[name=shows]").select_option("before")
    form.locator(".primary").click()
    expect(form).to_have_count(0)
    photos = (last(scene).data or {})["photos"]
    assert (last(scene).action, [p["name"] for p in photos]) == ("accept", ["before"])
    # What the router makes of it.
    now = iso(scene.desk.clock.now())
    kept = {"before": [{"ref": photos[0]["ref"], "by": "center", "at": now}]}
    scene.desk.amend(ticket, reason={**scene.desk.nouns[ticket].reason, "photos": kept})
    page.wait_for_selector("#detail .photographs img")
    page.locator("#detail .photographs img").scroll_into_view_if_needed()
    expect(page.locator("#detail .photographs figcaption")).to_contain_text("处置前")
    expect(page.locator("#detail .photographs img")).to_have_js_property("naturalWidth", 960)
