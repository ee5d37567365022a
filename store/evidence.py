"""The chain of evidence in the database: added to with a batch, read to verify, let go by age."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import msgspec
import psycopg

from contracts.batch import Batch, EvidenceLink
from contracts.errors import LeaseLost
from store.connect import connect
from store.failures import translated
from store.queries import sql
from store.resume import ENDED_STAGES
from store.settings import StoreSettings
from store.text import key, storable

Connection = psycopg.Connection[Any]
Part = Literal["shown", "original"]
CHUNK = 500


class Due(msgspec.Struct, frozen=True):
    """Files of a link that retention lets go."""

    device: str
    number: int
    part: Part
    manifest: str


class Opened(msgspec.Struct, frozen=True):
    """Somebody opened an original."""

    at: datetime
    who: str
    what: str
    reason: str


def write_links(connection: Connection, batch: Batch) -> None:
    """Add the batch's links. Raises LeaseLost where a chain has gone on without us.

    That cannot happen while leases hold; the writer then takes up from the store what stands.
    """
    for link in batch.evidence:
        given = {
            "device": key(link.device),
            "number": link.number,
            "event": key(link.event),
            "basis": link.basis,
            "prev": link.prev,
            "hash": link.hash,
            "at": link.at,
            "manifest": storable(link.manifest),
        }
        if connection.execute(sql("add_evidence_link"), given).fetchone() is not None:
            continue
        stands = connection.execute(sql("evidence_link"), given).fetchone()
        if stands is None or stands[0] != link.hash:
            raise LeaseLost(
                f"the chain of evidence of {link.device} has gone on without us: link "
                f"{link.number} is {'missing its forerunner' if stands is None else 'taken'}"
            )


def read_links(connection: Connection, since: datetime) -> list[EvidenceLink]:
    """Links sealed at or after `since`, and the newest of every camera, in their order."""
    rows = connection.execute(sql("evidence_links"), {"since": since})
    return [EvidenceLink(*row) for row in rows]


class EvidenceStore:
    """What verification and retention need; a connection of its own for each call."""

    def __init__(self, dsn: str, settings: StoreSettings | None = None) -> None:
        self._dsn = dsn
        self._settings = settings or StoreSettings()

    def chain(self) -> Iterator[EvidenceLink]:
        """Every link, by camera and number. Raises Temporary."""
        after = {"device": "", "number": 0}
        with translated(), connect(self._dsn, self._settings) as connection:
            while True:
                rows = connection.execute(
                    sql("evidence_chain_after"), {**after, "limit": CHUNK}
                ).fetchall()
                for row in rows:
                    yield EvidenceLink(*row)
                if len(rows) < CHUNK:
                    return
                after = {"device": rows[-1][0], "number": rows[-1][1]}

    def gone(self) -> dict[tuple[str, int, str], datetime]:
        """What retention deleted, and when: by camera, number of the link, part."""
        with translated(), connect(self._dsn, self._settings) as connection:
            rows = connection.execute(sql("evidence_gone_all")).fetchall()
        return {(device, number, part): at for device, number, part, at in rows}

    def claimed(self) -> list[tuple[str, str, str]]:
        """(event, device, hash) of every event that tells of a link of the chain."""
        with translated(), connect(self._dsn, self._settings) as connection:
            rows = connection.execute(sql("evidence_claimed")).fetchall()
        return [(event, device or "-", hash_) for event, device, hash_ in rows]

    def due(self, shown_before: datetime, original_before: datetime) -> list[Due]:
        """What is older than that and not kept for a ticket that is open or ended since."""
        given = {
            "shown_before": shown_before,
            "original_before": original_before,
            "ended": ENDED_STAGES,
        }
        with translated(), connect(self._dsn, self._settings) as connection:
            return [Due(*row) for row in connection.execute(sql("evidence_due"), given)]

    def let_go(self, due: Due, at: datetime) -> None:
        """Note that these files go; called before they are deleted."""
        given = {"device": due.device, "number": due.number, "part": due.part, "at": at}
        with translated(), connect(self._dsn, self._settings) as connection:
            connection.execute(sql("mark_evidence_gone"), given)

    def kept(self) -> list[tuple[str, bool, bool]]:
        """(manifest, shown files are kept, originals are kept) where some still are."""
        with translated(), connect(self._dsn, self._settings) as connection:
            return [(row[0], row[1], row[2]) for row in connection.execute(sql("evidence_kept"))]

    def opened(self, since: datetime) -> list[Opened]:
        """Who opened originals since then, oldest first."""
        with translated(), connect(self._dsn, self._settings) as connection:
            return [
                Opened(*row)
                for row in connection.execute(sql("originals_opened"), {"since": since})
            ]
