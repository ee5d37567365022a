"""What a page is: a folder with what it serves."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from center.guard import Access
from center.route import Route
from center.settings import Role
from contracts.city import City

NONE: dict[str, str] = {}


def no_routes(_city: City) -> tuple[Route, ...]:
    """A page that asks only what others offer."""
    return ()


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page. Its folder's `web/page.html` is served at `path`, what lies beside it at
    `/static/{folder}/{file}`."""

    path: str
    routes: Callable[[City], tuple[Route, ...]] = no_routes
    """Its own part of the API."""
    files: dict[str, str] = NONE
    """Files that must stand at a path of their own (a service worker, a manifest): path → name."""
    headers: dict[str, str] = NONE
    """Response headers of the page itself that differ from what all answers carry."""
    title: tuple[str, str] = ("", "")
    """Its name for people in menus, (zh, en); empty: it stands in none."""
    order: int = 100
    """Where it stands in menus."""
    needs: Access | None = None
    """The `Access` that whoever sees it in a menu needs; None: everybody."""
    whose: frozenset[Role] | None = None
    """Roles in whose menus it stands, where not all that may open it have a use for it."""
