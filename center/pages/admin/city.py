"""`/api/v1/admin/city` and `/api/v1/admin/works`: the city's data, looked at before it changes."""

from __future__ import annotations

import asyncio
import io
import re
import zipfile
from typing import Any

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.pages.analysis.labels import who
from center.problems import Problem, json_response
from center.query import parse_time, read_json
from center.reads import ID
from center.writes import TEXT_MAX, json_bytes, text
from contracts.city import Work
from contracts.clock import iso
from contracts.errors import Refused, Wrong
from contracts.geo import Point
from contracts.plant import Plant

MOST_BYTES = 96 * 2**20
"""Of an upload, in base64: some 70 MB of files."""
UNPACKED_BYTES = 256 * 2**20
FILES_MOST = 2_000
NAME = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
ASSETS_MOST = 200
WIDEST_M = 50_000.0


class Upload(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One file, or an archive of files (`.zip`)."""

    name: str
    data: bytes
    """Base64."""


class PreviewBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is to be laid over the city's folder."""

    files: tuple[Upload, ...]


class ApplyBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Which preview is to become true."""

    preview: str
    by: str | None = None


class WorkBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Planned works: what happens then and there is no incident."""

    id: str
    start: str | int
    end: str | int
    kind: str = "works"
    point: Point | None = None
    radius_m: float = 100.0
    assets: tuple[str, ...] = ()
    note: str = ""
    by: str | None = None


async def about(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/admin/city`: the folder's files."""
    files = await asyncio.to_thread(_plant(context).files)
    return json_response(
        {
            "id": context.city.id,
            "files": [
                {"name": f.name, "bytes": f.bytes, "changed_at": iso(f.changed_at)} for f in files
            ],
        }
    )


async def download(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/admin/city/files`: all of them as an archive, to be edited and sent back."""
    plant = _plant(context)
    await context.desk.log_access(caller.name, "city folder", context.clock.now())
    return web.Response(
        body=await asyncio.to_thread(_packed, plant),
        headers={
            "Content-Type": "application/zip",
            "Content-Disposition": f'attachment; filename="{context.city.id}.zip"',
            "Cache-Control": "no-store",
        },
    )


async def preview(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/admin/city/preview`: what these files would change; nothing changes yet."""
    plant = _plant(context)
    body = read_json(await json_bytes(request, MOST_BYTES), PreviewBody)
    files = await asyncio.to_thread(_unpacked, body.files)
    told = await asyncio.to_thread(plant.preview, files, context.clock.now())
    return json_response(msgspec.to_builtins(told))


async def apply(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/admin/city/apply`: make a preview true; the city as it was is kept."""
    plant = _plant(context)
    body = read_json(await json_bytes(request, context.settings.body_bytes), ApplyBody)
    by, now = who(caller, body.by), context.clock.now()
    await context.desk.log_access(caller.name, f"city import {body.preview[:64]} by {by}", now)
    return await _changed(lambda: plant.apply(body.preview, by, now))


async def works(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/admin/works`: planned works, those that go on and are to come first."""
    plant, now = context.plant, context.clock.now()
    found = context.city.works if plant is None else await asyncio.to_thread(plant.works)
    items = [
        {
            **msgspec.to_builtins(work),
            "start": iso(work.start),
            "end": iso(work.end),
            "state": "over" if work.end <= now else "on" if work.start <= now else "to_come",
        }
        for work in found
    ]
    rank = {"on": 0, "to_come": 1, "over": 2}
    items.sort(key=lambda one: (rank[one["state"]], one["start"], one["id"]))
    return json_response({"items": items, "changeable": plant is not None})


async def put_work(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/admin/works`: add planned works to the city's `works.csv`."""
    plant = _plant(context)
    body = read_json(await json_bytes(request, context.settings.body_bytes), WorkBody)
    if not ID.fullmatch(body.id):
        raise Problem(400, "bad_value", "allowed: 1 to 64 of A-Z a-z 0-9 . _ -", path="$.id")
    text(body.kind, "$.kind", 64)
    if body.note:
        text(body.note, "$.note", TEXT_MAX)
    if body.point is None and not body.assets:
        raise Problem(
            400, "bad_body", "say where: a point with radius_m, or assets / 请注明位置或设施",
            path="$.point",
        )  # fmt: skip
    if body.point is not None and not (abs(body.point.lon) <= 180 and abs(body.point.lat) <= 90):
        raise Problem(400, "bad_value", "lon -180 to 180, lat -90 to 90", path="$.point")
    if not 0 < body.radius_m <= WIDEST_M:
        raise Problem(400, "bad_value", f"more than 0, {WIDEST_M:g} m at most", path="$.radius_m")
    if len(body.assets) > ASSETS_MOST or not all(ID.fullmatch(asset) for asset in body.assets):
        raise Problem(400, "bad_value", f"ids, {ASSETS_MOST} at most", path="$.assets")
    work = Work(
        id=body.id,
        kind=body.kind,
        start=parse_time(body.start, "$.start"),
        end=parse_time(body.end, "$.end"),
        point=body.point,
        radius_m=body.radius_m,
        assets=body.assets,
        note=body.note,
    )
    by, now = who(caller, body.by), context.clock.now()
    await context.desk.log_access(caller.name, f"planned works {work.id} added by {by}", now)
    return await _changed(lambda: plant.put_work(work, by, now), status=201)


async def end_work(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`DELETE /api/v1/admin/works/{id}`: end them now, or take out what has not begun."""
    plant, id_ = _plant(context), request.match_info["id"]
    by, now = who(caller, request.query.get("by")), context.clock.now()
    await context.desk.log_access(caller.name, f"planned works {id_[:64]} ended by {by}", now)
    return await _changed(lambda: plant.end_work(id_, by, now))


async def _changed(change: Any, status: int = 200) -> web.StreamResponse:
    try:
        done = await asyncio.to_thread(change)
    except Refused as error:
        raise Problem(409, "refused", str(error)) from error
    except Wrong as error:
        allowed = f"; {error.allowed}" if error.allowed else ""
        raise Problem(409, "refused", f"{error.found}{allowed}", path=error.where) from error
    return json_response({**msgspec.to_builtins(done), "at": iso(done.at)}, status=status)


def _plant(context: Context) -> Plant:
    if context.plant is None:
        raise Problem(
            503, "no_city_folder", "this center runs without the city's folder; change it where"
            " `gridsentry serve` reads it / 本中心未挂载城市数据目录",
        )  # fmt: skip
    return context.plant


def _packed(plant: Plant) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in plant.files():
            data = plant.file(file.name)
            if data is not None:
                archive.writestr(file.name, data)
    return out.getvalue()


def _unpacked(uploads: tuple[Upload, ...]) -> dict[str, bytes]:
    """The files by name, archives opened. Raises Problem for what is too much or broken."""
    files: dict[str, bytes] = {}
    left = UNPACKED_BYTES

    def take(name: str, data: bytes) -> None:
        nonlocal left
        left -= len(data)
        if left < 0 or len(files) >= FILES_MOST:
            raise Problem(
                413, "too_large", f"more than {UNPACKED_BYTES >> 20} MB or {FILES_MOST} files"
                " / 文件过多或过大",
            )  # fmt: skip
        files[name] = data

    for upload in uploads:
        if not NAME.fullmatch(upload.name):
            raise Problem(400, "bad_value", "not a file's name", path="$.files")
        if not upload.name.lower().endswith(".zip"):
            take(upload.name, upload.data)
            continue
        try:
            with zipfile.ZipFile(io.BytesIO(upload.data)) as archive:
                for entry in archive.infolist():
                    if entry.is_dir():
                        continue
                    if entry.file_size > left:
                        take(entry.filename, b"\0" * (left + 1))
                    with archive.open(entry) as file:  # what it says of its size may be untrue
                        take(entry.filename, file.read(left + 1))
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise Problem(
                400, "bad_archive", f"{upload.name} is no archive that can be opened: {error}"
                " / 压缩包无法打开", path="$.files",
            ) from error  # fmt: skip
    return files
