"""The apps' side of the center: tickets by Server-Sent Events, actions by POST, in two threads.

Standard library only, because a simulator knows the service by its wire and nothing else. What
comes is put into `heard`; nobody but the caller's own thread acts on it.
"""

from __future__ import annotations

import http.client
import logging
import queue
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from contracts.errors import Wrong

log = logging.getLogger(__name__)

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Between tries while the center is away."""
QUIET_S = 60.0
"""A stream that says nothing for so long (a heartbeat comes every 15 s) is dialled again."""
ANSWER_S = 20.0
"""An action waits so long for its answer; the center itself waits 5 s for the router."""
_UNANSWERED = 0


class Spot(msgspec.Struct, frozen=True):
    """Where a ticket is (degrees)."""

    lon: float
    lat: float


class Lent(msgspec.Struct, frozen=True):
    """A helper."""

    worker: str
    state: str


class Runner(msgspec.Struct, frozen=True):
    """A worker who was considered."""

    worker: str


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What an app needs of a ticket's revision."""

    id: str
    rev: int
    kind: str
    stage: str
    place: Spot
    worker: str | None = None
    utility: str | None = None
    parent: str | None = None
    severity: int = 1
    hands: tuple[Lent, ...] = ()
    runners_up: tuple[Runner, ...] = ()
    reason: dict[str, Any] = {}


class News(msgspec.Struct, frozen=True):
    """A revision of a ticket, and what was said to have changed (`""`: looked up)."""

    ticket: Seen
    change: str = ""


class Say(msgspec.Struct, frozen=True, kw_only=True):
    """An action as an app sends it."""

    number: int
    ticket: str
    action: str
    by: str
    rev: int
    reason: str | None = None
    data: dict[str, Any] | None = None

    def body(self) -> bytes:
        """JSON as the API takes it."""
        said = {
            "action": self.action, "by": self.by, "rev": self.rev,
            "reason": self.reason, "data": self.data,
        }  # fmt: skip
        return msgspec.json.encode({k: v for k, v in said.items() if v is not None})


class Reply(msgspec.Struct, frozen=True):
    """What became of an action."""

    say: Say
    status: int
    """The HTTP status: 200 applied, 202 filed, anything else refused."""
    reason: str = ""
    stale: bool = False
    """Refused because the ticket had moved on; its newest revision was heard before this."""


class Center:
    """One service's API. `start` and `stop`; between them `say`, and read `heard`.

    A center that is away, busy (429, 503) or broken (5xx) is asked again until it answers, and is
    told of in the log once. Raises Wrong for a URL that is none.
    """

    def __init__(
        self, url: str, token: str | None = None, *, pauses_s: tuple[float, ...] = PAUSES_S
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Wrong("--crews", repr(url), "the service's page, as http://127.0.0.1:8080")
        self._url, self._token, self._pauses = url, token, pauses_s
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._path = parts.path.rstrip("/")
        self.heard: queue.SimpleQueue[News | Reply] = queue.SimpleQueue()
        self._wanted: queue.SimpleQueue[Say | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._streaming: socket.socket | None = None
        self._last: str | None = None
        self._trouble: dict[str, str] = {}
        self._threads = [
            threading.Thread(target=self._listen, name="crews-stream", daemon=True),
            threading.Thread(target=self._speak, name="crews-actions", daemon=True),
        ]

    def start(self) -> None:
        """Connect in the background."""
        for thread in self._threads:
            thread.start()

    def say(self, say: Say) -> None:
        """Send an action; its Reply will be heard."""
        self._wanted.put(say)

    def stop(self) -> None:
        """Hang up; what was not sent yet stays unsaid. Waits less than a second for its threads."""
        self._stop.set()
        self._wanted.put(None)
        streaming = self._streaming
        if streaming is not None:
            try:
                streaming.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                log.debug("stream already closed: %s", error)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(0.4)

    # --- the stream ---------------------------------------------------------------------------

    def _listen(self) -> None:
        tries = 0
        while not self._stop.is_set():
            try:
                for event, data in self._frames():
                    tries = 0
                    self._well("stream")
                    self._hear(event, data)
                    if self._stop.is_set():
                        return
            except (OSError, http.client.HTTPException, _Away) as error:
                if not self._stop.is_set():
                    self._ill("stream", str(error) or type(error).__name__)
            self._stop.wait(self._pauses[min(tries, len(self._pauses) - 1)])
            tries += 1

    def _frames(self) -> Iterator[tuple[str, bytes]]:
        """One connection's events, from where the last one ended."""
        headers = {"Accept": "text/event-stream"}
        if self._last is not None:
            headers["Last-Event-ID"] = self._last
        line = self._connection(QUIET_S)
        try:
            line.connect()
            self._streaming = line.sock  # the connection gives it away with its answer
            line.request(
                "GET", f"{self._path}/api/v1/stream?type=ticket", headers=self._as(headers)
            )
            answer = line.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise _Away(f"{answer.status}: {_reason(answer.read())}")
            event, data, position = "message", b"", self._last
            with answer:
                while raw := answer.readline():
                    name, _, value = raw.rstrip(b"\r\n").partition(b":")
                    value = value.removeprefix(b" ")
                    if name == b"event":
                        event = value.decode()
                    elif name == b"data":
                        data += value
                    elif name == b"id":
                        position = value.decode()
                    elif not raw.strip():
                        if data:
                            yield event, data
                            self._last = position  # only what was handed on is behind us
                        elif self._last is not None:  # a heartbeat moves it on
                            self._last = position
                        event, data = "message", b""
        finally:
            self._streaming = None
            line.close()

    def _hear(self, event: str, data: bytes) -> None:
        if event == "hello" and self._last is None:
            self._look_at_all()  # after hello, so that nothing falls between
        elif event == "ticket":
            try:
                told = msgspec.json.decode(data, type=_Told)
            except msgspec.ValidationError as error:
                log.warning("crews: a ticket on the stream cannot be read: %s", error)
                return
            self.heard.put(News(told.data, told.type.rsplit(".", 1)[-1]))

    def _look_at_all(self) -> None:
        after = ""
        while True:
            status, body, _ = self._ask("GET", f"/api/v1/tickets?limit=100{after}")
            if status != http.HTTPStatus.OK:
                raise _Away(f"{status}: {_reason(body)}")
            page = msgspec.json.decode(body, type=_Page)
            for ticket in page.items:
                self.heard.put(News(ticket))
            if page.next is None:
                return
            after = f"&after={page.next}"

    # --- actions ------------------------------------------------------------------------------

    def _speak(self) -> None:
        while (say := self._wanted.get()) is not None:
            reply = self._told(say)
            if reply is None or self._stop.is_set():
                return
            self.heard.put(reply)

    def _told(self, say: Say) -> Reply | None:
        """The answer, however long it takes; None: we stop."""
        tries = 0
        while not self._stop.is_set():
            pause = self._pauses[min(tries, len(self._pauses) - 1)]
            tries += 1
            try:
                path = f"/api/v1/tickets/{say.ticket}/actions"
                status, body, after = self._ask("POST", path, say.body())
            except (OSError, http.client.HTTPException) as error:
                status, body, after = _UNANSWERED, str(error).encode(), None
            if status in (_UNANSWERED, 429) or status >= 500:
                self._ill("actions", f"{status or 'no answer'}: {_reason(body)}")
                self._stop.wait(max(pause, min(after or 0.0, 60.0)))
                continue
            if status in (401, 403):
                self._ill("actions", f"{status}: {_reason(body)}")
                return Reply(say, status, _reason(body))
            self._well("actions")
            return self._answered(say, status, body)
        return None

    def _answered(self, say: Say, status: int, body: bytes) -> Reply:
        if status == http.HTTPStatus.OK:
            self._news(body)
            return Reply(say, status)
        if status == http.HTTPStatus.ACCEPTED:
            return Reply(say, status, _reason(body))
        newest = _field(body, "rev")
        stale = status == http.HTTPStatus.CONFLICT and newest not in (None, say.rev)
        if stale:
            try:
                found, text, _ = self._ask("GET", f"/api/v1/tickets/{say.ticket}")
                if found == http.HTTPStatus.OK:
                    self._news(text)
            except (OSError, http.client.HTTPException) as error:
                log.debug("not looked up again: %s", error)  # the stream will tell
        return Reply(say, status, _reason(body), stale)

    def _news(self, body: bytes) -> None:
        try:
            self.heard.put(News(msgspec.json.decode(body, type=Seen)))
        except msgspec.MsgspecError as error:
            log.warning("crews: a ticket in an answer cannot be read: %s", error)

    # --- HTTP ---------------------------------------------------------------------------------

    def _ask(
        self, method: str, path: str, body: bytes | None = None
    ) -> tuple[int, bytes, float | None]:
        """(status, body, Retry-After in seconds). Raises OSError, HTTPException."""
        line = self._connection(ANSWER_S)
        try:
            headers = {"Connection": "close"}
            if body is not None:
                headers["Content-Type"] = "application/json"
            line.request(method, self._path + path, body, self._as(headers))
            answer = line.getresponse()
            after = answer.headers.get("Retry-After", "")
            return answer.status, answer.read(), float(after) if after.isdigit() else None
        finally:
            line.close()

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        made = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return made(self._host, self._port, timeout=timeout)

    def _as(self, headers: dict[str, str]) -> dict[str, str]:
        return {**headers, "Authorization": f"Bearer {self._token}"} if self._token else headers

    def _ill(self, what: str, words: str) -> None:
        """Say it once, until it is well again or something else is wrong."""
        if self._trouble.get(what) != words:
            self._trouble[what] = words
            log.warning("crews: %s of %s: %s", what, self._url, words)

    def _well(self, what: str) -> None:
        if self._trouble.pop(what, None) is not None:
            log.warning("crews: %s of %s: there again", what, self._url)


class _Told(msgspec.Struct):
    type: str
    data: Seen


class _Page(msgspec.Struct):
    items: tuple[Seen, ...]
    next: str | None = None


class _Away(Exception):
    """The center answered, but with no stream."""


def _field(body: bytes, name: str) -> Any:
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    return found.get(name) if isinstance(found, dict) else None


def _reason(body: bytes) -> str:
    said = _field(body, "reason")
    return said if isinstance(said, str) else body[:200].decode(errors="replace").strip()
