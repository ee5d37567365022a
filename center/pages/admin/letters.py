"""`/api/v1/admin/dead-letters`: why a message was set aside, what was in it, trying it again."""

from __future__ import annotations

import base64
from typing import Any, Final

import msgspec
from aiohttp import web

from center.context import Context
from center.guard import Caller
from center.pages.analysis.labels import who
from center.problems import Problem, json_response
from center.query import FILTERS, parse, read_json
from center.reads import found
from center.writes import json_bytes
from contracts.annals import Retried
from contracts.errors import Refused

QUERY = FILTERS["dead-letters"]
SHOWN_BYTES = 8_192
"""Of a payload, as text or as bytes."""
TRIED_MOST = 500
WORDS: Final[dict[str, tuple[str, str]]] = {
    "unknown_device": (
        "设备未登记：消息已保留，登记后自动接收",
        "Device not registered: kept until it is",
    ),
    "unknown_microphone": (
        "未登记的拾音设备：含语音，不予保留",
        "Unregistered microphone: not kept",
    ),
    "unknown_worker": ("网格员未登记", "Worker not in workers.csv"),
    "wrong_district": ("设备所属片区与主题不符", "Device sends for another district"),
    "too_large": ("消息过大", "Message too large"),
    "not_json": ("不是 JSON", "Not JSON"),
    "wrong_type": ("字段类型不符", "A field has the wrong type"),
    "bad_time": ("时间无法识别", "A time that cannot be read"),
    "naive_time": ("时间缺少时区", "A time without a zone"),
    "bad_metric": ("指标名称无效", "A metric's name is not valid"),
    "bad_name": ("编号无效", "A name is not valid"),
    "bad_status": ("状态无法识别", "A status that cannot be read"),
    "bad_report": ("上报内容不完整", "A report that cannot be read"),
    "bad_position": ("位置无效", "A position that cannot be"),
    "bad_jpeg": ("图片损坏", "A broken JPEG"),
    "jpeg_too_big": ("图片过大", "A picture that is too large"),
    "bad_video": ("视频片段损坏", "A broken piece of video"),
    "bad_sound": ("音频损坏", "A broken sound"),
    "not_finite": ("数值不是有限数", "A value that is not finite"),
    "not_a_number": ("数值无法识别", "A value that is no number"),
    "out_of_range": ("数值超出范围", "A value out of range"),
    "milliseconds": ("时间单位疑似有误", "A time in another unit"),
    "retained": ("保留消息过旧", "A retained message that is too old"),
    "empty": ("空消息", "Empty"),
    "decoder_fault": ("解码程序故障，请报告", "A fault of our decoder"),
    "unknown_payload": (
        "设备型号描述中没有的数据",
        "Bytes that the device's profile does not describe",
    ),
    "payload_too_short": ("数据不完整", "A payload that ends too early"),
    "no_profile": ("未知设备型号：请在 aliases.csv 指定", "Of which model? Say it in aliases.csv"),
    "no_decoder": ("该型号没有字节解码说明", "A profile without a layout of bytes"),
    "unknown_profile": ("aliases.csv 中的型号不存在", "A profile that is not there"),
    "bad_protobuf": ("既不是 JSON 也不是 protobuf", "Neither JSON nor protobuf"),
    "bad_base64": ("数据不是 base64", "Bytes that are not base64"),
    "bad_hex": ("数据不是十六进制", "Bytes that are not hexadecimal"),
    "bad_topic": ("主题无法识别", "A topic that cannot be read"),
    "wrong_topic": ("主题不符合约定", "A topic that is not understood"),
    "not_utf8": ("不是 UTF-8 文本", "Not UTF-8 text"),
    "no_picture": ("视频片段中没有画面", "Video without a picture"),
    "no_sound": ("音频中没有声音", "Sound without a sample"),
    "not_senml": ("不是 SenML", "Not SenML"),
    "not_cbor": ("不是 CBOR", "Not CBOR"),
    "bad_version": ("SenML 版本过新", "A SenML version newer than ours"),
    "not_understood": ("含有必须理解而未知的字段", "A field that must be understood and is not"),
    "no_value": ("没有数值", "No value"),
    "not_a_boolean": ("不是布尔值", "Not true or false"),
    "not_a_text": ("不是文本", "Not a text"),
    "too_many": ("条数过多", "Too many records"),
    "not_sparkplug": ("不是 Sparkplug B", "Not Sparkplug B"),
    "unknown_alias": ("别名未知：已请求节点重新上线", "An unknown alias: births were asked for"),
    "no_device": ("消息未指明设备", "No device is named"),
    "simulated": ("控制台模拟的上行，不是测量值", "Simulated in a console: nobody measured it"),
    "cropped": ("裁剪的图片无法套用隐私遮罩", "A cropped picture: it cannot be masked"),
    "nothing_mapped": ("映射未取到任何数值", "The mapping found no value"),
}
"""What a code means, (zh, en); the reason itself says it exactly."""


class RetryItem(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which one, and how often it had been tried when it was seen: asking twice is harmless."""

    id: str
    tries: int


class RetryBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Which dead letters to give to the intake again."""

    items: tuple[RetryItem, ...]
    by: str | None = None


async def listing(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/admin/dead-letters`: one page, the newest first, with what became of them."""
    query = parse("dead-letters", request, context.settings)
    try:
        page = await context.desk.page("dead-letters", query)
    except Refused as error:
        raise Problem(400, "bad_query", str(error)) from error
    tried = await context.desk.annals.retried([str(item["id"]) for item in page.items])
    stands = {one.id: one for one in tried}
    return json_response(
        {
            "items": [_shown(context, item, stands.get(item["id"])) for item in page.items],
            "next": page.next,
            "codes": {code: {"zh": zh, "en": en} for code, (zh, en) in WORDS.items()},
        }
    )


async def single(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/admin/dead-letters/{id}`: with the beginning of what was in it."""
    letter = dict(await found(context.desk, "dead-letters", request.match_info["id"]))
    await context.desk.log_access(caller.name, f"dead-letters/{letter['id']}", context.clock.now())
    tried = await context.desk.annals.retried([str(letter["id"])])
    payload = base64.b64decode(letter.pop("payload", "") or "")
    shown = _shown(context, letter, tried[0] if tried else None)
    return json_response({**shown, "kept": len(payload), **_preview(payload)})


async def payload(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/admin/dead-letters/{id}/payload`: what was in it, as it came."""
    letter = await found(context.desk, "dead-letters", request.match_info["id"])
    name = f"dead-letters/{letter['id']}/payload"
    await context.desk.log_access(caller.name, name, context.clock.now())
    return web.Response(
        body=base64.b64decode(letter.get("payload", "") or ""),
        headers={
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f'attachment; filename="{letter["id"]}.bin"',
            "Cache-Control": "no-store",
        },
    )


async def retry(context: Context, caller: Caller, request: web.Request) -> web.StreamResponse:
    """`POST /api/v1/admin/dead-letters/retry`: through the intake again, as when they came."""
    body = read_json(await json_bytes(request, context.settings.body_bytes), RetryBody)
    if not 1 <= len(body.items) <= TRIED_MOST:
        raise Problem(400, "bad_value", f"1 to {TRIED_MOST} of them", path="$.items")
    by, now = who(caller, body.by), context.clock.now()
    names = ", ".join(item.id[:64] for item in body.items[:40])
    await context.desk.log_access(caller.name, f"dead letters tried again: {names}", now)
    results = [await _try(context, item, by) for item in body.items]
    return json_response({"items": results})


async def _try(context: Context, item: RetryItem, by: str) -> dict[str, Any]:
    if item.id.startswith("u-"):
        letter = await context.desk.get("dead-letters", item.id)
        if letter is None:
            return _said(item.id, True, "taken up already", "已接收")
        device = str(letter["device"])
        if device in context.city.devices:
            return _said(
                item.id,
                True,
                "it is registered now and taken up by itself",
                "设备已登记，消息将自动接收",
            )
        return _said(
            item.id, False, f"register device {device} first: it is taken up then by itself",
            f"请先登记设备 {device}，登记后自动接收",
        )  # fmt: skip
    stands = await context.desk.annals.retry(item.id, item.tries, by, context.clock.now())
    if stands is None:
        return _said(item.id, False, "it is not there any more", "已不存在")
    if not stands.whole:
        return _said(
            item.id, False, "only its beginning was kept: it cannot be tried again",
            "仅保留了开头部分，无法重试",
        )  # fmt: skip
    if stands.tries > item.tries + 1:
        return _said(item.id, True, "it was tried again meanwhile", "已被重试过")
    return {
        **_said(item.id, True, "given to the intake again", "已重新送入处理"),
        "tries": stands.tries,
    }


def _said(id_: str, ok: bool, en: str, zh: str) -> dict[str, Any]:
    return {"id": id_, "ok": ok, "reason": f"{en} / {zh}"}


def _shown(context: Context, item: dict[str, Any], stands: Retried | None) -> dict[str, Any]:
    shown = dict(item)
    unknown = str(item["id"]).startswith("u-")
    registered = item.get("device") in context.city.devices
    shown["retry"] = (
        {"can": False, "state": "registered" if registered else "unregistered", "tries": 0}
        if unknown or stands is None
        else {
            "can": stands.whole and not stands.waiting,
            "state": _state(stands),
            "tries": stands.tries,
            "again": stands.again,
            "by": stands.by,
            "at": None if stands.at is None else msgspec.to_builtins(stands.at),
        }
    )
    return shown


def _state(stands: Retried) -> str:
    if not stands.whole:
        return "cut"
    if stands.tries == 0:
        return "new"
    if stands.waiting:
        return "waiting"
    return "failed" if stands.again is not None else "done"


def _preview(data: bytes) -> dict[str, Any]:
    """The beginning, as text where it is text, else as bytes in hexadecimal with the characters
    beside. It is data: the page shows it as text only."""
    head = data[:SHOWN_BYTES]
    cut = len(data) > len(head)
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if not (cut and error.start >= len(head) - 3):
            return {"form": "bytes", "text": _dump(head[:2048]), "cut": len(data) > 2048}
        text = head[: error.start].decode("utf-8")
    if any(ord(c) < 32 and c not in "\r\n\t" for c in text):
        return {"form": "bytes", "text": _dump(head[:2048]), "cut": len(data) > 2048}
    return {"form": "text", "text": text, "cut": cut}


def _dump(data: bytes) -> str:
    lines = []
    for start in range(0, len(data), 16):
        part = data[start : start + 16]
        letters = "".join(chr(b) if 32 <= b < 127 else "." for b in part)
        lines.append(f"{start:06x}  {part.hex(' '):<47}  {letters}")
    return "\n".join(lines)
