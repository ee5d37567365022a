"""A service's database for commands beside it: the configured one, or the embedded one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from contracts.errors import Wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gridsentry.config import Settings


@contextmanager
def database(settings: Settings, *, make: bool = False) -> Iterator[str]:
    """Where to connect; an embedded database that does not run is started for as long.

    Raises Wrong where no service has ever run, unless it is to be made then.
    """
    from gridsentry.config import state_dir
    from store.archive import options
    from store.embedded import EmbeddedPostgres, running_dsn

    if settings.store.dsn is not None:
        yield settings.store.dsn
        return
    folder = state_dir(settings) / "postgres"
    dsn = running_dsn(folder)
    if dsn is not None:
        yield dsn
        return
    if not make and not (folder / "pg").is_dir():
        raise Wrong(str(folder), "has no database", "the configuration of a service that has run")
    server = EmbeddedPostgres(
        folder,
        start_s=settings.store.embedded_start_s,
        options=options(settings.store.embedded_archive),
    )
    try:
        yield server.start()
    finally:
        server.stop()
