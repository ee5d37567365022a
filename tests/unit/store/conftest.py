"""Real servers for the laws that hold on PostgreSQL and in memory alike."""

from __future__ import annotations

from tests.servers import pg_dsn, pg_server
from tests.unit.store.twins import twin

__all__ = ["pg_dsn", "pg_server", "twin"]
