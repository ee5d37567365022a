"""Links by which whoever reported follows what becomes of it: no account, nothing stored.

A link names the place, the event that the report became, and its photograph, under a MAC. Nobody
finds one by guessing, and what it opens holds no personal data; it ends by itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime, timedelta

import msgspec

from contracts.clock import EPOCH

VALID = timedelta(days=180)
"""As long as the longest case may rest (挂账)."""
_LINK = re.compile(
    r"([0-9A-Z]{12})~([0-9a-f]{20})~([0-9]{1,15})~((?:[0-9a-f]{64})?)~([A-Za-z0-9_-]{22})"
)


class Follow(msgspec.Struct, frozen=True, kw_only=True):
    """What a link says."""

    code: str
    """Of the place."""
    event: str
    at: datetime
    """When it was reported (UTC, whole milliseconds)."""
    photo: str = ""
    """SHA-256 of the photograph that came with it, hexadecimal; empty: none did."""

    @property
    def resident(self) -> str:
        """Who acts by this link, as the loop has it: nobody's name."""
        return f"resident:{self.event[2:10]}"


class Follows:
    """Makes and reads links."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"follow\n" + secret.encode()).digest()

    def make(self, follow: Follow) -> str:
        """The link's own text."""
        ms = (follow.at - EPOCH) // timedelta(milliseconds=1)
        told = f"{follow.code}~{follow.event[2:]}~{ms}~{follow.photo}"
        return f"{told}~{self._mac(told)}"

    def read(self, text: str, now: datetime) -> Follow | None:
        """What it says; None when it is not ours or its time has passed."""
        found = _LINK.fullmatch(text)
        if found is None:
            return None
        told, _, mac = text.rpartition("~")
        if not hmac.compare_digest(self._mac(told).encode(), mac.encode()):
            return None
        code, event, ms, photo, _ = found.groups()
        at = EPOCH + timedelta(milliseconds=int(ms))
        if now - at > VALID:
            return None
        return Follow(code=code, event=f"e-{event}", at=at, photo=photo)

    def _mac(self, told: str) -> str:
        mac = hmac.new(self._key, told.encode(), hashlib.sha256).digest()[:16]
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")
