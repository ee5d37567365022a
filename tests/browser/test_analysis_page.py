"""The analysis page, as a head of the center uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.axe import no_serious
from tests.browser.office import OpenOffice, office_server, open_office, worked
from tests.unit.center.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
__all__ = ["office_server", "open_office", "worked"]


def test_period_grouping_and_order_stand_in_the_address(open_office: OpenOffice) -> None:
    page = open_office("/analysis")
    expect(page.locator(".tile b").first).to_have_text("5")
    page.get_by_role("button", name="近 30 天").click()
    page.get_by_role("button", name="类别", exact=True).click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("高空抛物")
    page.locator(".sorter[data-key=filed]").click()
    expect(rows.first).to_contain_text("道路积水")
    assert "period=30" in page.url and "by=kind" in page.url and "sort=filed" in page.url
    page.reload()
    expect(rows.first).to_contain_text("道路积水")
    page.go_back()
    expect(page.get_by_role("button", name="责任单位", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    link = page.locator("tbody th a").first
    assert str(link.get_attribute("href", timeout=2000)).startswith("/?scope=all&utility=")
    with page.expect_download() as download:
        page.get_by_role("link", name="导出 CSV").click()
    assert "按期结案率" in Path(download.value.path()).read_text("utf-8-sig")
    no_serious(page)


def test_the_window_that_is_thrown_from_again_leads_to_its_tickets(open_office: OpenOffice) -> None:
    page = open_office("/analysis?part=spots&period=7", locale="en-GB")
    row = page.locator("tr[data-id='cam-1/F17-3']")
    expect(row).to_contain_text("floor 17, bay 3")
    expect(row.locator("b")).to_have_text("3")
    assert row.locator("a").first.get_attribute("href", timeout=2000) == "/?scope=all#t-1"
    no_serious(page)


def test_a_false_alarm_is_marked_counts_and_can_be_taken_back(
    open_office: OpenOffice, worked: Scene
) -> None:
    page = open_office("/analysis?part=quality&period=7")
    kind = page.locator("tr[data-id=high_altitude_throw]")
    expect(kind).to_contain_text("100%")
    kind.get_by_role("button").click()
    sheet = page.locator("dialog.sheet")
    expect(sheet.locator("tbody tr")).to_have_count(3)
    no_serious(page, "dialog.sheet")
    sheet.get_by_role("button", name="误报…").first.click()
    ask = page.locator("dialog.sheet").last
    ask.get_by_label("晾晒衣物").check()
    ask.get_by_role("textbox", name="说明").fill("被单")
    ask.get_by_label("您的姓名").fill("王主任")
    ask.get_by_role("button", name="误报").click()
    expect(sheet.locator(".tag").first).to_have_text("误报")
    expect(sheet.first).to_contain_text("晾晒衣物 被单")
    page.keyboard.press("Escape")
    expect(kind).to_contain_text("66.7%")
    expect(kind).to_contain_text("20.8% – 93.9%")
    with page.expect_download() as download:
        page.get_by_role("link", name="导出标注（JSONL）").click()
    told = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert (told["verdict"], told["cause"], told["by"]) == ("false", "laundry", "王主任")
    page.get_by_role("button", name="撤回").click()
    expect(kind).to_contain_text("100%")
    no_serious(page)


def test_what_no_alarm_told_of_is_reported(open_office: OpenOffice) -> None:
    page = open_office("/analysis?part=quality", locale="en-GB", scheme="dark")
    page.get_by_role("button", name="Report a missed one").click()
    form = page.locator("dialog.sheet")
    form.get_by_label("Kind").select_option("flooding")
    form.get_by_label("When it happened").fill(
        page.evaluate("""() => { const d = new Date(Date.now() - 3600e3);
        return new Date(d - d.getTimezoneOffset() * 6e4).toISOString().slice(0, 19); }""")
    )
    form.get_by_label("Device that should").fill("lvl-nowhere")
    form.get_by_role("button", name="Report a missed one").click()
    expect(page.locator(".toast.bad")).to_contain_text("no device is called")
    form.get_by_label("Device that should").fill("lvl-9")
    form.get_by_role("button", name="Report a missed one").click()
    expect(page.locator("tr[data-id='lvl-9']")).to_contain_text("Flooding")
    no_serious(page)


@pytest.mark.parametrize("width", [360, 3840])
def test_it_fits_a_phone_and_a_wall(open_office: OpenOffice, width: int) -> None:
    page = open_office("/analysis?period=30", width=width)
    expect(page.locator(".trend")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    no_serious(page)


def test_an_alarm_is_judged_on_the_desk_too(open_office: OpenOffice, worked: Scene) -> None:
    page = open_office("/#t-5")
    judge = page.locator(".judge")
    expect(judge).to_contain_text("未判")
    judge.get_by_role("button", name="误报…").click()
    page.locator("dialog.sheet").get_by_label("道路冲洗").check()
    page.locator("dialog.sheet").get_by_role("button", name="误报").click()
    expect(judge).to_contain_text("误报 · 道路冲洗")
