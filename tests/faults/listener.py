"""A reader of the live stream that remembers what it heard at which place."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading

from tests.rig import ServiceProcess, Stage


class Listener(threading.Thread):
    """Reads a live stream until it ends; remembers ids and what they were about."""

    def __init__(self, stage: Stage, service: ServiceProcess, after: int) -> None:
        super().__init__(daemon=True)
        stage.ends.callback(self.close)
        self._connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=90)
        self._connection.request(
            "GET",
            "/api/v1/stream",
            headers={"Last-Event-ID": str(after), "Accept": "text/event-stream"},
        )
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200
        self.heard: dict[int, str] = {}
        self.start()

    def run(self) -> None:
        """Until the other side goes away."""
        number, event = 0, ""
        try:
            for raw in self._answer:
                line = raw.decode().rstrip("\n")
                if line.startswith("id: "):
                    number = int(line[4:])
                elif line.startswith("event: "):
                    event = line[7:]
                elif line.startswith("data: ") and event in ("ticket", "incident", "event"):
                    assert number not in self.heard, "the same place twice on one stream"
                    self.heard[number] = json.loads(line[6:])["id"]
        except (OSError, http.client.HTTPException, ValueError):
            pass  # killed: what a reader of a live stream must expect

    def close(self) -> None:
        """Stop listening. May be called again."""
        if self._connection.sock is not None:
            with contextlib.suppress(OSError):  # the other side may be gone
                self._connection.sock.shutdown(socket.SHUT_RDWR)
        if self.is_alive():
            self.join(10)
        self._answer.close()
        self._connection.close()
