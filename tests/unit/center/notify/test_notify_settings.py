"""Targets that could never be reached, or never be told anything, are refused at the start."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from center.notify.settings import NotifySettings, check
from contracts.errors import Wrong
from tests.unit.center.scene import town

HOOK = {"name": "hall", "url": "https://hall.example/hook", "how": "webhook"}


def _check(**said: Any) -> None:
    check(msgspec.convert({"targets": [{**HOOK, **said}]}, NotifySettings), town())


def test_a_usual_webhook_is_taken() -> None:
    _check(severity=5, quiet_below=6, quiet="22:00-07:00", to=["all"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "https://"),
        ("url", "https://host:99999/x"),
        ("url", "https://[::1/x"),
        ("severity", 0),
        ("severity", 6),
        ("quiet_below", 0),
        ("quiet_below", 7),
        ("to", []),
        ("quiet", "22-7"),
    ],
)
def test_a_target_that_could_never_be_told_is_refused_by_its_name(field: str, value: Any) -> None:
    with pytest.raises(Wrong, match=rf"^notify\.targets\[hall\]\.{field}: "):
        _check(**{field: value})
