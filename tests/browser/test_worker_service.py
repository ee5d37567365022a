"""The phone on the real service: broker, database, router; the network goes in mid-job."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.brokers import mosquitto
from tests.browser.test_worker_page import picture, shelled, tap
from tests.rig import Stage, drain, eventually, now_ms, stage, write_city
from tests.servers import pg_dsn, pg_server

__all__ = ["mosquitto", "pg_dsn", "pg_server", "stage"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
ME = "w-1"


def test_a_job_goes_on_without_network_and_each_step_is_done_once(
    browser: Browser, stage: Stage, tmp_path: Path
) -> None:
    write_city(stage.city, [drain("s-0")])
    service = stage.service()
    service.start()
    service.wait_ready()
    gateway = stage.gateway()
    url = f"http://127.0.0.1:{service.port}"
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, locale="zh-CN", has_touch=True, is_mobile=True,
        geolocation={"latitude": 26.0506, "longitude": 118.0107, "accuracy": 8},
        permissions=["geolocation"],
    )  # fmt: skip
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(f"{url}/w")
    page.locator(f'[data-as="{ME}"]').tap()
    expect(page.locator(".empty")).to_contain_text("暂无工单")
    shelled(page)

    began = now_ms() - 400_000
    for n in range(40):
        gateway.telemetry("s-0", began + 10_000 * n, depth=0.02 + 0.02 * n)
    gateway.settle()
    expect(page.locator("#said")).to_have_text("新派单", timeout=60_000)
    page.locator(".ticket > a").first.tap()
    expect(page.locator(".lead .kind")).to_have_text("道路积水")
    expect(page.locator(".chart img")).to_be_visible()
    tap(page, "accept")
    expect(page.locator("#said")).to_have_text("接单：已受理")
    page.locator("#sharing").tap()
    page.locator("dialog [data-send=agree]").tap()
    expect(page.locator("#sharing")).to_have_text("位置共享中")

    def shared() -> bool:
        (worker,) = service.items("/api/v1/workers")
        return bool(worker["point"] == {"lon": 118.0107, "lat": 26.0506})

    eventually(shared)

    context.set_offline(True)
    tap(page, "arrive")
    expect(page.locator(".lead .stage")).to_have_text("已到场")
    page.reload()
    tap(page, "dispose")
    page.locator("dialog input[type=file]").set_input_files(picture(tmp_path / "after.jpg"))
    page.wait_for_selector("dialog figure img")
    page.locator("dialog [data-send=dispose]").tap()
    expect(page.locator("#state")).to_contain_text("2 项待发送")
    context.set_offline(False)
    expect(page.locator("#state")).to_be_hidden(timeout=30_000)
    (ticket,) = service.items("/api/v1/tickets")
    full = service.get(f"/api/v1/tickets/{ticket['id']}")
    done = [step["change"] for step in full["timeline"] if step["by"] == ME]
    assert done == ["accepted", "arrived", "disposed"]
    assert stage.rows("SELECT count(*), count(DISTINCT id) FROM commands") == [(3, 3)]
    (photo,) = full["photographs"]
    assert (photo["name"], photo["by"]) == ("after", ME)
    assert service.fetch(photo["photo"]).startswith(b"\xff\xd8")
    page.wait_for_selector(".grid figure img")  # and it is on the phone's page, too
    context.close()
    assert service.stop() == 0
