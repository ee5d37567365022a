"""`gridsentry labels`: JSON lines that scorecards can read."""

from __future__ import annotations

import argparse
import asyncio
import json
from datetime import UTC, datetime

import pytest

from contracts.annals import Label
from gridsentry.cli import main
from gridsentry.commands.labels import lines, read
from store.memory import MemoryStore

AT = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)


def label(name: str, minute: int, **more: object) -> Label:
    fields: dict[str, object] = {
        "id": name, "verdict": "false", "kind": "high_altitude_throw", "event": f"e-{name}",
        "device": "cam-1", "at": AT, "cause": "bird", "by": "王",
        "made_at": AT.replace(minute=minute),
    }  # fmt: skip
    return Label(**{**fields, **more})  # type: ignore[arg-type]


def test_standing_labels_leave_oldest_first_with_everything_that_was_said() -> None:
    annals = MemoryStore().annals
    asked = argparse.Namespace(kind=None, days=None, all=False)

    async def told(args: argparse.Namespace) -> list[dict[str, object]]:
        return [json.loads(line) for line in lines(await read(annals, args)).splitlines()]

    async def walk() -> list[list[dict[str, object]]]:
        await annals.put_label(label("a", 1))
        await annals.put_label(label("b", 2, verdict="true", cause=""))
        await annals.put_label(label("c", 3, kind="flooding"))
        await annals.withdraw_label("b", "李", AT)
        every = argparse.Namespace(kind="high_altitude_throw", days=None, all=True)
        return [await told(asked), await told(every)]

    standing, every = asyncio.run(walk())
    assert [one["id"] for one in standing] == ["a", "c"]
    assert standing[0]["event"] == "e-a" and standing[0]["at"] == "2026-07-14T12:00:00Z"
    assert (standing[0]["verdict"], standing[0]["cause"], standing[0]["by"]) == (
        "false",
        "bird",
        "王",
    )
    assert [(one["id"], one["withdrawn_by"]) for one in every] == [("a", None), ("b", "李")]


def test_without_a_configuration_it_says_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["labels"])
    assert "--config" in capsys.readouterr().err
