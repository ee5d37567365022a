"""Logging in, sessions, what a write by cookie must carry, and what an administrator may."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from center.accounts import passwords, throttle
from center.accounts.settings import OidcSettings
from center.guard import Guard
from center.server import CenterServer
from center.settings import CenterSettings, Token, check
from contracts.clock import ManualClock
from contracts.errors import Wrong
from tests.unit.center.conftest import OPERATOR, TOKENS, Client, Reply, Serve
from tests.unit.center.scene import PASSWORD, START, Scene

Enter = Callable[..., "Browser"]
ACT = {"action": "accept", "rev": 1}


class Browser:
    """Keeps cookies and sends the token along, as our pages do."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        if self.cookies:
            headers.setdefault("Cookie", "; ".join(f"{k}={v}" for k, v in self.cookies.items()))
            headers.setdefault("X-CSRF-Token", self.cookies.get("gridsentry-csrf", ""))
        return self._client.ask(method, path, body, headers=headers)

    def get(self, path: str) -> Reply:
        return self.ask("GET", path)

    def post(self, path: str, body: object, **headers: str) -> Reply:
        return self.ask("POST", path, body, **headers)

    def login(self, name: str, password: str = PASSWORD) -> Reply:
        reply = self.post("/api/v1/login", {"name": name, "password": password})
        if reply.status == 200:
            me = self._client.ask("GET", "/api/v1/me")  # without cookies: nobody
            assert me.json["account"] is None
        return reply


@pytest.fixture
def client(scene: Scene, serve: Serve) -> Client:
    scene.person("chief", "admin")
    scene.person("desk", "operator")
    scene.person("fresh", "operator", must_change=True)
    return serve()


@pytest.fixture
def enter(client: Client, monkeypatch: pytest.MonkeyPatch) -> Enter:
    """Log in and keep the cookies (http.client joins headers of one name: read them raw)."""
    import http.client

    def entered(name: str, password: str = PASSWORD) -> Browser:
        browser = Browser(client)
        connection = http.client.HTTPConnection("127.0.0.1", client.server.port, timeout=10)
        body = json.dumps({"name": name, "password": password})
        connection.request("POST", "/api/v1/login", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        assert answer.status == 200
        for line in answer.headers.get_all("Set-Cookie") or ():
            key, _, rest = line.partition("=")
            browser.cookies[key] = rest.partition(";")[0]
            flags = {part.strip().lower() for part in line.split(";")[1:]}
            assert "path=/" in flags
            assert ("httponly" in flags) == (key == "gridsentry")
            assert ("samesite=lax" if key == "gridsentry" else "samesite=strict") in flags
        return browser

    return entered


def test_the_first_account_closes_what_was_open(scene: Scene, serve: Serve) -> None:
    scene.person("chief", "admin")
    client = serve()
    for path in ("/api/v1/tickets", "/api/v1/stream", "/api/v1/queue", "/feeds/tickets.geojson"):
        reply = client.get(path)
        assert (reply.status, reply.json["error"]) == (401, "login_needed")
    ticket = scene.happen("flooding")
    assert client.post(f"/api/v1/tickets/{ticket}/actions", {**ACT, "by": "a"}).status == 401
    assert client.get("/feeds/cap.atom").status == 200  # warnings are for everybody
    assert client.get("/").status == 200  # the page holds nothing; it asks for a login
    me = client.get("/api/v1/me").json
    assert (me["role"], me["accounts"], me["may"]) == (None, True, ["open"])


def test_without_accounts_this_machine_may_do_everything(scene: Scene, serve: Serve) -> None:
    me = serve().get("/api/v1/me").json
    assert (me["name"], me["role"], me["accounts"]) == ("local", "admin", False)
    assert {"operate", "administer", "originals"} <= set(me["may"])


def test_a_setting_leaves_sight_of_the_work_open(scene: Scene, serve: Serve) -> None:
    from center.accounts.settings import AccountSettings

    scene.person("chief", "admin")
    scene.happen("high_altitude_throw")
    reply = serve(accounts=AccountSettings(open_reads=True)).get("/api/v1/events")
    assert (reply.status, reply.json["items"][0]["evidence"]["origin"]) == (200, None)


def test_tokens_work_beside_accounts(scene: Scene, serve: Serve) -> None:
    scene.person("chief", "admin")
    client = serve(tokens=TOKENS)
    ticket = scene.happen("flooding")
    reply = client.post(f"/api/v1/tickets/{ticket}/actions", {**ACT, "by": "a"}, token=OPERATOR)
    assert reply.status == 200
    assert client.get("/api/v1/tickets", token="not-a-token-of-ours").status == 401
    scoped = Token(token="0123456789abcdef", name="c2", role="operator", grids=("c2",))
    client = serve(tokens=(scoped,))
    assert client.get("/api/v1/tickets", token=scoped.token).json["items"] == []


def test_a_login_tells_nothing_of_who_exists(client: Client) -> None:
    browser = Browser(client)
    took: dict[str, list[float]] = {"chief": [], "nobody": []}
    answers = set()
    for _ in range(3):
        for name, seconds in took.items():
            began = time.perf_counter()
            reply = browser.login(name, "not this one")
            seconds.append(time.perf_counter() - began)
            answers.add((reply.status, reply.body))
    assert len(answers) == 1
    assert answers.pop()[0] == 401
    assert min(took["nobody"]) > 0.5 * min(took["chief"])  # both hash once


def test_a_disabled_account_is_as_unknown(client: Client, scene: Scene, enter: Enter) -> None:
    browser = enter("desk")
    assert browser.get("/api/v1/tickets").status == 200
    chief = enter("chief")
    done = chief.ask("PATCH", "/api/v1/accounts/a-desk", {"disabled": True})
    assert done.json["disabled"] is True
    assert browser.get("/api/v1/tickets").status == 401  # at once
    unknown, disabled = Browser(client).login("nobody"), Browser(client).login("desk")
    assert unknown.body == disabled.body


def test_who_guesses_waits_and_others_do_not(client: Client, scene: Scene) -> None:
    browser = Browser(client)
    for _ in range(throttle.RULES["both"].free):
        assert browser.login("chief", "no").status == 401
    reply = browser.login("chief")  # the right one
    assert (reply.status, reply.json["error"]) == (429, "login_wait")
    assert int(reply.headers["retry-after"]) == reply.json["wait_s"] == 5
    assert "登录失败次数过多" in reply.json["reason"]
    assert browser.login("desk").status == 200
    clock = scene.desk.clock
    assert isinstance(clock, ManualClock)
    clock.advance_to(START + timedelta(seconds=6))
    assert browser.login("chief").status == 200
    assert browser.login("chief", "no").status == 401  # a success starts the count anew


def test_a_name_that_is_not_there_is_throttled_alike(client: Client) -> None:
    browser = Browser(client)
    said = [browser.login("nobody", "no").status for _ in range(6)]
    assert said == [401] * 5 + [429]


def test_waiting_grows_and_has_an_end() -> None:
    keys = throttle.keys("x" * 10_000, "::1")
    assert all(len(key) < 100 for key in keys.values())
    waits = [throttle.wait_s(keys, {keys["both"]: (n, START)}, START) for n in (4, 5, 6, 8, 99)]
    assert waits == [0, 5, 10, 40, 900]
    assert throttle.wait_s(keys, {keys["name"]: (10_000, START)}, START) == 60
    assert throttle.wait_s(keys, {keys["both"]: (5, START)}, START + timedelta(seconds=5)) == 0


def test_a_write_by_cookie_needs_the_sessions_token_and_our_own_page(
    enter: Enter, scene: Scene
) -> None:
    browser, ticket = enter("desk"), scene.happen("flooding")
    path = f"/api/v1/tickets/{ticket}/actions"
    other = enter("chief").cookies["gridsentry-csrf"]
    for wrong in ("", "x", other):
        reply = browser.post(path, ACT, **{"X-CSRF-Token": wrong})
        assert (reply.status, reply.json["error"]) == (403, "csrf")
    for header in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        reply = browser.post(path, ACT, **header)  # even with the right token
        assert (reply.status, reply.json["error"]) == (403, "foreign_origin")
    reply = browser.post("/api/v1/logout", {}, **{"X-CSRF-Token": ""})
    assert reply.json["error"] == "csrf"
    assert scene.desk.commands == []
    assert browser.post(path, ACT).status == 200
    assert browser.get("/api/v1/me").json["csrf"] == browser.cookies["gridsentry-csrf"]


def test_a_foreign_page_logs_nobody_in(client: Client) -> None:
    reply = client.ask(
        "POST", "/api/v1/login", {"name": "chief", "password": PASSWORD},
        headers={"Origin": "https://evil.example"},
    )  # fmt: skip
    assert (reply.status, reply.json["error"]) == (403, "foreign_origin")


def test_an_account_acts_in_its_own_name_or_for_who_telephoned(enter: Enter, scene: Scene) -> None:
    browser = enter("desk")
    names = []
    for said in (None, "the mayor", "worker:w-03", "resident:phone"):
        ticket = scene.happen("flooding")
        body = ACT if said is None else {**ACT, "by": said}
        assert browser.post(f"/api/v1/tickets/{ticket}/actions", body).status == 200
        names.append(scene.desk.commands[-1].by)
    assert names == ["desk", "desk", "worker:w-03", "resident:phone"]
    items = enter("chief").get("/api/v1/audit?action=filed").json["items"]
    assert {item["account"] for item in items} == {"a-desk"}
    assert items[0]["detail"]["by"] == "resident:phone"


def test_every_view_is_noted_with_account_and_address(enter: Enter, scene: Scene) -> None:
    ticket = scene.happen("high_altitude_throw")
    (scene.evidence / "cam-1").mkdir(parents=True)
    (scene.evidence / "cam-1" / "throw.jpg").write_bytes(b"\xff\xd8\xff")
    browser = enter("desk")
    shown = browser.get(f"/api/v1/tickets/{ticket}").json
    browser.get(shown["events"][0]["links"]["still"])
    items = enter("chief").get("/api/v1/accesses?account=a-desk").json["items"]
    assert [(i["what"], i["account"], i["address"]) for i in items] == [
        ("evidence/cam-1/throw.jpg", "a-desk", "127.0.0.1"),
        (f"tickets/{ticket}", "a-desk", "127.0.0.1"),
    ]


def test_an_unused_session_ends_and_every_session_ends_once(enter: Enter, scene: Scene) -> None:
    browser, clock = enter("desk"), scene.desk.clock
    assert isinstance(clock, ManualClock)
    for hours in (11, 22):  # used in between
        clock.advance_to(START + timedelta(hours=hours))
        time.sleep(1.05)  # what is believed of a session for a second
        assert browser.get("/api/v1/tickets").status == 200
    clock.advance_to(START + timedelta(hours=24, seconds=1))
    assert browser.get("/api/v1/tickets").status == 401


def test_an_idle_session_is_over(enter: Enter, scene: Scene) -> None:
    browser, clock = enter("desk"), scene.desk.clock
    assert isinstance(clock, ManualClock)
    clock.advance_to(START + timedelta(hours=12))
    assert browser.get("/api/v1/tickets").status == 401


def test_a_new_password_ends_all_other_sessions(enter: Enter) -> None:
    here, there = enter("desk"), enter("desk")
    path, fresh = "/api/v1/me/password", "seven wet dogs 7"
    assert here.post(path, {"before": "wrong", "password": fresh}).status == 403
    reply = here.post(path, {"before": PASSWORD, "password": "password123"})
    assert (reply.status, reply.json["path"]) == (400, "$.password")
    assert here.post(path, {"before": PASSWORD, "password": PASSWORD}).status == 400
    assert here.post(path, {"before": PASSWORD, "password": fresh}).status == 200
    assert (here.get("/api/v1/tickets").status, there.get("/api/v1/tickets").status) == (200, 401)
    assert enter("desk", fresh).get("/api/v1/me").json["name"] == "desk"


def test_ones_own_sessions_are_listed_and_ended(enter: Enter) -> None:
    here, there, chief = enter("desk"), enter("desk"), enter("chief")
    items = here.get("/api/v1/me/sessions").json["items"]
    assert [item["current"] for item in items].count(True) == 1
    assert "digest" not in items[0]
    mine = chief.get("/api/v1/me/sessions").json["items"][0]["id"]
    assert here.ask("DELETE", f"/api/v1/me/sessions/{mine}").status == 404  # not one's own
    assert chief.get("/api/v1/me").json["name"] == "chief"
    assert here.ask("DELETE", "/api/v1/me/sessions/others").json == {"ended": 1}
    assert there.get("/api/v1/me").json["role"] is None


def test_logging_out_ends_the_session_not_only_the_cookie(enter: Enter) -> None:
    browser = enter("desk")
    reply = browser.post("/api/v1/logout", {})
    assert (reply.status, reply.json) == (200, {"end": None})
    assert browser.get("/api/v1/tickets").status == 401


def test_a_given_password_must_be_changed_before_anything_else(enter: Enter) -> None:
    browser = enter("fresh")
    assert browser.get("/api/v1/tickets").json["error"] == "password_must_change"
    body = {"before": PASSWORD, "password": "seven wet dogs 7"}
    assert browser.post("/api/v1/me/password", body).status == 200
    assert browser.get("/api/v1/tickets").status == 200


@pytest.mark.parametrize(
    ("password", "taken"),
    [
        ("short", False), ("password1234", False), ("1234567890", False), ("aaaaaaaaaaaa", False),
        ("abcdefghijkl", False), ("chief-of-all", False), ("x" * 257, False),
        ("管理员今天下雨了吗好", True), ("four grey geese", True), ("k7dm-qx2p-9abc-h3jk", True),
    ],
)  # fmt: skip
def test_which_passwords_are_taken(password: str, taken: bool) -> None:
    assert (passwords.refusal(password, "chief", 10) is None) == taken


def test_a_password_is_kept_as_owasp_says() -> None:
    kept = passwords.hashed("four grey geese")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.fits(kept, "four grey geese")
    assert passwords.fits(passwords.hashed("Ｆｕｌｌ width 9"), "Full width 9")
    assert not passwords.fits(kept, "four grey goose")
    assert not passwords.fits(None, "")
    assert not passwords.outdated(kept)
    assert passwords.outdated(kept.replace("m=19456", "m=8192"))
    assert passwords.refusal(passwords.made_up(), "chief", 10) is None


def test_an_older_hash_is_renewed_at_login(scene: Scene, serve: Serve) -> None:
    from argon2 import PasswordHasher

    scene.person("old", "operator", password=None)
    assert scene.accounts is not None
    known = scene.accounts._accounts["a-old"]
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    scene.accounts._accounts["a-old"] = type(known)(
        **{n: getattr(known, n) for n in known.__struct_fields__} | {"password": weak}
    )
    assert Browser(serve()).login("old").status == 200
    renewed = scene.accounts._accounts["a-old"].password
    assert renewed is not None and renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


NEW = {"name": "south", "role": "operator", "grids": ["c1"], "display_zh": "南坐席"}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (NEW | {"name": "a"}, "$.name"), (NEW | {"name": "a b"}, "$.name"),
        (NEW | {"grids": ["nowhere"]}, "$.grids"), (NEW | {"role": "king"}, "$.role"),
        (NEW | {"role": "worker"}, "$.worker"), (NEW | {"worker": "w-01"}, "$.worker"),
        (NEW | {"role": "utility", "utility": "nobody"}, "$.utility"),
        (NEW | {"password": "short"}, "$.password"),
        (NEW | {"display_zh": "x" * 65}, "$.display_zh"),
        (NEW | {"disabled": True}, "$"),
    ],
)  # fmt: skip
def test_a_bad_account_is_refused_with_its_place(
    enter: Enter, body: dict[str, Any], path: str
) -> None:
    reply = enter("chief").post("/api/v1/accounts", body)
    assert (reply.status, reply.json["path"]) == (400, path)


def test_an_account_is_made_used_changed_and_reset(enter: Enter) -> None:
    chief = enter("chief")
    made = chief.post("/api/v1/accounts", NEW).json
    assert made["must_change"] and made["areas"] == [{"id": "c1", "name": "流水社区"}]
    again = chief.post("/api/v1/accounts", {**NEW, "name": "SOUTH"})
    assert (again.status, again.json["error"]) == (409, "name_taken")
    south = enter("south", made["password"])
    path = f"/api/v1/accounts/{made['id']}"
    assert "password" not in chief.get(path).json
    assert len(chief.get(path).json["sessions"]) == 1
    chief.ask("PATCH", path, {"display_en": "South"})
    assert south.get("/api/v1/me").json["name"] == "south"  # a name is no right
    chief.ask("PATCH", path, {"role": "head"})
    assert south.get("/api/v1/me").json["role"] is None  # new rights: log in anew
    password = chief.post(f"{path}/reset", {}).json["password"]
    assert enter("south", password).get("/api/v1/me").json["role"] == "head"
    notes = chief.get(f"/api/v1/audit?account={made['id']}").json["items"]
    actions = [note["action"] for note in notes]
    assert actions == ["login", "password_reset", "account_changed", "account_changed", "login",
                       "account_added"]  # fmt: skip
    assert notes[2]["detail"]["role"] == ["operator", "head"]
    assert made["password"] not in json.dumps(notes)


def test_nobody_changes_their_own_rights(enter: Enter) -> None:
    reply = enter("chief").ask("PATCH", "/api/v1/accounts/a-chief", {"disabled": True})
    assert (reply.status, reply.json["error"]) == (403, "yourself")


def test_an_administrator_of_a_part_stays_in_it(scene: Scene, serve: Serve, enter: Enter) -> None:
    scene.person("part", "admin", grids=("c1",))
    part = enter("part")
    names = [a["name"] for a in part.get("/api/v1/accounts").json["items"]]
    assert names == ["part"]
    assert part.get("/api/v1/accounts/a-chief").status == 404
    assert part.post("/api/v1/accounts/a-chief/reset", {}).status == 404
    for grids in ([], ["c0"], ["s1"]):
        reply = part.post("/api/v1/accounts", NEW | {"name": "x1", "grids": grids})
        assert (reply.status, reply.json["error"]) == (403, "out_of_scope")
    assert part.post("/api/v1/accounts", NEW | {"grids": ["g10"]}).status == 201
    assert part.get("/api/v1/audit").status == 403
    assert part.get("/api/v1/accesses").status == 403


def test_beyond_this_machine_needs_a_token_an_account_or_a_provider(scene: Scene) -> None:
    check(CenterSettings(host="0.0.0.0"), accounts=True)
    oidc = OidcSettings(issuer="https://id.cn", client_id="g", default_role="viewer")
    check(CenterSettings(host="0.0.0.0", oidc=oidc, public_url="https://grid.cn"))
    with pytest.raises(Wrong, match="gridsentry accounts add"):
        check(CenterSettings(host="0.0.0.0"))


def test_beyond_this_machine_it_is_never_open(scene: Scene, client: Client) -> None:
    """Even if the last account were gone: open to all is for loopback only."""
    guard = Guard(CenterSettings(host="0.0.0.0"), logins=None)
    assert not guard._loopback
    assert not guard.open_to_all


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"issuer": "http://id.cn"}, "oidc.issuer"), ({"client_id": ""}, "client_id"),
        ({"scopes": ("profile",)}, "scopes"), ({"roles": {"x": "king"}}, "roles.x"),
        ({"default_role": "king"}, "default_role"), ({"default_role": ""}, "oidc.roles"),
    ],
)  # fmt: skip
def test_a_provider_that_cannot_work_is_named(more: dict[str, Any], where: str) -> None:
    good = {"issuer": "https://id.cn", "client_id": "g", "default_role": "viewer"}
    with pytest.raises(Wrong, match=where):
        check(CenterSettings(public_url="https://g.cn", oidc=OidcSettings(**(good | more))))
    with pytest.raises(Wrong, match="public_url"):
        check(CenterSettings(oidc=OidcSettings(**good)))  # type: ignore[arg-type]


def test_behind_our_own_proxy_the_address_is_the_callers(scene: Scene, serve: Serve) -> None:
    scene.person("chief", "admin")
    client = serve(trusted_proxies=("127.0.0.0/8", "10.0.0.0/8"))
    said = {"X-Forwarded-For": "1.2.3.4, 203.0.113.9, 10.0.0.3"}  # the first is made up
    for _ in range(6):
        client.ask("POST", "/api/v1/login", {"name": "x", "password": "y"}, headers=said)
    assert scene.accounts is not None
    assert {n.address for n in scene.accounts._notes if n.action == "login_failed"} == {
        "203.0.113.9"
    }
    untrusting = serve()
    untrusting.ask("POST", "/api/v1/login", {"name": "z", "password": "y"}, headers=said)
    assert scene.accounts._notes[-1].address == "127.0.0.1"


def test_with_https_cookies_never_travel_otherwise(scene: Scene) -> None:
    scene.person("chief", "admin")
    settings = CenterSettings(port=0, public_url="https://grid.example.cn")
    server = CenterServer(lambda: scene.app(settings), settings)
    server.start()
    try:
        reply = Client(server).post("/api/v1/login", {"name": "chief", "password": PASSWORD})
        cookie = reply.headers["set-cookie"]
        assert cookie.startswith("__Host-gridsentry") and "Secure" in cookie
    finally:
        server.stop(2.0)
