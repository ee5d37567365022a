"""What an outside gateway with eyes of its own says: that it tracked something, and a picture."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Tracked(msgspec.Struct, frozen=True, tag="tracked"):
    """Something that a gateway saw for a while. Times in UTC."""

    device: str
    id: str
    """The gateway's own, the same for the same thing."""
    label: str
    score: float | None
    start: datetime
    """When it was seen first, by the gateway's clock where that is to be believed."""
    end: datetime | None
    received_at: datetime


class Picture(msgspec.Struct, frozen=True, tag="picture"):
    """A JPEG that a gateway published; its header is checked. `of` names what it shows, where the
    message says so."""

    device: str
    label: str
    received_at: datetime
    data: bytes
    of: str | None = None


Seen = Tracked | Picture
