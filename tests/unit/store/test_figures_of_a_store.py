"""Figures of what a store keeps are those of the tickets that went in."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec

from center.counts import Counts
from contracts.batch import Batch
from gridsentry.live.tally import TicketTally
from router.figures import case_of, figures, league
from tests.scenarios.script import Script, event, moment
from tests.scenarios.town import place, town
from tests.unit.store.twins import Twin


def night() -> Script:
    """A flooding closed and rated, one sent back, one that nobody takes."""
    story = Script(town())
    for n in range(3):
        story.at(60 * n).event(event("flooding", f"road-{n}", place(400 + 700 * n, 200), 60 * n))
    first, second, _ = story.tickets()
    story.at(200).do(first.id, "accept", "arrive", "dispose", by=str(first.worker))
    story.do(second.id, "accept", "arrive", "dispose", by=str(second.worker))
    story.command(second.id, "rework", "center", reason="still wet")
    closed = event("flooding", "road-0", place(400, 200), rev=2, phase="closed")
    story.at(900).event(closed)
    story.command(first.id, "rate", "resident:li", score=4)
    story.do(first.id, "close")
    story.at(30 * 3600)
    return story


def test_what_is_counted_is_what_was_committed(twin: Twin) -> None:
    story, writer = night(), twin.writer()
    since, until = moment(-60), moment(30 * 3600)
    epoch = writer.acquire("w", "me", until, 60.0)
    assert epoch == 1
    # In pieces, as it goes live: a later revision takes the place of an earlier one.
    half = len(story.changes) // 2
    for number, changes in enumerate((story.changes[:half], story.changes[half:]), 1):
        writer.commit(Batch(writer="w", number=number, epoch=1, at=until, changes=changes))

    async def counted() -> tuple[object, object]:
        desk = twin.desk()
        await desk.open()
        try:
            tally, _, _ = await Counts(desk, TicketTally).of(("", ""), since, until)
        finally:
            await desk.close()
        return tally.table("utility", since, until), tally.total(since, until)

    table, total = asyncio.run(counted())
    cases = [case_of(ticket) for ticket in story.tickets()]
    assert total == msgspec.to_builtins(figures(cases, since, until))
    wanted = league(cases, "utility", since, until)
    assert table == {name: msgspec.to_builtins(line) for name, line in wanted.items()}
    assert figures(cases, since, until).rework_rate == 0.5
    assert until - since > timedelta(days=1)
