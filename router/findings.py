"""What a patrol round found: checked, kept with its ticket, and opened as incidents."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from contracts.case import Change, Command, Incident, Ticket
from contracts.geo import Point
from contracts.kinds import KINDS, TASK_KINDS
from router.opening import name_of
from router.rounds import KIND
from router.stages import with_reason
from router.words import both, kind_names, one_line

if TYPE_CHECKING:
    from router.house import House

MOST_FINDINGS = 100
FIELDS = ("asset", "kind", "lat", "lon", "ok", "severity", "text")


def _findings(command: Command) -> Any:
    """What was found; a note alone says that all that is right, in the worker's words."""
    told = (command.data or {}).get("findings", [])
    note = (command.note or "").strip()
    return [{"ok": True, "text": note}] if told == [] and note else told


def refusal(house: House, ticket: Ticket, command: Command, now: datetime) -> str | None:
    """Why a round cannot end so."""
    if ticket.kind != KIND or command.action != "dispose":
        return None
    found = _findings(command)
    if not isinstance(found, list) or len(found) > MOST_FINDINGS:
        return one_line(
            f"findings is a list of at most {MOST_FINDINGS}",
            f"findings 须为至多{MOST_FINDINGS}条的列表",
        )
    if not found:
        return one_line(
            "a round ends with what was found: data.findings, or a note when all is right",
            "巡查须填写巡查结果：逐项填写 findings，均正常的可填写备注",
        )
    for number, finding in enumerate(found, 1):
        why = _wrong(house, finding)
        if why is not None:
            return one_line(f"finding {number}: {why[0]}", f"第{number}条：{why[1]}")
    return None


def _wrong(house: House, finding: Any) -> tuple[str, str] | None:
    if not isinstance(finding, dict):
        return "not an object", "格式错误"
    strange = sorted(set(finding) - set(FIELDS))
    if strange:
        return f"unknown {strange[0]!r}; allowed: {', '.join(FIELDS)}", "字段未知"
    if not isinstance(finding.get("ok"), bool):
        return "ok is missing: true or false", "须注明 ok（true/false）"
    asset = finding.get("asset")
    if asset is not None and house.rounds.asset(str(asset)) is None:
        return f"there is no asset {asset!r}", f"没有资产 {asset}"
    kind = finding.get("kind")
    if kind is not None and (kind not in KINDS or kind in TASK_KINDS):
        return f"kind {kind!r} is unknown", f"未知类别 {kind}"
    severity = finding.get("severity", 2)
    if not isinstance(severity, int) or not 1 <= severity <= 5:
        return "severity is 1 minor to 5 extreme", "等级须为 1 至 5"
    if not isinstance(finding.get("text", ""), str):
        return "text is no text", "text 须为文字"
    if not finding["ok"] and not str(finding.get("text", "")).strip() and kind is None:
        return "what is not all right needs a text or a kind", "异常须填写说明或类别"
    for name, most in (("lon", 180), ("lat", 90)):
        degrees = finding.get(name)
        number = isinstance(degrees, (int, float)) and not isinstance(degrees, bool)
        if ("lon" in finding or "lat" in finding) and not (number and abs(degrees or 0) <= most):
            return "lon and lat are degrees", "经纬度有误"
    return None


def dispose(house: House, ticket: Ticket, command: Command, now: datetime) -> tuple[Ticket, str]:
    """The round is made: what was found stays with the ticket."""
    moved, change = house.desk.apply(ticket, command, now, house.book.load)
    if ticket.kind != KIND:
        return moved, change
    found = _findings(command)
    bad = sum(not finding["ok"] for finding in found)
    en, zh = f"{len(found)} looked at, {bad} not all right", f"检查{len(found)}处，异常{bad}处"
    named = {str(finding["asset"]) for finding in found if finding.get("asset") is not None}
    assets = ticket.reason.get("patrol", {}).get("assets", ())
    left = [asset for asset in assets if asset not in named] if named else []
    if left:
        en, zh = f"{en}; not looked at: {', '.join(left)}", f"{zh}；未查：{'、'.join(left)}"
    told = {"list": found, "by": command.by, "left": left, **both(en, zh)}
    return with_reason(moved, findings=told), change


def made(house: House, ticket: Ticket, command: Command, now: datetime) -> list[Change]:
    """After a round: what is wrong opens incidents, and there is nothing for others to judge."""
    if ticket.kind != KIND or ticket.stage != "disposed":
        return []
    changes: list[Change] = []
    for number, finding in enumerate(ticket.reason.get("findings", {}).get("list", []), 1):
        if not finding["ok"]:
            changes += _report(house, ticket, number, finding, now)
    note = one_line("a round needs no judge", "巡查任务自动核实")
    ticket = house.desk.to_stage(ticket, "verified", now, "router", note)
    changes += house.put(ticket, "verified", now)
    ended = one_line("the round is made", "巡查完成")
    return changes + house.put(
        house.desk.to_stage(ticket, "closed", now, "router", ended), "closed", now
    )


def _report(
    house: House, ticket: Ticket, number: int, finding: dict[str, Any], now: datetime
) -> list[Change]:
    incident_id = name_of("i", ticket.id, "finding", str(number))
    if incident_id in house.book.incidents:
        return []
    kind = str(finding.get("kind") or "citizen_report")
    asset = finding.get("asset")
    point = house.rounds.asset(str(asset)) if asset is not None else None
    if finding.get("lon") is not None:
        point = Point(float(finding["lon"]), float(finding["lat"]))
    point = point or Point(ticket.place.lon, ticket.place.lat)
    zh_name, en_name = kind_names(kind)
    text = str(finding.get("text", "")).strip()
    who = ticket.worker or "?"
    name = ticket.reason["patrol"]
    en = f"{en_name}, found by {who} on {name['name_en']}"
    zh = f"{zh_name}，{who}{name['name_zh']}时发现"
    incident = Incident(
        id=incident_id,
        rev=1,
        kind=kind,
        events=(),
        reason=one_line(f"{en}: {text}" if text else en, f"{zh}：{text}" if text else zh),
        place=house.gazetteer.place(point, at=now, kind=kind),
        site=str(asset or ticket.id),
        severity=int(finding.get("severity", 2)),
        opened_at=now,
        district=ticket.district,
    )
    changes = [house.put_incident(incident, "opened", now)]
    return changes + house.open_tickets(incident, now)


DEEDS = {"dispose": dispose}
