"""Codes on walls: twelve letters that stand for a place, known by computing them anew.

A code is a keyed hash of the place's name (HMAC-SHA256, 60 bits in Crockford's base 32), so no
table of codes is kept anywhere: whoever has the key and the city folder finds the same codes. Of
125,000 places a guess finds one once in 10^13 tries. A place gets a new code, and its old one is
void, by a salt of its own (`center.place_salts`); all of them by `center.place_salt`.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import cached_property

from center.pages.resident.spots import spots
from center.settings import CenterSettings
from contracts.city import City
from contracts.spots import Spot

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LETTERS = 12
_READ = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
"""What hands write and eyes read for another (Crockford)."""


class Codes:
    """The codes of one city under one key."""

    def __init__(self, city: City, settings: CenterSettings, secret: str) -> None:
        """`secret` counts where the settings have none of their own (`center.place_secret`)."""
        secret = settings.place_secret or secret
        self._key = hashlib.sha256(b"place\n" + secret.encode()).digest()
        self._city = city
        self._salt, self._salts = settings.place_salt, settings.place_salts

    def code(self, spot: Spot) -> str:
        """Its code, without dashes."""
        salt = f"{self._salt}\n{self._salts.get(spot.id, '')}"
        told = f"{self._city.id}\n{spot.id}\n{salt}".encode()
        number = int.from_bytes(hmac.new(self._key, told, hashlib.sha256).digest()[:8], "big") >> 4
        return "".join(ALPHABET[number >> 5 * i & 31] for i in range(LETTERS))

    @cached_property
    def _spots(self) -> dict[str, Spot]:
        return {self.code(spot): spot for spot in spots(self._city)}

    def find(self, text: str) -> Spot | None:
        """The place behind a code as people write it (with dashes, in small letters); None: no
        code of ours, or not any more. The first call computes all codes (0.4 s for 125,000)."""
        return self._spots.get(text.upper().translate(_READ)) if len(text) <= 32 else None


def shown(code: str) -> str:
    """In groups of four, as it is printed."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))
