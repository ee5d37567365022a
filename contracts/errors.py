"""Three ways to fail, and no fourth: permanent, temporary, refused.

Each error's text is read by a person: it says what was found and what to do next.
"""

from __future__ import annotations


class GridsentryError(Exception):
    """Base of every error this project raises on purpose."""


class Permanent(GridsentryError):
    """The same input fails the same way for ever; it becomes a dead letter.

    `code` is a short stable name for machines, the text a reason in plain words for people.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Temporary(GridsentryError):
    """It may work later: keep the message, back off, try again."""


class Refused(GridsentryError):
    """We cannot take it now (backpressure) or may not (rules); the sender is told why."""


class Wrong(GridsentryError):
    """Wrong usage or configuration: where, what was found, what is allowed. Exit code 2."""

    def __init__(self, where: str, found: str, allowed: str = "") -> None:
        text = f"{where}: {found}"
        super().__init__(f"{text}; allowed: {allowed}" if allowed else text)
        self.where = where
        self.found = found
        self.allowed = allowed


class LeaseLost(GridsentryError):
    """Another holder has the lease: stop writing, take it up again from the store."""
