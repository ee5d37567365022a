"""Who is asking, from where, and how often: tokens, browser origins, rate limits.

With tokens configured, writes and evidence need one. Without, the center listens on loopback only
and local use is open; then a web page opened on the same machine is the danger, so the `Host`
header must be one of ours (DNS rebinding) and a write must not come from a foreign page (CSRF).
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from center.problems import Problem
from center.settings import CenterSettings, Role, is_loopback
from contracts.clock import monotonic

Access = Literal[
    "open", "pass", "read", "evidence", "report", "work", "operate", "supervise", "administer",
    "originals",
]  # fmt: skip
"""What a route needs: nothing, a signed link in its own path (a pass), sight of the case work
without personal data, sight of evidence, filing a report, work on one's own tickets, acting on any
ticket, supervising (how people do their work), administering (accounts, devices, settings), or
opening unblurred originals, which no role has of itself (`originals`)."""

MAY: dict[Role, frozenset[Access]] = {
    "viewer": frozenset({"open", "read", "evidence"}),
    "reporter": frozenset({"open", "report"}),
    "resident": frozenset({"open", "report"}),
    "worker": frozenset({"open", "read", "report", "work"}),
    "utility": frozenset({"open", "read", "work"}),
    "operator": frozenset({"open", "read", "evidence", "report", "work", "operate"}),
    "head": frozenset({"open", "read", "evidence", "report", "work", "operate", "supervise"}),
    "admin": frozenset(
        {"open", "read", "evidence", "report", "work", "operate", "supervise", "administer"}
    ),
}


class Caller(msgspec.Struct, frozen=True):
    """Who sent a request."""

    name: str
    """For logs and people: the account's or token's name."""
    role: Role | None
    """None: nobody we know; sees what is not personal, writes nothing."""
    originals: bool = False
    """May open unblurred originals, as an operator or more."""
    worker: str | None = None
    """With the role `worker`: who of the city's workers this is; sees and does their tickets."""
    utility: str | None = None
    """With the role `utility`: which one; sees and does its tickets and parts."""
    grids: frozenset[str] | None = None
    """The ids of the grids this caller may see and act in, all levels; None: everywhere."""
    areas: tuple[str, ...] = ()
    """The same as given: the tops of those parts of the grid tree."""
    account: str | None = None
    """The account's id; None for tokens, for the open loopback and for nobody."""

    def may(self, access: Access) -> bool:
        """Whether this caller may do that."""
        if access == "originals":
            return self.role in ("operator", "head", "admin") and self.originals
        return access in ("open", "pass") or (self.role is not None and access in MAY[self.role])


class Guard:
    """Answers "may they?" for every request. Used from one event loop."""

    def __init__(self, settings: CenterSettings) -> None:
        self._tokens = [(_digest(t.token), t) for t in settings.tokens]
        self._origins = frozenset(settings.allowed_origins) | (
            {settings.public_url} if settings.public_url else frozenset()
        )
        self._hosts = frozenset(settings.allowed_hosts) | {settings.host}
        self._rates = {
            "operate": Bucket(settings.actions_per_minute),
            "pass": Bucket(settings.passes_per_minute),
            "report": Bucket(settings.reports_per_minute),
            "originals": Bucket(settings.originals_per_minute),
        }

    @property
    def open_to_all(self) -> bool:
        """No tokens are configured: whoever reaches us on loopback may do everything."""
        return not self._tokens

    @property
    def reads_open(self) -> bool:
        """Nobody needs a name to see the case work without personal data: so it is with tokens
        only; accounts close it."""
        return True

    def caller(self, request: web.Request) -> Caller:
        """Who this is.

        Raises Problem 401 for a token we do not know, 421 for a host name that is not ours.
        """
        if self.open_to_all:
            self._check_host(request)
            return Caller("local", "admin", originals=True)
        header = request.headers.get("Authorization")
        if header is None:
            key = request.query.get("api_key")  # Open311 carries its token so
            if key is None or not request.path.startswith("/open311/"):
                return Caller("anonymous", None)
            header = f"Bearer {key}"
        return self._bearer(header)

    def check(self, request: web.Request, caller: Caller, access: Access) -> None:
        """Let the request through or raise the Problem that says why not."""
        if not caller.may(access) and not (access == "read" and self.reads_open):
            if caller.role is None:
                raise Problem(
                    401, "token_needed", "send Authorization: Bearer <token>",
                    headers={"WWW-Authenticate": 'Bearer realm="gridsentry"'},
                )  # fmt: skip
            if access == "originals":
                raise Problem(
                    403, "no_right_to_originals",
                    f"the token {caller.name!r} may not open originals: that needs the role "
                    "operator and `originals = true` in center.tokens / 此令牌无权查看原始影像",
                )  # fmt: skip
            raise Problem(
                403, "not_allowed", f"the token {caller.name!r} has the role {caller.role}, "
                f"which does not allow this",
            )  # fmt: skip
        if access in self._rates:
            self._check_origin(request)
            wait = self._rates[access].take(f"{request.remote}|{caller.name}")
            if wait > 0:
                raise Problem(
                    429, "too_many", f"too many requests; try again in {wait:.0f} s",
                    headers={"Retry-After": str(max(1, round(wait)))},
                )  # fmt: skip

    def _bearer(self, header: str) -> Caller:
        scheme, _, value = header.partition(" ")
        digest = _digest(value.strip())
        found: Caller | None = None
        for known, token in self._tokens:  # all of them: the time taken tells nothing
            if hmac.compare_digest(known, digest) and scheme.lower() == "bearer":
                found = Caller(token.name, token.role, token.originals)
        if found is None:
            raise Problem(
                401, "token_unknown", "this token is not known here",
                headers={"WWW-Authenticate": 'Bearer realm="gridsentry", error="invalid_token"'},
            )  # fmt: skip
        return found

    def _check_host(self, request: web.Request) -> None:
        name = urlsplit(f"//{request.host}").hostname or ""
        if not (is_loopback(name) or name in self._hosts):
            raise Problem(
                421, "wrong_host",
                f"this center answers to loopback names only, not to {request.host!r}; "
                "allowed: 127.0.0.1, localhost, [::1] and center.allowed_hosts",
            )  # fmt: skip

    def _check_origin(self, request: web.Request) -> None:
        origin = request.headers.get("Origin")
        ours = origin is not None and (
            urlsplit(origin).netloc == request.host or origin in self._origins
        )
        site = request.headers.get("Sec-Fetch-Site")
        if (origin is not None and not ours) or (
            origin is None and site not in (None, "same-origin", "none")
        ):
            raise Problem(
                403, "foreign_origin",
                f"a page of {origin or site} may not write here; see center.allowed_origins",
            )  # fmt: skip


class Bucket:
    """Token buckets by key, `per_minute` refill and a quarter of it at once; memory is bounded."""

    KEYS = 4_096

    def __init__(self, per_minute: float) -> None:
        self._per_s = per_minute / 60
        self._size = max(1.0, per_minute / 4)
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """0 when allowed, else the seconds to wait."""
        now = monotonic()
        level, then = self._levels.pop(key, (self._size, now))
        level = min(self._size, level + (now - then) * self._per_s)
        wait = 0.0 if level >= 1 else (1 - level) / self._per_s
        self._levels[key] = (level - 1 if level >= 1 else level, now)
        while len(self._levels) > self.KEYS:
            self._levels.popitem(last=False)
        return wait


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
