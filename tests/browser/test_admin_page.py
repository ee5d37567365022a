"""Administration, as whoever keeps the service uses it."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from contracts.batch import DeadLetter
from contracts.clock import iso
from tests.browser.axe import no_serious
from tests.browser.office import OpenOffice, office_server, open_office, worked
from tests.unit.center.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
__all__ = ["office_server", "open_office", "worked"]


def letter(scene: Scene, name: str, payload: bytes) -> None:
    made = DeadLetter(
        id=name, topic="gridsentry/v1/feed/wenhui/lvl-3/telemetry", code="naive_time",
        received_at=scene.desk.clock.now(), reason="<b>ts</b> has no zone", device="lvl-3",
        adapter="native", payload=payload, bytes=len(payload),
        sha256=hashlib.sha256(payload).hexdigest(),
    )  # fmt: skip
    scene.desk.letters[name] = made
    shown = {n: getattr(made, n) for n in ("id", "topic", "code", "reason", "device", "bytes")}
    scene.desk.things.setdefault("dead-letters", {})[name] = {
        **shown, "adapter": "native", "sha256": made.sha256, "received_at": iso(made.received_at),
        "payload": base64.b64encode(payload).decode(),
    }  # fmt: skip


def send(page: Page, devices: str) -> None:
    file: FilePayload = {
        "name": "devices.csv", "mimeType": "text/csv", "buffer": devices.encode()
    }  # fmt: skip
    page.locator("#files").set_input_files(file)


def test_devices_are_found_by_how_they_are(open_office: OpenOffice, worked: Scene) -> None:
    worked.happen("sensor_silent")
    now = iso(worked.desk.clock.now())
    worked.desk.things["devices"] = {
        "lvl-3": {"id": "lvl-3", "online": False, "status_at": now, "last_reading_at": None}
    }
    page = open_office("/admin")
    expect(page.locator("tbody tr")).to_have_count(len(worked.city.devices))
    page.get_by_role("button", name="离线").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("lvl-3")
    assert "state=offline" in page.url
    page.get_by_role("searchbox").fill("cam")
    page.get_by_role("button", name="搜索").click()
    expect(page.locator("tbody")).to_contain_text("没有数据")
    no_serious(page)


def test_a_dead_letter_is_read_and_tried_again(open_office: OpenOffice, worked: Scene) -> None:
    letter(worked, "d-1", b'{"ts": "<script>alert(1)</script>"}')
    page = open_office("/admin?part=letters")
    row = page.locator("tr[data-id=d-1]")
    expect(row).to_contain_text("时间缺少时区")
    expect(row).to_contain_text("<b>ts</b> has no zone")
    row.get_by_role("button", name="查看内容").click()
    expect(page.locator("dialog pre")).to_contain_text("<script>alert(1)</script>")
    no_serious(page, "dialog")
    with page.expect_download() as download:
        page.locator("dialog").get_by_role("link", name="下载").click()
    assert b"<script>" in Path(download.value.path()).read_bytes()
    page.locator("dialog").get_by_role("button", name="重试").click()
    expect(row).to_contain_text("等待处理")
    assert len(worked.desk.taken_in) == 1
    worked.desk.taken_in.clear()
    page.reload()
    expect(row).to_contain_text("已重新处理")
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="重试所选 (1)").click()
    expect(row).to_contain_text("等待处理")
    no_serious(page)


def test_a_silence_is_made_and_lifted(open_office: OpenOffice) -> None:
    page = open_office("/admin?part=holds", locale="en-GB")
    page.get_by_role("button", name="New silence").click()
    form = page.locator("dialog")
    form.get_by_label("Street light out").check()
    form.get_by_label("Reason").fill("lamps are renewed")
    form.get_by_label("Your name").fill("Li")
    no_serious(page, "dialog")
    form.get_by_role("button", name="New silence").click()
    row = page.locator("tbody tr").filter(has_text="lamps are renewed")
    expect(row).to_contain_text("Street light out")
    row.get_by_role("button", name="Lift").click()
    page.locator("dialog").get_by_role("button", name="Are you sure?").click()
    expect(row).to_have_count(0)
    page.get_by_label("Also those over").check()
    expect(row).to_contain_text("Ended")


def test_works_are_planned_and_taken_out(open_office: OpenOffice) -> None:
    page = open_office("/admin?part=holds")
    page.get_by_role("button", name="新建施工计划").click()
    form = page.locator("dialog")
    form.get_by_label("编号", exact=True).fill("road-7")
    form.get_by_label("经度").fill("118.77")
    form.get_by_label("纬度").fill("32.06")
    form.get_by_label("说明").fill("换管")
    form.get_by_label("您的姓名").fill("王")
    form.get_by_role("button", name="新建施工计划").click()
    row = page.locator("tr[data-id=road-7]")
    expect(row).to_contain_text("换管")
    row.get_by_role("button").click()
    page.locator("dialog").get_by_role("button", name="确定？").click()
    expect(row).to_have_count(0)
    no_serious(page)


def test_the_citys_data_is_looked_at_before_it_changes(
    open_office: OpenOffice, tmp_path: Path
) -> None:
    devices = tmp_path / "city" / "devices.csv"
    good = devices.read_text("utf-8") + "lvl-new,sample,water_level,118.77,32.06,,,,level\n"
    page = open_office("/admin?part=city")
    send(page, good.replace("118.77,", "abc,"))
    expect(page.locator("#problems")).to_contain_text("devices.csv, line")
    expect(page.locator("#problems")).to_contain_text("abc")
    expect(page.locator("#apply")).to_have_count(0)
    no_serious(page)
    send(page, good)
    row = page.locator("#differences tr[data-id=devices]")
    expect(row).to_contain_text("设备")
    row.locator("summary").click()
    expect(row).to_contain_text("lvl-new")
    assert "lvl-new" not in devices.read_text("utf-8")
    page.get_by_label("您的姓名").fill("王")
    page.locator("#apply").click()
    expect(page.locator(".toast")).to_contain_text("已生效")
    assert "lvl-new" in devices.read_text("utf-8")
    no_serious(page)


def test_it_fits_a_phone(open_office: OpenOffice) -> None:
    for part in ("devices", "letters", "holds", "city"):
        page = open_office(f"/admin?part={part}", width=360, scheme="dark")
        expect(page.locator("#shown .panel").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), part
        no_serious(page)
