"""An OpenID Connect provider: authorization code with PKCE, id token checked against its keys.

OpenID Connect Core 1.0 (3.1), Discovery 1.0, RP-Initiated Logout 1.0; RFC 7636 (PKCE, S256); RFC
9700 for what a client owes (state, nonce, exact redirect URI, no code reuse: the provider's).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

import aiohttp
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from center.accounts.settings import OidcSettings
from contracts.clock import Clock, monotonic
from contracts.errors import Permanent, Temporary

ALGORITHMS: Final = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
]
"""Signatures only: `none` and shared secrets are not believed."""
LEEWAY_S: Final = 60
"""How far the provider's clock may be off."""
FRESH_S: Final = 3_600.0
"""Its document and keys are read anew after so long; keys at once when one is unknown."""
AGAIN_S: Final = 10.0
"""… but not oftener than this."""
STARTED_S: Final = 600
"""How long somebody may take at the provider."""
MOST_BYTES: Final = 1_048_576


class Started(msgspec.Struct, frozen=True):
    """What the browser keeps while it is at the provider."""

    state: str
    nonce: str
    verifier: str
    next: str


class Entered(msgspec.Struct, frozen=True):
    """Who came back, as the provider says."""

    subject: str
    claims: dict[str, Any]
    id_token: str


class Provider:
    """One provider. Used from one event loop."""

    def __init__(self, settings: OidcSettings, public_url: str, clock: Clock) -> None:
        self.settings = settings
        self.redirect_uri = f"{public_url}/login/oidc/callback"
        self._home = f"{public_url}/login"
        self._clock = clock
        self._document: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def begin(self, next_: str) -> tuple[str, Started]:
        """Where to send the browser, and what it keeps. Raises Temporary, Permanent."""
        document = await self._read_document()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        started = Started(state, nonce, verifier, next_)
        challenge = hashlib.sha256(started.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(self.settings.scopes),
            "state": started.state,
            "nonce": started.nonce,
            "code_challenge": _b64(challenge),
            "code_challenge_method": "S256",
        }
        url = document["authorization_endpoint"]
        return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}", started

    async def enter(self, started: Started, state: str, code: str) -> Entered:
        """Change the code for who it is.

        Raises Permanent `oidc_state` for an answer to another question, `oidc_refused` or
        `oidc_token` for one that cannot be believed; Temporary when the provider is away.
        """
        if not hmac.compare_digest(started.state.encode(), state.encode("utf-8", "replace")):
            raise Permanent("oidc_state", "this is no answer to a login that began in this browser")
        document = await self._read_document()
        given = self.settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "client_id": given.client_id,
            "code_verifier": started.verifier,
        }
        headers = {}
        if given.client_secret:  # RFC 6749 2.3.1: each encoded as in a form, then as Basic
            pair = f"{quote_plus(given.client_id)}:{quote_plus(given.client_secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        endpoint = document["token_endpoint"]
        status, answer = await self._call("POST", endpoint, data=form, headers=headers)
        if status != 200 or not isinstance(answer.get("id_token"), str):
            told = f"{answer.get('error', status)}: {answer.get('error_description', '')}"[:200]
            raise Permanent("oidc_refused", f"the provider does not take the code ({told})")
        token = answer["id_token"]
        claims = await self._believed(token, started.nonce)
        access = answer.get("access_token")
        if isinstance(access, str) and "userinfo_endpoint" in document and self._lacks(claims):
            more = await self._userinfo(document["userinfo_endpoint"], access)
            if more.get("sub") == claims["sub"]:
                claims = {**more, **claims}
        return Entered(f"{given.issuer} {claims['sub']}", claims, token)

    async def leave(self, id_token: str | None) -> str | None:
        """Where the browser goes to end the provider's session; None where it offers none."""
        if not self.settings.logout or id_token is None:
            return None
        try:
            document = await self._read_document()
        except (Temporary, Permanent):
            return None  # here they are logged out; there they are when that session ends
        url = document.get("end_session_endpoint")
        if not isinstance(url, str):
            return None
        asked = {"id_token_hint": id_token, "client_id": self.settings.client_id,
                 "post_logout_redirect_uri": self._home}  # fmt: skip
        return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}"

    async def _believed(self, token: str, nonce: str) -> dict[str, Any]:
        try:
            decoded = await self._decoded(token)
        except (JoseError, ValueError) as error:
            raise Permanent("oidc_token", f"the id token is not believed: {error}") from error
        claims: dict[str, Any] = dict(decoded.claims)
        now = self._clock.now().timestamp()
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        ours = self.settings.client_id
        expires, issued = claims.get("exp"), claims.get("iat")
        if claims.get("iss") != self.settings.issuer:
            wrong = "another issuer"
        elif ours not in audiences or (len(audiences) > 1 and claims.get("azp") != ours):
            wrong = "another client's"
        elif not isinstance(expires, int | float) or expires < now - LEEWAY_S:
            wrong = "expired"
        elif not isinstance(issued, int | float) or issued > now + LEEWAY_S:
            wrong = "from the future"
        elif not hmac.compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):
            wrong = "of another login"
        elif not isinstance(claims.get("sub"), str) or not claims["sub"]:
            wrong = "of nobody"
        else:
            return claims
        raise Permanent("oidc_token", f"the id token is not believed: {wrong}")

    async def _decoded(self, token: str) -> jwt.Token:
        keys = await self._read_keys(FRESH_S)
        try:
            return jwt.decode(token, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            # A key that was changed since: read them anew, once, and not for every bad token.
            return jwt.decode(token, await self._read_keys(AGAIN_S), algorithms=ALGORITHMS)

    def _lacks(self, claims: dict[str, Any]) -> bool:
        given = self.settings
        wanted = (given.role_claim, given.grids_claim, given.worker_claim, given.utility_claim,
                  given.name_claim, given.display_claim)  # fmt: skip
        return any(name and claim(claims, name) is None for name in wanted)

    async def _userinfo(self, url: str, access: str) -> dict[str, Any]:
        status, answer = await self._call("GET", url, headers={"Authorization": f"Bearer {access}"})
        if status != 200:
            raise Permanent("oidc_refused", f"the provider's userinfo answers {status}")
        return answer

    async def _read_document(self) -> dict[str, Any]:
        if self._document is not None and monotonic() - self._document[0] < FRESH_S:
            return self._document[1]
        issuer = self.settings.issuer
        url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        status, document = await self._call("GET", url)
        if status != 200:
            raise Temporary(f"the login provider answers {status} at {url}")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if document.get("issuer") != issuer or not all(
            isinstance(document.get(name), str) for name in needed
        ):
            raise Permanent("oidc_provider", f"{url} is not the document of {issuer}")
        self._document = (monotonic(), document)
        return document

    async def _read_keys(self, fresh_s: float) -> KeySet:
        if self._keys is not None and monotonic() - self._keys[0] < fresh_s:
            return self._keys[1]
        document = await self._read_document()
        status, answer = await self._call("GET", document["jwks_uri"])
        if status != 200:
            raise Temporary(f"the login provider answers {status} for its keys")
        signing = [k for k in answer.get("keys", ()) if k.get("use", "sig") == "sig"]
        keys = KeySet.import_key_set({"keys": signing})
        self._keys = (monotonic(), keys)
        return keys

    async def _call(self, method: str, url: str, **more: Any) -> tuple[int, dict[str, Any]]:
        limit = aiohttp.ClientTimeout(total=self.settings.timeout_s)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.request(method, url, allow_redirects=False, **more) as response,
            ):
                body = await response.content.read(MOST_BYTES)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            told = str(error) or type(error).__name__
            raise Temporary(f"the login provider cannot be reached: {told}") from error
        try:
            answer = msgspec.json.decode(body or b"{}", type=dict[str, Any])
        except msgspec.MsgspecError as error:
            if response.status == 200:
                raise Permanent("oidc_provider", f"{url} does not answer with JSON") from error
            answer = {}
        return response.status, answer


def claim(claims: dict[str, Any], path: str) -> Any:
    """A claim; dots lead into objects unless it is named so itself."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
