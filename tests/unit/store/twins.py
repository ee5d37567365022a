"""The store twice: in memory and on PostgreSQL, with one face for the law tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest

from contracts.ports import Desk, Writer
from store.desk import PgDesk
from store.memory import MemoryRelay, MemoryStore
from store.memory_desk import MemoryDesk
from store.memory_writer import MemoryWriter
from store.relay import PgRelay
from store.settings import StoreSettings
from store.writer import PgWriter

SETTINGS = StoreSettings(
    dead_letters_per_device_day=3, unknown_per_device=3, unknown_total=5, copy_from=50
)


class Relay(Protocol):
    """What both relays offer."""

    def step(self, limit: int = 1000) -> int:
        """Give places."""
        ...

    def close(self) -> None:
        """Close."""
        ...


class OpenDesk(Desk, Protocol):
    """A desk with its beginning and end."""

    async def open(self) -> None:
        """Open."""
        ...

    async def close(self) -> None:
        """Close."""
        ...


class Twin:
    """One of the two stores."""

    def __init__(self, dsn: str | None) -> None:
        self.dsn = dsn
        self._memory = MemoryStore(SETTINGS)
        self._open: list[Writer | Relay] = []

    def writer(self) -> Writer:
        """A new writer."""
        made: Writer = (
            MemoryWriter(self._memory, "/gridsentry/test")
            if self.dsn is None
            else PgWriter(self.dsn, "/gridsentry/test", SETTINGS)
        )
        self._open.append(made)
        return made

    def relay(self) -> Relay:
        """A new relay."""
        made: Relay = MemoryRelay(self._memory) if self.dsn is None else PgRelay(self.dsn, SETTINGS)
        self._open.append(made)
        return made

    def desk(self) -> OpenDesk:
        """A new desk, still to be opened."""
        return MemoryDesk(self._memory) if self.dsn is None else PgDesk(self.dsn, SETTINGS)

    def close(self) -> None:
        """Close what was made."""
        for made in self._open:
            made.close()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.slow)])
def twin(request: pytest.FixtureRequest) -> Iterator[Twin]:
    """Each of the two stores, empty."""
    dsn = request.getfixturevalue("pg_dsn") if request.param == "postgres" else None
    made = Twin(dsn)
    yield made
    made.close()
