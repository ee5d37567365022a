"""The live stream: nothing missed, nothing doubled, whatever the connection does."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from contracts.clock import monotonic
from tests.unit.center.conftest import TOKENS, VIEWER, Client, Serve
from tests.unit.center.scene import Scene

Told = tuple[int, str, Any]


class Listener:
    """Reads one live stream."""

    def __init__(self, client: Client, query: str, headers: dict[str, str]) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", client.server.port, timeout=5)
        self.connection.request("GET", f"/api/v1/stream{query}", headers=headers)
        self.reply = self.connection.getresponse()
        self.status = self.reply.status
        self.beats = 0

    def next(self) -> Told | None:
        """The next event; None when the stream ended."""
        fields: dict[str, str] = {}
        while line := self.reply.readline():
            text = line.decode().rstrip("\n")
            if text.startswith(":"):
                self.beats += 1
            elif text:
                name, _, value = text.partition(": ")
                fields[name] = value
            elif "data" in fields:
                return int(fields["id"]), fields["event"], json.loads(fields["data"])
            elif fields:
                fields = {}
        return None

    def take(self, count: int) -> list[Told]:
        told = [self.next() for _ in range(count)]
        return [one for one in told if one is not None]


@contextmanager
def listening(client: Client, query: str = "", **headers: str) -> Iterator[Listener]:
    listener = Listener(client, query, {k.replace("_", "-"): v for k, v in headers.items()})
    try:
        yield listener
    finally:
        listener.connection.close()


def test_a_change_is_heard_at_once_as_cloud_event(client: Client, scene: Scene) -> None:
    scene.happen("flooding")  # before: not ours
    with listening(client) as stream:
        position, name, hello = stream.take(1)[0]
        assert (position, name, hello["position"]) == (3, "hello", 3)
        began = monotonic()
        scene.happen("severed_cable")
        event, incident, ticket = stream.take(3)
        assert monotonic() - began < 0.5
    assert [(p, n) for p, n, _ in (event, incident, ticket)] == [
        (4, "event"), (5, "incident"), (6, "ticket"),
    ]  # fmt: skip
    assert ticket[2]["id"] == "ticket:t-2:1:opened"
    assert ticket[2]["type"] == "gridsentry.ticket.opened"
    assert ticket[2]["data"]["kind"] == "severed_cable"


@pytest.mark.parametrize("way", ["header", "query"])
def test_resume_goes_on_without_a_gap(client: Client, scene: Scene, way: str) -> None:
    for _ in range(40):
        scene.happen("flooding")
    headers = {"Last_Event_ID": "7"} if way == "header" else {}
    with listening(client, "?last_event_id=7" if way == "query" else "", **headers) as stream:
        told = stream.take(114)
        scene.happen("flooding")
        told += stream.take(3)
    assert [name for _, name, _ in told[:1]] == ["hello"]
    assert [position for position, _, _ in told[1:]] == list(range(8, 124))


def test_rows_older_than_memory_come_from_the_desk(serve: Serve, scene: Scene) -> None:
    client = serve(stream_rows=5)
    with listening(client) as live:
        for _ in range(30):
            scene.happen("flooding")
        live.take(91)
        with listening(client, "?from=oldest") as stream:
            told = stream.take(91)
    assert [position for position, _, _ in told[1:]] == list(range(1, 91))


def test_what_is_no_longer_kept_leads_to_a_reset_and_a_snapshot(
    client: Client, scene: Scene
) -> None:
    for _ in range(4):
        scene.happen("flooding")
    for stage in ("accepted", "arrived", "disposed", "verified", "closed"):
        scene.desk.step("t-2", stage, "a")
    scene.desk.forget(6)
    with listening(client, "?last_event_id=3") as stream:
        hello, reset, *snapshot = stream.take(5)
        assert (hello[1], reset[1]) == ("hello", "reset")
        assert {t[2]["subject"] for t in snapshot} == {"t-1", "t-3", "t-4"}
        assert {t[2]["type"] for t in snapshot} == {"gridsentry.ticket.snapshot"}
        scene.desk.step("t-1", "accepted", "a")
        (after,) = stream.take(1)
    assert after[0] == reset[0] + 1


def test_an_id_from_the_future_leads_to_a_reset(client: Client, scene: Scene) -> None:
    scene.happen("flooding")
    with listening(client, "?last_event_id=999") as stream:
        assert [name for _, name, _ in stream.take(3)] == ["hello", "reset", "ticket"]


@pytest.mark.parametrize("id_", ["x", "-1", "1.5", "99999999999999999999"])
def test_an_id_that_is_none_is_refused(client: Client, id_: str) -> None:
    reply = client.get("/api/v1/stream", headers={"Last-Event-ID": id_})
    assert (reply.status, reply.json["path"]) == (400, "last_event_id")


def test_filters_leave_out_the_rest(client: Client, scene: Scene) -> None:
    with listening(client, "?type=ticket&kind=flooding&grid=c1") as stream:
        stream.take(1)
        scene.happen("severed_cable")
        scene.happen("high_altitude_throw")
        scene.happen("flooding")
        ((_, name, event),) = stream.take(1)
    assert (name, event["data"]["kind"]) == ("ticket", "flooding")
    assert event["data"]["grid"].startswith("g1")


def test_a_heartbeat_comes_when_nothing_else_does(serve: Serve, scene: Scene) -> None:
    client = serve(stream_heartbeat_s=0.1)
    with listening(client, "?type=ticket") as stream:
        stream.take(1)
        while stream.beats < 2:
            line = stream.reply.readline()
            stream.beats += line.startswith(b":")


def test_all_listeners_share_one_reader(client: Client, scene: Scene) -> None:
    with listening(client) as one, listening(client) as two, listening(client) as three:
        for stream in (one, two, three):
            stream.take(1)
        before = scene.desk.reads
        scene.happen("flooding")
        for stream in (one, two, three):
            assert len(stream.take(3)) == 3
        assert scene.desk.reads - before <= 8


def test_personal_data_stay_back_without_a_token(serve: Serve, scene: Scene) -> None:
    client = serve(tokens=TOKENS)
    with (
        listening(client, "?type=event") as stranger,
        listening(client, "?type=event", Authorization=f"Bearer {VIEWER}") as viewer,
    ):
        stranger.take(1), viewer.take(1)
        scene.happen("high_altitude_throw")
        hidden, shown = stranger.take(1)[0][2]["data"], viewer.take(1)[0][2]["data"]
    assert hidden["origin"] is None
    assert "F17-3" not in json.dumps(hidden)
    assert "throw" not in json.dumps(hidden).replace("high_altitude_throw", "")
    assert shown["origin"]["zone"] == "F17-3"
    assert shown["links"]["still"].startswith("/evidence/")


def test_a_reader_that_takes_nothing_is_disconnected(serve: Serve, scene: Scene) -> None:
    client = serve(stream_slow_s=0.3)
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", client.server.port))
        reader.sendall(b"GET /api/v1/stream?from=oldest HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for _ in range(40):
            scene.happen("citizen_report", evidence={"text": "水" * 60_000})
        until = monotonic() + 8
        text = ""
        while monotonic() < until and 'dropped_total{reason="slow"} 1.0' not in text:
            text = client.get("/metrics").body.decode()
    assert 'gridsentry_center_stream_dropped_total{reason="slow"} 1.0' in text


def test_too_many_streams_are_refused(serve: Serve, scene: Scene) -> None:
    client = serve(stream_clients=1)
    with listening(client) as one, listening(client) as two:
        assert (one.status, two.status) == (200, 503)


def test_the_stream_survives_a_database_that_went_away(client: Client, scene: Scene) -> None:
    with listening(client) as stream:
        stream.take(1)
        scene.desk.down = True
        scene.happen("flooding")
        until = monotonic() + 5
        while client.get("/readyz").status != 503 and monotonic() < until:
            pass
        scene.desk.down = False
        assert [position for position, _, _ in stream.take(3)] == [1, 2, 3]


def test_stop_ends_live_streams_within_a_second(client: Client, scene: Scene) -> None:
    with listening(client) as one, listening(client) as two:
        one.take(1), two.take(1)
        began = monotonic()
        client.server.stop(1.0)
        assert monotonic() - began < 1.0
        assert not client.server.alive
        assert one.next() is None
