"""Who is told of what, and how: the table `[notify]` of the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from center.notify.quiet import Quiet
from contracts.city import City
from contracts.errors import Wrong
from contracts.kinds import CHANGES, KINDS, STAGES

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
WHO = ("worker", "utility", "grid", "district", "role")
"""What an entry of `to` may name beside `all`."""
ACTED_ON = (
    *("opened", "reminded", "escalated", "cancelled"),
    *("dispatched", "returned", "reworked", "verified", "closed", "suspended", "void"),
)
"""Changes that people act on; the default of messengers."""


class Target(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One address outside, with what it wants to know."""

    name: str
    """Its own name: in metrics, in `/api/v1/targets`, and the key of how far it has got."""
    url: str
    """`https://…` of a webhook, or an address of Apprise (`dingtalk://…`, `wecombot://…`,
    `feishu://…`, `mailtos://…`): see its list of services. A secret: it is never shown."""
    how: Literal["webhook", "apprise"] = "apprise"
    """`webhook` posts the CloudEvent itself, `apprise` a message for people."""
    secret: str = ""
    """Signs a webhook's body (HMAC-SHA256, Standard Webhooks); at least 16 characters."""
    to: tuple[str, ...] = ("all",)
    """Whose tickets: `worker:ID` (as the one sent or a helper), `utility:ID`, `grid:ID` (with all
    inside it), `district:ID`, `role:grid_head` (what is escalated to that role), `all`."""
    kinds: tuple[str, ...] = ()
    """Only these kinds; empty: all."""
    changes: tuple[str, ...] = ()
    """Only these changes; empty: a webhook gets all, people those they act on."""
    severity: int = 1
    """Only tickets of at least this severity."""
    lang: Literal["zh", "en", "both"] = "zh"
    """Language of messages for people."""
    quiet: str = ""
    """Quiet hours in the city's time zone, `HH:MM-HH:MM`; they may cross midnight."""
    quiet_below: int = 4
    """In quiet hours only tickets of at least this severity are told at once; what was less urgent
    is told when they end, if it is still open then."""
    mapping: str = ""
    """A webhook that wants its own JSON instead of the CloudEvent: `wecom`, `hotline12345`, or one
    of `[center.mappings]`; the event's id and change stand in `webhook-id` either way."""
    restricted: bool = False
    """A webhook that may get personal data: window, reporter, photographs. Messages never do."""


class NotifySettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Targets outside and how patient we are with them."""

    targets: tuple[Target, ...] = ()
    """A table each: `[[notify.targets]]`."""
    timeout_s: float = 10.0
    """How long a target may take to answer, seconds."""
    tries: int = 4
    """Failures in a row after which a target is left alone for a while (circuit breaker)."""
    pause_s: float = 5.0
    """The first such pause, seconds; it doubles with every further failure."""
    pause_max_s: float = 300.0
    """The longest pause, seconds."""
    expire_s: float = 86_400.0
    """A message that could not be delivered for so long (seconds) is kept as undelivered."""
    templates: dict[str, dict[str, str]] = {}
    """Other words for messages: `[notify.templates.opened]` with `title_zh`, `body_zh`, `title_en`,
    `body_en`; `default` stands for every change without its own."""
    link_s: float = 172_800.0
    """How long the signed link of a utility's ticket is valid, seconds."""


def check(settings: NotifySettings, city: City) -> None:
    """Refuse targets that cannot work. Raises Wrong naming target, what was found and allowed."""
    seen: set[str] = set()
    for target in settings.targets:
        where = f"notify.targets[{target.name}]"
        if not NAME.fullmatch(target.name) or target.name == "mqtt":
            raise Wrong(where, repr(target.name), "a-z 0-9 . _ -, at most 64, not `mqtt`")
        if target.name in seen:
            raise Wrong(where, "the same name twice", "a name of its own for each target")
        seen.add(target.name)
        if not target.url or any(c.isspace() for c in target.url):
            raise Wrong(f"{where}.url", "empty or with spaces", "an address")
        if target.how == "webhook":
            if not _is_web(target.url):
                allowed = "http(s)://host/path of a webhook"
                raise Wrong(f"{where}.url", "no address of the web", allowed)
            if target.secret and len(target.secret) < 16:
                raise Wrong(f"{where}.secret", "too short", "16 or more characters, or empty")
        elif target.restricted:
            raise Wrong(f"{where}.restricted", "true", "only webhooks may get personal data")
        if not target.to:
            raise Wrong(f"{where}.to", "nobody, so nothing is told", "all, or whose tickets")
        if not 1 <= target.severity <= 5:
            raise Wrong(f"{where}.severity", str(target.severity), "1 to 5")
        if not 1 <= target.quiet_below <= 6:
            allowed = "1 (everything is told) to 6 (nothing is)"
            raise Wrong(f"{where}.quiet_below", str(target.quiet_below), allowed)
        _listed(where, "kinds", target.kinds, KINDS)
        _listed(where, "changes", target.changes, (*CHANGES, *STAGES))
        for who in target.to:
            _known(f"{where}.to", who, city)
        try:
            Quiet(target.quiet)
        except Wrong as wrong:
            raise Wrong(f"{where}.{wrong.where}", wrong.found, wrong.allowed) from wrong
    for name in ("timeout_s", "tries", "pause_s", "pause_max_s", "expire_s", "link_s"):
        if getattr(settings, name) <= 0:
            raise Wrong(f"notify.{name}", str(getattr(settings, name)), "a positive number")


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an address of IPv6 that is none
        return False


def _listed(where: str, name: str, found: Iterable[str], allowed: tuple[str, ...]) -> None:
    for value in found:
        if value not in allowed:
            raise Wrong(f"{where}.{name}", repr(value), ", ".join(allowed))


def _known(where: str, who: str, city: City) -> None:
    if who == "all":
        return
    sort, sep, ident = who.partition(":")
    if not sep or sort not in WHO or not ident:
        raise Wrong(where, repr(who), "all, " + ", ".join(f"{w}:ID" for w in WHO))
    known: dict[str, Iterable[str]] = {
        "worker": city.workers,
        "utility": city.utilities,
        "grid": [grid.id for grid in city.grids],
        "district": {device.district for device in city.devices.values()},
        "role": {worker.role for worker in city.workers.values()} | set(city.profile.escalate_to),
    }
    if ident not in known[sort]:
        raise Wrong(where, repr(who), f"a {sort} of the city: {_some(known[sort])}")


def _some(names: Iterable[str], most: int = 8) -> str:
    names = sorted(names)
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")
