"""The big screen in the hall: how the city stands, readable from six metres, without hands."""

from center.pages.page import Page
from center.pages.wall.api import page_routes

PAGE = Page(
    path="/wall",
    routes=page_routes,
    title=("大屏", "Wall"),
    order=90,
    needs="read",
    whose=frozenset({"viewer", "operator", "head", "admin"}),
)
