"""What a choice is."""

from __future__ import annotations

from typing import Any

import msgspec

from contracts.case import Candidate


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Who was chosen, who could help, who came next, and why (JSON-ready)."""

    worker: str | None
    helpers: tuple[str, ...]
    runners_up: tuple[Candidate, ...]
    reason: dict[str, Any]
