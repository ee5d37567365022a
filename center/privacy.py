"""What is personal, and how it is withheld from those who may not see it.

Personal are: who reported (`reporter`) and their own words (`text` beside it: people write names
and numbers), photographs and recordings (`photo`, `still`, `clip`), and from which window something
was thrown (`origin`) with the track that leads there (`track`, `track_file`, `boxes`, `release_m`)
or tells its floor (`drop_m`). Withheld fields become null, and the window's name is taken out of
every sentence that mentions it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from center.links import Signer
from contracts.city import City

PERSONAL = frozenset(
    {
        *("reporter", "photo", "still", "clip", "links", "payload", "phone"),
        *("origin", "track", "track_file", "boxes", "release_m", "drop_m"),
    }
)
"""Keys whose value is withheld, wherever they stand."""
MEDIA = ("still", "clip", "photo", "track_file")
"""Keys that hold the path of an evidence file."""
MASK = "▒▒"
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""An id inside a sentence; it may drag the sentence's full stop along."""


class Veil:
    """Takes personal data out. It knows the names of all windows of the city's cameras."""

    def __init__(self, city: City) -> None:
        self._zones = frozenset(
            zone.id for camera in city.cameras.values() for zone in camera.zones
        )
        self._phrases = sorted((z for z in self._zones if not _WORD.fullmatch(z)), key=len)[::-1]

    def redact(self, value: Any) -> Any:
        """A copy without personal data."""
        return self._redact(value, frozenset(_named(value)))

    def _redact(self, value: Any, named: frozenset[str]) -> Any:
        if isinstance(value, dict):
            return {
                key: None
                if key in PERSONAL or (key == "text" and "reporter" in value)
                else self._redact(inner, named)
                for key, inner in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._redact(inner, named) for inner in value]
        return self._text(value, named) if isinstance(value, str) else value

    def _text(self, text: str, named: frozenset[str]) -> str:
        for phrase in (*self._phrases, *(n for n in named if not _WORD.fullmatch(n))):
            text = text.replace(phrase, MASK)

        def masked(word: re.Match[str]) -> str:
            bare = word[0].rstrip("._-")
            hidden = any(w in self._zones or w in named for w in (word[0], bare))
            return MASK if hidden else word[0]

        return _WORD.sub(masked, text)


def _named(value: object) -> Iterable[str]:
    """Names of windows that any `origin` inside `value` mentions."""
    if isinstance(value, dict):
        origin = value.get("origin")
        if isinstance(origin, dict):
            others = origin.get("others")
            pairs = others if isinstance(others, list) else []
            names = [origin.get("zone"), *(p[0] for p in pairs if isinstance(p, list) and p)]
            yield from (name for name in names if isinstance(name, str) and name)
        for inner in value.values():
            yield from _named(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _named(inner)


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
    seen = evidence.get("beside") if isinstance(evidence, dict) else None
    for number, one in enumerate(seen if isinstance(seen, list | tuple) else ()):
        path = one.get("still") if isinstance(one, dict) else None
        if isinstance(path, str) and path and len(path) < 1024:  # another recorder's picture
            links[f"beside_{number}"] = signer.sign(path, absolute=absolute)
    return {**item, "links": links} if links else item
