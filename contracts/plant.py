"""What the center's administration asks of the service it runs in: the city folder, and what the
detectors say of themselves. Handed over by the composition root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from contracts.city import Work
from contracts.errors import Wrong


class Condition(msgspec.Struct, frozen=True):
    """A detector that sees less than it should, and why."""

    kind: str
    site: str
    text: str


class Learning(msgspec.Struct, frozen=True):
    """How long a kind of detector learns a device that is new to it."""

    kind: str
    seconds: float


class Problem(msgspec.Struct, frozen=True):
    """What is wrong in a city folder: where, what was found, what is allowed."""

    where: str
    found: str
    allowed: str = ""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that differs: a field with what it is and what it would be."""

    id: str
    fields: tuple[tuple[str, str, str], ...] = ()


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """What differs among the devices, the grids, … of a city. The lists are cut, the counts not."""

    what: str
    """`devices`, `grids`, `workers` …"""
    before: int
    after: int
    added: int = 0
    removed: int = 0
    changed: int = 0
    added_ids: tuple[str, ...] = ()
    removed_ids: tuple[str, ...] = ()
    changed_items: tuple[Difference, ...] = ()


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of one file of the folder."""

    name: str
    state: Literal["new", "changed", "same", "removed", "not_known"]
    bytes: int


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What some files would make of the city; nothing is changed yet."""

    id: str
    """Names it when it is applied; empty where it cannot be."""
    ok: bool
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    files: tuple[FileChange, ...] = ()
    differences: tuple[Differences, ...] = ()


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """Files that were put into the city folder."""

    id: str
    at: datetime
    by: str
    files: tuple[str, ...]
    backup: str
    """Name of the folder, in the state folder's `city-backups`, with the city as it was."""


class CityFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the city folder."""

    name: str
    bytes: int
    changed_at: datetime


def problem_of(error: Wrong) -> Problem:
    """As the page shows it."""
    return Problem(error.where, error.found, error.allowed)


class Plant(Protocol):
    """Every method may block shortly (reading a large city: seconds): ask from a thread."""

    def conditions(self) -> Sequence[Condition]:
        """Detectors of this process that see less than they should now."""
        ...

    def learns(self) -> Mapping[str, Sequence[Learning]]:
        """What learns each device, by device."""
        ...

    def files(self) -> Sequence[CityFile]:
        """The city folder's files."""
        ...

    def file(self, name: str) -> bytes | None:
        """One of them; None where it is not there."""
        ...

    def preview(self, files: Mapping[str, bytes], now: datetime) -> Preview:
        """What these files, in place of or beside the folder's, would change."""
        ...

    def apply(self, preview: str, by: str, now: datetime) -> Applied:
        """Put previewed files into the folder, all or none; the city as it was is kept.

        Raises Wrong for a preview that is not known (any more), Refused when the folder was
        changed meanwhile.
        """
        ...

    def works(self) -> Sequence[Work]:
        """Planned works, as the folder has them now."""
        ...

    def put_work(self, work: Work, by: str, now: datetime) -> Applied:
        """Add it to the folder. Raises Wrong with everything that is wrong."""
        ...

    def end_work(self, id: str, by: str, now: datetime) -> Applied:
        """End it now; one that has not begun is taken out. Raises Wrong where there is none."""
        ...
