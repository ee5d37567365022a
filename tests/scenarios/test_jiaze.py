"""The story the whole loop is for, as Jiangsu's grids tell it: a crane on the road tears a cable.

Power, net and television are out and the road is blocked. The nearest worker is on the way within
seconds, others near are sent to keep people off, each company gets the place and a picture, they
are there within two hours, and it is proved that all is back within hours. On a Friday evening.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import msgspec

from contracts.case import Ticket
from contracts.city import City, Utility
from contracts.governance import Response, governance
from router.figures import case_of, figures, league
from tests.scenarios.governed import governed
from tests.scenarios.script import START, Script, between, event, moment
from tests.scenarios.town import WORKERS, at, place

MINUTE, HOUR = 60.0, 3600.0
EVENING = 7.5 * HOUR  # Friday 17:30
CRANE = place(500, 400)
OWNERS = ["grid-co", "telecom-co", "tv-co"]


def jiaze() -> City:
    """The town with a cable company for television, everybody on shift, a community and a street
    officer beside the grid heads."""
    calm = governed(workers=tuple(msgspec.structs.replace(w, shift="") for w in WORKERS))
    police = Response(
        id="road", kind="severed_cable", when="road_blocked", departments=("traffic-police",)
    )
    tv = Utility(id="tv", name="广电网络", owners=("tv-co",))
    said = msgspec.structs.replace(governance(calm), responses=(police,))
    return msgspec.structs.replace(
        calm, utilities={**calm.utilities, "tv": tv}, extra={"governance": said}
    )


def parts(story: Script) -> dict[str, Ticket]:
    return {str(t.utility): t for t in story.tickets() if t.parent}


def test_a_crane_tears_a_cable_on_friday_evening_and_everything_is_back_the_same_night() -> None:
    story = Script(jiaze())
    story.position("w-12", at(480, 380))

    # 17:30 The line tells; within the second somebody is sent, and two more to keep people off.
    story.at(EVENING - 5).position("w-12", at(480, 380))
    torn = event(
        "severed_cable", "L1", CRANE, EVENING, owners=OWNERS, spans=[["s-5", 0.93]],
        state="confirmed", severity=4,
    )  # fmt: skip
    story.at(EVENING).event(torn)
    root = story.expect(between(EVENING, EVENING)).ticket("opened", parent=None, worker="w-12")
    assert root.reason["worker"]["travel_s"] < 120
    assert len(root.helpers) == 2
    assert {h.state for h in root.hands} == {"requested"}
    assert set(parts(story)) == {"power", "telecom", "tv"}
    for part in parts(story).values():
        assert part.place == root.place
        assert part.place.address == "鼓楼区江东街道东社区第一网格"
        assert part.deadlines.arrive == moment(EVENING + 0.35 * HOUR)  # a safety kind: by night too
        assert part.reason["worker"]["contact"] == "w-12"

    # A resident photographs the crane: it is the same thing, and the picture is with every part.
    story.at(EVENING + 40).event(
        event(
            "citizen_report", "app", place(520, 410), EVENING + 40, kind="severed_cable",
            text="吊车把电线拉断了", photo="crane.jpg", severity=2,
        )
    )  # fmt: skip
    assert len(story.incidents()) == 1
    report = story.incidents()[0].events[1]
    assert all(report in t.reason["incident"]["events"] for t in story.tickets())
    assert story.incidents()[0].severity == 5

    # The worker goes; the helpers say yes; the road turns out to be blocked.
    story.at(EVENING + 50).do(root.id, "accept", by="w-12")
    for helper in root.helpers:
        assert story.command(root.id, "accept_help", helper).ok
    story.at(EVENING + 4 * MINUTE).do(root.id, "arrive", by="w-12")
    assert story.command(root.id, "report", "w-12", road_blocked=True).ok
    assert story.ticket(parent=root.id, utility="traffic-police").stage == "dispatched"
    photo = [{"name": "处置前", "ref": "torn.jpg"}, {"name": "远景", "ref": "road.jpg"}]
    assert story.command(root.id, "note", "w-12", note="两车道阻断", photos=photo).ok

    # The companies: two are quick; television first says it is not theirs, then takes it.
    story.at(EVENING + 5 * MINUTE)
    for utility in ("power", "telecom", "traffic-police"):
        story.do(parts(story)[utility].id, "accept", by=f"utility:{utility}")
    tv = parts(story)["tv"].id
    assert story.command(tv, "return", "tv", reason="光缆属电信").ok
    assert "首接" in story.ticket(id=tv).reason["questions"]["consultation"]["text_zh"]
    assert story.at(EVENING + 15 * MINUTE).command(
        tv, "reassign", "h-1", utility="tv", reason="杆上第三根为广电"
    ).ok  # fmt: skip
    story.at(EVENING + 20 * MINUTE)
    for utility in ("power", "telecom", "traffic-police"):
        story.do(parts(story)[utility].id, "arrive", by=utility)
    story.do(tv, "accept", "arrive", by="tv")
    on_site = [s.at for t in story.tickets() for s in t.timeline if s.change == "arrived"]
    assert max(on_site) - START <= timedelta(seconds=EVENING + 2 * HOUR)

    # 18:40 Telecom says it is done; the line is still dark, so nobody believes it is all done.
    story.at(EVENING + 70 * MINUTE).do(parts(story)["telecom"].id, "restored", by="telecom")
    # 19:05 Power and television are back, and the sensors say so themselves.
    story.at(EVENING + 95 * MINUTE)
    for utility in ("power", "tv", "traffic-police"):
        story.do(parts(story)[utility].id, "restored", by=utility)
    story.do(root.id, "dispose", by="w-12")
    assert story.ticket(id=root.id).helpers == ()
    assert "verified" not in {t.stage for t in story.tickets()}
    back = event(
        "severed_cable", "L1", CRANE, EVENING, rev=2, owners=OWNERS, phase="closed", severity=4,
        what="voltage back",
    )  # fmt: skip
    story.at(EVENING + 98 * MINUTE).event(back)
    assert {t.stage for t in story.tickets()} == {"verified"}
    assert {t.reason["verification"]["by"] for t in story.tickets()} == {"sensor"}

    # The loop closes itself: every part, then the worker's ticket; the grid rates the companies.
    story.at(EVENING + 98 * MINUTE + HOUR)
    assert {t.stage for t in story.tickets()} == {"closed"}
    closing = [c.id for c in story.changes if c.type == "ticket" and c.change == "closed"]
    assert closing[-1] == root.id
    assert story.command(parts(story)["tv"].id, "evaluate", "w-12", score=3, note="来得慢").ok
    assert story.command(root.id, "rate", "resident:chen", score=5, note="当晚就来电了").ok
    cases = [case_of(t) for t in story.tickets()]
    night = figures(cases, moment(0), moment(24 * HOUR))
    assert night.filed == 5
    assert night.satisfaction == 5.0
    table = league(cases, "utility", moment(0), moment(24 * HOUR))
    assert table["power"].score == 5.0
    assert table["tv"].score == 3.0
    assert night.recovery.mean is not None
    assert night.recovery.mean < 2 * HOUR


def test_when_nobody_acts_that_evening_it_climbs_rung_by_rung_and_says_who_is_missing() -> None:
    story = Script(jiaze())
    story.at(EVENING).event(event("severed_cable", "L1", CRANE, EVENING, owners=["grid-co"]))
    story.at(EVENING + 12 * HOUR)
    steps = [s for s in story.ticket().timeline if s.change in ("escalated", "reminded")]
    gaps = [(b.at - a.at).total_seconds() for a, b in pairwise(steps)]
    assert max(gaps) <= 4 * HOUR
    words = " ".join(s.note for s in steps)
    assert "the nearest beside" in words
    assert "网格长（钱格长）" in words
    assert "本地未登记社区、街道中心，已跳过" in words
