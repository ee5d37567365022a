"""Who is asking, from where, and how often: tokens, sessions, browser origins, rate limits.

With tokens, accounts or an OpenID provider configured, writes and evidence need one of them; with
accounts also sight of the case work does. Without any of them the center listens on loopback only
and local use is open; then a web page opened on the same machine is the danger, so the `Host`
header must be one of ours (DNS rebinding) and a write must not come from a foreign page (CSRF). A
write by cookie must besides carry the session's own token, which a foreign page cannot know.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, get_args
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from center.accounts.sessions import HEADER, Held
from center.problems import Problem
from center.settings import CenterSettings, Role, is_loopback
from contracts.accounts import Account
from contracts.clock import monotonic

if TYPE_CHECKING:
    from center.accounts.login import Logins

Access = Literal[
    "open", "pass", "self", "read", "evidence", "report", "work", "operate", "supervise",
    "administer", "originals",
]  # fmt: skip
"""What a route needs: nothing, a signed link in its own path (a pass), an account of one's own,
sight of the case work without personal data, sight of evidence, filing a report, work on one's own
tickets, acting on any ticket, supervising (how people do their work), administering (accounts,
devices, settings), or opening unblurred originals, which no role has of itself (`originals`)."""

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
ROLES: tuple[Role, ...] = get_args(Role)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HELD = web.RequestKey("held", Held)
"""Where a request keeps the session it came with."""


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
    restricted: bool = False
    """A utility that the city trusts with personal data."""
    must_change: bool = False
    """Their password was set by somebody else: until they change it they may nothing else."""

    def may(self, access: Access) -> bool:
        """Whether this caller may do that."""
        if access in ("open", "pass"):
            return True
        if access == "self":
            return self.account is not None
        if self.role is None or self.must_change:
            return False
        if access == "originals":
            return self.role in ("operator", "head", "admin") and self.originals
        return access in MAY[self.role]

    @property
    def personal(self) -> bool:
        """Whether what they see is shown with windows, faces and reporters. A worker's own tickets
        are: they go there."""
        if self.may("evidence"):
            return True
        return self.may("work") and (self.role == "worker" or self.restricted)


class Guard:
    """Answers "may they?" for every request. Used from one event loop."""

    def __init__(
        self,
        settings: CenterSettings,
        *,
        logins: Logins | None = None,
        inside: Callable[[str], frozenset[str]] = lambda grid: frozenset((grid,)),
        trusted: Iterable[str] = (),
    ) -> None:
        """`inside` says what lies in a grid, `trusted` which utilities see personal data."""
        self._tokens = [(_digest(t.token), t) for t in settings.tokens]
        self._logins = logins
        self._provider = settings.oidc is not None
        self._open_reads = settings.accounts.open_reads
        self._loopback = is_loopback(settings.host)
        self._open = False
        self._inside = inside
        self._trusted = frozenset(trusted)
        self._areas: dict[tuple[str, ...], frozenset[str]] = {}
        self._proxies = [ipaddress.ip_network(p, strict=False) for p in settings.trusted_proxies]
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
        for access in ("work", "supervise", "administer", "self"):
            self._rates[access] = self._rates["operate"]

    async def accounts_in_use(self) -> bool:
        """Whether people log in here."""
        return self._provider or (self._logins is not None and await self._logins.sessions.in_use())

    @property
    def open_to_all(self) -> bool:
        """Neither tokens nor accounts, as of the newest request: whoever reaches us on loopback may
        do everything."""
        return self._open

    async def reads_open(self) -> bool:
        """Nobody needs a name to see the case work without personal data: so it is with tokens
        only; accounts close it."""
        return self._open_reads or not await self.accounts_in_use()

    async def caller(self, request: web.Request) -> Caller:
        """Who this is.

        Raises Problem 401 for a token we do not know, 421 for a host name that is not ours.
        """
        header = request.headers.get("Authorization")
        alone = not self._tokens and self._loopback
        self._open = alone and not await self.accounts_in_use()
        if self._open:
            self._check_host(request)
            return Caller("local", "admin", originals=True)
        if header is None:
            key = request.query.get("api_key")  # Open311 carries its token so
            if key is not None and request.path.startswith("/open311/"):
                header = f"Bearer {key}"
        if header is not None:
            return self._bearer(header)
        held = None if self._logins is None else await self._logins.sessions.held(request)
        if held is None:
            return Caller("anonymous", None)
        request[HELD] = held
        return self._of_account(held.account)

    async def check(self, request: web.Request, caller: Caller, access: Access) -> None:
        """Let the request through or raise the Problem that says why not."""
        if not caller.may(access) and not (access == "read" and await self.reads_open()):
            await self._refuse(caller, access)
        writes = request.method not in SAFE
        if writes or access == "pass":
            self.check_origin(request)
        if writes and access not in ("open", "pass"):
            self.check_token(request)
        if access in self._rates and (writes or access == "pass"):
            wait = self._rates[access].take(f"{self.address(request)}|{caller.name}")
            if wait > 0:
                raise Problem(
                    429, "too_many", f"too many requests; try again in {wait:.0f} s",
                    headers={"Retry-After": str(max(1, round(wait)))},
                )  # fmt: skip

    async def _refuse(self, caller: Caller, access: Access) -> None:
        if caller.must_change:
            raise Problem(
                403, "password_must_change",
                "choose a password of your own first / 请先修改初始密码",
            )  # fmt: skip
        if caller.role is None:
            accounts = await self.accounts_in_use()
            told = "send Authorization: Bearer <token>" + (
                ", or log in / 请先登录" if accounts else ""
            )
            raise Problem(
                401, "login_needed" if accounts else "token_needed", told,
                headers={"WWW-Authenticate": 'Bearer realm="gridsentry"'},
            )  # fmt: skip
        what = "token" if caller.account is None else "account"
        if access == "self":
            raise Problem(
                403, "no_account", f"the {what} {caller.name!r} is no account that logs in "
                "/ 此身份不是登录账号",
            )  # fmt: skip
        if access == "originals":
            raise Problem(
                403, "no_right_to_originals",
                f"the {what} {caller.name!r} may not open originals: that needs the role "
                "operator and `originals = true` in center.tokens / 此令牌无权查看原始影像"
                if caller.account is None else
                f"the account {caller.name!r} may not open originals: an administrator gives that "
                "right to operators / 此账号无权查看原始影像",
            )  # fmt: skip
        raise Problem(
            403, "not_allowed", f"the {what} {caller.name!r} has the role {caller.role}, "
            f"which does not allow this / 当前角色无此权限",
        )  # fmt: skip

    def address(self, request: web.Request) -> str:
        """Where the request comes from: through trusted proxies, what the outermost one saw."""
        remote = request.remote or ""
        if not self._proxies or not self._is_proxy(remote):
            return remote
        told = ",".join(request.headers.getall("X-Forwarded-For", []))
        for hop in reversed([hop.strip() for hop in told.split(",")]):
            if hop and not self._is_proxy(hop):
                return hop[:64]
        return remote

    def _is_proxy(self, text: str) -> bool:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)

    def _of_account(self, account: Account) -> Caller:
        role = next((r for r in ROLES if r == account.role), None)
        return Caller(
            account.name, role, account.originals,
            worker=account.worker if role == "worker" else None,
            utility=account.utility if role == "utility" else None,
            grids=self._within(account.grids),
            areas=account.grids,
            account=account.id,
            restricted=role == "utility" and account.utility in self._trusted,
            must_change=account.must_change,
        )  # fmt: skip

    def _within(self, areas: tuple[str, ...]) -> frozenset[str] | None:
        if not areas:
            return None
        found = self._areas.get(areas)
        if found is None:
            found = frozenset().union(*(self._inside(area) for area in areas))
            if len(self._areas) >= Bucket.KEYS:
                self._areas.clear()
            self._areas[areas] = found
        return found

    def _bearer(self, header: str) -> Caller:
        scheme, _, value = header.partition(" ")
        digest = _digest(value.strip())
        found: Caller | None = None
        for known, token in self._tokens:  # all of them: the time taken tells nothing
            if hmac.compare_digest(known, digest) and scheme.lower() == "bearer":
                found = Caller(
                    token.name, token.role, token.originals,
                    worker=token.worker or None, utility=token.utility or None,
                    grids=self._within(token.grids), areas=token.grids,
                    restricted=token.role == "utility" and token.utility in self._trusted,
                )  # fmt: skip
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

    def check_token(self, request: web.Request) -> None:
        """A write by cookie carries the session's token: no form and no foreign page can."""
        held = request.get(HELD)
        if held is None or request.method in SAFE:
            return
        given = request.headers.get(HEADER, "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), held.csrf.encode()):
            raise Problem(
                403, "csrf", f"send {HEADER} with the token of /api/v1/me / 请刷新页面后重试"
            )

    def check_origin(self, request: web.Request) -> None:
        """Raises Problem 403 for what a page of somebody else sends."""
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
