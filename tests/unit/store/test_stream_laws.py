"""The stream and the desk, in memory and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec
import pytest

from contracts.batch import OutboxRow, Undelivered
from contracts.case import Answer, Command
from contracts.errors import Refused
from contracts.geo import Point
from contracts.nouns import Position, Status
from contracts.ports import Query, What
from contracts.wire import change_key, cloud_event, event_object, ticket_glance, ticket_object
from tests.unit.store.makes import (
    at,
    batch,
    change,
    event,
    incident,
    letter,
    published,
    reading,
    silence,
    ticket,
    unknown,
)
from tests.unit.store.twins import OpenDesk, Twin


@asynccontextmanager
async def opened(twin: Twin) -> AsyncIterator[OpenDesk]:
    desk = twin.desk()
    await desk.open()
    try:
        yield desk
    finally:
        await desk.close()


def streamed(twin: Twin, after: int = 0) -> list[OutboxRow]:
    async def read() -> list[OutboxRow]:
        async with opened(twin) as desk:
            return await desk.stream(after, 1000)

    return asyncio.run(read())


def test_the_stream_carries_every_change_once_as_a_cloud_event(twin: Twin) -> None:
    writer, relay = twin.writer(), twin.relay()
    writer.acquire("w", "me", at(0), 10)
    changes = [change(event()), change(incident()), change(ticket())]
    writer.commit(batch(1, changes=changes))
    writer.commit(batch(2, changes=changes))
    assert streamed(twin) == []
    assert relay.step() == 3
    assert relay.step() == 0
    rows = streamed(twin)
    assert [row.position for row in rows] == [1, 2, 3]
    assert [row.key for row in rows] == [change_key(one) for one in changes]
    told = [msgspec.json.encode(cloud_event(one, "/gridsentry/test")) for one in changes]
    assert [row.data for row in rows] == told
    assert (rows[2].type, rows[2].subject, rows[2].kind) == ("ticket", "t-1", "flooding")
    assert (rows[2].district, rows[2].change, rows[2].at) == ("d-1", "opened", at(1))
    assert streamed(twin, 2) == rows[2:]


def test_a_tickets_revisions_stand_in_order_even_when_they_came_in_another(twin: Twin) -> None:
    writer, relay = twin.writer(), twin.relay()
    writer.acquire("w", "me", at(0), 10)
    order = [("t-1", 3), ("t-2", 1), ("t-1", 1), ("t-1", 2), ("t-2", 2)]
    changes = [change(ticket(name, rev), f"c{rev}") for name, rev in order]
    writer.commit(batch(1, changes=changes))
    while relay.step(2):
        pass
    rows = streamed(twin)
    assert [row.position for row in rows] == [1, 2, 3, 4, 5]
    for name in ("t-1", "t-2"):
        revs = [row.change for row in rows if row.subject == name]
        assert revs == sorted(revs)


def test_positions_tell_what_is_kept(twin: Twin) -> None:
    async def ends() -> tuple[int, int]:
        async with opened(twin) as desk:
            return await desk.oldest_position(), await desk.newest_position()

    assert asyncio.run(ends()) == (1, 0)
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    writer.commit(batch(1, changes=[change(ticket(rev=n), "updated") for n in (1, 2)]))
    assert asyncio.run(ends()) == (1, 0)
    twin.relay().step()
    assert asyncio.run(ends()) == (1, 2)


def test_a_follower_wakes_when_the_stream_grows(twin: Twin) -> None:
    async def follow() -> list[int]:
        seen = []
        async with opened(twin) as desk, aclosing(desk.follow()) as following:  # type: ignore[type-var]
            await anext(following)
            seen.append(await desk.newest_position())
            writer = twin.writer()
            writer.acquire("w", "me", at(0), 10)
            writer.commit(batch(1, changes=[change(ticket())]))
            await asyncio.to_thread(twin.relay().step)
            await asyncio.wait_for(anext(following), 2.0)
            seen.append(await desk.newest_position())
        return seen

    assert asyncio.run(follow()) == [0, 1]


def test_a_targets_position_never_goes_back(twin: Twin) -> None:
    async def move() -> list[int]:
        async with opened(twin) as desk:
            seen = [await desk.target_position("mqtt")]
            for position in (5, 3):
                await desk.set_target_position("mqtt", position)
                seen.append(await desk.target_position("mqtt"))
            await desk.log_access("cao", "t-1/still", at(0))
            await desk.ping()
            return seen

    assert asyncio.run(move()) == [0, 5, 5]


def test_a_new_target_begins_where_it_is_told_and_an_old_one_goes_on(twin: Twin) -> None:
    async def start() -> list[int]:
        async with opened(twin) as desk:
            first = await desk.start_target("hook", 0)
            again = await desk.start_target("hook", 9)
            await desk.set_target_position("hook", 4)
            return [first, again, await desk.start_target("hook", 9)]

    assert asyncio.run(start()) == [0, 0, 4]


def test_of_two_centers_one_holds_a_lease_until_it_is_over(twin: Twin) -> None:
    async def hold() -> list[bool]:
        async with opened(twin) as desk:
            return [
                await desk.hold("notify:hook", "a", at(0), 30),
                await desk.hold("notify:hook", "b", at(10), 30),
                await desk.hold("notify:hook", "a", at(20), 30),
                await desk.hold("notify:hook", "b", at(49), 30),
                await desk.hold("notify:hook", "b", at(51), 30),
            ]

    assert asyncio.run(hold()) == [True, False, True, False, True]


def test_what_a_target_did_not_take_is_kept_once_and_listed_newest_first(twin: Twin) -> None:
    def gone(key: str, seconds: float, reason: str) -> Undelivered:
        return Undelivered(
            target="hook", key=key, known_at=at(0), given_up_at=at(seconds), reason=reason
        )

    async def keep() -> list[Undelivered]:
        async with opened(twin) as desk:
            for item in (gone("a", 1, "404"), gone("b", 2, "410 \x00"), gone("a", 3, "again")):
                await desk.put_undelivered(item)
            return await desk.undelivered(10)

    kept = asyncio.run(keep())
    assert [(u.key, u.reason[:3]) for u in kept] == [("b", "410"), ("a", "404")]
    assert kept[0].given_up_at == at(2)


def test_an_event_leads_to_its_tickets(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    writer.commit(batch(1, changes=[change(event()), change(incident()), change(ticket())]))

    async def find() -> list[list[str]]:
        async with opened(twin) as desk:
            known, unknown_ = incident().events[0], "e-nobody"
            found = [await desk.tickets_of_event(e) for e in (known, unknown_)]
            return [[str(t["id"]) for t in tickets] for tickets in found]

    assert asyncio.run(find()) == [[ticket().id], []]


def test_open_tickets_and_those_changed_lately_are_told_at_a_glance(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    clocks = {"accept": {"due": None, "at": "2026-05-01T00:00:05Z", "on_time": True, "late": 0}}
    working = ticket(stage="accepted", reason={"clocks": clocks, "worker": {"text_en": "Lin"}})
    ended = ticket(name="t-ended", stage="closed")
    before = ticket(name="t-before", stage="closed")
    for number, one in enumerate((before, working, ended), 1):
        told = change(one, known_at=at(10 * number))
        writer.commit(batch(number, changes=[told]))

    async def find() -> list[dict[str, Any]]:
        async with opened(twin) as desk:
            return sorted(await desk.lately(at(30)), key=lambda t: str(t["id"]))

    wanted = [ticket_glance(ticket_object(t)) for t in (working, ended)]
    assert asyncio.run(find()) == sorted(wanted, key=lambda t: str(t["id"]))


def test_a_command_is_answered_through_the_batch_of_the_router(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    asked = Command(id="c-1", ticket="t-1", action="accept", by="w-17", rev=2, at=at(1))

    async def file() -> list[Answer | None]:
        async with opened(twin) as desk:
            answers = [await desk.file_command(asked, 0.0)]
            assert writer.commands(10) == [asked]
            waiting = asyncio.create_task(desk.file_command(asked, 5.0))
            answer = Answer("c-1", True, "done", 3)
            await asyncio.to_thread(writer.commit, batch(1, answers=[answer]))
            answers.append(await waiting)
            return answers

    assert asyncio.run(file()) == [None, Answer("c-1", True, "done", 3)]
    assert writer.commands(10) == []


def test_a_report_filed_over_http_waits_in_the_intake_and_wakes_the_writer(twin: Twin) -> None:
    writer = twin.writer()
    assert writer.wait(0.0)
    assert not writer.wait(0.0)

    async def file() -> None:
        async with opened(twin) as desk:
            await desk.file_report("gridsentry/v1/feed/d-1/app/report", b"{}\x00", at(4))

    asyncio.run(file())
    assert writer.wait(2.0)
    (row,) = writer.intake(10)
    assert (row.topic, row.payload) == ("gridsentry/v1/feed/d-1/app/report", b"{}\x00")
    assert row.received_at == at(4)


def fill(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    tickets = [
        ticket(
            f"t-{n}",
            opened_at=at(n // 2),
            kind="flooding" if n % 3 else "fibre_break",
            stage="accepted" if n % 2 else "closed",
            severity=5 if n in (2, 5) else 3,
            utility="gd" if n in (4, 5) else None,
        )
        for n in range(7)
    ]
    writer.commit(
        batch(
            1,
            readings=[
                *(reading(n, float(n)) for n in range(5)),
                reading(1, 9.0, metric="flow"),
                reading(2, 7.0, sent_at=None, seq=2**63 + 1),
                reading(0, device="other"),
            ],
            events=[published(event(f"e-{n}", at=at(n))) for n in range(3)],
            changes=[
                *(change(one) for one in tickets),
                change(incident()),
                *(change(silence(f"s-{n}", made_at=at(n))) for n in range(3)),
            ],
            dead_letters=[letter("d-1", received_at=at(1)), letter("d-2", code="nan")],
            unknown=[unknown("new-1", b"\x00\xff")],
            statuses=[Status("cam-1", at(3), at(3), False), Status("cam-1", at(2), at(9), True)],
            worker_positions=[Position(f"w-{n}", at(n), at(n), Point(121.5, 31.2)) for n in (2, 1)],
        )
    )


def pages(twin: Twin, what: What, limit: int, **filters: Any) -> list[dict[str, Any]]:
    async def read() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        async with opened(twin) as desk:
            after = None
            while True:
                page = await desk.page(what, Query(after=after, limit=limit, **filters))
                assert len(page.items) <= limit
                items += page.items
                after = page.next
                if after is None:
                    return items

    return asyncio.run(read())


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_pages_hold_everything_once_in_order_whatever_their_length(twin: Twin, limit: int) -> None:
    fill(twin)
    assert [t["id"] for t in pages(twin, "tickets", limit)] == [f"t-{n}" for n in range(6, -1, -1)]
    assert [e["id"] for e in pages(twin, "events", limit)] == ["e-2", "e-1", "e-0"]
    assert [i["id"] for i in pages(twin, "incidents", limit)] == ["i-1"]
    assert [s["id"] for s in pages(twin, "silences", limit)] == ["s-2", "s-1", "s-0"]
    assert [s["id"] for s in pages(twin, "silences", limit, since=at(1))] == ["s-2", "s-1"]
    assert not pages(twin, "silences", limit, grid="g-9")
    assert [t["id"] for t in pages(twin, "tickets", limit, severity=4, utility="gd")] == ["t-5"]
    assert [w["id"] for w in pages(twin, "workers", limit)] == ["w-1", "w-2"]
    assert [d["id"] for d in pages(twin, "devices", limit)] == ["cam-1", "lvl-7", "other"]
    letters = pages(twin, "dead-letters", limit)
    assert [row["code"] for row in letters] == ["bad_json", "unknown_device", "nan"]
    readings = pages(twin, "readings", limit, device="lvl-7")
    assert [row["value"] for row in readings] == [0, 9, 1, 2, 7, 3, 4]
    everyone = pages(twin, "readings", limit, since=at(0), until=at(3))
    assert [(row["device"], row["value"]) for row in everyone] == [
        *(("lvl-7", 0), ("other", 1), ("lvl-7", 9), ("lvl-7", 1), ("lvl-7", 2), ("lvl-7", 7)),
    ]
    flow = pages(twin, "readings", limit, metric="flow", since=at(0), until=at(3))
    assert [row["value"] for row in flow] == [9]


def test_further_pages_of_all_readings_keep_the_range_of_the_first(twin: Twin) -> None:
    fill(twin)

    async def read() -> list[float]:
        async with opened(twin) as desk:
            page = await desk.page("readings", Query(limit=2, since=at(0), until=at(2)))
            values = [row["value"] for row in page.items]
            while page.next is not None:
                page = await desk.page("readings", Query(limit=2, after=page.next))
                values += [row["value"] for row in page.items]
            return values

    assert asyncio.run(read()) == [0, 1, 9, 1]


@pytest.mark.parametrize(("first", "then"), [("lvl-7", None), (None, "lvl-7")])
def test_a_cursor_of_all_readings_is_not_one_of_a_device(
    twin: Twin, first: str | None, then: str | None
) -> None:
    fill(twin)
    span: dict[str, Any] = {"since": at(0), "until": at(3)}

    async def read() -> None:
        async with opened(twin) as desk:
            page = await desk.page("readings", Query(device=first, limit=1, **span))
            assert page.next is not None
            await desk.page("readings", Query(device=then, limit=1, after=page.next, **span))

    with pytest.raises(Refused, match="with the same `device`"):
        asyncio.run(read())


def test_what_is_shown_is_what_the_wire_says(twin: Twin) -> None:
    fill(twin)
    shown = pages(twin, "tickets", 10, kind="flooding", stage="accepted", grid="g-3")
    assert [row["id"] for row in shown] == ["t-5", "t-1"]
    mine = ticket("t-5", opened_at=at(2), stage="accepted", severity=5, utility="gd")
    assert shown[0] == ticket_object(mine)
    assert pages(twin, "events", 10, since=at(2))[0] == event_object(event("e-2", at=at(2)))
    assert pages(twin, "tickets", 10, until=at(0)) == []
    (camera,) = pages(twin, "devices", 10, device="cam-1")
    assert camera == {
        "id": "cam-1",
        "online": False,
        "status_at": "2026-05-01T12:00:03Z",
        "last_reading_at": None,
    }
    (level,) = pages(twin, "devices", 10, device="lvl-7")
    assert (level["online"], level["last_reading_at"]) == (None, "2026-05-01T12:00:04.200000Z")
    flow = pages(twin, "readings", 10, device="lvl-7", metric="flow", since=at(1), until=at(2))
    assert flow == [
        {
            "device": "lvl-7",
            "metric": "flow",
            "ts": "2026-05-01T12:00:01Z",
            "value": 9.0,
            "at": "2026-05-01T12:00:01Z",
            "received_at": "2026-05-01T12:00:01.200000Z",
            "sent_at": "2026-05-01T12:00:01Z",
            "boot": 0,
            "seq": None,
            "quality": [],
        }
    ]
    (seq,) = [r for r in pages(twin, "readings", 10, device="lvl-7") if r["seq"] is not None]
    assert seq["seq"] == 2**63 + 1
    (strange,) = pages(twin, "dead-letters", 10, kind="unknown_device", device="new-1")
    assert strange["bytes"] == 2


def test_single_objects_and_what_is_not_there(twin: Twin) -> None:
    fill(twin)

    async def read() -> None:
        async with opened(twin) as desk:
            for what, name in [
                ("tickets", "t-3"),
                ("incidents", "i-1"),
                ("silences", "s-1"),
                ("events", "e-1"),
                ("devices", "cam-1"),
                ("workers", "w-2"),
                ("dead-letters", "d-1"),
            ]:
                found = await desk.get(what, name)  # type: ignore[arg-type]
                assert found is not None
                assert found["id"] == name
                assert await desk.get(what, "nobody") is None  # type: ignore[arg-type]
                assert await desk.get(what, "a\x00b") is None  # type: ignore[arg-type]
            strange = (await desk.page("dead-letters", Query(kind="unknown_device"))).items[0]
            whole = await desk.get("dead-letters", strange["id"])
            assert whole == strange | {"payload": "AP8="}

    asyncio.run(read())


@pytest.mark.parametrize(
    ("what", "query", "words"),
    [
        ("tickets", Query(after="no cursor"), "no cursor of ours"),
        ("tickets", Query(after="é"), "no cursor of ours"),
        ("tickets", Query(after="WyJ0aWNrZXRzIl0"), "no cursor of ours"),
        ("tickets", Query(after="WyJ0aWNrZXRzIiwgInQtMSJd"), "no cursor of ours"),
        ("tickets", Query(metric="level"), "cannot be filtered"),
        ("incidents", Query(stage="closed"), "cannot be filtered"),
        ("tickets", Query(kind="a\x00"), "zero character"),
        ("tickets", Query(limit=0), "between 1 and"),
        ("tickets", Query(limit=100_000), "between 1 and"),
        ("readings", Query(), "need both"),
        ("readings", Query(since=at(0)), "need both"),
        ("readings", Query(until=at(0)), "need both"),
        ("readings", Query(since=at(0), until=at(86_400.001)), "one day at a time"),
        ("readings", Query(since=at(0), until=at(9), kind="flooding"), "cannot be filtered"),
        ("readings", Query(since=at(0), until=at(9), stage="closed"), "cannot be filtered"),
        ("readings", Query(since=at(0), until=at(9), grid="g-3"), "cannot be filtered"),
    ],
)
def test_what_cannot_be_listed_is_refused_in_words(
    twin: Twin, what: What, query: Query, words: str
) -> None:
    async def read() -> None:
        async with opened(twin) as desk:
            await desk.page(what, query)

    with pytest.raises(Refused, match=words):
        asyncio.run(read())


def test_a_cursor_of_one_listing_is_refused_by_another(twin: Twin) -> None:
    fill(twin)

    async def read() -> None:
        async with opened(twin) as desk:
            page = await desk.page("tickets", Query(limit=1))
            await desk.page("events", Query(after=page.next))

    with pytest.raises(Refused, match="not of /events"):
        asyncio.run(read())
