"""Evidence on the page: the clip plays, the still shows, the original opens for a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from center.settings import CenterSettings, Token
from contracts.event import Event, Footage, Place
from contracts.nouns import Segment
from gridsentry.engine.chain import Chains
from gridsentry.engine.proof import ProofMaker
from tests.unit.center.scene import START, THROW, Scene

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
OpenPage = Callable[..., Page]
TOKEN, RIGHT = "operator-token-0001", "inspector-token-001"


def proven(scene: Scene) -> dict[str, Any]:
    """Real evidence of a throw in the scene's folders; the event's facts with it."""
    pieces = []
    for n in range(60):
        at = START + timedelta(seconds=n / 20)
        picture = np.full((360, 640, 3), 70, np.uint8)
        cv2.rectangle(picture, (310, 5 * n), (322, 5 * n + 12), (255, 255, 255), -1)
        data = cv2.imencode(".jpg", picture)[1].tobytes()
        pieces.append(Segment("cam-1", at, at, data))
    track = [[f"{s.at:%Y-%m-%dT%H:%M:%S.%fZ}", 316, 5 * n] for n, s in enumerate(pieces)]
    told = {**THROW, "track": track, "picture": [640, 360], "clip": None, "still": None}
    event = Event(
        id="e-high_altitude_throw-1", rev=1, kind="high_altitude_throw", site="s", device="cam-1",
        at=START, severity=4, place=Place(120.1, 30.2), phase="closed", evidence=told,
    )  # fmt: skip
    maker = ProofMaker(None, "Asia/Shanghai", scene.evidence, scene.originals, Chains())
    footage = Footage("cam-1", START, START + timedelta(seconds=3), START + timedelta(seconds=1))
    return {**told, **maker.make(lambda: pieces, event, footage, START).facts}


def opened_ticket(page: Page) -> None:
    page.locator(".card .open").click()
    expect(page.locator("#detail details.originals")).to_be_attached()


def test_the_clip_plays_and_the_still_shows(open_page: OpenPage, scene: Scene) -> None:
    scene.happen("high_altitude_throw", evidence=proven(scene))
    page = open_page()
    opened_ticket(page)
    expect(page.locator("#detail img.still")).to_have_js_property("naturalWidth", 640)
    played = page.evaluate(
        """async () => {
            const video = document.querySelector('#detail video');
            await video.play();
            await new Promise((done) => {
                video.ontimeupdate = () => video.currentTime > 0.5 && done();
            });
            const { videoWidth, videoHeight, duration, error } = video;
            return [videoWidth, videoHeight, Math.round(duration * 10), error];
        }"""
    )
    assert played == [640, 360, 30, None]
    expect(page.locator("#detail")).to_contain_text("第 1 环")


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("camera is not calibrated: cannot name a window", "摄像头未标定"),
        ("no window is named: the camera moved: 5.9 px away", "画面与标定时不符"),
        ("the fall did not clearly begin in a known zone: no window is named", "无法确定窗口"),
    ],
)
def test_why_no_window_is_named_is_told(
    open_page: OpenPage, scene: Scene, why: str, said: str
) -> None:
    scene.happen("high_altitude_throw", evidence={**THROW, "origin": None, "why": [why]})
    page = open_page()
    page.locator(".card .open").click()
    expect(page.locator("#detail")).to_contain_text(said)


def test_an_original_opens_for_a_reason_which_is_noted(open_page: OpenPage, scene: Scene) -> None:
    scene.happen("high_altitude_throw", evidence=proven(scene))
    page = open_page()
    opened_ticket(page)
    page.locator("#detail details.originals summary").click()
    button = page.locator("#detail details.originals button[type=submit]")
    button.click()
    assert not [one for one in scene.desk.accesses if len(one) == 3], "no reason, no original"
    page.locator("#detail details.originals input").fill("警情 2026-118")
    button.click()
    expect(page.locator(".original img")).to_have_js_property("naturalWidth", 640)
    (noted,) = [one for one in scene.desk.accesses if len(one) == 3]
    assert noted[0] == "local" and noted[1].startswith("originals/e-high_altitude_throw-1")
    assert noted[2] == "警情 2026-118"
    page.locator("#detail details.originals button[type=button]").click()
    expect(page.locator(".original video")).to_have_js_property("videoWidth", 640)


def test_without_the_right_the_refusal_is_told(browser: Browser, scene: Scene) -> None:
    scene.happen("high_altitude_throw", evidence=proven(scene))
    tokens = (Token(token=TOKEN, name="desk", role="operator"),)
    server = scene.server(CenterSettings(port=0, tokens=tokens))
    server.start()
    try:
        context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
        page = context.new_page()
        page.add_init_script(f"sessionStorage.setItem('token', '{TOKEN}')")
        page.goto(server.url)
        opened_ticket(page)
        page.locator("#detail details.originals summary").click()
        page.locator("#detail details.originals input").fill("警情 2026-118")
        page.locator("#detail details.originals button[type=submit]").click()
        expect(page.locator("#detail .refused")).to_have_text("此令牌无权查看原始影像")
        assert not [one for one in scene.desk.accesses if len(one) == 3]
        context.close()
    finally:
        server.stop(2.0)
