"""Planned works: what they explain is nobody's emergency."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from contracts.city import Work
from contracts.geo import Point, distance_m


def planned(works: Iterable[Work], at: datetime) -> str:
    """The first of these works that goes on at that time, in words; empty: none does."""
    for work in works:
        if work.start <= at <= work.end:
            return f"{work.id} {work.note}".strip()
    return ""


def concerns(work: Work, names: Iterable[str], point: Point) -> bool:
    """Whether a planned work is at what has one of these names and stands at `point`: where a work
    names assets they alone count, else its place."""
    if any(name in work.assets for name in names):
        return True
    if work.assets or work.point is None:
        return False
    return distance_m(work.point, point) <= work.radius_m
