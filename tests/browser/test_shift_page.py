"""The handover, as two people do it at six in the morning."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.axe import no_serious
from tests.browser.office import OpenOffice, office_server, open_office, worked
from tests.unit.center.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
__all__ = ["office_server", "open_office", "worked"]


def test_one_hands_over_and_the_other_signs(open_office: OpenOffice, worked: Scene) -> None:
    leaving = open_office("/shift")
    row = leaving.locator("tr[data-id=t-5]")
    expect(row).to_contain_text("道路积水")
    expect(row).to_contain_text("接单")
    expect(row).to_contain_text("市政排水公司")
    expect(row).to_contain_text("超时")
    expect(leaving.locator(".duty").first.locator("li").first).to_be_visible()
    no_serious(leaving)
    leaving.get_by_label("交班说明").fill("二号泵在南门\n<b>未归还</b>")
    leaving.get_by_label("交班人").fill("王建")
    leaving.get_by_role("button", name="交班", exact=True).click()
    expect(leaving.locator("#record")).to_contain_text("交班待签收")
    coming = open_office("/shift", locale="en-GB")
    record = coming.locator("#record")
    expect(record).to_contain_text("王建")
    expect(record.locator(".notes")).to_contain_text("<b>未归还</b>")
    record.get_by_label("Coming").fill("王建")
    record.get_by_role("button", name="Take over").click()
    expect(coming.locator(".toast.bad")).to_contain_text("somebody else takes over")
    record.get_by_label("Coming").fill("李伟")
    record.get_by_label("Remarks").fill("counted")
    no_serious(coming)
    record.get_by_role("button", name="Take over").click()
    earlier = coming.locator(".before tbody tr")
    expect(earlier).to_contain_text("李伟")
    worked.desk.step("t-5", "accepted", "w-05")
    earlier.get_by_role("button", name="Show").click()
    expect(coming.locator("#record")).to_contain_text("counted")
    expect(coming.locator("tr[data-id=t-5]")).to_contain_text("acceptance")
    assert "id=h-" in coming.url
    no_serious(coming)


def test_it_prints_without_its_tools_and_fits_a_phone(open_office: OpenOffice) -> None:
    page = open_office("/shift", width=360, scheme="dark")
    expect(page.locator("tr[data-id=t-5]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    no_serious(page)
    page.emulate_media(media="print")
    expect(page.locator("#make")).to_be_hidden()
    expect(page.locator("header.bar")).to_be_hidden()
    expect(page.locator("tr[data-id=t-5]")).to_be_visible()
