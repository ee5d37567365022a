"""What goes over the wire between a resident's telephone and the center."""

from __future__ import annotations

from typing import Any

import msgspec


class PlaceReport(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A report from a place with a code. It needs a kind, words or a photograph."""

    key: str
    """Drawn by the telephone for this report, 16 to 64 of A-Z a-z 0-9 - _: sending it again is the
    same report."""
    ts: int | None = None
    """When the button was pressed: epoch milliseconds by the center's clock (`now`)."""
    kind: str | None = None
    """One of those that `GET …/places/{code}` offers; None: something else."""
    text: str = ""
    photo: str | None = None
    """A JPEG or PNG, base64; written anew without EXIF."""
    contact: str = ""
    """A number to call back, if they wish to be called; seen only by those who handle the case."""
    lon: float | None = None
    lat: float | None = None
    """WGS 84: where exactly, within reach of the place."""
    homepage: str = ""
    """No person sees this field: what fills it in is a machine."""


class Rating(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """How content they are."""

    score: int
    """1 (bad) to 5 (good)."""
    text: str = ""


class NotDone(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """It is said to be done, and is not."""

    key: str
    """As of a report: it may become a new one."""
    text: str
    """What is still wrong."""
    ts: int | None = None


class PlaceShown(msgspec.Struct, frozen=True, kw_only=True):
    """A place and what is known there."""

    code: str
    zh: str
    en: str
    what: str
    now: str
    """The center's time."""
    kinds: list[str]
    """What may be reported."""
    positioned: bool
    """Whether a report needs to say where exactly: the place is large."""
    here: list[dict[str, Any]]
    """`kind`, `state`, `since`, `metres`: what is going on, nearest first."""


class ReportFollowed(msgspec.Struct, frozen=True, kw_only=True):
    """The report is durably taken."""

    follow: str
    """The link's own text: `/r/{code}#{follow}`."""


class FollowShown(msgspec.Struct, frozen=True, kw_only=True):
    """How far a report is."""

    code: str
    zh: str
    en: str
    now: str
    kind: str | None
    state: str
    steps: list[dict[str, str]]
    """`state`, `at`: the way so far."""
    others: int
    """So many other reports tell of the same thing."""
    sensed: bool
    """A sensor tells of it, too."""
    rated: int | None
    may_rate: bool
    may_deny: bool
    """They may say that it is not done."""
