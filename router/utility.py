"""Whose thing is it? By the owner of the asset, then by rule of kind and place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from contracts.city import City, Rule
from contracts.event import Event
from router.gazetteer import Gazetteer
from router.settings import RouterSettings
from router.words import both


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """Who must act beside the worker, in which lane, with which help."""

    utilities: tuple[str, ...]
    lane: str
    helpers: int
    skills: tuple[str, ...]
    reason: dict[str, Any]


class Duties:
    """The city's owners and rules, ready to be asked."""

    def __init__(self, city: City, gazetteer: Gazetteer, settings: RouterSettings) -> None:
        self._city = city
        self._gazetteer = gazetteer
        self._settings = settings
        self._by_owner: dict[str, str] = {}
        for utility in city.utilities.values():
            for owner in (*utility.owners, utility.id):
                self._by_owner.setdefault(owner, utility.id)
        self._span_owner = {
            span.id: span.owner for line in city.lines for span in line.spans.values()
        }
        self._site_owner: dict[str, str] = {
            fibre.id: fibre.owner for fibre in city.fibres.values() if fibre.owner
        }

    def _owners(self, event: Event) -> list[tuple[str, str]]:
        """(owner, which asset says so) of one event, surest first."""
        named = event.evidence.get("owners")
        if isinstance(named, (list, tuple)) and named:
            return [(str(o), "named by the evidence") for o in named if o]
        spans = event.evidence.get("spans")
        if isinstance(spans, (list, tuple)) and spans:
            top = spans[0][0] if isinstance(spans[0], (list, tuple)) and spans[0] else spans[0]
            if owner := self._span_owner.get(str(top)):
                return [(owner, f"owner of span {top}")]
        if owner := self._site_owner.get(event.site):
            return [(owner, f"owner of fibre {event.site}")]
        if event.kind in self._settings.observer_kinds:
            return []
        device = self._city.devices.get(event.device or "") or self._city.devices.get(event.site)
        if device is not None and device.owner:
            return [(device.owner, f"owner of device {device.id}")]
        return []

    def rule_for(self, kind: str, grid: str | None) -> Rule | None:
        """The first rule that matches kind and place (the grid or one above it)."""
        inside = self._gazetteer.lineage(grid)
        for rule in self._city.rules:
            if rule.kind in (kind, "*") and (rule.grid is None or rule.grid in inside):
                return rule
        return None

    def of(self, kind: str, grid: str | None, events: Sequence[Event]) -> Duty:
        """Who must act on an incident of this kind here, known from these events."""
        rule = self.rule_for(kind, grid)
        profile = self._city.profile.kinds.get(kind)
        found: dict[str, dict[str, str]] = {}
        unknown: list[str] = []
        # A symptom that the incident explains says nothing of whose the damage is: a water sensor
        # that falls silent when the power is cut does not make it the water company's.
        telling = [e for e in events if e.kind == kind or e.kind not in self._settings.explained_by]
        for owner, why in _once(pair for event in telling for pair in self._owners(event)):
            utility = self._by_owner.get(owner)
            if utility is None:
                unknown.append(owner)
            else:
                found.setdefault(utility, {"owner": owner, "because": why})
        by = "asset"
        if not found and rule is not None and rule.utility in self._city.utilities:
            by = "rule"
            found[str(rule.utility)] = {"because": f"rule {rule.id}"}
        lane = rule.lane if rule is not None else (profile.lane if profile else None)
        lane_by = f"rule {rule.id}" if rule is not None else f"profile {self._city.profile.name}"
        if lane is None:
            lane, lane_by = ("direct", "owner known") if found else ("joint", "owner unknown")
        if lane == "direct" and not found:
            lane, lane_by = "joint", "owner unknown"
        waits: list[str] = []
        if lane == "self":
            found, by = {}, "lane"
        elif found and self._faint(kind, events):
            waits, found, by, lane = list(found), {}, "check", "self"
        return Duty(
            utilities=tuple(found),
            lane=lane,
            helpers=rule.helpers if rule is not None else 0,
            skills=rule.skills if rule is not None else (),
            reason={
                "by": by if found or by in ("lane", "check") else "nobody",
                "rule": rule.id if rule is not None else None,
                "lane": lane,
                "lane_by": lane_by,
                "owners": found,
                "unknown_owners": unknown,
                **({"check": waits} if waits else {}),
                **(self._check(waits) if waits else self._words(found, by, lane, unknown)),
            },
        )

    def _faint(self, kind: str, events: Sequence[Event]) -> bool:
        """Whether nothing but faint suspicions says so: somebody looks before the owner is called
        (核实 comes before 立案 and 派遣)."""
        s = self._settings
        if kind not in s.check_first or any(e.kind == "citizen_report" for e in events):
            return False
        own = [e for e in events if e.kind == kind]
        return bool(own) and all(
            e.evidence.get("state") == "suspected" and e.severity <= s.check_severity for e in own
        )

    def _check(self, waits: Sequence[str]) -> dict[str, str]:
        names = [self._city.utilities[u].name for u in waits]
        return both(
            "only suspected, and something else is likelier: a grid worker looks first; "
            f"{', '.join(names)} is called once it is confirmed, or named by who is there",
            "仅为疑似，其他原因可能性更大：先派网格员现场核实，"
            f"确认后（或由现场人员明确）再派{'、'.join(names)}",
        )

    def _words(
        self, found: dict[str, dict[str, str]], by: str, lane: str, unknown: list[str]
    ) -> dict[str, str]:
        names = [self._city.utilities[u].name for u in found]
        stray = f"; owner {', '.join(unknown)} is no utility of this city" if unknown else ""
        stray_zh = f"；权属“{'、'.join(unknown)}”未在本市单位名录" if unknown else ""
        if by == "lane":
            return both(
                f"the grid worker settles it alone (lane self){stray}", f"网格员自办自结{stray_zh}"
            )
        if not found:
            return both(
                f"no asset owner and no rule names a utility: joint consultation{stray}",
                f"权属不明：无产权单位、无规则，转会商，首接负责{stray_zh}",
            )
        why = "; ".join(f"{u}: {entry['because']}" for u, entry in found.items())
        whose = "产权单位" if by == "asset" else "按规则"
        return both(f"{', '.join(names)} ({why}){stray}", f"{whose}：{'、'.join(names)}{stray_zh}")


def _once(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    seen: dict[str, str] = {}
    for owner, why in pairs:
        seen.setdefault(owner, why)
    return list(seen.items())
