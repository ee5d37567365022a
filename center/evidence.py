"""`/evidence/{path}`: pictures and clips, by signed link or bearer token, every view logged."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.problems import Problem
from contracts.clock import epoch_ms

TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".json": "application/json",
}
"""Everything else is handed out as a download."""


async def evidence(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """One evidence file; `Range` is answered, so that clips can be sought in."""
    path = request.match_info["path"]
    exp, sig = request.query.get("exp", ""), request.query.get("sig", "")
    who = caller.name
    if exp or sig:
        if not context.signer.valid(path, exp, sig):
            raise Problem(403, "bad_link", "this link is not ours or has expired; load it anew")
        who = f"{caller.name} (link)"
    else:
        await context.guard.check(request, caller, "evidence")
        if not context.scope.everything:
            # Whose a file is, its path does not say; the links of what they see are signed.
            raise Problem(
                403, "link_needed", "open it from its ticket: with a part of the city only signed "
                "links open evidence / 请从工单中打开证据",
            )  # fmt: skip
    file = locate(context.evidence_dir, path)
    if _begins(request):
        await context.desk.log_access(who, f"evidence/{path}", context.clock.now())
    type_ = TYPES.get(file.suffix.lower(), "application/octet-stream")
    left = max(0, int(exp) - epoch_ms(context.clock.now()) // 1000) if exp else 0
    headers = {
        "Content-Type": type_,
        "Cache-Control": f"private, max-age={min(left, 3600)}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if type_ == "application/octet-stream":
        headers["Content-Disposition"] = "attachment"
    return web.FileResponse(file, headers=headers)


def locate(root: Path, path: str) -> Path:
    """The file at `path` below `root`; Problem 404 for anything else, also by links and dots."""
    parts = path.split("/")
    odd = any(p in ("", ".", "..") or p.startswith(".") for p in parts)
    if not odd and path.isprintable() and "\\" not in path and len(path) < 1024:
        base = root.resolve()
        try:
            file = base.joinpath(*parts).resolve()
            if file.is_relative_to(base) and file.is_file():
                return file
        except OSError:
            pass  # a name this file system cannot have is a file that is not there
    raise Problem(404, "not_found", "there is no such evidence")


def _begins(request: web.Request) -> bool:
    # A player asks for a clip in many ranges: one view is one line in the log.
    return request.headers.get("Range", "bytes=0-").startswith("bytes=0-")
