"""Can everybody use this page? axe-core (pinned in tools/assets.json) asks the open page itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "build" / "assets" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""WCAG 2.2 AA, and what axe counts as good practice."""
SERIOUS = {"serious", "critical"}


def findings(page: Page, within: str = "body") -> list[dict[str, Any]]:
    """Everything axe finds against the page as it stands now, inside `within` (a selector)."""
    if not AXE.is_file():
        pytest.fail(f"{AXE} is missing: python3 tools/assets.py test")
    # Evaluated by the debugger: the page's own policy forbids scripts from outside, as it should.
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE.read_text("utf-8"))
    found: list[dict[str, Any]] = page.evaluate(
        """async ([within, tags]) => (await axe.run(within, {
            runOnly: {type: 'tag', values: tags}, resultTypes: ['violations'],
        })).violations""",
        [within, TAGS],
    )
    return found


def no_serious(page: Page, within: str = "body") -> None:
    """Fails naming rule, element and reason for each serious finding."""
    # What is still fading in has not the colours that people read.
    page.evaluate(
        """async () => { for (const a of document.getAnimations())
        if (a.effect?.getComputedTiming().iterations === 1) a.finish(); }"""
    )
    told = [
        f"{rule['id']} ({rule['impact']}): {rule['help']}\n    {node['html'][:160]}\n"
        f"    {node['failureSummary']}"
        for rule in findings(page, within)
        if rule["impact"] in SERIOUS
        for node in rule["nodes"][:5]
    ]
    assert not told, "\n".join(told)
