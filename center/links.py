"""Signed evidence links: whoever holds one may look at that one file until it expires."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import secrets
from urllib.parse import quote

from contracts.clock import Clock, epoch_ms

STEP_S = 900
"""Expiry moments are rounded up to this, so that a link repeated within it is the same text and
the browser's copy of the picture is used."""


class Signer:
    """Makes and checks `/evidence/{path}?exp=…&sig=…`; HMAC-SHA256 over path and expiry."""

    def __init__(self, secret: str, valid_s: float, clock: Clock, public_url: str = "") -> None:
        self._key = secret.encode() or secrets.token_bytes(32)
        self._valid_s = valid_s
        self._clock = clock
        self._public_url = public_url

    def sign(self, path: str, *, absolute: bool = False) -> str:
        """The link to the evidence file at `path` (relative to the evidence folder, `/` between).

        With `absolute` it begins with the configured public URL, when there is one.
        """
        ends = epoch_ms(self._clock.now()) / 1000 + self._valid_s
        exp = math.ceil(ends / STEP_S) * STEP_S
        base = self._public_url if absolute else ""
        return f"{base}/evidence/{quote(path, safe='/')}?exp={exp}&sig={self._mac(path, exp)}"

    def valid(self, path: str, exp: str, sig: str) -> bool:
        """Whether this signature is ours for this path and its time has not passed."""
        if not (exp.isascii() and exp.isdigit() and len(exp) <= 12):
            return False
        good = hmac.compare_digest(self._mac(path, int(exp)).encode(), sig.encode())
        return good and int(exp) * 1000 > epoch_ms(self._clock.now())

    def _mac(self, path: str, exp: int) -> str:
        mac = hmac.new(self._key, f"{path}\n{exp}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
