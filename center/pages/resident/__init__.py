"""A resident's page of one place, opened by the code on its wall: report, and follow it."""

from center.pages.page import Page
from center.pages.resident.api import page_routes

PAGE = Page(
    path="/r/{code}",
    routes=page_routes,
    headers={
        "Permissions-Policy": "geolocation=(self), camera=(self), microphone=()",
    },
)
