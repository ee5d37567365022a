"""A recording gives back the bytes that were written, and says which line is wrong."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Wrong
from contracts.nouns import Arrival
from gridsentry.record.format import INLINE_BYTES, Writer, read
from gridsentry.record.merge import merged

T0 = datetime(2026, 5, 1, 8, tzinfo=UTC)


def arrival(payload: bytes, seconds: float = 0, topic: str = "a/b") -> Arrival:
    return Arrival(topic=topic, payload=payload, received_at=T0 + timedelta(seconds=seconds))


def written(path: Path, *arrivals: Arrival) -> Path:
    with Writer(path) as writer:
        for one in arrivals:
            writer.write(one)
    return path


PAYLOADS = [
    b'{"ts": 1, "m": {"level": 0.430}}',
    b' {"padded":1} ',
    b'{"two":\n"lines"}',
    '{"text":"水位"}'.encode(),
    b"plain text",
    b"",
    b"1e999",
    b'{"ts":NaN}',
    b'1,"text":"x"',
    b'{"a":1,"a":2}',
    b"null",
    b"\xff\xfe\x00",
    b"\xff" * (INLINE_BYTES + 1),
    b"\x00\x00\x00\x18ftypmp42" + b"\xfe" * INLINE_BYTES,
]


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz"])
def test_what_is_read_is_what_was_written(tmp_path: Path, name: str) -> None:
    sent = [arrival(payload, n) for n, payload in enumerate(PAYLOADS)]
    assert list(read(written(tmp_path / name, *sent))) == sent
    assert sorted(p.name for p in (tmp_path / "r.files").iterdir()) == ["000013.bin", "000014.mp4"]


@given(st.one_of(st.binary(max_size=60), st.text(max_size=40).map(str.encode)))
def test_any_payload_survives(tmp_path_factory: pytest.TempPathFactory, payload: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "r.jsonl"
    assert [one.payload for one in read(written(path, arrival(payload)))] == [payload]


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz"])
def test_the_same_messages_give_the_same_bytes(tmp_path: Path, name: str) -> None:
    sent = [arrival(payload, n) for n, payload in enumerate(PAYLOADS)]
    one = written(tmp_path / "1" / name, *sent).read_bytes()
    assert written(tmp_path / "2" / name, *sent).read_bytes() == one


def test_json_stays_json_in_the_file(tmp_path: Path) -> None:
    line = json.loads(written(tmp_path / "r.jsonl", arrival(b'{"m": {}}')).read_text())
    assert line == {"at": "2026-05-01T08:00:00Z", "topic": "a/b", "payload": {"m": {}}}


def test_lines_written_by_hand_are_read(tmp_path: Path) -> None:
    (tmp_path / "m.sor").write_bytes(b"Map")
    path = tmp_path / "r.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"at":"2026-05-01T16:00:00+08:00","topic":"a","payload":{"x": 1}}\r\n\r\n'
        b'{"at":1777622400000,"topic":"b","text":"hi"}\n'
        b'{"at":"2026-05-01T08:00:01Z","topic":"c","file":"m.sor"}'
    )
    assert [(a.received_at, a.payload) for a in read(path)] == [
        (T0, b'{"x": 1}'),
        (T0, b"hi"),
        (T0 + timedelta(seconds=1), b"Map"),
    ]


GOOD = '{"at":"2026-05-01T08:00:00Z","topic":"a","text":"x"}\n'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2"),
        ('{"at":"2026-05-01T08:00:00","topic":"a","text":"x"}', "names no time zone"),
        ('{"at":"yesterday","topic":"a","text":"x"}', "line 2, at"),
        ('{"at":1,"topic":"a"}', "no payload"),
        ('{"at":1,"topic":"a","text":"x","payload":1}', "payload and text"),
        ('{"at":1,"topic":"a","text":"x","qos":1}', "qos"),
        ('{"at":1,"topic":"","text":"x"}', "topic"),
        ('{"at":1,"topic":"a","base64":"!!"}', "base64"),
        ('{"at":1,"topic":"a","file":"../secret"}', "beside the recording"),
        ('{"at":1,"topic":"a","file":"/etc/passwd"}', "beside the recording"),
        ('{"at":1,"topic":"a","file":"none.mp4"}', "there is no file"),
        ('{"at":1,"topic":"a","file":"link/hosts"}', "beside the recording"),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "secret").write_text("x")
    home = tmp_path / "home"
    home.mkdir()
    (home / "link").symlink_to("/etc")
    (home / "r.jsonl").write_text(GOOD + line + "\n")
    with pytest.raises(Wrong) as caught:
        list(read(home / "r.jsonl"))
    assert "r.jsonl, line 2" in str(caught.value)
    assert said in str(caught.value)


def test_a_gzip_that_ends_early_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl.gz"
    path.write_bytes(gzip.compress((GOOD * 500).encode())[:-20])
    with pytest.raises(Wrong, match="broken gzip"):
        list(read(path))


def test_receipt_time_never_goes_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path / "r.jsonl", arrival(b"1", 5), arrival(b"2", 3), arrival(b"3", 6))
    assert [(a.received_at - T0).total_seconds() for a in read(path)] == [5, 5, 6]
    assert "goes back" in caplog.text


def test_an_error_leaves_the_earlier_recording_whole(tmp_path: Path) -> None:
    big = b"\xff" * 9000
    path = written(tmp_path / "r.jsonl", arrival(big))
    with pytest.raises(ValueError, match="stop"), Writer(path) as writer:
        writer.write(arrival(big * 2))
        raise ValueError("stop")
    assert [one.payload for one in read(path)] == [big]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r.files", "r.jsonl"]


def test_a_second_recording_of_a_name_leaves_no_old_media(tmp_path: Path) -> None:
    big = b"\xff" * 9000
    written(tmp_path / "r.jsonl", arrival(big), arrival(big, 1))
    written(tmp_path / "r.jsonl", arrival(big))
    assert [p.name for p in (tmp_path / "r.files").iterdir()] == ["000001.bin"]
    with pytest.raises(Wrong, match="belongs to"):
        Writer(tmp_path / "r.jsonl.gz")


def test_merging_is_stable_by_receipt_time(tmp_path: Path) -> None:
    one = written(tmp_path / "1.jsonl", arrival(b"a", 0), arrival(b"b", 2), arrival(b"c", 2))
    two = written(tmp_path / "2.jsonl", arrival(b"d", 1), arrival(b"e", 2))
    assert [a.payload for a in merged([one, two])] == [b"a", b"d", b"b", b"c", b"e"]
    assert [a.payload for a in merged([two, one])] == [b"a", b"d", b"e", b"b", b"c"]


def test_a_merge_may_overwrite_one_of_its_sources(tmp_path: Path) -> None:
    big = b"\xff" * 9000
    one = written(tmp_path / "1.jsonl", arrival(big, 1))
    two = written(tmp_path / "2.jsonl", arrival(big * 2, 0))
    written(one, *merged([one, two]))
    assert [a.payload for a in read(one)] == [big * 2, big]
