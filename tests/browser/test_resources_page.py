"""应急资源一张图, as somebody uses it while a street is under water."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from contracts.case import Answer, Command
from contracts.clock import iso
from tests.browser.axe import no_serious
from tests.browser.office import OpenOffice, office_server, open_office, worked
from tests.unit.center.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
__all__ = ["office_server", "open_office", "worked"]


def lend(scene: Scene, ticket: str, count: int) -> None:
    """What `take_resource` leaves in a ticket."""
    now = iso(scene.desk.clock.now())
    taken = [{"resource": "pump-1", "count": count, "by": "w-03", "at": now}] if count else []
    reason = {**scene.desk.nouns[ticket].reason, "resources": {"taken": taken}}
    scene.desk.amend(ticket, reason=reason)


@pytest.fixture
def lending(worked: Scene) -> Scene:
    """The desk's router also lends pumps."""

    async def file_command(command: Command, wait_s: float) -> Answer:
        worked.desk.commands.append(command)
        assert command.rev == worked.desk.nouns[command.ticket].rev
        taking = command.action == "take_resource"
        lend(worked, command.ticket, (command.data or {})["count"] if taking else 0)
        return Answer(command.id, True, "applied", command.rev + 1)

    worked.lent = file_command  # type: ignore[attr-defined]
    return worked


def test_a_pump_is_sent_to_the_nearest_ticket_and_comes_back(
    lending: Scene, open_office: OpenOffice
) -> None:
    lending.desk.file_command = lending.lent  # type: ignore[attr-defined,method-assign]
    page = open_office("/resources")
    expect(page.locator(".res-pin")).to_have_count(3)
    row = page.locator("li[data-id=pump-1]")
    expect(row).to_contain_text("3 / 3 可用")
    row.get_by_role("button", name="调拨…").click()
    form = page.locator("dialog")
    expect(form.locator("input[type=radio]")).to_have_count(1)
    expect(form).to_contain_text("道路积水")
    form.get_by_label("数量").fill("2")
    form.get_by_label("您的姓名").fill("王")
    no_serious(page, "dialog")
    form.get_by_role("button", name="调拨").click()
    expect(row).to_contain_text("1 / 3 可用")
    expect(row).to_contain_text("部分领用")
    command = lending.desk.commands[-1]
    assert (command.action, command.by) == ("take_resource", "王")
    assert command.data == {"resource": "pump-1", "count": 2}
    no_serious(page)
    row.get_by_role("button", name="归还").click()
    page.locator("dialog").get_by_role("button", name="归还").click()
    expect(row).to_contain_text("3 / 3 可用")
    assert lending.desk.commands[-1].action == "return_resource"


def test_a_click_on_the_map_puts_the_nearest_first(open_office: OpenOffice) -> None:
    page = open_office("/resources", locale="en-GB")
    expect(page.locator(".res-pin")).to_have_count(3)
    box = page.locator("#map").bounding_box()
    pin = page.locator(".res-pin").last.bounding_box()
    assert box and pin
    page.mouse.click(pin["x"] + 40, pin["y"] + 34)
    expect(page.locator("#near")).to_contain_text("Nearest to this place")
    expect(page.locator(".stuff > li").first).to_contain_text(" m")
    assert "near=" in page.url
    first = page.locator(".stuff > li").first.get_attribute("data-id", timeout=2000)
    assert first == "pump-4"
    page.get_by_role("button", name="All out 0").click()
    expect(page.locator("#stock")).to_contain_text("No such resource.")


def test_a_pin_is_a_button_with_a_name_that_leads_to_its_line(open_office: OpenOffice) -> None:
    page = open_office("/resources", width=360, scheme="dark")
    pin = page.get_by_role("button", name="移动泵2号").first
    pin.focus()
    page.keyboard.press("Enter")
    expect(page.locator("li[data-id=pump-2]")).to_have_attribute("data-chosen", "true")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    no_serious(page)
