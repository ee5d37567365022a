"""Login at a real OpenID provider, which this test runs itself."""

from __future__ import annotations

import base64
import hashlib
import http.client
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

from center.accounts.settings import OidcSettings
from center.server import CenterServer
from center.settings import CenterSettings
from contracts.clock import ManualClock
from tests.unit.center.scene import START, Scene

CLAIMS = {"sub": "7", "preferred_username": "Wang.Fang", "name": "王芳", "groups": ["desk"],
          "area": ["c1"]}  # fmt: skip


@cache
def first_key() -> RSAKey:
    """Making one takes some time: once for all tests."""
    return RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})


class OpenIdProvider:
    """Discovery, authorization with PKCE, token, keys, userinfo and logout; RS256."""

    def __init__(self) -> None:
        self.key = first_key()
        self.shown = self.key
        self.claims: dict[str, Any] = dict(CLAIMS)
        self.wrong: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.algorithm = "RS256"
        self.codes: dict[str, dict[str, str]] = {}
        self.key_reads = 0
        self.url = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._document)
        app.router.add_get("/keys", self._keys)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        app.router.add_get("/userinfo", self._userinfo)
        return app

    async def _document(self, request: web.Request) -> web.Response:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token",
                 "jwks_uri": "keys", "userinfo_endpoint": "userinfo",
                 "end_session_endpoint": "logout"}  # fmt: skip
        urls = {name: f"{self.url}/{path}" for name, path in names.items()}
        return web.json_response({"issuer": self.url, **urls})

    async def _keys(self, request: web.Request) -> web.Response:
        self.key_reads += 1
        return web.json_response({"keys": [self.shown.as_dict(private=False)]})

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        assert asked["code_challenge_method"] == "S256" and len(asked["state"]) >= 40
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return web.Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{back}"})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        asked = self.codes.pop(str(form["code"]), None)
        challenge = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        told = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        basic = base64.b64encode(b"center:s3cret").decode()
        if (
            asked is None
            or told != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
            or request.headers.get("Authorization") != f"Basic {basic}"
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(START.timestamp())
        claims = {"iss": self.url, "aud": "center", "iat": now, "exp": now + 300,
                  "nonce": asked["nonce"], **self.claims, **self.wrong}  # fmt: skip
        header = {"alg": self.algorithm, "kid": self.key.as_dict()["kid"]}
        token = jwt.encode(header, claims, self.key, algorithms=[self.algorithm])
        return web.json_response({"id_token": token, "access_token": "at", "token_type": "Bearer"})

    async def _userinfo(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer at"
        return web.json_response({"sub": self.claims["sub"], **self.userinfo})


class Served:
    """An aiohttp application in a thread of its own, on a free port."""

    def __init__(self, app: web.Application) -> None:
        self._server = CenterServer(lambda: app, CenterSettings(port=0))

    def __enter__(self) -> str:
        self._server.start()
        return self._server.url

    def __exit__(self, *_: object) -> None:
        self._server.stop(2.0)


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    made = OpenIdProvider()
    with Served(made.app()) as url:
        made.url = url
        yield made


class Browser:
    """Follows redirects with a cookie jar for each host, as a browser does."""

    def __init__(self) -> None:
        self.cookies: dict[str, dict[str, str]] = {}

    def get(self, url: str) -> tuple[int, str, bytes]:
        """Status, where it leads, body."""
        parts = urlsplit(url)
        jar = self.cookies.setdefault(parts.netloc, {})
        connection = http.client.HTTPConnection(parts.netloc, timeout=10)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in jar.items())} if jar else {}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0].strip('"')
            jar.pop(name, None)
            if value and "max-age=0" not in line.lower():
                jar[name] = value
        return answer.status, answer.headers.get("Location", ""), body


Center = tuple[Scene, str, Browser]
Start = Callable[..., Center]


@pytest.fixture
def start(scene: Scene, provider: OpenIdProvider) -> Iterator[Start]:
    servers = []

    def started(**more: Any) -> Center:
        """A center whose public address is the one it gets."""
        from store.memory_accounts import MemoryAccounts

        given: dict[str, Any] = {
            "issuer": provider.url, "client_id": "center", "client_secret": "s3cret",
            "role_claim": "groups", "roles": {"desk": "operator", "boss": "admin"},
            "grids_claim": "area",
        }  # fmt: skip
        scene.accounts = scene.accounts or MemoryAccounts(scene.desk.views)
        probe = CenterServer(web.Application, CenterSettings(port=0))
        probe.start()
        port = probe.port
        probe.stop(2.0)
        settings = CenterSettings(
            port=port, public_url=f"http://127.0.0.1:{port}", oidc=OidcSettings(**(given | more))
        )
        server = CenterServer(lambda: scene.app(settings), settings)
        server.start()
        servers.append(server)
        return scene, server.url, Browser()

    yield started
    for server in servers:
        server.stop(2.0)


def enter(center: Center, next_: str = "") -> str:
    """The whole way; where it ends."""
    _, url, browser = center
    status, to_provider, _ = browser.get(f"{url}/login/oidc" + (f"?next={next_}" if next_ else ""))
    assert status == 303
    status, back, _ = browser.get(to_provider)
    assert status == 302
    status, home, _ = browser.get(back)
    assert status == 303
    return home


def me(center: Center) -> dict[str, Any]:
    _, url, browser = center
    found: dict[str, Any] = msgspec.json.decode(browser.get(f"{url}/api/v1/me")[2])
    return found


def test_somebody_enters_with_role_and_part_from_their_claims(start: Start) -> None:
    center = start()
    assert me(center)["provider"]["label_zh"] == "统一身份认证登录"
    assert me(center)["accounts"] is True
    assert enter(center, "%2Fanalysis") == "/analysis"
    who = me(center)
    assert (who["name"], who["role"], who["display_zh"], who["how"]) == (
        *("wang.fang", "operator", "王芳", "oidc"),
    )
    assert [area["id"] for area in who["areas"]] == ["c1"]
    scene, url, browser = center
    scene.happen("high_altitude_throw")  # in c0
    scene.happen("severed_cable")  # in c1
    found = msgspec.json.decode(browser.get(f"{url}/api/v1/tickets")[2])
    assert [ticket["id"] for ticket in found["items"]] == ["t-2"]


def test_the_next_login_brings_the_account_up_to_date(
    start: Start, provider: OpenIdProvider
) -> None:
    center = start()
    enter(center)
    first = me(center)["account"]
    provider.claims |= {"groups": ["desk", "boss"], "area": "c1,c2", "preferred_username": "other"}
    enter(center)
    who = me(center)
    assert (who["account"], who["name"], who["role"]) == (first, "wang.fang", "admin")
    assert [area["id"] for area in who["areas"]] == ["c1", "c2"]


def test_a_name_that_is_taken_is_not_theirs(start: Start, scene: Scene) -> None:
    scene.person("wang.fang", "admin")
    center = start()
    enter(center)
    who = me(center)
    assert who["role"] == "operator"
    assert who["name"].startswith("wang.fang.") and who["account"] != "a-wang.fang"


def test_claims_that_only_userinfo_has_count(start: Start, provider: OpenIdProvider) -> None:
    provider.userinfo = {"groups": provider.claims.pop("groups")}
    center = start()
    enter(center)
    assert me(center)["role"] == "operator"
    provider.userinfo |= {"sub": "8", "groups": ["boss"]}  # somebody else's
    assert enter(center) == "/login?failed=oidc_role"


def test_roles_may_lie_deeper(start: Start, provider: OpenIdProvider) -> None:
    provider.claims["realm_access"] = {"roles": ["offline", "boss"]}
    center = start(role_claim="realm_access.roles")
    enter(center)
    assert me(center)["role"] == "admin"


@pytest.mark.parametrize(
    ("claims", "failed"),
    [
        ({"groups": ["kitchen"]}, "oidc_role"), ({"groups": None}, "oidc_role"),
        ({"area": ["nowhere"]}, "oidc_scope"), ({"area": None}, "oidc_scope"),
    ],
)  # fmt: skip
def test_nobody_enters_by_what_is_missing(
    start: Start, provider: OpenIdProvider, claims: dict[str, Any], failed: str
) -> None:
    provider.claims |= claims
    center = start()
    assert enter(center) == f"/login?failed={failed}"
    assert me(center)["role"] is None
    scene = center[0]
    assert scene.accounts is not None
    assert scene.accounts._notes[-1].detail == {"how": "oidc", "why": failed}


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example"}, {"aud": "another"}, {"aud": ["center", "another"]},
        {"exp": int(START.timestamp()) - 90}, {"iat": int(START.timestamp()) + 90},
        {"nonce": "x"}, {"nonce": None}, {"sub": ""}, {"exp": "soon"},
    ],
)  # fmt: skip
def test_a_token_that_is_not_for_us_is_not_believed(
    start: Start, provider: OpenIdProvider, wrong: dict[str, Any]
) -> None:
    provider.wrong = wrong
    center = start()
    assert enter(center) == "/login?failed=oidc_token"
    assert me(center)["role"] is None


def test_a_token_signed_by_somebody_else_is_not_believed(
    start: Start, provider: OpenIdProvider
) -> None:
    provider.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})  # not the shown one
    assert enter(start()) == "/login?failed=oidc_token"


def test_a_key_that_was_changed_is_read_anew(
    start: Start, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    center = start()
    enter(center)
    enter(center)
    assert provider.key_reads == 1
    monkeypatch.setattr("center.accounts.oidc.AGAIN_S", 0.0)
    provider.key = provider.shown = RSAKey.generate_key(2048, {"kid": "k2", "use": "sig"})
    assert enter(center) == "/"
    assert provider.key_reads == 2


def test_an_answer_to_another_browser_is_refused(start: Start) -> None:
    center = start()
    _, url, browser = center
    _, to_provider, _ = browser.get(f"{url}/login/oidc")
    _, back, _ = browser.get(to_provider)
    assert Browser().get(back)[1] == "/login?failed=oidc_state"  # no cookie: login CSRF
    other = Browser()
    other.get(f"{url}/login/oidc")
    assert other.get(back)[1] == "/login?failed=oidc_state"  # another login's
    assert browser.get(back)[1] == "/"
    assert browser.get(back)[1] == "/login?failed=oidc_state"  # used up


def test_a_code_works_once(start: Start, provider: OpenIdProvider) -> None:
    center = start()
    _, url, browser = center
    _, to_provider, _ = browser.get(f"{url}/login/oidc")
    _, back, _ = browser.get(to_provider)
    provider.codes.clear()
    assert browser.get(back)[1] == "/login?failed=oidc_refused"


@pytest.mark.parametrize("next_", ["//evil.example", "https://evil.example", "/login", "%5C%5Cx"])
def test_the_way_on_stays_here(start: Start, next_: str) -> None:
    assert enter(start(), next_) == "/"


def test_a_provider_that_is_away_is_said(start: Start, provider: OpenIdProvider) -> None:
    _, url, browser = start(issuer="http://127.0.0.1:9", timeout_s=0.5)
    assert browser.get(f"{url}/login/oidc")[1] == "/login?failed=oidc_away"


def test_a_disabled_account_stays_out(start: Start, scene: Scene) -> None:
    center = start()
    enter(center)
    assert scene.accounts is not None
    (known,) = scene.accounts._accounts.values()
    scene.accounts._accounts[known.id] = msgspec.structs.replace(known, disabled=True)
    assert enter(center) == "/login?failed=oidc_disabled"


def test_logging_out_ends_the_providers_session_too(start: Start, provider: OpenIdProvider) -> None:
    center = start()
    enter(center)
    _, url, browser = center
    parts = urlsplit(url)
    jar = browser.cookies[parts.netloc]
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    headers = {"Cookie": f"gridsentry={jar['gridsentry']}",
               "X-CSRF-Token": jar["gridsentry-csrf"]}  # fmt: skip
    connection.request("POST", "/api/v1/logout", headers=headers)
    end = msgspec.json.decode(connection.getresponse().read())["end"]
    connection.close()
    asked = parse_qs(urlsplit(end).query)
    assert end.startswith(f"{provider.url}/logout?")
    assert asked["post_logout_redirect_uri"] == [f"{url}/login"]
    assert asked["id_token_hint"][0].count(".") == 2
    assert me(center)["role"] is None


def test_sessions_of_the_provider_end_as_all_do(start: Start, scene: Scene) -> None:
    center = start()
    enter(center)
    clock = scene.desk.clock
    assert isinstance(clock, ManualClock)
    assert threading.active_count() < 50
    from datetime import timedelta

    clock.advance_to(START + timedelta(hours=13))
    assert me(center)["role"] is None
