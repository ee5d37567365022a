"""What a person sees, in a real Chromium: the first paint, a new ticket, the map under the hand."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from playwright.sync_api import Browser, Page, sync_playwright

from contracts.clock import SystemClock, epoch_ms

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTH, HEIGHT = 1440, 900

# Notes when the first card of the queue was on screen, and when what belongs to a ticket came.
WATCH = """
(() => {
  const seen = window.benchSeen = {first: null, tickets: {}};
  const painted = (then) => requestAnimationFrame(() => setTimeout(() => then(performance.now()), 0));
  const look = (node) => {
    if (!(node instanceof Element)) return;
    const all = [node, ...node.querySelectorAll('.card, [data-id], [data-ticket]')];
    for (const one of all) {
      if (seen.first === null && one.matches('.card')) { seen.first = 0; painted((at) => { seen.first = at; }); }
      const id = one.dataset?.ticket || one.dataset?.id;
      if (id && !(id in seen.tickets)) { seen.tickets[id] = null; painted((at) => { seen.tickets[id] = performance.timeOrigin + at; }); }
    }
  };
  new MutationObserver((changes) => { for (const change of changes) { if (change.type === 'attributes') look(change.target); change.addedNodes.forEach(look); } })
    .observe(document, {childList: true, subtree: true, attributes: true, attributeFilter: ['data-id', 'data-ticket']});
})();
"""  # noqa: E501
FRAMES = """
(seconds) => new Promise((done) => {
  const at = [];
  const frame = (now) => { at.push(now); if (now - at[0] < 1000 * seconds) requestAnimationFrame(frame); else done(at); };
  requestAnimationFrame(frame);
})
"""  # noqa: E501


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium. Exits with the command that installs it when there is none."""
    path = os.environ.get("GRIDSENTRY_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), "")
    if not path:
        raise SystemExit("this benchmark needs Chromium: sudo apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def desk(browser: Browser, url: str) -> Iterator[Page]:
    """The desk, opened by somebody who was never here (nothing cached)."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    try:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.add_init_script(WATCH)
        page.goto(url, wait_until="commit")
        until(page, "window.benchSeen && window.benchSeen.first > 0")
        yield page
    finally:
        context.close()


def until(page: Page, truth: str) -> None:
    """Ask the page every 50 ms: its policy forbids playwright's own waiting, which evaluates text.

    Raises TimeoutError after a minute.
    """
    clock = SystemClock()
    for _ in range(1200):
        if page.evaluate(truth):
            return
        clock.sleep(0.05)
    raise TimeoutError(f"the page never came to {truth}")


def first_paint_ms(browser: Browser, url: str) -> float:
    """From the start of the navigation to the first ticket of the queue on screen."""
    with desk(browser, url) as page:
        first: float = page.evaluate("window.benchSeen.first")
        return first


def new_tickets_ms(
    page: Page, commit: Callable[[], tuple[str, datetime]], count: int, clock: SystemClock
) -> list[float]:
    """From the commit of a ticket to it being on screen (queue, notice or pin), for `count` of
    them half a second apart."""
    found = []
    for _ in range(count):
        id_, at = commit()
        until(page, f"window.benchSeen.tickets['{id_}'] > 0")
        shown: float = page.evaluate(f"window.benchSeen.tickets['{id_}']")
        found.append(shown - epoch_ms(at))
        clock.sleep(0.5)
    return found


def panning(page: Page, seconds: float, clock: SystemClock) -> tuple[float, list[float]]:
    """Frames per second while the map is dragged to and fro, and every frame's time (ms)."""
    box = page.locator("#map").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(f"() => {{ window.benchFrames = ({FRAMES})({seconds}); }}")
    began, step = clock.now(), 0
    while (clock.now() - began).total_seconds() < seconds:
        # 400 px to one side and back, 10 px a move: a hand that looks for something.
        step += 1
        away = abs((step * 10) % 800 - 400) - 200
        page.mouse.move(x + away, y + away / 3)
        clock.sleep(0.008)
    page.mouse.up()
    at: list[float] = page.evaluate("window.benchFrames")
    times = [b - a for a, b in itertools.pairwise(at)]
    return 1000 * len(times) / (at[-1] - at[0]), times
