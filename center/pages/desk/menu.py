"""What the pages' frame asks: the other pages this caller may open, and the desk's panels."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.problems import json_response

PANELS = Path(__file__).parent / "web" / "panels"


async def menu(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/pages`: `[{path, zh, en}]` in the menu's order."""
    from center.pages import pages  # they are found by importing this folder, too

    shown = sorted(
        (page for page in pages().values() if page.title[0] and "{" not in page.path),
        key=lambda page: (page.order, page.path),
    )
    may = {page.needs: caller.may(page.needs) for page in shown if page.needs is not None}
    if "read" in may and not may["read"]:
        may["read"] = caller.role is None and await context.guard.reads_open()
    return json_response(
        [
            {"path": page.path, "zh": page.title[0], "en": page.title[1]}
            for page in shown
            if (page.needs is None or may[page.needs])
            and (page.whose is None or caller.role in page.whose or _anybody(context, caller))
        ]
    )


def _anybody(context: Context, caller: Caller) -> bool:
    """Where nobody is told apart, everybody may look at everything."""
    return caller.role is None or context.guard.open_to_all


class Panels:
    """`GET /api/v1/desk/panels`: the folders below `web/panels`, each with `panel.js`."""

    def __init__(self) -> None:
        self._found = [
            {
                "name": folder.name,
                "script": f"/static/desk/panels/{folder.name}/panel.js",
                "style": f"/static/desk/panels/{folder.name}/panel.css"
                if (folder / "panel.css").is_file()
                else None,
            }
            for folder in sorted(PANELS.iterdir())
            if (folder / "panel.js").is_file()
        ]

    async def __call__(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """Which panels there are; they say themselves where they stand."""
        return json_response(self._found)
