"""How often a day what is no fall happens: the sourced table `episodes.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

TABLE = Path(__file__).with_name("episodes.toml")


class Episode(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind; the fields are explained at the head of the table."""

    seconds: float
    per_film: int
    weather: Literal["calm", "wet"]
    calm: float
    wet: float
    source: str


class Episodes(msgspec.Struct, frozen=True):
    """The kinds by their name."""

    kinds: dict[str, Episode]


def load(path: Path = TABLE) -> Episodes:
    """The table. Raises msgspec.ValidationError naming the field that is wrong."""
    kinds = msgspec.toml.decode(path.read_bytes(), type=dict[str, Episode])
    for kind, episode in kinds.items():
        if not episode.source.strip():
            raise ValueError(f"{path.name}: `{kind}` names no source")
    return Episodes(kinds)
