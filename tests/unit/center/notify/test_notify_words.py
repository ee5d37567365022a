"""Messages, quiet hours, the circuit breaker and signed links as such."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from center.notify.breaker import Breaker
from center.notify.facts import facts
from center.notify.passes import Passes
from center.notify.quiet import Quiet
from center.notify.settings import NotifySettings, Target, check
from center.notify.words import MOST, Words
from contracts.clock import ManualClock
from contracts.errors import Wrong
from tests.unit.center.scene import Scene, town

ZONE = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)


def ticket(**more: Any) -> dict[str, Any]:
    return {
        "id": "t-1", "kind": "severed_cable", "severity": 5, "stage": "dispatched",
        "place": {"lon": 120.1, "lat": 30.2, "address": "解放路18号"}, "worker": "w-07",
        "utility": "gd", "updated_at": "2026-07-14T12:00:00Z",
        "reason": {
            "worker": {"travel_s": 200},
            "ladder": {"clock": "accept", "due": "2026-07-14T12:06:00Z"},
        },
        "events": [{"kind": "severed_cable", "evidence": {
            "what": "severed", "state": "confirmed", "spans": [["sp4", 0.88]]}}],
        "timeline": [{"at": "2026-07-14T12:00:00Z", "change": "dispatched", "note": "a / 甲"}],
        **more,
    }  # fmt: skip


def test_a_lock_screen_says_what_where_until_when_and_who() -> None:
    words = Words(town(), {})
    name = town().workers["w-07"].name
    zh = words.of(ticket(), "opened", "zh")
    assert zh.title == "【特急】架空线缆断裂 · 解放路18号"
    assert zh.body == (
        f"线缆断裂（sp4档），勿靠近、勿触碰。请20:06前接单。{name}承办，约3分钟可到。责任单位：国网供电所。"
    )
    en = words.of(ticket(), "opened", "en", "https://x.cn/u/1")
    assert en.body.startswith("The cable is severed at span sp4: keep away, do not touch. Please ")
    assert en.body.endswith("\nhttps://x.cn/u/1")
    both = words.of(ticket(), "opened", "both")
    assert both.title == f"{zh.title} / {en.title}"
    assert both.urgent


def test_an_escalation_says_what_is_overdue_in_the_readers_language() -> None:
    note = "accept was due 20:06: to grid_head / 接单已于20:06超期，上报网格长"
    step = {"at": "2026-07-14T12:06:00Z", "change": "escalated", "note": note}
    words = Words(town(), {})
    assert words.of(ticket(timeline=[step]), "escalated", "zh").body.startswith(
        "接单已于20:06超期，上报网格长。"
    )
    assert "to grid_head. " in words.of(ticket(timeline=[step]), "escalated", "en").body


def test_a_due_moment_on_another_day_says_the_day() -> None:
    reason = {"ladder": {"clock": "dispose", "due": "2026-07-15T12:06:00Z"}}
    assert (
        "请07-15 20:06前处置完毕。"
        in Words(town(), {}).of(ticket(reason=reason), "opened", "zh").body
    )


def test_a_long_text_is_cut_and_the_link_stays_whole() -> None:
    step = {"at": "2026-07-14T12:06:00Z", "change": "reminded", "note": "a / " + "长" * 900}
    link = "https://grid.example.cn/u/" + "x" * 80
    body = Words(town(), {}).of(ticket(timeline=[step]), "reminded", "zh", link).body
    text, _, tail = body.partition("\n")
    assert len(text) == MOST
    assert text.endswith("…")
    assert tail == link


def test_a_city_may_word_it_otherwise_and_is_told_of_unknown_fields() -> None:
    own = Words(town(), {"opened": {"title_zh": "{kind}！{where}"}})
    assert own.of(ticket(), "opened", "zh").title == "架空线缆断裂！解放路18号"
    bad: list[dict[str, dict[str, str]]] = [
        {"opened": {"title_zh": "{kinds}"}},
        {"opened": {"head": "x"}},
        {"open": {}},
    ]
    for wrong in bad:
        with pytest.raises(Wrong, match=r"notify\.templates"):
            Words(town(), wrong)


def test_no_window_stands_in_a_message() -> None:
    assert "F17" not in "".join(facts("high_altitude_throw", {"origin": {"zone": "F17-3"}}, ZONE))


def test_a_forecast_says_when_it_overflows_with_its_bounds() -> None:
    told = {
        "at": "2026-07-14T12:17:00Z",
        "low": "2026-07-14T12:11:00Z",
        "high": "2026-07-14T12:29:00Z",
    }
    zh, en = facts("flooding", {"stage": "forecast", "overflow_at": told}, ZONE)
    assert zh == "预计20:17（20:11–20:29）漫溢。"
    assert en == "Expected to overflow at 20:17 (20:11–20:29). "
    flat = {"stage": "forecast", **told, "overflow_at": told["at"]}
    assert facts("flooding", flat, ZONE)[0] == zh


@pytest.mark.parametrize(
    ("local", "ends"),
    [("21:59", None), ("22:00", "07:00"), ("23:30", "07:00"), ("06:59", "07:00"), ("07:00", None)],
)
def test_quiet_hours_cross_midnight(local: str, ends: str | None) -> None:
    at = datetime.fromisoformat(f"2026-07-14T{local}:00+08:00").astimezone(UTC)
    found = Quiet("22:00-07:00").ends(at, ZONE)
    assert (found and f"{found.astimezone(ZONE):%H:%M}") == ends
    assert found is None or timedelta() < found - at <= timedelta(hours=9)


@pytest.mark.parametrize("text", ["22-7", "25:00-07:00", "22:00-22:00", "x"])
def test_quiet_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(Wrong):
        Quiet(text)


def test_the_breaker_opens_after_tries_and_waits_longer_each_time() -> None:
    breaker = Breaker(tries=3, pause_s=5, pause_max_s=30)
    pauses = [breaker.failed(0) for _ in range(7)]
    assert pauses == [0.25, 0.5, 5, 10, 20, 30, 30]
    assert breaker.state(10) == "open"
    assert breaker.wait(10) == 20
    assert breaker.state(31) == "half_open"
    breaker.worked()
    assert breaker.state(31) == "closed"
    assert breaker.wait(31) == 0


def test_a_pass_is_for_one_ticket_one_utility_and_a_time() -> None:
    clock = ManualClock(AT)
    passes = Passes("a secret of ours, long", 3600, clock, "https://x.cn")
    link = passes.make("t-1", "gd").removeprefix("https://x.cn/u/")
    assert passes.read(link) == ("t-1", "gd")
    for forged in (link.replace("t-1", "t-2"), link.replace("~gd~", "~pw~"), link[:-2] + "AA", ""):
        assert passes.read(forged) is None
    assert Passes("another secret of ours", 3600, clock).read(link) is None
    clock.advance_to(AT + timedelta(hours=1))
    assert passes.read(link) is None


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (Target(name="Hook", url="http://x"), "a-z"),
        (Target(name="mqtt", url="http://x"), "mqtt"),
        (Target(name="a", url=""), "address"),
        (Target(name="a", url="ftp://x", how="webhook"), "http"),
        (Target(name="a", url="http://x", how="webhook", secret="short"), "16"),
        (Target(name="a", url="json://x", restricted=True), "webhooks"),
        (Target(name="a", url="json://x", to=("worker:nobody",)), "a worker of the city"),
        (Target(name="a", url="json://x", to=("everybody",)), "worker:ID"),
        (Target(name="a", url="json://x", kinds=("flood",)), "flooding"),
        (Target(name="a", url="json://x", changes=("open",)), "opened"),
        (Target(name="a", url="json://x", quiet="late"), "HH:MM"),
    ],
)
def test_a_target_that_cannot_work_is_refused_in_words(target: Target, says: str) -> None:
    with pytest.raises(Wrong, match=says):
        check(NotifySettings(targets=(target,)), town())


def test_two_targets_of_one_name_are_refused(tmp_path: Path) -> None:
    one = Target(name="a", url="json://x")
    with pytest.raises(Wrong, match="twice"):
        check(NotifySettings(targets=(one, one)), Scene(tmp_path).city)
