"""A utility's page of one ticket, opened by a signed link."""

from center.pages.page import Page

PAGE = Page(path="/u/{link}")
