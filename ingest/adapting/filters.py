"""MQTT topic filters (MQTT 5, 4.7): what is allowed, what matches, what meets what."""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 65_535
"""Bytes of UTF-8 (MQTT 5, 1.5.4)."""


def fault(filter_: str) -> str | None:
    """What is wrong with a topic filter in words, or None."""
    if not filter_:
        return "empty"
    if len(filter_.encode("utf-8", "surrogatepass")) > LONGEST or "\0" in filter_:
        return "longer than MQTT allows, or with a null character"
    levels = filter_.split("/")
    for place, level in enumerate(levels):
        if "#" in level and (level != "#" or place != len(levels) - 1):
            return "'#' may only be the whole last level"
        if "+" in level and level != "+":
            return "'+' must be a whole level"
    return None


def pattern(filter_: str) -> re.Pattern[str]:
    """What matches the topics of a filter. `#` and `+` at the front match no `$` topics."""
    levels = filter_.split("/")
    rest = levels[-1] == "#"
    parts = ["[^/]*" if level == "+" else re.escape(level) for level in levels]
    if rest:
        parts.pop()
    body = "/".join(parts)
    if rest:
        body = f"{body}(?:/.*)?" if parts else ".*"
    front = r"(?!\$)" if levels[0] in ("+", "#") else ""
    return re.compile(front + body, re.DOTALL)


def plain(filter_: str) -> str:
    """Without `$share/group/`: what the topics it brings look like."""
    if filter_.startswith("$share/") and filter_.count("/") >= 2:
        return filter_.split("/", 2)[2]
    return filter_


def meet(one: str, other: str) -> bool:
    """Whether some topic matches both filters."""
    left, right = one.split("/"), other.split("/")
    for a, b in zip(left, right, strict=False):
        if "#" in (a, b):
            return True
        if a != b and "+" not in (a, b):
            return False
    longer, shorter = (left, right) if len(left) > len(right) else (right, left)
    if len(left) == len(right):
        return True
    # `a/#` also matches `a` itself.
    return longer[len(shorter)] == "#" and len(longer) == len(shorter) + 1


def covers(wide: str, narrow: str) -> bool:
    """Whether every topic of `narrow` matches `wide` too."""
    left, right = wide.split("/"), narrow.split("/")
    for place, level in enumerate(left):
        if level == "#":
            return True
        if place >= len(right) or right[place] == "#":
            return False
        if level not in ("+", right[place]):
            return False
    return len(left) == len(right)
