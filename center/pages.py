"""The web page's own files: read once, served with an ETag, nothing from elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent / "web"
PAGES = {"index.html": "/", "u.html": "/u/{link}"}
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


def add_pages(app: web.Application) -> None:
    """`/` is the desk, `/u/…` a utility's page, `/static/…` their parts."""
    for file in sorted(FOLDER.iterdir()):
        if file.suffix not in TYPES:
            continue
        path = PAGES.get(file.name, f"/static/{file.name}")
        app.router.add_get(path, _server(file.read_bytes(), TYPES[file.suffix]))


def _server(body: bytes, type_: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    tag = hashlib.sha256(body).hexdigest()[:24]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}

    async def serve(request: web.Request) -> web.Response:
        if any(given.value == tag for given in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        response = web.Response(body=body, content_type=type_, charset="utf-8", headers=headers)
        response.enable_compression()
        return response

    return serve
