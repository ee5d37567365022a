"""The generated page of the loop: stages, actions, who may, what must be said, which clocks."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.kinds import STAGES
from contracts.loop import ACTION_NAMES, ACTOR_NAMES, ALIASES, CLOCK_NAMES, PHOTOS, STAGE_NAMES
from router.alarms import ALARMS
from router.stages import BY_ITSELF, MOVES, STANDING, WORKING

_HEAD = """# The loop

What may happen to a ticket, as the router holds it (`router/stages.py`); made by
`python -m tools.generate`. `POST /api/v1/tickets/{id}/actions` asks for an action; 409 says in both
languages why not.

## Stages

| stage | in Chinese | clock that runs | starts anew | kept or missed here |
|---|---|---|---|---|
"""

_ACTIONS = """
## Actions

*who*: seen from the ticket. Whoever is no registered worker or utility acts for the center; the
contact on site is the worker of the parent. A verdict (†) is never by who did the work. *says*:
`reason` and `note` stand beside the action, `until` (ISO 8601 with its offset), `score` (1 to 5)
and whom (`worker`, `utility`) in `data`; `data.photos` may go with every action: a list of
`{name, ref}`.

| action | in Chinese | in the stages | leads to | who | says |
|---|---|---|---|---|---|
"""


def loop() -> str:
    """The page."""
    text = _HEAD + "".join(_stage(stage) for stage in STAGES)
    text += _ACTIONS + "".join(_action(action) for action in MOVES)
    names = ", ".join(f"`{key}` {zh}" for key, zh in PHOTOS.items())
    aliases = ", ".join(f"`{a}` = `{b}`" for a, b in ALIASES.items())
    text += f"\nPhotographs: {names}. Other words: {aliases}.\n\n## By itself\n\n"
    ways = [pair for pair in sorted(BY_ITSELF) if pair[1] != "void" and pair[0] != "suspended"]
    text += "Beside these the router, the sensor or an appeal takes: "
    text += "; ".join(f"{a} → {b}" for a, b in ways)
    text += "; suspended → where it was; any open stage → void.\n\nWhat a ticket waits for:\n\n"
    text += "".join(
        f"- `{type(a).__name__}`: {' '.join((a.__doc__ or '').split())}\n" for a in ALARMS
    )
    return text


def _stage(stage: str) -> str:
    standing = STANDING[stage]
    zh, _ = STAGE_NAMES[stage]
    clock = f"{standing.clock} {CLOCK_NAMES[standing.clock][0]}" if standing.clock else "–"
    return (
        f"| `{stage}` | {zh} | {clock} | {', '.join(standing.starts) or '–'} "
        f"| {standing.stops or '–'} |\n"
    )


def _action(action: str) -> str:
    move = MOVES[action]
    zh, _ = ACTION_NAMES[action]
    who = [name for name in ACTOR_NAMES if name in move.who] or ["anyone"]
    says = list(move.says)
    if move.answers:
        says.append(f"(answers {move.answers})")
    return (
        f"| `{action}`{' †' if move.judges else ''} | {zh} | {_stages(move.stages)} "
        f"| {move.to or '–'} | {', '.join(who)} | {', '.join(says) or '–'} |\n"
    )


def _stages(stages: Iterable[str]) -> str:
    given = set(stages)
    if given == set(STAGES):
        return "all"
    text = []
    for name, group in (
        ("all open", {s for s in STAGES if STANDING[s].clock or s == "suspended"}),
        ("at work", set(WORKING)),
    ):
        if group <= given:
            text.append(name)
            given -= group
    return ", ".join([*text, *(s for s in STAGES if s in given)])
