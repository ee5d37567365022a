"""Signed webhooks: the CloudEvent itself, structured JSON, signed as Standard Webhooks does.

`webhook-id` is the idempotency key, `webhook-timestamp` seconds since 1970, `webhook-signature`
`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`
(github.com/standard-webhooks/standard-webhooks, specification 1.0).
"""

from __future__ import annotations

import base64
import hashlib
import hmac

import aiohttp

from contracts.errors import Permanent, Temporary

TYPE = "application/cloudevents+json; charset=utf-8"
TRY_AGAIN = frozenset({408, 423, 425, 429})
"""Answers below 500 that say "not now" rather than "never"."""
SAID = 200
"""Characters of the answer that are told."""


def signature(secret: str, key: str, seconds: int, body: bytes) -> str:
    """The value of `webhook-signature`."""
    told = f"{key}.{seconds}.".encode() + body
    mac = hmac.new(secret.encode(), told, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}"


async def post(
    session: aiohttp.ClientSession,
    url: str,
    *,
    secret: str,
    key: str,
    seconds: int,
    body: bytes,
    timeout_s: float,
) -> None:
    """Deliver one event. Raises Temporary when it should be tried again, Permanent when never."""
    headers = {"Content-Type": TYPE, "webhook-id": key, "webhook-timestamp": str(seconds)}
    if secret:
        headers["webhook-signature"] = signature(secret, key, seconds, body)
    try:
        async with session.post(
            url,
            data=body,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            allow_redirects=False,  # a redirect could carry it to a host nobody configured
        ) as answer:
            status = answer.status
            said = (await answer.content.read(SAID)).decode("utf-8", "replace").strip()
    except TimeoutError as error:
        raise Temporary(f"no answer within {timeout_s:g} s") from error
    except aiohttp.InvalidURL as error:
        raise Permanent("bad_url", "its address is none") from error
    except (aiohttp.ClientError, OSError) as error:
        raise Temporary(_without(str(error) or type(error).__name__, url)) from error
    if 200 <= status < 300:
        return
    reason = f"HTTP {status}" + (f": {said}" if said else "")
    if status >= 500 or status in TRY_AGAIN:
        raise Temporary(reason)
    raise Permanent("refused", reason)


def _without(text: str, url: str) -> str:
    """The error's text without the address, which may hold a secret."""
    return text.replace(url, "its address")
