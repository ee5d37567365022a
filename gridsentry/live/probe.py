"""Health and metrics of a process that serves no pages: `/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from contracts.errors import Wrong

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)


class Probe:
    """A small server for those who watch this process; it answers nothing but health."""

    def __init__(
        self,
        host: str,
        port: int,
        health: Callable[[], dict[str, Any]],
        registry: CollectorRegistry,
    ) -> None:
        """Raises Wrong when it cannot listen there."""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                code, kind, body = answer(self.path, health, registry)
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                log.debug(format, *args)

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as error:
            raise Wrong(
                "service.probe_port",
                f"cannot listen on {host}:{port}: {error.strerror or error}",
                "a free port, or 0 for none",
            ) from error
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name="probe", daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2.0)


def answer(
    path: str, health: Callable[[], dict[str, Any]], registry: CollectorRegistry
) -> tuple[int, str, bytes]:
    """(status, content type, body) for a path."""
    match path.partition("?")[0]:
        case "/healthz":
            return 200, "application/json", b'{"alive": true}'
        case "/readyz":
            told = health()
            return (200 if told["ready"] else 503), "application/json", json.dumps(told).encode()
        case "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest(registry)
    return 404, "application/json", b'{"error": "not_found", "reason": "only health is here"}'
