"""Logging in and out, and one's own password. What is said never tells whether a name exists."""

from __future__ import annotations

import math
import unicodedata

import msgspec

from center.accounts import passwords, throttle
from center.accounts.oidc import Provider
from center.accounts.sessions import Sessions
from center.accounts.settings import AccountSettings
from center.problems import Problem
from contracts.accounts import Account, AccountStore, Note, Session
from contracts.clock import Clock

NAME_MOST = 64


class Logins:
    """Accounts of one center. Used from one event loop."""

    def __init__(
        self,
        store: AccountStore,
        settings: AccountSettings,
        clock: Clock,
        *,
        secure: bool,
        provider: Provider | None = None,
    ) -> None:
        """`secure`: the center is reached by https, so cookies never travel otherwise."""
        self.store = store
        self.settings = settings
        self.clock = clock
        self.sessions = Sessions(store, settings, clock, secure=secure)
        self.hashing = passwords.Hashing()
        self.provider = provider

    async def by_password(
        self, name: str, password: str, address: str, agent: str
    ) -> tuple[str, Session, Account]:
        """Log somebody in: the cookie's secret, the session, the account.

        Raises Problem 401 `login_failed` when name and password do not belong together (or the
        account is disabled), 429 `login_wait` after too many of that; Refused when too many wait.
        """
        name = clean_name(name)
        keys = throttle.keys(name, address)
        now = self.clock.now()
        wait = throttle.wait_s(keys, await self.store.failures(list(keys.values())), now)
        if wait > 0:
            shown = math.ceil(wait)
            raise Problem(
                429, "login_wait",
                f"too many failed logins; try again in {shown} s / 登录失败次数过多，"
                f"请在 {shown} 秒后重试",
                headers={"Retry-After": str(shown)}, wait_s=shown,
            )  # fmt: skip
        # Counted before it is looked at: of many tries at once each is one.
        await self.store.note_failure(list(keys.values()), now)
        account = await self.store.account_named(name)
        kept = None if account is None or account.disabled else account.password
        if len(password) > passwords.MOST:
            password = ""
        right = await self.hashing.fits(kept, password)
        if account is None or not right or kept is None:
            await self._failed(name, account, address)
            raise Problem(
                401, "login_failed",
                "the name or the password is not right / 账号或密码不正确",
            )  # fmt: skip
        await self.store.forgive([keys["both"], keys["name"]])
        if passwords.outdated(kept):
            await self.store.rehash(account.id, kept, await self.hashing.hashed(password))
        token, session = await self.sessions.begin(account, "password", address, agent)
        return token, session, account

    async def change_own(
        self, account: Account, session: str, before: str, password: str, address: str
    ) -> None:
        """A new password of one's own; all other sessions are over.

        Raises Problem 400 when it is not taken, 403 when `before` is wrong, 409 without one.
        """
        if account.password is None:
            raise Problem(
                409, "no_password",
                "this account logs in elsewhere; change the password there "
                "/ 该账号通过统一身份认证登录，请到认证平台修改密码",
            )  # fmt: skip
        keys = list(throttle.keys(account.name, address).values())[:1]
        now = self.clock.now()
        wait = throttle.wait_s({"both": keys[0]}, await self.store.failures(keys), now)
        if wait > 0:
            raise Problem(
                429, "login_wait", f"try again in {math.ceil(wait)} s / 请稍后再试",
                headers={"Retry-After": str(math.ceil(wait))},
            )  # fmt: skip
        if not await self.hashing.fits(account.password, before[: passwords.MOST]):
            await self.store.note_failure(keys, now)
            raise Problem(
                403, "wrong_password", "the current password is not right / 当前密码不正确",
                path="$.before",
            )  # fmt: skip
        self.check_new(password, account.name)
        if password == before:
            raise Problem(
                400, "bad_password", "that is the password you have / 新密码不能与当前密码相同",
                path="$.password",
            )  # fmt: skip
        changed = msgspec.structs.replace(
            account, password=await self.hashing.hashed(password), must_change=False,
            changed_at=now,
        )  # fmt: skip
        note = Note(
            at=now, who=account.name, account=account.id, address=address,
            action="password_changed", subject=f"accounts/{account.id}",
        )  # fmt: skip
        await self.store.change_account(changed, note, end_sessions=True, but=session)
        await self.store.forgive(keys)
        self.sessions.forget()

    def check_new(self, password: str, name: str) -> None:
        """Raises Problem 400 with what is wrong about a new password."""
        why = passwords.refusal(password, name, self.settings.password_least)
        if why is not None:
            raise Problem(400, "bad_password", why, path="$.password")

    async def _failed(self, name: str, account: Account | None, address: str) -> None:
        note = Note(
            at=self.clock.now(), who=name, account=None if account is None else account.id,
            address=address, action="login_failed",
            subject="" if account is None else f"accounts/{account.id}",
        )  # fmt: skip
        await self.store.note(note)


def clean_name(name: str) -> str:
    """A name as it is kept: NFKC, lower case, without spaces around; cut where it is no name."""
    return unicodedata.normalize("NFKC", name).strip().lower()[:NAME_MOST]
