"""A tiny center for the crews' tests: tickets, a stream that can be cut, actions by the rules."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TO = {
    "accept": "accepted", "arrive": "arrived", "dispose": "disposed", "return": "returned",
    "verify": "verified", "close": "closed", "reassign": "dispatched", "rework": "reworked",
}  # fmt: skip
FROM = {
    "accept": {"dispatched"}, "arrive": {"accepted", "reworked"},
    "dispose": {"arrived", "reworked"}, "return": {"dispatched"}, "verify": {"disposed"},
    "close": {"verified"}, "reassign": {"dispatched", "returned"},
}  # fmt: skip


class Desk:
    """Serves on loopback; `tell` puts a revision on the stream."""

    def __init__(self) -> None:
        self.tickets: dict[str, dict[str, Any]] = {}
        self.actions: list[dict[str, Any]] = []
        """What was applied, in order."""
        self.asked_from: list[str | None] = []
        """Last-Event-ID of each connection of the stream."""
        self.headers: list[str | None] = []
        self.answers: list[tuple[int, dict[str, Any]]] = []
        """Answers to give instead, the next first."""
        self.move_on = False
        """Let the ticket move on before the next action arrives."""
        self._rows: list[bytes] = []
        self._grown = threading.Condition()
        self._cut = 0
        self._closing = False
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                del format, args

            def do_GET(self) -> None:
                desk.headers.append(self.headers.get("Authorization"))
                if self.path.startswith("/api/v1/stream"):
                    desk._stream(self)
                elif self.path.startswith("/api/v1/tickets?"):
                    _send(self, 200, {"items": list(desk.tickets.values()), "next": None})
                else:
                    _send(self, 200, desk.tickets[self.path.split("/")[4]])

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(length))
                _send(self, *desk._act(self.path.split("/")[4], body))

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        """End all connections."""
        with self._grown:
            self._closing = True
            self._grown.notify_all()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def cut(self) -> None:
        """Drop the stream's connections."""
        with self._grown:
            self._cut += 1
            self._grown.notify_all()

    def tell(self, ticket: dict[str, Any], change: str = "updated") -> None:
        """A revision, on the stream."""
        with self._grown:
            self.tickets[ticket["id"]] = ticket
            event = {"type": f"gridsentry.ticket.{change}", "data": ticket}
            text = f"id: {len(self._rows) + 1}\nevent: ticket\ndata: {json.dumps(event)}\n\n"
            self._rows.append(text.encode())
            self._grown.notify_all()

    def change(self, id_: str, change: str, **fields: Any) -> None:
        """A ticket's next revision."""
        old = self.tickets[id_]
        self.tell({**old, **fields, "rev": old["rev"] + 1}, change)

    def _act(self, id_: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.answers:
            return self.answers.pop(0)
        if self.move_on:
            self.move_on = False
            self.change(id_, "reminded")
        ticket = self.tickets[id_]
        if body["rev"] != ticket["rev"]:
            return 409, {"error": "refused", "reason": "look again", "rev": ticket["rev"]}
        if body["action"].endswith("_help"):
            state = {"accept_help": "accepted", "refuse_help": "refused"}[body["action"]]
            hands = [{"worker": body["by"], "state": state}]
            self.actions.append(body)
            self.change(id_, "updated", hands=hands)
            return 200, self.tickets[id_]
        if ticket["stage"] not in FROM[body["action"]]:
            return 409, {"error": "refused", "reason": "not now", "rev": ticket["rev"]}
        self.actions.append(body)
        whom = body.get("data", {}) if body["action"] == "reassign" else {}
        to = TO[body["action"]]
        self.change(id_, to, stage=to, **whom)
        return 200, self.tickets[id_]

    def _stream(self, handler: BaseHTTPRequestHandler) -> None:
        last = handler.headers.get("Last-Event-ID")
        self.asked_from.append(last)
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        with self._grown:
            at, cut = int(last) if last else len(self._rows), self._cut
        hello = f"retry: 1000\n\nid: {at}\nevent: hello\ndata: {{}}\n\n: still here\nid: {at}\n\n"
        try:
            handler.wfile.write(hello.encode())
            while True:
                with self._grown:
                    while len(self._rows) == at and self._cut == cut and not self._closing:
                        self._grown.wait()
                    if self._cut != cut or self._closing:
                        return
                    rows, at = self._rows[at:], len(self._rows)
                handler.wfile.write(b"".join(rows))
        except OSError:
            return  # the crews hung up


def _send(handler: BaseHTTPRequestHandler, status: int, body: dict[str, Any]) -> None:
    text = json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(text)))
    handler.end_headers()
    handler.wfile.write(text)
