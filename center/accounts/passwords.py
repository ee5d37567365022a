"""Passwords: which are taken, how they are kept (argon2id), and how one is made up.

Parameters: OWASP Password Storage Cheat Sheet, argon2id with m = 19 MiB, t = 2, p = 1. Rules: NIST
SP 800-63B 5.1.1.2: length counts, no composition rules, what is common or holds the own name is
refused, NFKC before hashing.
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from functools import cache
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from contracts.errors import Refused

MOST = 256
"""Characters; more is no password but an attempt to keep us busy."""
AT_ONCE = 2
"""Hashes computed side by side: 19 MiB and some 20 ms each."""
WAITING = 32
"""More logins than this waiting for their turn are told to come again."""
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of made-up passwords: nothing that is taken for something else on paper."""

_FREQUENT = """
password passw0rd p@ssw0rd p@ssword password1 password12 password123 password1234
passwordpassword 1234567890 12345678910 123456789a 1234567891 0123456789 0987654321 9876543210
123123123 1231231234 1111111111 0000000000 8888888888 6666666666 1122334455 112233445566
12341234 123412341234 147258369 1qaz2wsx 1qaz2wsx3edc qwertyuiop qwerty123 qwerty1234
qwertyuiop123 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y qazwsxedc asdfghjkl asdfghjkl123 zxcvbnm123
abc123456 abc1234567 abcd123456 abcd1234 a123456789 aa123456789 a1234567890 woaini1314 woaini520
woaini521 woaini123 5201314520 iloveyou iloveyou1 admin12345 admin123456 admin@123 admin@1234
administrator root123456 letmein123 welcome123 welcome1 changeme changeme123 default123
test123456 superuser gridsentry gridsentry123 wanggeyuan wangge123 zhihuizhongxin zhzx123456
dragon123 sunshine123 football123 qq123456789 zhang123456 wang123456
"""
COMMON = frozenset(_FREQUENT.split())
"""Frequent ones of ten characters and so (after the lists of leaks that SecLists collects)."""


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(
        time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16
    )  # argon2id is the library's default


@cache
def _nobodys() -> str:
    """A hash that no password fits, so that an unknown name takes as long as a known one."""
    return _hasher().hash(secrets.token_urlsafe(32))


def hashed(password: str) -> str:
    """Its argon2id hash, as it is kept. Takes some 20 ms and 19 MiB."""
    return _hasher().hash(_plain(password))


def fits(kept: str | None, password: str) -> bool:
    """Whether it is the one; as slow where nothing is kept."""
    try:
        right = _hasher().verify(kept or _nobodys(), _plain(password))
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False
    return right and kept is not None


def outdated(kept: str) -> bool:
    """Whether it was hashed under other parameters than today's."""
    return _hasher().check_needs_rehash(kept)


def refusal(password: str, name: str, least: int) -> str | None:
    """Why this password is not taken, in both languages; None when it is."""
    plain = _plain(password)
    if len(plain) < least:
        return f"at least {least} characters / 至少 {least} 个字符"
    if len(plain) > MOST:
        return f"at most {MOST} characters / 至多 {MOST} 个字符"
    low = plain.lower()
    if name and len(name) > 3 and name.lower() in low:
        return "it holds the account's name / 密码中不能包含账号名"
    if low in COMMON or low.strip("0123456789!@#.") in COMMON:
        return "it is among the most common ones / 该密码过于常见，容易被猜到"
    if len(set(low)) < 5 or low in (low[: len(low) // 2] * 2, low[: len(low) // 3] * 3):
        return "it repeats itself / 密码重复字符过多，容易被猜到"
    steps = {ord(b) - ord(a) for a, b in pairwise(low)}
    if steps <= {1} or steps <= {-1}:
        return "it is a row of neighbours / 密码为连续字符，容易被猜到"
    return None


def made_up() -> str:
    """A new one that can be read out on the telephone; 79 bits."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


class Hashing:
    """The slow work beside the event loop, a few at once. Used from one event loop."""

    def __init__(self) -> None:
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def fits(self, kept: str | None, password: str) -> bool:
        """As `fits`. Raises Refused when too many wait."""
        async with self._turn():
            return await asyncio.to_thread(fits, kept, password)

    async def hashed(self, password: str) -> str:
        """As `hashed`. Raises Refused when too many wait."""
        async with self._turn():
            return await asyncio.to_thread(hashed, password)

    def _turn(self) -> _Turn:
        return _Turn(self)


class _Turn:
    def __init__(self, hashing: Hashing) -> None:
        self._of = hashing

    async def __aenter__(self) -> None:
        if self._of._waiting >= WAITING:
            raise Refused("too many logins at once, try again / 登录人数过多，请稍后再试")
        self._of._waiting += 1
        try:
            await self._of._gate.acquire()
        finally:
            self._of._waiting -= 1

    async def __aexit__(self, *_: object) -> None:
        self._of._gate.release()


def _plain(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
