"""Signed links for a utility's dispatcher: one ticket, no account, until it expires.

Whoever holds the link may see that ticket without personal data, accept it, say that somebody
arrived and that it is restored, or give it back with a reason; nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

from contracts.clock import Clock, epoch_ms

ACTIONS = ("accept", "arrive", "dispose", "return", "note")
"""What a link allows. `dispose` is what the field calls restored (恢复)."""
_PASS = re.compile(r"([A-Za-z0-9._-]{1,64})~([A-Za-z0-9._-]{1,64})~([0-9]{1,12})~([A-Za-z0-9_-]+)")


class Pass(NamedTuple):
    """What a link says, once it is believed."""

    ticket: str
    utility: str


class Passes:
    """Makes and reads `/u/{pass}`; HMAC-SHA256 over ticket, utility and expiry."""

    def __init__(self, secret: str, valid_s: float, clock: Clock, public_url: str = "") -> None:
        own = secret.encode() or secrets.token_bytes(32)
        self._key = hashlib.sha256(b"pass\n" + own).digest()
        self._valid_s = valid_s
        self._clock = clock
        self._url = public_url

    def make(self, ticket: str, utility: str) -> str:
        """The link, absolute where the center knows its own address."""
        exp = int(epoch_ms(self._clock.now()) / 1000 + self._valid_s)
        return f"{self._url}/u/{ticket}~{utility}~{exp}~{self._mac(ticket, utility, exp)}"

    def read(self, text: str) -> Pass | None:
        """Ticket and utility; None when it is not ours or its time has passed."""
        found = _PASS.fullmatch(text)
        if found is None:
            return None
        ticket, utility, exp, mac = found.groups()
        if not hmac.compare_digest(self._mac(ticket, utility, int(exp)).encode(), mac.encode()):
            return None
        if int(exp) * 1000 <= epoch_ms(self._clock.now()):
            return None
        return Pass(ticket, utility)

    def _mac(self, ticket: str, utility: str, exp: int) -> str:
        told = f"{ticket}\n{utility}\n{exp}".encode()
        mac = hmac.new(self._key, told, hashlib.sha256).digest()[:24]
        return base64.urlsafe_b64encode(mac).decode()
