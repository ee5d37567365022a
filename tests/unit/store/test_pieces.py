"""The store's small pure pieces."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import Refused
from contracts.ports import What
from store import cursor, pack, text
from store.migrate import migrations
from store.partitions import plausible
from store.queries import catalogue, parse
from tests.unit.store.makes import at, reading

calmly = settings(deadline=None)
"""The machine may be busy: no time limit for a single example."""


@calmly
@given(st.text())
def test_storable_text_has_no_zero_and_is_valid_utf8(raw: str) -> None:
    clean = text.storable(raw)
    assert "\x00" not in clean
    clean.encode()
    if "\x00" not in raw and not any(0xD800 <= ord(c) < 0xE000 for c in raw):
        assert clean is raw


def test_what_was_escaped_can_be_seen() -> None:
    assert text.storable("a\x00b\udc80") == "a\\x00b\\udc80"


@calmly
@given(st.text(alphabet=st.characters(), min_size=0, max_size=900))
def test_keys_are_short_and_storable(raw: str) -> None:
    assert len(text.key(raw).encode()) <= text.KEY_BYTES + 19


def test_long_keys_stay_distinct() -> None:
    assert text.key("水" * 500) != text.key("水" * 501)
    assert text.key("x" * 400) == "x" * 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@calmly
@given(json_values)
def test_json_is_what_jsonb_takes(value: object) -> None:
    raw = text.json_bytes(value)
    raw.decode()
    assert "\x00" not in str(msgspec.json.decode(raw)) or b"\\\\u0000" in raw


@calmly
@given(st.datetimes(timezones=st.just(UTC)))
def test_microseconds_are_exact(moment: datetime) -> None:
    assert pack.PG_EPOCH + timedelta(microseconds=pack.microseconds(moment)) == moment


@calmly
@given(st.integers(0, 2**64 - 1))
def test_unsigned_counters_survive_a_signed_column(number: int) -> None:
    assert -(2**63) <= pack.signed(number) < 2**63
    assert pack.unsigned(pack.signed(number)) == number


@calmly
@given(st.integers(0, 2**22 - 1), st.integers(0, 2**40 - 1), st.integers(1, 2**42), st.data())
def test_idents_of_the_three_ways_never_meet(
    boot: int, seq: int, batch: int, data: st.DataObject
) -> None:
    pos = data.draw(st.integers(0, 2**20 - 1))
    assert 0 < pack.seq_ident(boot, seq) < 2**63
    assert -(2**63) <= pack.unkeyed_ident(batch, pos) < 0
    assert pack.seq_ident(boot, seq) != pack.seq_ident(boot, (seq + 1) % 2**40)
    assert pack.unkeyed_ident(batch, pos) != pack.unkeyed_ident(batch + 1, pos)


def test_days_are_those_of_the_identity_times() -> None:
    times = [at(0), at(1), at(86_400), at(0).replace(year=9999, month=12, day=31), at(5)]
    rows = pack.rows([reading(0, sent_at=t) for t in times], [], 1)
    assert pack.days(rows) == {date(2026, 5, 1), date(2026, 5, 2), date(9999, 12, 31)}


def test_positions_must_be_parallel_to_readings() -> None:
    with pytest.raises(ValueError, match="zip"):
        pack.rows([reading(0)], [0, 1], 1)


def test_only_plausible_days_get_a_partition() -> None:
    days = {date(1970, 1, 1), date(2026, 4, 21), date(2026, 4, 20), date(2026, 5, 3)}
    found = plausible(days | {date(2026, 5, 4)}, at(0), keep_days=10, ahead_days=2)
    assert found == {date(2026, 4, 21), date(2026, 5, 3)}


@calmly
@given(st.text(max_size=20), st.datetimes(timezones=st.just(UTC)), st.integers(-(2**63), 2**63 - 1))
def test_a_cursor_comes_back_as_it_was(name: str, sort: datetime, ident: int) -> None:
    made = cursor.Cursor("readings", name.replace("\x00", ""), sort, ident)
    try:
        told = cursor.encode(made)
    except UnicodeEncodeError:
        return
    assert cursor.decode("readings", told) == made


@pytest.mark.parametrize(
    "forged",
    [
        cursor.Cursor("readings", "m", at(0), 0, "d"),
        cursor.Cursor("readings", "m", at(0), 0, None, at(9)),
        cursor.Cursor("readings", "m", at(0), 0, "d\x00", at(9)),
        cursor.Cursor("readings", "m", at(0), 0, "d", at(9).replace(tzinfo=None)),
        cursor.Cursor("tickets", "t-1", at(0), None, "d", at(9)),
    ],
)
def test_a_cursor_we_never_made_is_refused(forged: cursor.Cursor) -> None:
    what: What = "tickets" if forged.what == "tickets" else "readings"
    with pytest.raises(Refused, match="no cursor of ours"):
        cursor.decode(what, cursor.encode(forged))


@calmly
@given(st.text())
def test_no_text_breaks_the_cursor_reader(raw: str) -> None:
    try:
        cursor.decode("tickets", raw)
    except Refused:
        return


def test_queries_are_read_by_name() -> None:
    one, two = parse(
        "-- Head.\n\n-- name: a native\n-- why\nSELECT 1;\n\n-- name: b\nSELECT 2", "f"
    )
    assert (one.name, one.only, one.sql) == ("a", "native", b"-- why\nSELECT 1")
    assert (two.name, two.only, two.sql) == ("b", None, b"SELECT 2")


@pytest.mark.parametrize(
    "wrong",
    ["SELECT 1", "-- name: A\nSELECT 1", "-- name: a\n-- only words", "-- name: a moon\nSELECT 1"],
)
def test_a_malformed_query_file_is_told(wrong: str) -> None:
    with pytest.raises(ValueError, match="f: "):
        parse(wrong, "f")


def test_no_statement_asks_the_server_what_time_it_is() -> None:
    texts = [query.sql.decode() for query in catalogue().values()]
    texts += [one.sql for kind in ("native", "timescale") for one in migrations(kind)]
    for words in ("now()", "current_timestamp", "current_date", "clock_timestamp", "localtime"):
        assert not [one for one in texts if words in one.lower()]
