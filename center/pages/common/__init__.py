"""What all pages share: modules, styles, the map and its part of the API. No page of its own."""

from center.pages.common.map import map_routes
from center.pages.page import Page

PAGE = Page(path="", routes=map_routes)
