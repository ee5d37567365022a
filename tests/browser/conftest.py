"""A real Chromium drives the page over a small town in memory."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from center.server import CenterServer
from contracts.clock import SystemClock
from tests.unit.center.scene import Scene, draw_still

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as the system has it; a missing one fails with the command that installs it.

    Gone after the module: playwright keeps an event loop running, and tests with loops of their
    own may come next in this process.
    """
    path = os.environ.get("GRIDSENTRY_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), "")
    if not path:
        pytest.fail(
            "the browser tests need Chromium: apt-get install -y chromium fonts-noto-cjk "
            "(or set GRIDSENTRY_CHROMIUM to the path of one)"
        )
    with sync_playwright() as playwright:
        # Chromium's sandbox needs user namespaces, which root in a container may not have.
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """The town, with the picture of a throw in its evidence folder."""
    folder = tmp_path / "evidence"
    draw_still(folder / "cam-1" / "throw.jpg")
    (folder / "cam-1" / "throw.mp4").write_bytes(b"\0" * 64)
    return Scene(folder, SystemClock())


@pytest.fixture
def server(scene: Scene) -> Iterator[CenterServer]:
    """The center over the scene, on a free port."""
    server = scene.server()
    server.start()
    yield server
    server.stop(2.0)


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, server: CenterServer) -> Iterator[OpenPage]:
    """Opens the page as a person would; what it logs as an error fails the test."""
    contexts, errors = [], []

    def opened(locale: str = "zh-CN", path: str = "/", width: int = 1440) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, locale=locale, timezone_id="Asia/Shanghai"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: errors.append(f"dialog: {dialog.message}"))
        page.goto(server.url + path)
        page.wait_for_selector("#link[data-state=live]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors
