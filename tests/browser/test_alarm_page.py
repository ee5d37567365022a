"""The desk's alarm: heard, said to be blocked, muted, and silent once somebody knows."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from center.server import CenterServer
from contracts.case import Command
from tests.unit.center.scene import Scene

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

EARS = """
    window.tones = [];
    const make = AudioContext.prototype.createOscillator;
    AudioContext.prototype.createOscillator = function () {
        const tone = make.call(this), start = tone.start;
        tone.start = (at) => { window.tones.push(tone.frequency.value); start.call(tone, at); };
        return tone;
    };
"""
"""Installed before the page: what its loudspeaker is told to sound."""


@pytest.fixture
def listen(browser: Browser, server: CenterServer) -> Any:
    """Opens desks whose tones are counted; each in a browser context of its own."""
    contexts = []

    def opened(before: str = EARS, path: str = "/", locale: str = "zh-CN") -> Page:
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, locale=locale, timezone_id="Asia/Shanghai"
        )
        contexts.append(context)
        context.add_init_script(before)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.goto(server.url + path)
        page.wait_for_selector("#link[data-state=live]")
        return page

    yield opened
    for context in contexts:
        context.close()


def tones(page: Page) -> int:
    return int(page.evaluate("window.tones.length"))


def heard(page: Page, least: int) -> None:
    """Wait until so many tones have sounded (the page's rules let nobody evaluate text in it)."""
    for _ in range(100):
        if tones(page) >= least:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{tones(page)} tones of {least}")


def acknowledged(scene: Scene) -> list[Command]:
    return [command for command in scene.desk.commands if command.action == "acknowledge"]


def test_an_alarm_sounds_until_another_desk_acknowledges_it(listen: Any, scene: Scene) -> None:
    here, there = listen(), listen()
    here.locator("#list-title").click()  # a browser is silent until somebody has touched the page
    assert tones(here) == 0
    ticket = scene.happen("severed_cable", severity=5)
    heard(here, 8)
    expect(here.locator("#sound .many")).to_have_text("1")
    expect(here).to_have_title(re.compile("未知悉"))
    assert here.locator("link[rel=icon]").get_attribute("href") == "/static/desk/alarm/icon.svg"
    there.locator(f'.card[data-id="{ticket}"] .ack').click()
    expect(here.locator("body")).to_have_attribute("data-alarm", "false")
    expect(here.locator(f'.card[data-id="{ticket}"] .heard')).to_contain_text("已知悉")
    (command,) = acknowledged(scene)
    assert (command.ticket, command.by) == (ticket, "center")
    before = tones(here)
    here.wait_for_timeout(3_500)  # the next siren would have come
    assert tones(here) == before
    assert here.title() == "Gridsentry 网格哨兵"


def test_an_acknowledgement_expires_while_nobody_has_it_in_hand(listen: Any, scene: Scene) -> None:
    ticket = scene.happen("flooding")
    scene.desk.acknowledge(ticket, "center", lasts_s=3.0)
    page = listen()
    card = page.locator(".card")
    expect(card.locator(".heard")).to_be_visible()
    expect(card).to_have_attribute("data-calls", "false")
    expect(page.locator("body")).to_have_attribute("data-alarm", "true")
    scene.desk.step(ticket, "accepted", "w-05")
    expect(page.locator("body")).to_have_attribute("data-alarm", "false")
    scene.desk.step(ticket, "escalated", "router", stage=None)
    expect(page.locator("body")).to_have_attribute("data-alarm", "true")


def test_each_severity_has_a_sound_of_its_own(listen: Any) -> None:
    page = listen()
    page.locator("#list-title").click()
    heard = page.evaluate(
        """async () => {
            const { ring, unlock } = await import('/static/desk/alarm/sound.js');
            await unlock();
            const found = [];
            for (const severity of [1, 2, 3, 4, 5]) {
                window.tones.length = 0;
                if (!ring(severity)) throw new Error('no sound');
                found.push(window.tones.map(Math.round).join());
            }
            return found;
        }"""
    )
    assert len(set(heard)) == 5
    assert heard[4].count(",") > heard[3].count(",") > heard[1].count(",")


def test_a_browser_that_blocks_sound_is_said_and_opened_by_a_click(
    listen: Any, scene: Scene
) -> None:
    blocked = (
        EARS
        + """
        let open = false;
        const state = Object.getOwnPropertyDescriptor(BaseAudioContext.prototype, 'state');
        Object.defineProperty(AudioContext.prototype, 'state', {
            get() { return open ? state.get.call(this) : 'suspended'; },
        });
        const resume = AudioContext.prototype.resume;
        AudioContext.prototype.resume = function () {
            open = navigator.userActivation.isActive; return resume.call(this);
        };
    """
    )
    scene.happen("flooding")
    page = listen(blocked)
    notice = page.locator("#unblock")
    expect(notice).to_be_visible()
    assert tones(page) == 0
    expect(page.locator("#sound")).to_have_attribute("aria-label", re.compile("浏览器尚未允许发声"))
    notice.locator("button").click()
    heard(page, 1)
    expect(notice).to_be_hidden()


def test_mute_is_ones_own_and_is_kept(listen: Any, scene: Scene) -> None:
    page = listen()
    page.locator("#sound").click()
    expect(page.locator("#sound")).to_have_attribute("aria-pressed", "false")
    scene.happen("flooding")
    expect(page.locator("body")).to_have_attribute("data-alarm", "true")
    page.reload()
    expect(page.locator("#sound")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#sound .many")).to_have_text("1")
    page.wait_for_timeout(1_500)
    assert tones(page) == 0
    assert acknowledged(scene) == []
