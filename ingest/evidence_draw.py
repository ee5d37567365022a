"""Draws the way of a thing and the windows it may have come from into a picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import cv2
import numpy as np

from ingest.evidence_pictures import Picture
from ingest.evidence_view import View, Window, scaled

_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_NAMED: Final = (60, 60, 255)
_OTHER: Final = (60, 200, 255)
_WHITE: Final = (255, 255, 255)
_NEAR: Final = timedelta(seconds=0.2)


def drawn(picture: Picture, view: View, at: datetime, *, whole: bool) -> Picture:
    """A copy with windows, caption and the track up to `at`, or all of it with `whole`.

    A dot for each picture that showed the thing, from yellow (first) to violet (last).
    """
    out = picture.copy()
    height, width = out.shape[:2]
    factor = (width / view.size[0], height / view.size[1])
    thin = max(1, round(height / 720))
    for window in sorted(view.windows, key=lambda one: one.named):
        thick, colour = (2 * thin, _NAMED) if window.named else (thin, _OTHER)
        outline = scaled(window.polygon, factor)
        cv2.polylines(out, [outline], True, colour, thick, cv2.LINE_AA)
    _path(out, view, at, factor, thin, whole)
    if view.windows:
        _names(out, view.windows, factor, thin)
    _caption(out, view, at, thin)
    return out


def _path(
    out: Picture, view: View, at: datetime, factor: tuple[float, float], thin: int, whole: bool
) -> None:
    if not view.track:
        return
    count = sum(1 for when, _, _ in view.track if whole or when <= at)
    points = scaled([(x, y) for _, x, y in view.track], factor)
    ramp: Any = np.linspace(230, 20, len(view.track)).astype(np.uint8).reshape(-1, 1)
    colours = cv2.applyColorMap(ramp, cv2.COLORMAP_PLASMA)[:, 0]
    cv2.polylines(out, [points[:count]], False, _WHITE, thin, cv2.LINE_AA)
    now = min(range(len(view.track)), key=lambda n: abs(view.track[n][0] - at))
    is_seen = abs(view.track[now][0] - at) <= _NEAR
    for n, ((x, y), colour) in enumerate(zip(points[:count, 0], colours, strict=False)):
        if n == now and is_seen:
            continue  # the thing itself stays visible
        cv2.circle(out, (int(x), int(y)), 3 * thin, tuple(int(c) for c in colour), -1, cv2.LINE_AA)
    if is_seen:
        x, y = (int(c) for c in points[now, 0])
        cv2.circle(out, (x, y), max(9 * thin, round(view.reach / 2)), _NAMED, thin, cv2.LINE_AA)


def _names(out: Picture, windows: Sequence[Window], factor: tuple[float, float], thin: int) -> None:
    """One plate with a line for each window, beside the named one (or the first)."""
    ordered = sorted(windows, key=lambda one: not one.named)
    size, row = 0.5 * thin, 18 * thin
    lines = [one.label for one in ordered]
    across = max(cv2.getTextSize(line, _FONT, size, thin)[0][0] for line in lines) + 10 * thin
    corners = scaled(ordered[0].polygon, factor)[:, 0]
    x = int(corners[:, 0].max()) + 6 * thin
    if x + across > out.shape[1]:
        x = int(corners[:, 0].min()) - 6 * thin - across
    x = max(0, min(x, out.shape[1] - across))
    y = max(0, min(int(corners[:, 1].min()), out.shape[0] - row * (len(lines) + 2)))
    plate = out[y : y + row * len(lines) + 6 * thin, x : x + across]
    plate[:] = plate // 4
    for number, (line, one) in enumerate(zip(lines, ordered, strict=True), 1):
        place = (x + 5 * thin, y + row * number)
        colour = _NAMED if one.named else _OTHER
        cv2.putText(out, line, place, _FONT, size, colour, thin, cv2.LINE_AA)


def _caption(out: Picture, view: View, at: datetime, thin: int) -> None:
    local = at.astimezone(timezone(timedelta(seconds=view.zone_s)))
    text = f"{view.caption}  {local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d} {local:%z}"
    height = 22 * thin
    out[-height:] = 0
    place = (6 * thin, out.shape[0] - 7 * thin)
    cv2.putText(out, text.strip(), place, _FONT, 0.5 * thin, _WHITE, thin, cv2.LINE_AA)
