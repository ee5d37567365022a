"""Who owns what: a feature's own owner, and those whose cables share its poles."""

from __future__ import annotations

from gridsentry.city.raw import LineProperties


def owners_of(raw: LineProperties) -> tuple[str | None, tuple[str, ...]]:
    """(the owner of a feature, others whose cables it carries), each once."""
    named = [*_names(raw.owner), *_names(raw.carries)]
    if raw.owner is None:
        return None, tuple(dict.fromkeys(named))
    return named[0], tuple(name for name in dict.fromkeys(named) if name != named[0])


def _names(told: str | tuple[str, ...] | None) -> list[str]:
    texts = (told,) if isinstance(told, str) else told or ()
    return [name.strip() for text in texts for name in text.split(";") if name.strip()]
