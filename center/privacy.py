"""What is personal, and how it is withheld from those who may not see it.

Personal are: who reported (`reporter`), photographs and recordings (`photo`, `still`, `clip`), and
from which window something was thrown (`origin`) with the track that leads there. Withheld fields
become null, and the window's name is taken out of every sentence that mentions it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from center.links import Signer

PERSONAL = frozenset({"reporter", "photo", "origin", "track", "still", "clip", "links", "payload"})
"""Keys whose value is withheld, wherever they stand."""
MEDIA = ("still", "clip", "photo")
"""Keys that hold the path of an evidence file."""
MASK = "▒▒"


def windows(value: object) -> set[str]:
    """Names of windows (zones) that any `origin` inside `value` mentions."""
    names: set[str] = set()
    if isinstance(value, dict):
        origin = value.get("origin")
        if isinstance(origin, dict):
            names.update(_texts([origin.get("zone"), *_others(origin)]))
        for inner in value.values():
            names |= windows(inner)
    elif isinstance(value, list):
        for inner in value:
            names |= windows(inner)
    return names


def _others(origin: dict[str, Any]) -> Iterable[object]:
    others = origin.get("others")
    for other in others if isinstance(others, list) else []:
        if isinstance(other, list) and other:
            yield other[0]


def _texts(values: Iterable[object]) -> Iterable[str]:
    return (v for v in values if isinstance(v, str) and v)


def redact(value: Any, names: set[str] | None = None) -> Any:
    """A copy without personal data; `names` are window names to take out of texts as well."""
    hidden = windows(value) | (names or set())
    return _redact(value, sorted(hidden, key=len, reverse=True))


def _redact(value: Any, hidden: list[str]) -> Any:
    if isinstance(value, dict):
        return {
            key: None if key in PERSONAL else _redact(inner, hidden) for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redact(inner, hidden) for inner in value]
    if isinstance(value, str):
        for name in hidden:
            value = value.replace(name, MASK)
    return value


def with_links(item: dict[str, Any], signer: Signer, *, absolute: bool = False) -> dict[str, Any]:
    """The item with `links`: a signed URL for each evidence file it names."""
    evidence = item.get("evidence")
    places = [item, evidence] if isinstance(evidence, dict) else [item]
    links: dict[str, str] = {}
    for place in places:
        for key in MEDIA:
            path = place.get(key)
            if isinstance(path, str) and path and len(path) < 1024 and key not in links:
                links[key] = signer.sign(path, absolute=absolute)
    return {**item, "links": links} if links else item
