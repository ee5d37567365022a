"""Real servers for the integration tests."""

from __future__ import annotations

from tests.servers import pg_dsn, pg_server

__all__ = ["pg_dsn", "pg_server"]
