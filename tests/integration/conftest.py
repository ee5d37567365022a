"""Real servers for the integration tests."""

from __future__ import annotations

from tests.brokers import bare_mosquitto, mosquitto
from tests.rig import stage
from tests.servers import pg_dsn, pg_server

__all__ = ["bare_mosquitto", "mosquitto", "pg_dsn", "pg_server", "stage"]
