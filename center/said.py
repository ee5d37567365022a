"""Small pieces of text that several feeds and messages share: names of kinds, languages apart, what
XML can hold."""

from __future__ import annotations

import re

from contracts.city import City
from contracts.kinds import NAMES

BETWEEN = " / "
"""Between English and Chinese where one text holds both (as the router writes it)."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def kind_names(city: City, kind: str) -> tuple[str, str]:
    """(zh, en) of a kind: the city's own names, else the usual ones."""
    own = city.profile.kinds.get(kind)
    zh, en = NAMES.get(kind, (kind, kind))
    return (own and own.name_zh) or zh, (own and own.name_en) or en


def apart(line: object) -> tuple[str, str]:
    """(zh, en) of a text that holds both; a text of one language is both."""
    en, _, zh = str(line or "").rpartition(BETWEEN)
    return (zh, en or zh)


def xml_text(text: str) -> str:
    """The text with what XML cannot hold replaced."""
    return _NOT_XML.sub("\ufffd", text)
