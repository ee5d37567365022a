"""What was said of a break or of none, counted by hand."""

from __future__ import annotations

import msgspec
import pytest

from bench.lines import match
from bench.lines.match import OURS, broken, said, why
from bench.lines.rules import RULES, Rules
from contracts.nouns import Reading
from detectors._common.sample import START
from tests.unit.bench.lines_scene import episode, reading, saying, take, tree, volts

BELOW = ("p3", "p4", "p5", "p6", "q1")


def test_a_break_told_of_is_found_where_and_when_it_was() -> None:
    sure = saying("s3", state="confirmed")
    told = episode(61.5, (61.5, "opened", saying("s4", "s3")), (64.0, "updated", sure))
    one = broken(take(broken="s3"), [told], {}, tree())
    answer = one.answers[OURS]
    assert answer is not None
    assert (answer.delay, answer.confirmed) == (0.5, 3.0)
    assert (answer.apart, answer.first_apart, answer.listed, answer.spans) == (0, 1, True, 1)
    assert answer.metres == pytest.approx(0.0, abs=0.01)
    assert answer.inside is True
    assert answer.owners is True
    assert (answer.incidents, one.early) == (1, 0)
    assert why(one) == ""


def test_nothing_said_is_a_miss_and_says_why() -> None:
    def reason(**asked: object) -> str:
        return why(broken(take(broken="s3", **asked), [], {}, tree()))  # type: ignore[arg-type]

    assert reason() == "not told, never said: several monitors show it"
    assert reason(showing=("m-q1",)) == "not told, never said: one monitor shows it"
    assert reason(showing=(), word=None) == "not told: nothing could show it"
    assert reason(word=None) == "not told: no report that could show it arrived"


def test_a_suspicion_taken_back_is_a_miss() -> None:
    told = episode(61.5, (61.5, "opened", saying("s3")), (80.0, "closed", saying("s3")))
    one = broken(take(broken="s3"), [told], {}, tree())
    assert one.answers[OURS] is None
    assert one.taken_back
    assert "taken back" in why(one)


def test_two_episodes_of_one_break_are_a_double_and_one_before_it_is_early() -> None:
    early = episode(20.0, (20.0, "opened", saying("s1")), (30.0, "closed", saying("s1")))
    first = episode(62.0, (62.0, "opened", saying("s3")))
    sure = episode(63.0, (63.0, "opened", saying("s5", state="confirmed")))
    one = broken(take(broken="s3"), [early, first, sure], {}, tree())
    answer = one.answers[OURS]
    assert answer is not None
    assert (answer.incidents, one.early) == (2, 1)
    assert answer.delay == 1.0, "from the first of them"
    assert (answer.apart, answer.listed) == (2, False), "the confirmed one is what people act on"
    assert why(one) == "span further away, not listed"


def test_what_opens_with_the_blow_before_the_break_is_of_it() -> None:
    told = episode(55.0, (55.0, "opened", saying("s3")))
    answer = broken(take(broken="s3"), [told], {}, tree()).answers[OURS]
    assert answer is not None
    assert answer.delay == -6.0


def test_owners_and_what_must_be_exactly_right() -> None:
    told = episode(62.0, (62.0, "opened", saying("s3", what="phase_open", owners=["power"])))
    one = broken(take(broken="s3"), [told], {}, tree())
    answer = one.answers[OURS]
    assert answer is not None
    assert answer.owners is False
    assert why(one) == "called phase_open"


def test_a_confounder_called_severed_counts_even_when_it_is_taken_back() -> None:
    recloser = take(confounder="recloser")
    told = episode(
        61.0, (61.0, "opened", saying("s3", state="confirmed")), (70.0, "closed", saying("s3"))
    )  # fmt: skip
    seen = said(recloser, [told], {"0.6 pu": ()})
    assert (seen.severed, seen.confirmed, seen.suspected) == (1, 1, 0)
    assert "taken back after 9 s" in seen.words
    other = episode(61.0, (61.0, "opened", saying("s3", state="confirmed", what="phase_open")))
    unsure = episode(62.0, (62.0, "opened", saying("s3")))
    seen = said(recloser, [other, unsure], {})
    assert (seen.severed, seen.confirmed, seen.suspected) == (0, 1, 1)
    assert said(recloser, [], {}) == match.Said(rules=dict.fromkeys(RULES, 0))


def test_the_tree_knows_what_feeds_a_monitor_and_what_is_near() -> None:
    some = tree()
    assert some.feeding("m-q1") == "sq"
    assert some.feeding("m-t") == "s1", "the root's is what leaves it"
    assert some.feeding("nobody") is None
    assert some.above("q1") == ["q1", "p3", "p2", "p1", "t"]
    assert [some.apart("s3", other) for other in ("s3", "s4", "sq", "s6")] == [0, 1, 1, 3]
    assert some.apart("s3", "nowhere") is None


def test_the_threshold_alarms_at_each_dark_monitor_and_the_topology_once_above_them() -> None:
    alarms = Rules(tree(), START).run(volts(BELOW, 60.0))
    assert [a.first for a in alarms["0.6 pu"]] == ["s3", "s4", "s5", "s6", "sq"]
    assert alarms["0.6 pu"][0].at == pytest.approx(60.3)
    (one,) = alarms["topology"]
    assert one.at == pytest.approx(65.3)
    assert (one.first, one.last) == ("s3", "s3")
    assert alarms["current"] == []


def test_the_topology_waits_out_what_comes_back_and_the_threshold_does_not() -> None:
    alarms = Rules(tree(), START).run(_with(volts(("p6",), 60.0, 61.0), "m-p6", 62.0))
    assert len(alarms["0.6 pu"]) == 1
    assert alarms["topology"] == []


def _with(items: tuple[Reading, ...], who: str, back: float) -> list[Reading]:
    more = [reading(who, m, 230.0, back) for m in ("voltage_a", "voltage_b", "voltage_c")]
    return sorted([*items, *more], key=lambda r: r.received_at)


def test_the_topology_takes_no_span_below_which_all_is_well() -> None:
    alarms = Rules(tree(), START).run(volts(("p2", "p5", "p6"), 60.0))
    (one,) = alarms["topology"]
    assert one.last == "s5", "q1 is fed through p2 and well, so p2's monitor is wrong"


def test_a_fallen_current_is_an_alarm_of_the_current_alone() -> None:
    items = [reading("m-p4", "current_a", 40.0, t) for t in range(0, 60, 10)]
    items += [reading("m-p4", "current_a", 0.5, t) for t in (60, 70)]
    alarms = Rules(tree(), START).run(items)
    assert {name: len(some) for name, some in alarms.items()} == {
        "0.6 pu": 0, "topology": 0, "current": 1,
    }  # fmt: skip
    gasp = [msgspec.structs.replace(items[0], metric="last_gasp", value=1.0)]
    assert len(Rules(tree(), START).run(gasp)["topology"]) == 1
