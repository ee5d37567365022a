"""What a commit promises, in memory and on PostgreSQL alike."""

from __future__ import annotations

import itertools
import math
from contextlib import closing

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.batch import Batch, SiteSnapshot, SpoolRow, UnknownMessage
from contracts.case import Answer, Command
from contracts.errors import LeaseLost, Permanent
from contracts.geo import Point
from contracts.nouns import Position, Quality, Reading, Status
from tests.unit.store.makes import (
    at,
    batch,
    change,
    event,
    incident,
    item,
    letter,
    published,
    reading,
    silence,
    ticket,
    unknown,
)
from tests.unit.store.twins import Twin

_runs = itertools.count()


def stored(twin: Twin, writer: str = "w") -> list[Reading]:
    with closing(twin.writer()) as reader:
        return [r for one in reader.stored_batches(writer, 0) for _, r in one.readings]


def test_a_reading_comes_back_as_it_was(twin: Twin) -> None:
    writer = twin.writer()
    assert writer.acquire("w", "me", at(0), 10) == 1
    readings = [
        reading(0, 0.125),
        reading(1, math.inf, quality=int(Quality.SPIKE | Quality.LATE)),
        reading(2, sent_at=None, boot=3, seq=2**63 + 5),
        reading(3, sent_at=None, quality=int(Quality.UNKEYED)),
        reading(4, at=at(900), quality=int(Quality.CLOCK_OFF)),
    ]
    found = writer.commit(batch(1, readings=readings, positions_in_batch=[0, 2, 3, 7, 8]))
    assert (found.readings_new, found.readings_duplicate, found.conflicts) == (5, 0, 0)
    (one,) = twin.writer().stored_batches("w", 0)
    assert one.at == at(1)
    assert one.readings == list(zip([0, 2, 3, 7, 8], readings, strict=True))


@pytest.mark.parametrize("size", [3, 120])
def test_the_same_readings_in_two_batches_count_once(twin: Twin, size: int) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    readings = [reading(n) if n % 2 else reading(n, sent_at=None, seq=n) for n in range(size)]
    assert writer.commit(batch(1, readings=readings)).readings_new == size
    again = [msgspec.structs.replace(r, received_at=at(999)) for r in readings]
    found = writer.commit(batch(2, readings=[*again, reading(size)]))
    assert (found.readings_new, found.readings_duplicate, found.conflicts) == (1, size, 0)
    assert stored(twin) == [*readings, reading(size)]


@pytest.mark.parametrize("size", [3, 120])
def test_the_same_readings_in_one_batch_count_once(twin: Twin, size: int) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    readings = [reading(n) if n % 2 else reading(n, sent_at=None, seq=n) for n in range(size)]
    found = writer.commit(batch(1, readings=readings + readings))
    assert (found.readings_new, found.readings_duplicate) == (size, size)
    assert stored(twin) == readings


@pytest.mark.parametrize("size", [1, 120])
@pytest.mark.parametrize("keyed_by", ["ts", "seq"])
def test_the_first_value_stands_and_another_is_kept_as_a_conflict_once(
    twin: Twin, keyed_by: str, size: int
) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    key = {"sent_at": None, "seq": 4} if keyed_by == "seq" else {}
    others = [reading(n) for n in range(1, size)]
    writer.commit(batch(1, readings=[reading(0, 1.0, **key), *others]))
    second = batch(2, readings=[reading(0, 2.0, **key), *others])
    found = writer.commit(second)
    assert (found.readings_new, found.conflicts, found.readings_duplicate) == (0, 1, size - 1)
    replayed = writer.commit(batch(3, readings=[reading(0, 2.0, **key)]))
    assert (replayed.conflicts, replayed.readings_duplicate) == (0, 1)
    assert stored(twin)[0].value == 1.0


def test_nan_twice_is_no_conflict(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    writer.commit(batch(1, readings=[reading(0, math.nan)]))
    assert writer.commit(batch(2, readings=[reading(0, math.nan)])).conflicts == 0


def test_readings_without_a_key_are_all_kept(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    same = [reading(0, sent_at=None) for _ in range(4)]
    assert writer.commit(batch(1, readings=same)).readings_new == 4
    assert writer.commit(batch(2, readings=same)).readings_new == 4


def test_readings_of_one_message_that_share_their_receipt_are_kept_apart_by_seq(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    many = [reading(0, sent_at=None, boot=b, seq=n) for b in (0, 1) for n in range(60)]
    assert writer.commit(batch(1, readings=many)).readings_new == 120


def test_impossible_times_are_stored_like_any_other(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    far = [
        reading(0, sent_at=at(0).replace(year=year), at=at(0).replace(year=year))
        for year in (1, 1970, 2025, 2099, 9999)
    ]
    assert writer.commit(batch(1, readings=far)).readings_new == 5
    assert sorted(stored(twin), key=lambda r: r.at) == far


def test_a_batch_retried_after_its_answer_was_lost_changes_nothing(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    whole = batch(1, readings=[reading(0)], changes=[change(ticket())], items=[item()])
    first = writer.commit(whole)
    second = twin.writer().commit(whole)
    assert second == msgspec.structs.replace(first, again=True)
    assert len(list(writer.stored_batches("w", 0))) == 1


def test_another_batch_under_a_used_number_is_refused(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    writer.commit(batch(1, readings=[reading(0)]))
    with pytest.raises(Permanent, match="other content"):
        writer.commit(batch(1, readings=[reading(0), reading(1)]))


def test_a_lease_has_one_holder_until_it_is_over_or_given_back(twin: Twin) -> None:
    a, b = twin.writer(), twin.writer()
    assert a.acquire("w", "a", at(0), 10) == 1
    assert a.acquire("w", "a", at(5), 10) == 1
    assert b.acquire("w", "b", at(14), 10) is None
    assert b.acquire("w", "b", at(15), 10) == 2
    b.release("w", "a")
    assert a.acquire("w", "a", at(16), 10) is None
    b.release("w", "b")
    assert a.acquire("w", "a", at(16), 10) == 3


def test_a_writer_whose_lease_was_taken_over_commits_nothing(twin: Twin) -> None:
    old, new = twin.writer(), twin.writer()
    old.acquire("w", "old", at(0), 10)
    old.commit(batch(1, epoch=1, readings=[reading(0)]))
    assert new.acquire("w", "new", at(11), 10) == 2
    with pytest.raises(LeaseLost):
        old.commit(batch(2, epoch=1, readings=[reading(1)]))
    with pytest.raises(LeaseLost):
        new.commit(batch(1, epoch=2, readings=[reading(2)]))
    assert new.commit(batch(2, epoch=2, readings=[reading(3)])).readings_new == 1
    assert [r.at for r in stored(twin)] == [at(0), at(3)]


def test_without_a_lease_nothing_is_committed(twin: Twin) -> None:
    with pytest.raises(LeaseLost):
        twin.writer().commit(batch(1, readings=[reading(0)]))


def test_the_same_revision_is_a_duplicate_and_other_content_a_fault(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    first = published(event())
    assert writer.commit(batch(1, events=[first], changes=[change(first.event)])).faults == 0
    assert writer.commit(batch(2, events=[first], changes=[change(first.event)])).faults == 0
    other = published(event(severity=5))
    found = writer.commit(batch(3, events=[other], changes=[change(other.event)]))
    assert found.faults == 2
    assert writer.event_book() == [first]


def test_the_newest_revision_wins_whatever_the_order(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    revs = {n: published(event(rev=n)) for n in (1, 2, 3)}
    writer.commit(batch(1, events=[revs[2]], changes=[change(ticket(rev=2), "accepted")]))
    writer.commit(batch(2, events=[revs[1]], changes=[change(ticket(rev=1))]))
    assert writer.event_book() == [revs[2]]
    assert [t.rev for t in writer.router_state().tickets] == [2]
    writer.commit(
        batch(3, events=[revs[3]], changes=[change(ticket(rev=n), "updated") for n in (4, 3)])
    )
    assert writer.event_book() == [revs[3]]
    assert [t.rev for t in writer.router_state().tickets] == [4]


def test_the_router_finds_what_is_open_and_what_ended_within_a_day(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    closed = incident("i-2", closed_at=at(5))
    old = incident("i-3", closed_at=at(-90_000))
    changes = [change(incident()), change(closed), change(old)]
    changes += [change(ticket()), change(ticket("t-2", stage="closed"), "closed")]
    changes += [change(ticket("t-3", stage="void"), "cancelled", known_at=at(-90_000))]
    mover = Position("w-17", at(3), at(3), Point(121.5, 31.2), 8.0)
    writer.commit(batch(1, changes=changes, events=[published(event())], worker_positions=[mover]))
    state = writer.router_state()
    assert state.incidents == [incident(), closed]
    assert state.tickets == [ticket(), ticket("t-2", stage="closed")]
    assert state.events == [published(event())]
    assert state.positions == [mover]


def test_an_incident_that_is_over_stays_with_the_router_while_somebody_works_on_it(
    twin: Twin,
) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    over = incident(closed_at=at(-90_000))
    writer.commit(batch(1, changes=[change(over), change(ticket())]))
    assert writer.router_state().incidents == [over]
    writer.commit(batch(2, changes=[change(ticket(rev=2, stage="closed"), "closed")]))
    assert writer.router_state().incidents == []


def test_silences_come_back_while_they_are_on_and_a_day_after(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    fresh = silence("s-2", rev=2, ended_by="expired", ended_at=at(5), still=("i-1",))
    old = silence("s-3", rev=2, ended_by="expired", ended_at=at(-90_000))
    made = [change(silence(n)) for n in ("s-1", "s-2", "s-3")]
    writer.commit(batch(1, changes=made))
    later = [change(one, "closed") for one in (fresh, old)]
    writer.commit(batch(2, changes=[*later, change(silence("s-2"))]))  # an older revision again
    assert writer.router_state().silences == [silence("s-1"), fresh]


def test_unrouted_events_wait_until_the_router_took_them(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    waiting = [published(event("e-2"), routed=False), published(event("e-1", 2), routed=False)]
    writer.commit(batch(1, events=[*waiting, published(event("e-3"))]))
    assert writer.unrouted(10) == waiting
    assert writer.unrouted(1) == waiting[:1]
    writer.commit(batch(2, routed_events=[("e-2", 1)]))
    assert writer.unrouted(10) == waiting[1:]


def test_dead_letters_are_kept_once_up_to_their_cap_and_counted_beyond(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    letters = [letter(f"d-{n}") for n in range(5)]
    assert writer.commit(batch(1, dead_letters=letters[:2])).dead_letters_capped == 0
    again = [letters[0], letters[1], letters[2]]
    assert writer.commit(batch(2, dead_letters=again)).dead_letters_capped == 0
    assert writer.commit(batch(3, dead_letters=letters)).dead_letters_capped == 2
    other = [
        letter("x", device="cam-1"),
        letter("y", received_at=at(86_400)),
        letter("z", device=None),
    ]
    assert writer.commit(batch(4, dead_letters=other)).dead_letters_capped == 0


def test_unknown_messages_wait_whole_and_are_taken_up_once_registered(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    big = b"x" * 200_000
    found = writer.commit(batch(1, unknown=[unknown("a", big)] + [unknown("b")] * 5))
    assert found.unknown_capped == 2
    assert writer.commit(batch(2, unknown=[unknown("c"), unknown("d")])).unknown_capped == 1
    assert writer.take_up_unknown(["a", "z"]) == 1
    assert writer.take_up_unknown(["a"]) == 0
    (row,) = writer.intake(10)
    assert (row.payload, row.received_at) == (big, at(0))
    assert writer.commit(batch(3, unknown=[unknown("a")], intake_done=[row.id])).unknown_capped == 0
    assert writer.intake(10) == []


def test_every_stranger_of_an_outside_gateway_shows_its_newest_message(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    foreign = [
        UnknownMessage("eui-2", "application/1/device/eui-2/event/up", at(0), b"2"),
        UnknownMessage("eui-1", "application/1/device/eui-1/event/up", at(1), b"older"),
        UnknownMessage("eui-1", "v3/app/devices/eui-1/up", at(2), b"newer"),
    ]
    writer.commit(batch(1, unknown=[unknown("own"), *foreign]))
    assert [(m.device, m.payload) for m in writer.unknown_samples()] == [
        ("eui-1", b"newer"), ("eui-2", b"2"),
    ]  # fmt: skip
    assert writer.take_up_unknown(["eui-1", "eui-2", "own"]) == 4
    assert writer.unknown_samples() == []
    # Every writer sees to foreign topics, however many parts they have; no bulk writer does.
    mine = writer.intake(10, bulk=False, districts=["elsewhere"])
    assert [row.payload for row in mine] == [b"2", b"older", b"newer"]
    assert writer.intake(10, bulk=True) == []


def test_items_and_segments_delivered_again_are_kept_once(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    segment = SpoolRow("cam-1", at(0), at(1), "cam-1/0.mp4", 1000, 1)
    other = SpoolRow("cam-1", at(1), at(2), "cam-1/1.mp4", 900, 2)
    found = writer.commit(batch(1, items=[item(3)], spool=[segment, other]))
    assert (found.items_duplicate, found.segments_duplicate) == (0, 0)
    again = SpoolRow("cam-1", at(0), at(9), "cam-1/0b.mp4", 1000, 3)
    found = writer.commit(batch(2, items=[item(0), item(1, b"other")], spool=[again]))
    assert (found.items_duplicate, found.segments_duplicate) == (1, 1)
    assert [one.items for one in writer.stored_batches("w", 0)] == [[item(3)], [item(1, b"other")]]
    assert writer.spool_rows("cam-1", 0) == [segment, other]
    writer.commit(batch(3, spool_gone=["cam-1/0.mp4"]))
    assert writer.spool_rows("cam-1", 0) == [other]
    assert writer.spool_rows("cam-1", 2) == []


def test_resume_gives_the_newest_snapshot_of_each_site_and_its_batch(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    fresh = writer.resume("w")
    assert (fresh.last_batch, fresh.at, fresh.snapshots, fresh.oldest_batch) == (0, None, [], 0)
    a1, a2 = SiteSnapshot("flooding", "a", b"1", b"m"), SiteSnapshot("flooding", "a", b"2\0", b"")
    cam = SiteSnapshot("high_altitude_throw", "cam", b"", b"", 77)
    for n, snapshots in enumerate([[a1], [cam], [a2], []], 3):
        writer.commit(batch(n, snapshots=snapshots))
    state = twin.writer().resume("w")
    assert (state.last_batch, state.at, state.oldest_batch) == (6, at(6), 4)
    assert state.snapshots == [(a2, 5), (cam, 4)]
    assert [one.number for one in writer.stored_batches("w", state.oldest_batch)] == [5, 6]
    assert writer.resume("other").snapshots == []


def test_what_postgres_cannot_hold_is_escaped_and_poisons_nothing(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    odd = "a\x00b\ud800c"
    found = writer.commit(
        batch(
            1,
            readings=[reading(0, metric=odd), reading(1, device="d" * 9000), reading(2)],
            events=[published(event(evidence={odd: [odd, {"n": odd}]}))],
            changes=[change(event(evidence={"note": odd})), change(ticket(reason={"why": odd}))],
            dead_letters=[letter(reason=odd, topic=odd, device=odd)],
            unknown=[unknown(odd)],
            items=[item(topic=odd)],
            statuses=[Status(odd, at(0), at(0), True)],
        )
    )
    assert found.readings_new == 3
    assert writer.commit(batch(2, readings=[reading(9)])).readings_new == 1


def test_commands_wait_for_the_routers_answer(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    assert writer.commands(10) == []
    writer.commit(batch(1, answers=[Answer("c-1", False, "stale", 4)]))
    assert Command(id="c", ticket="t", action="accept", by="w", rev=1, at=at(0)) not in (
        writer.commands(10)
    )


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.one_of(st.none(), st.integers(0, 3)),
            st.one_of(st.none(), st.integers(0, 3)),
            st.integers(0, 1),
        ),
        max_size=12,
    ),
    st.data(),
)
def test_however_messages_are_cut_into_batches_and_repeated_each_key_counts_once(
    twin: Twin, drawn: list[tuple[int, int | None, int | None, int]], data: st.DataObject
) -> None:
    """Any cut into batches, any repetition: new + duplicate + conflict = delivered, and one
    reading per key, the first."""
    name = f"w-{next(_runs)}"
    readings = [
        reading(
            sent,
            float(value),
            device=f"{name}-{device}",
            sent_at=None if sent is None else at(sent),
            seq=seq,
        )
        if sent is not None
        else reading(0, float(value), device=f"{name}-{device}", sent_at=None, seq=seq)
        for device, sent, seq, value in drawn
    ]
    delivered = readings + readings
    cut = data.draw(st.integers(0, len(delivered)))
    counts = [0, 0, 0]
    with closing(twin.writer()) as writer:
        assert writer.acquire(name, "me", at(0), 10) == 1
        for number, part in enumerate((delivered[:cut], delivered[cut:]), 1):
            found = writer.commit(batch(number, writer=name, readings=part))
            counts[0] += found.readings_new
            counts[1] += found.readings_duplicate
            counts[2] += found.conflicts
    assert sum(counts) == len(delivered)
    first: dict[tuple[object, ...], Reading] = {}
    unkeyed = 0
    for r in delivered:
        if r.sent_at is None and r.seq is None:
            unkeyed += 1
        else:
            first.setdefault((r.device, r.sent_at or r.seq), r)
    assert counts[0] == len(first) + unkeyed
    kept = stored(twin, name)
    assert [r for r in kept if r.sent_at or r.seq is not None] == list(first.values())


def test_an_empty_batch_keeps_the_time(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    writer.commit(Batch(writer="w", number=1, epoch=1, at=at(77)))
    assert writer.resume("w").at == at(77)
