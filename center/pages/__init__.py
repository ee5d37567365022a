"""The web pages: one folder each, found by being there.

`center/pages/<name>/__init__.py` has a `PAGE`, `center/pages/<name>/web/` what browsers load.
`common/web/` is for all pages, and so are the libraries that tools/assets.py brought into
`center/vendor/`. Files are read once and served with an ETag, nothing comes from elsewhere.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib
import logging
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path

from aiohttp import web

from center.pages.page import NONE, Page
from center.route import Route
from contracts.city import City

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent
VENDOR = FOLDER.parent / "vendor"
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
    libraries = sorted(p for p in VENDOR.glob("*/*") if p.suffix in TYPES)
    if not libraries:
        log.warning("the pages' libraries are not in %s: python3 tools/assets.py run", VENDOR)
    for file in libraries:
        path = f"/static/vendor/{file.relative_to(VENDOR).as_posix()}"
        app.router.add_get(path, _server(file, NONE))


Server = Callable[[web.Request], Awaitable[web.Response]]


def _server(file: Path, more: Mapping[str, str]) -> Server:
    body, type_ = file.read_bytes(), TYPES[file.suffix]
    charset = "utf-8" if file.suffix in TEXT else None
    tag = hashlib.sha256(body).hexdigest()[:24]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache", **more}
    if charset:
        headers["Vary"] = "Accept-Encoding"

    @cache
    def packed() -> bytes:
        return gzip.compress(body, 9, mtime=0)

    async def serve(request: web.Request) -> web.Response:
        if any(given.value == tag for given in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        if charset and "gzip" in request.headers.get("Accept-Encoding", ""):
            return web.Response(
                body=packed(),
                content_type=type_,
                charset=charset,
                headers={**headers, "Content-Encoding": "gzip"},
            )
        return web.Response(body=body, content_type=type_, charset=charset, headers=headers)

    return serve
