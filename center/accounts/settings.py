"""What can be set about accounts: passwords, sessions, and an OpenID provider."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

import msgspec

from contracts.errors import Wrong


class AccountSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Passwords and sessions."""

    password_least: int = 10
    """Characters that a password needs at least (8 to 64)."""
    session_idle_s: float = 43_200.0
    """A session that is not used for so long is over, seconds. An open live stream is use: who
    watches a desk does not click."""
    session_s: float = 86_400.0
    """Whatever happens, a session is over after so long, seconds."""
    long_session_s: float = 2_592_000.0
    """Both of the roles `viewer` and `worker` (screens on a wall, phones), seconds."""
    open_reads: bool = False
    """With accounts: whether those without one still see the case work without personal data, as
    with tokens only."""


class OidcSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Login by an OpenID Connect provider (authorization code with PKCE)."""

    issuer: str
    """Its issuer URL; `/.well-known/openid-configuration` below it is read."""
    client_id: str
    """What this center is called there."""
    client_secret: str = ""
    """Its secret there; empty for a public client."""
    scopes: tuple[str, ...] = ("openid", "profile")
    """Asked for; `openid` must be among them."""
    label_zh: str = "统一身份认证登录"
    """What stands on the login page's button, Chinese."""
    label_en: str = "Sign in with your organisation"
    """The same, English."""
    name_claim: str = "preferred_username"
    """The claim that becomes the account's name; `sub` where it is missing."""
    display_claim: str = "name"
    """The claim that people are called by."""
    role_claim: str = "roles"
    """The claim (dots lead into objects: `realm_access.roles`) with a text or a list of them."""
    roles: dict[str, str] = {}
    """What stands in `role_claim` → the role here. Of several the one that may most."""
    default_role: str = ""
    """The role of those whom `roles` says nothing of; empty: they do not get in."""
    grids_claim: str = ""
    """The claim with the ids of the grids that somebody is good for; empty: everywhere. Who lacks
    it does not get in."""
    worker_claim: str = ""
    """The claim with the id in workers.csv, for the role `worker`."""
    utility_claim: str = ""
    """The claim with the id in utilities.csv, for the role `utility`."""
    logout: bool = True
    """Logging out here ends the session at the provider, too, where it offers that."""
    timeout_s: float = 10.0
    """How long the provider may take to answer, seconds."""


def check_accounts(
    accounts: AccountSettings, oidc: OidcSettings | None, public_url: str, roles: Collection[str]
) -> None:
    """Raises Wrong on what cannot work or is unsafe."""
    if not 8 <= accounts.password_least <= 64:
        raise Wrong("center.accounts.password_least", str(accounts.password_least), "8 to 64")
    for name in ("session_idle_s", "session_s", "long_session_s"):
        if getattr(accounts, name) <= 0:
            raise Wrong(
                f"center.accounts.{name}", str(getattr(accounts, name)), "a positive number"
            )
    if oidc is None:
        return
    local = oidc.issuer.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]"))
    if not (oidc.issuer.startswith("https://") or local):
        raise Wrong("center.oidc.issuer", repr(oidc.issuer), "https:// (http only on this machine)")
    if not oidc.client_id:
        raise Wrong("center.oidc.client_id", "empty", "what this center is called there")
    if "openid" not in oidc.scopes:
        raise Wrong("center.oidc.scopes", ", ".join(oidc.scopes), "`openid` among them")
    if not public_url:
        raise Wrong(
            "center.public_url", "empty", "the address that the provider sends people back to"
        )
    for value, role in oidc.roles.items():
        if role not in roles:
            raise Wrong(f"center.oidc.roles.{value}", repr(role), ", ".join(roles))
    if oidc.default_role and oidc.default_role not in roles:
        raise Wrong("center.oidc.default_role", repr(oidc.default_role), ", ".join(roles))
    if not oidc.roles and not oidc.default_role:
        raise Wrong("center.oidc.roles", "empty", "at least one, or center.oidc.default_role")


def check_proxies(proxies: tuple[str, ...]) -> None:
    """Raises Wrong on what is no address or network."""
    for number, text in enumerate(proxies):
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise Wrong(
                f"center.trusted_proxies[{number}]", repr(text), "such as 10.0.0.5 or 10.0.0.0/24"
            ) from None
