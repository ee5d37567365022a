"""How long after failed logins the next one must wait.

Counted by name and address together (somebody guesses), by name alone (many machines guess one
person's), and by address alone (one machine guesses everybody's). What is said is the same for
names that exist and names that do not. The numbers stay below the 100 failures an hour for one
account that OWASP ASVS 4.0 (2.2.1) allows, without letting a stranger lock anybody out for long.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec


class Rule(msgspec.Struct, frozen=True):
    """From how many failures on, and how the waiting grows."""

    free: int
    """So many failures cost nothing."""
    first_s: float
    """The next costs this, each further one twice as much."""
    most_s: float


RULES: Final[dict[str, Rule]] = {
    "both": Rule(5, 5.0, 900.0),
    "name": Rule(20, 15.0, 60.0),
    "address": Rule(50, 15.0, 300.0),
}


def keys(name: str, address: str) -> dict[str, str]:
    """What a failure of this name from this address is counted under."""
    # Names of any length and content are tried: only their digest is kept.
    told = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:32]
    both, one, where = f"both {told} {address}", f"name {told}", f"address {address}"
    return {"both": both, "name": one, "address": where}


def wait_s(
    keys: Mapping[str, str], failed: Mapping[str, tuple[int, datetime]], now: datetime
) -> float:
    """Seconds until the next login may be tried; 0 when at once."""
    longest = 0.0
    for what, key in keys.items():
        count, last = failed.get(key, (0, now))
        rule = RULES[what]
        over = count - rule.free
        if over < 0:
            continue
        pause = min(rule.most_s, rule.first_s * 2 ** min(over, 20))
        longest = max(longest, (last + timedelta(seconds=pause) - now).total_seconds())
    return longest
