"""What can be set about the center: where it listens, who may do what, and its limits."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Literal, get_args

import msgspec

from center.accounts.settings import (
    AccountSettings,
    OidcSettings,
    check_accounts,
    check_proxies,
)
from contracts.errors import Wrong

Role = Literal["viewer", "reporter", "resident", "worker", "utility", "operator", "head", "admin"]
"""What somebody is here; `center.guard.MAY` says what each may do in their part of the city."""


class Token(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A bearer token, whose it is, and what it allows."""

    token: str
    """The secret itself, at least 16 characters; sent as `Authorization: Bearer …`."""
    name: str
    """Who uses it; stands in the access log and in metrics never."""
    role: Role = "viewer"
    """`viewer` sees evidence and personal data, `reporter` and `resident` only file reports,
    `worker` and `utility` do their own tickets, `operator` acts on tickets, `head` also supervises,
    `admin` also administers. None opens originals of itself."""
    originals: bool = False
    """With the role `operator`, `head` or `admin`: may open the unblurred originals of evidence,
    each time with a reason that is kept in the access log."""
    grids: tuple[str, ...] = ()
    """The parts of the grid tree it is good for, each with everything below; empty: everywhere."""
    worker: str = ""
    """With the role `worker`: whose tickets, as in workers.csv."""
    utility: str = ""
    """With the role `utility`: whose tickets, as in utilities.csv."""


class CenterSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Settings of the command center."""

    host: str = "127.0.0.1"
    """Address to listen on. Anything but this machine's loopback needs at least one token or
    account, or `oidc`."""
    port: int = 8080
    """TCP port; 0 takes a free one."""
    tokens: tuple[Token, ...] = ()
    """Bearer tokens. Without any, and without accounts, everybody on this machine may do everything
    (loopback only)."""
    accounts: AccountSettings = AccountSettings()
    """Passwords and sessions of those who log in (`gridsentry accounts add NAME --role admin`)."""
    oidc: OidcSettings | None = None
    """Login by an OpenID Connect provider."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose `X-Forwarded-For` is believed: our own reverse proxies."""
    public_url: str = ""
    """How others reach this center, such as `https://grid.example.cn`: makes the links in alerts
    and feeds absolute, and with https cookies that never travel without it."""
    allowed_origins: tuple[str, ...] = ()
    """Other web origins (`https://host[:port]`) whose pages may write; our own always may."""
    allowed_hosts: tuple[str, ...] = ()
    """Further names this center answers to when it has no tokens and no accounts (protects against
    DNS rebinding; the loopback names always count)."""
    tiles_url: str = ""
    """Tiles below all maps, such as `https://tiles.example.cn/{z}/{x}/{y}.png` (Web Mercator on
    WGS 84 or CGCS 2000; GCJ-02 tiles lie off by hundreds of metres); empty: none, our own drawing
    alone. Browsers fetch them from there, so they must be reachable for those who look."""
    tiles_attribution: str = ""
    """Whose they are, as their owner wants it said; text."""
    tiles_max_zoom: int = 18
    """The largest zoom there are tiles for."""
    evidence_secret: str = ""
    """Key of signed evidence links, at least 16 characters; empty: one made at the first start and
    kept in the state folder. Several centers on different machines must share one."""
    evidence_link_s: float = 86_400.0
    """How long a signed evidence link is valid, seconds."""
    page_limit: int = 100
    """Items on a page when the caller names no `limit`."""
    page_limit_max: int = 500
    """The largest `limit` a caller may ask for."""
    body_bytes: int = 65_536
    """Largest accepted request body, bytes (reports: `report_bytes`)."""
    report_bytes: int = 8_388_608
    """Largest accepted report with its photograph, bytes."""
    actions_per_minute: float = 240.0
    """Ticket actions one caller may send per minute (bursts up to a quarter of it)."""
    reports_per_minute: float = 30.0
    """Reports one caller may send per minute (bursts up to a quarter of it)."""
    passes_per_minute: float = 60.0
    """Requests by signed links from one address per minute (bursts up to a quarter of it)."""
    place_secret: str = ""
    """Key of the codes that hang on walls, at least 16 characters; empty: `evidence_secret`. With a
    key of their own they outlive a change of that one."""
    place_salt: str = ""
    """Another word makes every printed code void and gives every place a new one."""
    place_salts: dict[str, str] = {}
    """The same for single places: `{"drain:n4" = "2"}`."""
    place_reports_per_minute: float = 20.0
    """Reports residents may send from one address per minute, and twice as many at one place
    (bursts up to a quarter of it)."""
    place_looks_per_minute: float = 240.0
    """Looks at places and reports from one address per minute: thousands of telephones may share
    one (bursts up to a quarter of it)."""
    originals_per_minute: float = 20.0
    """Originals one caller may open per minute (bursts up to a quarter of it)."""
    answer_wait_s: float = 5.0
    """How long a ticket action waits for the router's answer before it says 202, seconds."""
    office_phone: str = ""
    """The command center's telephone: a grid worker's page calls it by one touch. Empty: no such
    button."""
    report_device: str = ""
    """The registered device reports over HTTP come from; empty: the city's first of type
    `app`."""
    mappings: dict[str, dict[str, Any]] = {}
    """Ticket JSON in the shape of other systems: `[center.mappings.NAME.fields]`, as in the shipped
    `center/feeds/mappings/wecom.toml`; served at `/feeds/NAME/tickets.json`."""
    cap_status: Literal["Actual", "Exercise", "System", "Test"] = "Actual"
    """What CAP alerts say about themselves; a demonstration says `Exercise`."""
    stream_clients: int = 1_000
    """Live streams open at once; more are refused with 503."""
    stream_heartbeat_s: float = 15.0
    """A comment is sent on a silent stream this often, seconds."""
    stream_slow_s: float = 10.0
    """A reader that takes nothing for this long is disconnected, seconds; it resumes by its last
    event id."""
    stream_rows: int = 4_000
    """Changes kept in memory for live readers; who is further behind reads from the database."""


TILES = re.compile(r"(https?://[A-Za-z0-9.-]+(?::[0-9]+)?)/[\x21-\x7e]+")


def tiles_origin(url: str) -> str:
    """Where browsers may fetch tiles from: scheme, host and port; empty when `url` is none."""
    found = TILES.fullmatch(url)
    return found[1] if found and "'" not in url and ";" not in url else ""


def is_loopback(host: str) -> bool:
    """Whether `host` is an address or name of this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check(settings: CenterSettings, *, accounts: bool = False) -> None:
    """Refuse settings that are unsafe or cannot work; `accounts`: there is at least one.

    Raises Wrong naming the setting, what was found and what is allowed.
    """
    guarded = settings.tokens or settings.oidc is not None or accounts
    if not is_loopback(settings.host) and not guarded:
        raise Wrong(
            "center.tokens",
            f"none, but center.host {settings.host!r} can be reached from other machines",
            "at least one token, an account (`gridsentry accounts add NAME --role admin`), "
            "center.oidc, or host 127.0.0.1",
        )
    check_accounts(settings.accounts, settings.oidc, settings.public_url, get_args(Role))
    check_proxies(settings.trusted_proxies)
    if not 0 <= settings.port <= 65_535:
        raise Wrong("center.port", str(settings.port), "0 to 65535")
    seen: set[str] = set()
    for number, token in enumerate(settings.tokens):
        where = f"center.tokens[{number}].token"
        if len(token.token) < 16 or not token.token.isascii() or " " in token.token:
            raise Wrong(where, f"{len(token.token)} characters", "16 or more, ASCII, no spaces")
        for role, named in (("worker", token.worker), ("utility", token.utility)):
            if (token.role == role) != bool(named):
                raise Wrong(
                    f"center.tokens[{number}].{role}", repr(named),
                    f"an id, with the role {role!r} and only with it",
                )  # fmt: skip
        if token.token in seen:
            raise Wrong(where, "the same token twice", "a token of its own for each name")
        seen.add(token.token)
    if settings.evidence_secret and len(settings.evidence_secret) < 16:
        raise Wrong("center.evidence_secret", "too short", "16 or more characters, or empty")
    if settings.place_secret and len(settings.place_secret) < 16:
        raise Wrong("center.place_secret", "too short", "16 or more characters, or empty")
    if not 1 <= settings.page_limit <= settings.page_limit_max:
        raise Wrong("center.page_limit", str(settings.page_limit), "1 to page_limit_max")
    for name in (
        "evidence_link_s", "body_bytes", "report_bytes", "actions_per_minute",
        "reports_per_minute", "originals_per_minute", "passes_per_minute", "answer_wait_s",
        "place_reports_per_minute", "place_looks_per_minute",
        "stream_clients", "stream_heartbeat_s", "stream_slow_s", "stream_rows",
    ):  # fmt: skip
        if getattr(settings, name) <= 0:
            raise Wrong(f"center.{name}", str(getattr(settings, name)), "a positive number")
    for setting, urls in (
        ("public_url", (settings.public_url,) if settings.public_url else ()),
        ("allowed_origins", settings.allowed_origins),
    ):
        for url in urls:
            if not url.startswith(("http://", "https://")) or url.endswith("/"):
                raise Wrong(f"center.{setting}", repr(url), "http(s)://host[:port], no final slash")
    if settings.tiles_url and not (
        tiles_origin(settings.tiles_url) and all(f"{{{x}}}" in settings.tiles_url for x in "xyz")
    ):
        wanted = "http(s)://host[:port]/… with {z}, {x} and {y}"
        raise Wrong("center.tiles_url", repr(settings.tiles_url), wanted)
    if not 1 <= settings.tiles_max_zoom <= 24:
        raise Wrong("center.tiles_max_zoom", str(settings.tiles_max_zoom), "1 to 24")
