"""`gridsentry figures`: from changes, or from a store, to a table that people read."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from contracts.case import Change
from contracts.clock import iso
from contracts.errors import Wrong
from contracts.ports import Page, Query
from contracts.wire import ticket_object
from gridsentry.cli import main
from gridsentry.commands.figures import all_tickets, from_changes
from tests.scenarios.script import Script, event
from tests.scenarios.town import place, town


def night() -> list[Change]:
    """One flooding closed on time, another that nobody takes."""
    story = Script(town())
    story.at(0).event(event("flooding", "road-1", place(400, 200)))
    first = story.ticket().id
    story.do(first, "accept", "arrive", "dispose", by="w-12")
    story.at(60).event(event("flooding", "road-1", place(400, 200), rev=2, phase="closed"))
    story.do(first, "close")
    story.command(first, "rate", "resident:li", score=4)
    story.at(90).event(event("flooding", "road-2", place(1700, 800), 90))
    story.at(30 * 3600)
    return story.changes


def told(changes: list[Change], path: Path) -> Path:
    lines = [
        msgspec.json.encode(
            {"type": c.type, "known_at": iso(c.known_at)} | msgspec.to_builtins(c.body)
        )
        for c in changes
    ]
    path.write_bytes(b"\n".join(lines))
    return path


def test_changes_become_a_line_for_each_utility_and_one_for_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = told(night(), tmp_path / "night.jsonl")
    assert main(["figures", "--changes", str(path), "--by", "grid", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["grid"] for line in lines] == ["g1", "g4", "total"]
    assert [(line["due"], line["on_time"]) for line in lines] == [(1, 1), (1, 0), (2, 1)]
    assert lines[-1]["on_time_rate"] == 0.5
    assert lines[0]["satisfaction"] == 4.0


def test_the_table_is_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = told(night(), tmp_path / "night.jsonl")
    assert main(["figures", "--changes", str(path)]) == 0
    said = capsys.readouterr().out
    assert "water" in said
    total = next(line for line in said.splitlines() if "total" in line)
    assert "50.00%" in total


def test_a_file_that_is_none_is_refused_with_its_line(tmp_path: Path) -> None:
    wrong = tmp_path / "x.jsonl"
    wrong.write_text('{"type": "event"}\nnothing\n')
    with pytest.raises(Wrong, match="line 2"):
        from_changes(wrong)
    with pytest.raises(Wrong, match="is not there"):
        from_changes(tmp_path / "none")


def test_every_page_of_a_store_is_read() -> None:
    newest = {c.id: c.body for c in night() if c.type == "ticket"}
    items = [ticket_object(t) for t in newest.values()]  # type: ignore[arg-type]

    class Shelf:
        async def page(self, what: str, query: Query) -> Page:
            at = int(query.after or 0)
            return Page(items[at : at + 1], str(at + 1) if at + 1 < len(items) else None)

    async def read() -> list[str]:
        return [t.id async for t in all_tickets(Shelf())]  # type: ignore[arg-type]

    assert asyncio.run(read()) == list(newest)
