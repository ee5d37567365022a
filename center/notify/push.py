"""Messages for people, through Apprise: DingTalk, WeCom, Feishu, mail and some 130 others.

Apprise only says yes or no, so a no is tried again until the message is too old.
"""

from __future__ import annotations

import asyncio
import logging
import re
import warnings
from typing import Any

from center.notify.words import Message
from contracts.errors import Temporary, Wrong

SECRET = re.compile(r"[^/:@?&=#,+]{5,}")
"""Pieces of an address long enough to be a token."""
PLAIN = frozenset({"https", "localhost", "format", "timeout", "verify"})


class Pusher:
    """One address of Apprise. Raises Wrong when Apprise does not know it."""

    def __init__(self, name: str, url: str, timeout_s: float) -> None:
        # Imported here: it takes .3 s, and most centers push nothing.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of what it imports itself
            import apprise

            self._apprise: Any = apprise.Apprise()
            known = self._apprise.add(url)
        if not known:
            raise Wrong(
                f"notify.targets[{name}].url",
                "an address that Apprise does not know",
                "such as dingtalk://TOKEN, wecombot://KEY, feishu://TOKEN, mailtos://USER:PASS@HOST",
            )
        self._urgent = apprise.NotifyType.WARNING
        self._usual = apprise.NotifyType.INFO
        self._timeout_s = timeout_s
        self._secrets = [s for s in SECRET.findall(url) if s.lower() not in PLAIN]

    async def send(self, message: Message) -> None:
        """Push one message. Raises Temporary."""
        heard = _Ear()
        logger = logging.getLogger("apprise")
        logger.addHandler(heard)
        try:
            sent = await asyncio.wait_for(
                asyncio.to_thread(
                    self._apprise.notify,
                    body=message.body or message.title,
                    title=message.title,
                    notify_type=self._urgent if message.urgent else self._usual,
                ),
                self._timeout_s,
            )
        except TimeoutError as error:
            raise Temporary(f"no answer within {self._timeout_s:g} s") from error
        finally:
            logger.removeHandler(heard)
        if not sent:
            raise Temporary(self._clean(heard.said or "the service did not take it"))

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text[:200]


class _Ear(logging.Handler):
    """Keeps the last warning of Apprise: the only place where it says why."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.said = record.getMessage()
