"""`python -m tools.screenshots`: the pictures of README and docs, taken of the running demo.

Starts `gridsentry demo` in a folder of its own, waits until its tickets are there, and looks at
every page as its person would, in Chromium. Writes docs/images/*.png. Takes about two minutes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
from playwright.sync_api import Browser, Page, sync_playwright
from rich.progress import Progress

from center.notify.passes import Passes
from contracts.clock import SystemClock
from gridsentry.secret import kept_secret

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
KINDS = {"high_altitude_throw", "flooding", "severed_cable"}
WITHIN_S = 240.0
DESK, PHONE, HALL = (1440, 900), (390, 844), (1920, 1080)

SHOW_EVIDENCE = """() => {
    const panel = document.querySelector('#detail'), facade = panel.querySelector('svg.facade');
    panel.scrollTop += facade.closest('section').getBoundingClientRect().top
        - panel.getBoundingClientRect().top;
}"""


def main() -> int:
    """Start, wait, look, stop."""
    chromium = os.environ.get("GRIDSENTRY_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        print("screenshots: Chromium is needed: sudo apt-get install chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "demo.log"
        with log.open("wb") as out:
            command = [sys.executable, "-m", "gridsentry", "demo", "--no-browser", "--port", "0"]
            demo = subprocess.Popen(
                [*command, "--state", f"{folder}/state"], stdout=out, stderr=out, cwd=ROOT
            )
        try:
            url = waited(lambda: found(log, r"the page: (http://\S+)"), "the demo is not up", log)
            waited(lambda: kinds(url) >= KINDS, "its tickets do not come", log)
            waited(lambda: cut(url), "the clip of the fall is not cut", log)
            time.sleep(5)  # somebody is on the way
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=chromium, args=["--no-sandbox"]
                )
                link = utility_link(url, Path(folder) / "state")
                shoot(browser, url, found(log, r"(http://\S+/r/[A-Z0-9-]+)"), link)
                browser.close()
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(30)
    return 0


def shoot(browser: Browser, url: str, place: str | None, link: str) -> None:
    """Every picture; `link` opens a utility's page."""
    fall = next(t["id"] for t in tickets(url) if t["kind"] == "high_altitude_throw")
    worker = next(str(t["worker"]) for t in tickets(url) if t.get("worker"))
    views: list[tuple[str, str, tuple[int, int], str]] = [
        ("utility", link, PHONE, "zh-CN"),
        ("page", f"/#{fall}", DESK, "zh-CN"),
        ("desk-en", f"/#{fall}", DESK, "en-GB"),
        ("wall", "/wall", HALL, "zh-CN"),
        ("worker", "/w", PHONE, "zh-CN"),
        ("analysis", "/analysis", DESK, "en-GB"),
        ("resources", "/resources", DESK, "zh-CN"),
        ("shift", "/shift", DESK, "zh-CN"),
        ("admin", "/admin", DESK, "en-GB"),
    ]
    if place is not None:
        views.append(("resident", place.removeprefix(url.rstrip("/")), PHONE, "zh-CN"))
    IMAGES.mkdir(parents=True, exist_ok=True)
    with Progress() as progress:
        task = progress.add_task("looking at pages", total=len(views))
        for name, path, (width, height), locale in views:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                locale=locale,
                timezone_id="Asia/Shanghai",
                has_touch=width < 600,
            )
            context.add_init_script(f"localStorage.setItem('worker.as', {json.dumps(worker)})")
            page = context.new_page()
            page.goto(url.rstrip("/") + path)
            page.wait_for_timeout(6_000)
            if path.startswith("/#"):  # down to what proves it
                page.evaluate(SHOW_EVIDENCE)
                page.wait_for_timeout(1_000)
            keep(page, IMAGES / f"{name}.png")
            context.close()
            progress.advance(task)


def utility_link(url: str, state: Path) -> str:
    """The signed link that an owner gets with its part of the severed cable."""
    part = next(t for t in tickets(url) if t["kind"] == "severed_cable" and t.get("utility"))
    passes = Passes(kept_secret(state), 3600.0, SystemClock())
    return passes.make(str(part["id"]), str(part["utility"]))


def keep(page: Page, path: Path) -> None:
    """Take it, and write it small: a palette would band the maps, so by PNG's best effort."""
    page.screenshot(path=path)
    picture = cv2.imread(str(path))
    assert picture is not None
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def kinds(url: str) -> set[str]:
    """Kinds of the tickets it has."""
    return {ticket["kind"] for ticket in tickets(url)}


def cut(url: str) -> bool:
    """Whether the clip of the first fall is there."""
    fall = next(t["id"] for t in tickets(url) if t["kind"] == "high_altitude_throw")
    with urllib.request.urlopen(f"{url.rstrip('/')}/api/v1/tickets/{fall}", timeout=5) as got:
        return any((event.get("links") or {}).get("clip") for event in json.load(got)["events"])


def tickets(url: str) -> list[dict[str, Any]]:
    """What the demo has, or nothing while it starts."""
    try:
        with urllib.request.urlopen(
            f"{url.rstrip('/')}/api/v1/tickets?limit=100", timeout=5
        ) as got:
            items: list[dict[str, Any]] = json.load(got)["items"]
    except OSError:
        return []
    return items


def found(log: Path, pattern: str) -> str | None:
    """The first group of the pattern in the log."""
    match = re.search(pattern, log.read_text(errors="replace"))
    return match[1] if match else None


def waited(look: Callable[[], Any], trouble: str, log: Path) -> Any:
    """What `look` finds, or an end with the log."""
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        if told := look():
            return told
        time.sleep(1)
    raise SystemExit(f"screenshots: {trouble}:\n{log.read_text(errors='replace')[-2000:]}")


if __name__ == "__main__":
    raise SystemExit(main())
