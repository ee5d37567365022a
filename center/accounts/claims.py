"""What a provider's claims make of somebody here: an account, its role and its part of the city."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from typing import Any

import msgspec

from center.accounts.login import clean_name
from center.accounts.oidc import Entered, claim
from center.accounts.settings import OidcSettings
from center.guard import MAY
from contracts.accounts import Account, AccountStore, Note
from contracts.city import City
from contracts.clock import Clock
from contracts.errors import Permanent

_ODD = re.compile(r"[^a-z0-9._@-]+")


class Mapped(msgspec.Struct, frozen=True):
    """What the claims say."""

    name: str
    display: str
    role: str
    grids: tuple[str, ...]
    worker: str | None
    utility: str | None


def mapped(entered: Entered, settings: OidcSettings, city: City) -> Mapped:
    """Role and part of the city. Raises Permanent `oidc_role`, `oidc_scope` where the claims give
    none: nobody gets in by what is missing."""
    claims = entered.claims
    given = _texts(claim(claims, settings.role_claim))
    roles = [settings.roles[value] for value in given if value in settings.roles]
    if not roles and settings.default_role:
        roles = [settings.default_role]
    if not roles:
        raise Permanent("oidc_role", f"none of {', '.join(given) or 'no groups'} has a role here")
    by_weight = {role: len(may) for role, may in MAY.items()}
    role = max(roles, key=lambda r: by_weight.get(r, 0))  # type: ignore[call-overload]
    grids: tuple[str, ...] = ()
    if settings.grids_claim:
        known = {grid.id for grid in city.grids}
        grids = tuple(g for g in _texts(claim(claims, settings.grids_claim)) if g in known)
        if not grids:
            raise Permanent("oidc_scope", f"{settings.grids_claim} names no grid of this city")
    worker = _one(claims, settings.worker_claim if role == "worker" else "")
    utility = _one(claims, settings.utility_claim if role == "utility" else "")
    if role == "worker" and worker not in city.workers:
        raise Permanent("oidc_scope", f"{worker!r} is no worker of this city")
    if role == "utility" and utility not in city.utilities:
        raise Permanent("oidc_scope", f"{utility!r} is no utility of this city")
    name = _one(claims, settings.name_claim) or str(claims["sub"])
    display = _one(claims, settings.display_claim) or ""
    return Mapped(_named(name), display[:64], role, grids, worker, utility)


async def account_for(
    entered: Entered, said: Mapped, store: AccountStore, clock: Clock, address: str
) -> Account:
    """The account of whoever entered: made at the first time, brought up to date at each. A name
    that is taken here is not theirs: only the subject tells who somebody is.

    Raises Permanent `oidc_disabled`.
    """
    now = clock.now()
    known = await store.account_of(entered.subject)
    if known is None:
        account = Account(
            id=f"a-{secrets.token_hex(8)}", name=said.name, role=said.role,
            display_zh=said.display, display_en=said.display, grids=said.grids,
            worker=said.worker, utility=said.utility, subject=entered.subject, created_at=now,
            changed_at=now,
        )  # fmt: skip
        if await store.account_named(account.name) is not None:
            tail = hashlib.sha256(entered.subject.encode()).hexdigest()[:8]
            account = msgspec.structs.replace(account, name=f"{said.name[:50]}.{tail}")
        await store.add_account(account, _note("account_added", account, clock, address))
        return account
    if known.disabled:
        raise Permanent("oidc_disabled", f"the account {known.name} is disabled")
    account = msgspec.structs.replace(
        known, role=said.role, display_zh=said.display, display_en=said.display,
        grids=said.grids, worker=said.worker, utility=said.utility, must_change=False,
    )  # fmt: skip
    if account != known:
        account = msgspec.structs.replace(account, changed_at=now)
        note = _note("account_changed", account, clock, address)
        await store.change_account(account, note, end_sessions=False)
    return account


def _note(action: str, account: Account, clock: Clock, address: str) -> Note:
    detail = {"by": "oidc", "role": account.role, "grids": list(account.grids),
              "worker": account.worker, "utility": account.utility}  # fmt: skip
    return Note(
        at=clock.now(), who=account.name, account=account.id, address=address, action=action,
        subject=f"accounts/{account.id}", detail=detail,
    )  # fmt: skip


def _named(name: str) -> str:
    return _ODD.sub("-", clean_name(name)).strip("-.") or "somebody"


def _texts(value: Any) -> Sequence[str]:
    if isinstance(value, str):
        return tuple(value.replace(",", " ").split())
    if isinstance(value, list | tuple):
        return tuple(str(one) for one in value if isinstance(one, str | int))
    return ()


def _one(claims: dict[str, Any], name: str) -> str | None:
    value = claim(claims, name) if name else None
    return value if isinstance(value, str) and value else None
