"""The web pages: one folder each, found by being there.

`center/pages/<name>/__init__.py` has a `PAGE`, `center/pages/<name>/web/` what browsers load.
`common/web/` is for all pages. Files are read once and served with an ETag, nothing comes from
elsewhere.
"""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path

from aiohttp import web

from center.pages.page import NONE, Page
from center.route import Route
from contracts.city import City

FOLDER = Path(__file__).parent
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
TEXT = {".html", ".css", ".js", ".svg", ".webmanifest"}


@cache
def pages() -> dict[str, Page]:
    """Every page by its folder's name."""
    found: dict[str, Page] = {}
    for module in pkgutil.iter_modules([str(FOLDER)]):
        if module.ispkg:
            page = getattr(importlib.import_module(f"{__name__}.{module.name}"), "PAGE", None)
            if page is not None:
                found[module.name] = page
    return found


def page_routes(city: City) -> tuple[Route, ...]:
    """What the pages add to the API."""
    return tuple(route for page in pages().values() for route in page.routes(city))


def add_pages(app: web.Application) -> None:
    """`/` is the desk, `/u/…` a utility's page …, `/static/{page}/…` their parts."""
    for folder in sorted(FOLDER.glob("*/web")):
        name = folder.parent.name
        page = pages().get(name)
        at = {file: path for path, file in page.files.items()} if page else {}
        if page is not None:
            at["page.html"] = page.path
        for file in sorted(p for p in folder.rglob("*") if p.suffix in TYPES):
            inside = file.relative_to(folder).as_posix()
            path = at.get(inside, f"/static/{name}/{inside}")
            headers = page.headers if page is not None and inside == "page.html" else NONE
            app.router.add_get(path, _server(file, headers))


Server = Callable[[web.Request], Awaitable[web.Response]]


def _server(file: Path, more: Mapping[str, str]) -> Server:
    body, type_ = file.read_bytes(), TYPES[file.suffix]
    charset = "utf-8" if file.suffix in TEXT else None
    tag = hashlib.sha256(body).hexdigest()[:24]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache", **more}

    async def serve(request: web.Request) -> web.Response:
        if any(given.value == tag for given in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        response = web.Response(body=body, content_type=type_, charset=charset, headers=headers)
        if charset:
            response.enable_compression()
        return response

    return serve
