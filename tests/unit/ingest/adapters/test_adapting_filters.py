"""Topic filters: what matches, what covers what."""

from __future__ import annotations

import pytest

from ingest.adapting import filters


@pytest.mark.parametrize(
    ("filter_", "topic", "matches"),
    [
        ("a/+/c", "a/b/c", True),
        ("a/+/c", "a//c", True),
        ("a/+/c", "a/b/c/d", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/#", "ab", False),
        ("#", "a/b", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("a.b/+", "aXb/c", False),
        ("a/b\nc", "a/b\nc", True),
    ],
)
def test_a_filter_matches_as_the_standard_says(filter_: str, topic: str, matches: bool) -> None:
    assert bool(filters.pattern(filter_).fullmatch(topic)) is matches


@pytest.mark.parametrize("bad", ["", "a/#/b", "a#", "a/b+", "+a/c", "a\0b"])
def test_a_wrong_filter_is_told_in_words(bad: str) -> None:
    assert filters.fault(bad)


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [
        ("a/#", "a/b", True),
        ("a/#", "a", True),
        ("+/b", "a/+", True),
        ("a/b", "a/c", False),
        ("a/+/c", "a/b", False),
        ("#", "x/y/z", True),
        ("gridsentry/+/+/+", "gridsentry/v1/feed/#", True),
        ("+/+", "gridsentry/v1/feed/#", False),
    ],
)
def test_filters_meet_where_one_topic_matches_both(one: str, other: str, meets: bool) -> None:
    assert filters.meet(one, other) is meets
    assert filters.meet(other, one) is meets


def test_a_wide_filter_covers_narrow_ones() -> None:
    assert filters.covers("a/#", "a/+/c")
    assert filters.covers("a/+", "a/b")
    assert filters.covers("#", "a/#")
    assert not filters.covers("a/+", "a/#")
    assert not filters.covers("a/b", "a/+")
    assert filters.covers("a/#", "a")
    assert filters.plain("$share/g/a/+") == "a/+"
