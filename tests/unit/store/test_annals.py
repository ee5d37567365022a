"""Labels, hot spots, dead letters tried again and handovers, in memory and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from contracts.annals import Annals, Handover, Label
from contracts.batch import SpoolRow
from contracts.case import Incident
from contracts.event import Event, Place
from contracts.geo import Point
from tests.unit.store.makes import (
    at,
    batch,
    change,
    event,
    incident,
    letter,
    published,
    reading,
    ticket,
)
from tests.unit.store.twins import Twin

T = TypeVar("T")


def ask(twin: Twin, what: Callable[[Annals], Awaitable[T]]) -> T:
    async def run() -> T:
        desk = twin.desk()
        await desk.open()
        try:
            return await what(desk.annals)
        finally:
            await desk.close()

    return asyncio.run(run())


def label(name: str = "l-1", **changed: Any) -> Label:
    fields: dict[str, Any] = {
        **{"id": name, "verdict": "false", "kind": "flooding", "event": "e-1", "device": "lvl-7"},
        **{"site": "drain-1", "incident": "i-1", "at": at(0), "cause": "splash", "grid": "g-3"},
        **{"by": "王", "made_at": at(60)},
    }
    return Label(**(fields | changed))


def commit(twin: Twin, events: list[Event], incidents: list[Incident], *more: Any) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    changes = [change(one) for one in (*events, *incidents, *more)]
    writer.commit(batch(1, events=[published(one) for one in events], changes=changes))


def throw(n: int, zone: str | None, **changed: Any) -> tuple[Event, Incident]:
    """A throw from that window n hours later, and its incident."""
    origin = None if zone is None else {"zone": zone, "p": 0.9}
    told = event(
        f"e-{n}", kind="high_altitude_throw", device="cam-1", site="cam-1", at=at(n * 3600),
        evidence={"origin": origin}, severity=3 + n % 2, **changed,
    )  # fmt: skip
    one = incident(f"i-{n}", kind=told.kind, events=(told.id,), opened_at=told.at)
    return told, one


def test_a_label_stands_until_it_is_taken_back(twin: Twin) -> None:
    async def walk(annals: Annals) -> list[list[str]]:
        seen = []
        await annals.put_label(label())
        await annals.put_label(label())
        seen.append([one.id for one in await annals.labels()])
        assert await annals.label("l-1") == label()
        assert await annals.withdraw_label("l-1", "李", at(90))
        assert not await annals.withdraw_label("l-1", "赵", at(99))
        seen.append([one.id for one in await annals.labels()])
        kept = await annals.labels(standing=False)
        seen.append([f"{one.id} {one.withdrawn_by}" for one in kept])
        return seen

    assert ask(twin, walk) == [["l-1"], [], ["l-1 李"]]


def test_a_second_word_on_an_event_replaces_the_first(twin: Twin) -> None:
    async def walk(annals: Annals) -> list[tuple[str, str, str | None]]:
        await annals.put_label(label())
        await annals.put_label(label("l-2", verdict="true", cause="", made_at=at(70)))
        await annals.put_label(label())  # the first one arrives again: it does not come back
        return [
            (one.id, one.verdict, one.withdrawn_by) for one in await annals.labels(standing=False)
        ]

    assert ask(twin, walk) == [("l-2", "true", None), ("l-1", "false", "newer")]


def test_labels_are_found_by_moment_kind_and_event(twin: Twin) -> None:
    missed = label(
        "l-3", verdict="missed", event=None, incident=None, kind="loud_sound", at=at(500),
        until=at(510), point=Point(121.5, 31.2), note="没有报警",
    )  # fmt: skip

    async def walk(annals: Annals) -> list[list[str]]:
        await annals.put_label(label())
        await annals.put_label(missed)
        assert await annals.label("l-3") == missed
        asked: list[dict[str, Any]] = [
            {"since": at(1)}, {"until": at(500)}, {"kind": "loud_sound"},
            {"events": ("e-1", "e-9")}, {"limit": 1},
        ]  # fmt: skip
        return [[one.id for one in await annals.labels(**one)] for one in asked]

    assert ask(twin, walk) == [["l-3"], ["l-1"], ["l-3"], ["l-1"], ["l-3"]]


def test_what_was_said_counts_before_what_work_says(twin: Twin) -> None:
    events = [event(f"e-{n}", at=at(n)) for n in range(5)]
    reports = [event("e-r", kind="citizen_report", device="app-1")]
    incidents = [incident("i-1", events=("e-0", "e-1")), incident("i-2", events=("e-2", "e-3"))]
    closed = ticket("t-1", incident="i-1", stage="closed")
    going = ticket("t-2", incident="i-2", stage="accepted")
    commit(twin, [*events, *reports], incidents, closed, going)

    async def walk(annals: Annals) -> list[dict[str, Any]]:
        await annals.put_label(label("l-1", event="e-0"))
        await annals.put_label(label("l-2", event="e-2", verdict="true"))
        await annals.put_label(
            label("l-3", verdict="missed", event=None, kind="loud_sound", device="mic-1")
        )
        return [msgspec.to_builtins(one) for one in await annals.judged(at(0), at(4))]

    assert ask(twin, walk) == [
        {
            **{"kind": "flooding", "device": "lvl-7", "alarms": 4, "said_true": 1, "said_false": 1},
            **{"worked": 1, "missed": 0},
        },
        {
            **{"kind": "loud_sound", "device": "mic-1", "alarms": 0, "said_true": 0},
            **{"said_false": 0, "worked": 0, "missed": 1},
        },
    ]


def test_the_window_that_is_thrown_from_again_is_a_hot_spot(twin: Twin) -> None:
    pairs = [throw(n, "F17-3" if n < 4 else "F2-1" if n == 4 else None) for n in range(7)]
    commit(twin, [e for e, _ in pairs], [i for _, i in pairs])

    async def walk(annals: Annals) -> list[list[tuple[str, int]]]:
        async def found(**more: Any) -> list[tuple[str, int]]:
            spots = await annals.spots(at(0), at(9 * 3600), **more)
            return [(spot.spot, spot.incidents) for spot in spots]

        seen = [await found(), await found(least=1), await found(grids=["g-9"])]
        await annals.put_label(label("l-1", event="e-3", kind="high_altitude_throw"))
        seen.append(await found(kind="high_altitude_throw", limit=1))
        first = (await annals.spots(at(0), at(9 * 3600)))[0]
        assert (first.first_at, first.last_at) == (at(0), at(2 * 3600))
        assert (first.newest, first.severity, first.grid) == (("i-2", "i-1", "i-0"), 4, "g-3")
        return seen

    assert ask(twin, walk) == [
        [("cam-1/F17-3", 4), ("cam-1", 2)],
        [("cam-1/F17-3", 4), ("cam-1", 2), ("cam-1/F2-1", 1)],
        [],
        [("cam-1/F17-3", 3)],
    ]


def test_the_whole_ticket_of_an_incident_is_found(twin: Twin) -> None:
    whole, part = ticket("t-1"), ticket("t-2", parent="t-1", opened_at=at(9))
    later = ticket("t-3", opened_at=at(5))
    commit(twin, [event()], [incident()], whole, part, later)
    assert ask(twin, lambda annals: annals.tickets_of(["i-1", "i-9"])) == {"i-1": "t-3"}


def test_a_hot_spot_counts_incidents_not_events_and_none_that_was_merged(twin: Twin) -> None:
    blocked = [
        event(f"e-{n}", kind="drain_blocked", evidence={"pipes": [["p-4", 0.8], ["p-5", 0.1]]})
        for n in range(4)
    ]
    spans = [event("e-s", kind="severed_cable", evidence={"spans": [["sp-1", 0.9]]})]
    fibres = [
        event(f"e-f{n}", kind="fibre_break", site="f-1", evidence={"distance_m": 861.0 + n * 20})
        for n in range(2)
    ]
    reports = [
        event(f"e-r{n}", kind="citizen_report", place=Place(121.5001 + n * 1e-4, 31.2001, "g-3"))
        for n in range(2)
    ]
    commit(
        twin,
        [*blocked, *spans, *fibres, *reports],
        [
            incident("i-1", events=("e-0", "e-1", "e-s", "e-f0", "e-r0")),
            incident("i-2", events=("e-2", "e-f1", "e-r1"), opened_at=at(9)),
            incident("i-3", events=("e-3",), merged_into="i-1"),
        ],
    )

    async def walk(annals: Annals) -> list[tuple[str, str, int]]:
        spots = await annals.spots(at(0), at(10))
        return [(spot.kind, spot.spot, spot.incidents) for spot in spots]

    assert ask(twin, walk) == [
        ("citizen_report", "15600,60750", 2),
        ("drain_blocked", "p-4", 2),
        ("fibre_break", "f-1@850", 2),
    ]


def test_who_is_silent_or_new_is_known(twin: Twin) -> None:
    silent = event("e-1", kind="sensor_silent", site="d-1", device="lvl-7")
    over = event("e-2", kind="sensor_faulty", site="d-1", device="lvl-8", phase="closed")
    commit(twin, [silent, over], [])
    writer = twin.writer()
    writer.acquire("w2", "me", at(0), 10)
    for number in (1, 2):
        kept = [reading(number * 10, device="lvl-9")]
        writer.commit(batch(number, writer="w2", readings=kept))

    rows = [SpoolRow("cam", at(n), at(n + 1), f"f{n}", 3, n) for n in (1, 2)]
    writer.commit(batch(3, writer="w2", spool=rows))

    async def walk(annals: Annals) -> list[Any]:
        told = [(one["kind"], one["device"]) for one in await annals.troubles()]
        return [told, await annals.first_heard(), await annals.segments_seen(["cam", "cam-9"])]

    assert ask(twin, walk) == [
        [("sensor_silent", "lvl-7")],
        {"lvl-9": at(10.2)},
        {"cam": at(3)},
    ]


def test_a_dead_letter_is_tried_again_once_for_every_time_it_was_asked(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    cut = letter("d-2", bytes=70_000, sha256="cut")
    writer.commit(batch(1, dead_letters=[letter("d-1"), cut]))

    async def first(annals: Annals) -> list[Any]:
        told = [await annals.retry("d-1", 0, "王", at(50)) for _ in range(2)]
        assert told[0] == told[1]
        assert await annals.retry("d-9", 0, "王", at(50)) is None
        refused = await annals.retry("d-2", 0, "王", at(50))
        return [told[0], refused]

    told, refused = ask(twin, first)
    assert (told.tries, told.by, told.waiting) == (1, "王", True)
    assert (told.again, told.whole) == (None, True)
    assert (refused.tries, refused.waiting, refused.whole) == (0, False, False)
    rows = writer.intake(9)
    assert [(row.topic, row.payload, row.received_at) for row in rows] == [
        (letter().topic, letter().payload, at(0))
    ]
    again = letter("d-3", received_at=at(60))
    writer.commit(batch(2, dead_letters=[again], intake_done=[rows[0].id]))

    async def after(annals: Annals) -> Any:
        return await annals.retried(["d-1", "d-9"])

    (stands,) = ask(twin, after)
    assert (stands.waiting, stands.again, stands.tries) == (False, "d-3", 1)


def test_a_handover_is_signed_by_two_and_only_once(twin: Twin) -> None:
    made = Handover(
        id="h-1", made_at=at(0), leaving="王", notes="二号泵在南门", body={"open": [{"id": "t-1"}]}
    )

    async def walk(annals: Annals) -> list[Any]:
        await annals.put_handover(made)
        await annals.put_handover(msgspec.structs.replace(made, notes="other"))
        before = await annals.handovers(5)
        signed = [await annals.take_handover("h-1", who, "好", at(9)) for who in ("李", "赵")]
        return [before, signed, await annals.handover("h-1"), await annals.handover("h-9")]

    before, signed, after, none = ask(twin, walk)
    assert before == [made]
    assert signed == [True, False]
    assert after == msgspec.structs.replace(made, coming="李", taken_at=at(9), remarks="好")
    assert none is None
