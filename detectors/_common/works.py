"""Planned works: what they explain is nobody's emergency."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from contracts.city import Work


def planned(works: Iterable[Work], at: datetime) -> str:
    """The first of these works that goes on at that time, in words; empty: none does."""
    for work in works:
        if work.start <= at <= work.end:
            return f"{work.id} {work.note}".strip()
    return ""
