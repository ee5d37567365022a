"""`rules.toml`: kind and grid → department, lane, helpers; the first that matches applies."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from contracts.city import Rule, Utility
from contracts.kinds import KINDS
from gridsentry.city.fields import build
from gridsentry.city.files import read_toml
from gridsentry.city.notes import Notes, choices
from gridsentry.city.raw import RuleTable

NAME = "rules.toml"
ALIASES = {"department": "utility", "kinds": "kind", "place": "grid"}
LANES = {"自办自结": "self", "点对点": "direct", "会商": "joint"}
"""What the districts that invented the three lanes call them."""


def read_rules(
    folder: Path, grids: Collection[str], utilities: Mapping[str, Utility], notes: Notes
) -> tuple[Rule, ...]:
    """The rules in file order; one that lists several kinds becomes one for each.

    A table named after a kind is a rule for it; a utility may be named by one of its owners.
    """
    root = read_toml(folder / NAME, notes)
    if root is None:
        return ()
    tables = root.pop("rule", None) or root.pop("rules", None) or []
    for kind in [name for name in root if name in (*KINDS, "*") and isinstance(tables, list)]:
        tables = [*tables, {"id": kind, "kind": kind, **root.pop(kind)}]
    for unknown in root:
        notes.wrong(f"{NAME}, {unknown}", "not a known table", "[[rule]]")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        notes.wrong(f"{NAME}, rule", "not a list of tables", "[[rule]]")
        return ()
    rules: list[Rule] = []
    for number, table in enumerate(tables, start=1):
        where = f"{NAME}, rule {number}"
        values = {ALIASES.get(name, name): value for name, value in table.items()}
        if isinstance(helpers := values.get("helpers"), list):
            values["helpers"] = len(helpers)
            notes.warn(f"{where}, helpers", f"a list: taken as {len(helpers)} helpers")
        if isinstance(lane := values.get("lane"), str):
            values["lane"] = LANES.get(lane, lane)
        raw = build(RuleTable, values, f"{where}, ", notes)
        if raw is None:
            continue
        kinds = (raw.kind,) if isinstance(raw.kind, str) else raw.kind
        for kind in kinds:
            if kind != "*" and kind not in KINDS:
                notes.wrong(f"{where}, kind", repr(kind), "* or " + choices(KINDS, kind, 99))
        if raw.grid is not None and raw.grid not in grids:
            notes.wrong(f"{where}, grid", f"there is no grid {raw.grid}", choices(grids, raw.grid))
        named = raw.utility
        if named is not None and named not in utilities:
            named = next((u.id for u in utilities.values() if named in u.owners), None)
        if raw.utility is not None and named is None:
            notes.wrong(
                f"{where}, utility",
                f"there is no utility {raw.utility}",
                choices(utilities, raw.utility),
            )
        name = raw.id or f"rule-{number}"
        rules.extend(
            Rule(
                id=name if len(kinds) == 1 else f"{name}.{kind}",
                kind=kind,
                grid=raw.grid,
                utility=named,
                lane=raw.lane,
                helpers=raw.helpers,
                skills=raw.skills,
            )
            for kind in kinds
        )
    for name in sorted({rule.id for rule in rules if [r.id for r in rules].count(rule.id) > 1}):
        notes.wrong(NAME, f"rule id {name} again", "each id once")
    return tuple(rules)
