"""Making and changing accounts, each change with its entry in the audit log."""

from __future__ import annotations

import re
import secrets
from typing import Any

import msgspec

from center.accounts import passwords
from center.accounts.login import Logins, clean_name
from center.guard import ROLES, Caller
from center.problems import Problem
from center.settings import Role
from contracts.accounts import Account, Note
from contracts.city import City
from contracts.errors import Refused

NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
DISPLAY_MOST = 64
GRIDS_MOST = 200


class NewAccount(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """An account to be made."""

    name: str
    """What they log in with: 2 to 64 of `a-z 0-9 . _ @ -`."""
    role: Role
    display_zh: str = ""
    display_en: str = ""
    grids: tuple[str, ...] = ()
    """The parts of the grid tree it is good for; empty: everywhere."""
    worker: str | None = None
    """With the role `worker`: whose tickets."""
    utility: str | None = None
    """With the role `utility`: whose tickets."""
    originals: bool = False
    password: str | None = None
    """Without one, one is made up and told once. Either way it must be changed at the first
    login."""


class Changes(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What of an account is to be different; what is left out stays."""

    role: Role | msgspec.UnsetType = msgspec.UNSET
    display_zh: str | msgspec.UnsetType = msgspec.UNSET
    display_en: str | msgspec.UnsetType = msgspec.UNSET
    grids: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    worker: str | msgspec.UnsetType | None = msgspec.UNSET
    utility: str | msgspec.UnsetType | None = msgspec.UNSET
    originals: bool | msgspec.UnsetType = msgspec.UNSET
    disabled: bool | msgspec.UnsetType = msgspec.UNSET


class Book:
    """Accounts of one city, changed by one caller."""

    def __init__(self, logins: Logins, city: City, caller: Caller, address: str) -> None:
        self._logins = logins
        self._city = city
        self._caller = caller
        self._address = address

    async def add(self, new: NewAccount, *, must_change: bool = True) -> tuple[Account, str | None]:
        """A new one and, where it was made up, its password. Raises Problem 400, 403, 409."""
        name = clean_name(new.name)
        if not NAME.fullmatch(name):
            raise Problem(
                400, "bad_value",
                "a name has 2 to 64 of a-z 0-9 . _ @ - / 账号名为 2 至 64 位字母、数字或 . _ @ -",
                path="$.name",
            )  # fmt: skip
        made = passwords.made_up() if new.password is None else None
        if new.password is not None:
            self._logins.check_new(new.password, name)
        now = self._logins.clock.now()
        account = Account(
            id=f"a-{secrets.token_hex(8)}", name=name, role=new.role,
            display_zh=new.display_zh.strip(), display_en=new.display_en.strip(),
            grids=tuple(dict.fromkeys(new.grids)), worker=new.worker, utility=new.utility,
            originals=new.originals, must_change=must_change,
            password=await self._logins.hashing.hashed(made or new.password or ""),
            created_at=now, changed_at=now,
        )  # fmt: skip
        self._check(account)
        try:
            await self._logins.store.add_account(
                account, self._note("account_added", account, _told(account))
            )
        except Refused as error:
            raise Problem(409, "name_taken", str(error), path="$.name") from error
        self._logins.sessions.forget()
        return account, made

    async def change(self, account: Account, changes: Changes) -> Account:
        """The account as it is now. Who is disabled, or may something else, logs in anew: all
        their sessions are over. Raises Problem 400, 403."""
        self._mine(account)
        given = {
            name: value
            for name in changes.__struct_fields__
            if (value := getattr(changes, name)) is not msgspec.UNSET
            and value != getattr(account, name)
        }
        if not given:
            return account
        if "grids" in given:
            given["grids"] = tuple(dict.fromkeys(given["grids"]))
        if account.id == self._caller.account and given.keys() - {"display_zh", "display_en"}:
            raise Problem(
                403, "yourself",
                "somebody else must change your own rights "
                "/ 不能修改自己的权限，请由其他管理员操作",
            )  # fmt: skip
        rights = given.keys() - {"display_zh", "display_en"}
        changed = msgspec.structs.replace(account, **given, changed_at=self._logins.clock.now())
        self._check(changed)
        action = "account_changed"
        if "disabled" in given:
            action = "account_disabled" if changed.disabled else "account_enabled"
        detail = {name: [_plain(getattr(account, name)), _plain(value)]
                  for name, value in given.items()}  # fmt: skip
        note = self._note(action, account, detail)
        await self._logins.store.change_account(changed, note, end_sessions=bool(rights))
        self._logins.sessions.forget()
        return changed

    async def reset(self, account: Account, password: str | None = None) -> str:
        """A made-up password that must be changed, or this one, which was chosen by who will use
        it; all sessions are over. Told once."""
        self._mine(account)
        if account.subject is not None:
            raise Problem(
                409, "no_password", "this account logs in at the provider "
                "/ 该账号通过统一身份认证登录，无本地密码",
            )  # fmt: skip
        made = passwords.made_up() if password is None else password
        changed = msgspec.structs.replace(
            account, password=await self._logins.hashing.hashed(made), must_change=password is None,
            changed_at=self._logins.clock.now(),
        )  # fmt: skip
        note = self._note("password_reset", account, {})
        await self._logins.store.change_account(changed, note, end_sessions=True)
        self._logins.sessions.forget()
        return made

    async def end_sessions(self, account: Account, only: str | None) -> int:
        """End all sessions of an account, or that one; how many there were."""
        self._mine(account)
        note = self._note("sessions_ended", account, {"only": only})
        ended = await self._logins.store.end_sessions(account.id, note, only=only)
        self._logins.sessions.forget()
        return ended

    def sees(self, account: Account) -> bool:
        """Whether this account lies in the caller's part of the city."""
        mine = self._caller.grids
        return mine is None or (bool(account.grids) and mine.issuperset(account.grids))

    def _mine(self, account: Account) -> None:
        if not self.sees(account):
            raise Problem(404, "not_found", f"there is no account {account.id!r}")

    def _check(self, account: Account) -> None:
        city = self._city
        if account.role not in ROLES:
            raise Problem(400, "bad_value", f"allowed: {', '.join(ROLES)}", path="$.role")
        for name in ("display_zh", "display_en"):
            value = getattr(account, name)
            if len(value) > DISPLAY_MOST or not (value.isprintable() or not value):
                raise Problem(
                    400, "bad_value", f"at most {DISPLAY_MOST} printable characters",
                    path=f"$.{name}",
                )  # fmt: skip
        known = {grid.id for grid in city.grids}
        if len(account.grids) > GRIDS_MOST or (odd := [g for g in account.grids if g not in known]):
            told = odd[0][:64] if len(account.grids) <= GRIDS_MOST else f"over {GRIDS_MOST}"
            raise Problem(
                400, "no_such_grid", f"{told!r} is no grid of this city / 没有此网格",
                path="$.grids",
            )  # fmt: skip
        for role, what, ids in (
            ("worker", account.worker, city.workers),
            ("utility", account.utility, city.utilities),
        ):
            if account.role == role and what not in ids:
                raise Problem(
                    400, f"no_such_{role}",
                    f"the role {role} needs the id of a {role} of this city"
                    f" / 请填写本市{'网格员' if role == 'worker' else '责任单位'}编号",
                    path=f"$.{role}",
                )  # fmt: skip
            if account.role != role and what is not None:
                raise Problem(
                    400, "bad_value", f"only with the role {role} / 仅限对应角色", path=f"$.{role}"
                )
        if not self.sees(account):
            raise Problem(
                403, "out_of_scope",
                "name grids within your own part of the city / 请选择您辖区内的网格",
                path="$.grids",
            )  # fmt: skip

    def _note(self, action: str, account: Account, detail: dict[str, Any]) -> Note:
        return Note(
            at=self._logins.clock.now(), who=self._caller.name, account=self._caller.account,
            address=self._address, action=action, subject=f"accounts/{account.id}",
            detail={"name": account.name, **detail},
        )  # fmt: skip


def _told(account: Account) -> dict[str, Any]:
    names = ("role", "display_zh", "display_en", "grids", "worker", "utility", "originals")
    return {name: value for name in names if (value := _plain(getattr(account, name)))}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
