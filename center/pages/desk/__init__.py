"""The operator's desk: queue, map, and one ticket with its evidence."""

from center.pages.page import Page

PAGE = Page(path="/", title=("工作台", "Desk"), order=10)
