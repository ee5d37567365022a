"""A grid worker's phone: my tickets, the next step in one thumb, also without network."""

from __future__ import annotations

from center.pages.page import Page
from center.pages.worker.table import routes

PAGE = Page(
    path="/w",
    routes=routes,
    files={"/w/app.webmanifest": "app.webmanifest"},
    headers={"Permissions-Policy": "geolocation=(self), camera=(self), microphone=()"},
    title=("网格员", "Worker"),
    order=30,
    needs="work",
    whose=frozenset({"worker"}),
)
