"""The service worker of the page: which files it keeps on the phone, and their version.

The list follows from the files themselves: the page, what it links, and every module that these
import. The version is a hash of their content, so a change of any makes phones fetch the whole
anew, and nothing else does.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path

from aiohttp import web

from center.context import Context
from center.guard import Caller

WEB = Path(__file__).parent / "web"
PAGES = WEB.parent.parent
PAGE = "/w"
SCOPE = "/w"
AT = {"/w": "worker/web/page.html", "/w/app.webmanifest": "worker/web/app.webmanifest"}
"""Files that stand at a path of their own."""
MARK = "/* SHELL */ { version: 'none', files: [] }"
_LINKED = re.compile(r'(?:href|src)="(/(?:static|w)/?[^"]*)"')
_IMPORTED = re.compile(r"""(?:from|import)\s*\(?\s*['"]((?:\.{1,2})?/[^'"\s]+\.js)['"]""")
_ICON = re.compile(r'"src":\s*"([^"]+)"')


class Shell:
    """Serves `/w/sw.js`."""

    async def serve(
        self, context: Context, caller: Caller, request: web.Request
    ) -> web.StreamResponse:
        """The script with its list. Browsers ask for it anew with every visit."""
        body = script()
        tag = hashlib.sha256(body).hexdigest()[:24]
        headers = {
            "ETag": f'"{tag}"',
            "Cache-Control": "no-cache",
            "Service-Worker-Allowed": SCOPE,
        }
        if any(given.value == tag for given in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(
            body=body, content_type="text/javascript", charset="utf-8", headers=headers
        )


@cache
def script() -> bytes:
    """The service worker's text. Raises ValueError when its mark is gone."""
    source = (WEB / "sw.js").read_text("utf-8")
    if MARK not in source:
        raise ValueError("sw.js: the place for the list of files is not there")
    files = kept()
    whole = hashlib.sha256(source.encode())
    for path in files:
        whole.update(path.encode() + b"\n" + file_of(path).read_bytes())
    shell = {"version": whole.hexdigest()[:16], "files": list(files)}
    return source.replace(MARK, json.dumps(shell)).encode()


def kept() -> tuple[str, ...]:
    """The paths of all files that the page needs, the page itself first. Raises
    FileNotFoundError when one of them names a file that is not there."""
    found: dict[str, None] = {}
    waiting = [PAGE]
    while waiting:
        path = waiting.pop(0)
        if path in found:
            continue
        found[path] = None
        file = file_of(path)
        if file.suffix not in (".html", ".js", ".webmanifest"):
            continue
        source = file.read_text("utf-8")
        named = {".html": _LINKED, ".webmanifest": _ICON}.get(file.suffix, _IMPORTED)
        waiting += [_absolute(path, name) for name in named.findall(source)]
    return tuple(found)


def file_of(path: str) -> Path:
    """The file that is served at this path."""
    if path in AT:
        return PAGES / AT[path]
    _, _, page, rest = path.split("/", 3)
    return PAGES / page / "web" / rest


def _absolute(path: str, name: str) -> str:
    """The path of a file that the file at `path` names."""
    if name.startswith("/"):
        return name
    parts = path.split("/")[:-1]
    for part in name.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
