"""Targets outside: at least once, in order, signed; a dead one delays nobody else."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta

import pytest

from center.notify.settings import Target
from contracts.clock import ManualClock
from tests.unit.center.notify.post_office import Receiver, deliver
from tests.unit.center.scene import Scene

SECRET = "whsec-0123456789abcdef"


def hook(receiver: Receiver, name: str = "hook", **more: object) -> Target:
    return Target(name=name, url=receiver.url(name), how="webhook", **more)  # type: ignore[arg-type]


def push(receiver: Receiver, name: str = "push", **more: object) -> Target:
    return Target(name=name, url=receiver.url(name, "json"), **more)  # type: ignore[arg-type]


def test_a_webhook_gets_the_cloud_event_signed(scene: Scene) -> None:
    receiver = Receiver()
    deliver(
        scene, receiver, lambda: (hook(receiver, secret=SECRET),),
        lambda: scene.happen("flooding"), lambda: len(receiver.taken("hook")) == 1,
    )  # fmt: skip
    (got,) = receiver.taken("hook")
    assert got.headers["content-type"].startswith("application/cloudevents+json")
    assert got.headers["webhook-id"] == "ticket:t-1:1:opened" == got.json["id"]
    told = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    mac = base64.b64encode(hmac.new(SECRET.encode(), told, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{mac}"
    assert got.json["data"]["incident_detail"]["id"] == "i-1"


def test_a_dead_target_never_delays_another(scene: Scene) -> None:
    receiver = Receiver()
    receiver.status["dead"] = [503] * 10_000
    receiver.hangs.add("hangs")

    def three() -> tuple[Target, ...]:
        return hook(receiver, "dead"), hook(receiver, "hangs"), hook(receiver)

    def story() -> None:
        for kind in ("flooding", "severed_cable", "fibre_break"):
            scene.happen(kind)

    made = deliver(scene, receiver, three, story, lambda: len(receiver.taken("hook")) == 3)
    assert [g.json["subject"] for g in receiver.taken("hook")] == ["t-1", "t-2", "t-3"]
    dead = made.postmen[0].status(9)
    assert "503" in str(dead["fault"])
    assert not receiver.taken("dead")


def test_what_failed_is_tried_again_in_order_and_the_breaker_opens(scene: Scene) -> None:
    receiver = Receiver()
    receiver.status["hook"] = [500, 502, 429, 503, 500]

    def story() -> None:
        scene.happen("flooding")
        scene.desk.step("t-1", "accepted", "w-05")

    deliver(
        scene, receiver, lambda: (hook(receiver),), story,
        lambda: len(receiver.taken("hook")) == 2,
    )  # fmt: skip
    keys = [g.headers["webhook-id"] for g in receiver.got]
    assert keys == ["ticket:t-1:1:opened"] * 6 + ["ticket:t-1:2:accepted"]


def test_what_is_refused_for_good_is_kept_with_its_reason_and_the_rest_goes_on(
    scene: Scene,
) -> None:
    receiver = Receiver()
    receiver.status["hook"] = [410]

    def story() -> None:
        scene.happen("flooding")
        scene.happen("fibre_break")

    deliver(
        scene, receiver, lambda: (hook(receiver),), story,
        lambda: len(receiver.taken("hook")) == 1,
    )  # fmt: skip
    (kept,) = scene.desk.given_up
    assert (kept.target, kept.key) == ("hook", "ticket:t-1:1:opened")
    assert kept.reason == "HTTP 410: no thanks"
    assert receiver.taken("hook")[0].json["subject"] == "t-2"


def test_a_redirect_is_not_followed(scene: Scene) -> None:
    receiver = Receiver()
    receiver.status["hook"] = [307]
    deliver(
        scene, receiver, lambda: (hook(receiver),), lambda: scene.happen("flooding"),
        lambda: bool(scene.desk.given_up),
    )  # fmt: skip
    assert len(receiver.got) == 1


def test_a_message_too_old_is_kept_as_undelivered(scene: Scene) -> None:
    receiver = Receiver()
    receiver.status["hook"] = [503] * 3
    deliver(
        scene, receiver, lambda: (hook(receiver),),
        lambda: scene.happen("flooding", opened_s_ago=90_000), lambda: bool(scene.desk.given_up),
    )  # fmt: skip
    assert scene.desk.given_up[0].reason.startswith("too old: HTTP 503")


def test_it_goes_on_where_it_stopped_and_a_new_target_begins_now(scene: Scene) -> None:
    receiver = Receiver()
    scene.happen("flooding")  # before the target existed
    deliver(
        scene, receiver, lambda: (hook(receiver),), lambda: scene.happen("fibre_break"),
        lambda: scene.desk.targets.get("hook") == len(scene.desk.rows) == 6,
    )  # fmt: skip
    scene.desk.leases.clear()  # that center is gone
    scene.desk.step("t-2", "accepted", "w-1")  # while nobody was there
    deliver(
        scene, receiver, lambda: (hook(receiver),), lambda: None,
        lambda: len(receiver.taken("hook")) == 2,
    )  # fmt: skip
    keys = [g.headers["webhook-id"] for g in receiver.taken("hook")]
    assert keys == ["ticket:t-2:1:opened", "ticket:t-2:2:accepted"]


def test_of_two_centers_one_delivers(scene: Scene) -> None:
    receiver = Receiver()
    scene.desk.leases["notify:hook"] = "another center"
    deliver(
        scene, receiver, lambda: (hook(receiver), hook(receiver, "mine")),
        lambda: scene.happen("flooding"), lambda: len(receiver.taken("mine")) == 1,
    )  # fmt: skip
    assert not receiver.taken("hook")


def test_only_what_concerns_a_target_reaches_it(scene: Scene) -> None:
    receiver = Receiver()

    def targets() -> tuple[Target, ...]:
        return (
            hook(receiver, "power", to=("utility:gd",)),
            hook(receiver, "wang", to=("worker:w-07",)),
            hook(receiver, "severe", severity=5),
            hook(receiver, "kinds", kinds=("fibre_break",)),
            hook(receiver, "all"),
        )

    def story() -> None:
        scene.happen("severed_cable")
        scene.happen("flooding", worker="w-07", severity=5)
        scene.happen("fibre_break")

    deliver(scene, receiver, targets, story, lambda: len(receiver.taken("all")) == 3)
    took = {
        n: [g.json["subject"] for g in receiver.taken(n)]
        for n in ("power", "wang", "severe", "kinds")
    }
    assert took == {"power": ["t-1"], "wang": ["t-2"], "severe": ["t-2"], "kinds": ["t-3"]}


def test_people_of_a_place_hear_once_of_what_several_utilities_mend(scene: Scene) -> None:
    receiver = Receiver()

    def targets() -> tuple[Target, ...]:
        return (
            push(receiver, "duty"),
            push(receiver, "district", to=("district:wenhui",)),
            push(receiver, "telecom", to=("utility:tel",)),
            hook(receiver, "system"),
        )

    def story() -> None:
        whole = scene.happen("severed_cable")
        scene.happen("severed_cable", parent=whole, utility="gd")
        scene.happen("severed_cable", parent=whole, utility="tel")

    def enough() -> bool:
        came = {name: len(receiver.taken(name)) for name in ("duty", "district", "telecom")}
        return len(receiver.taken("system")) == 3 and all(came.values())

    deliver(scene, receiver, targets, story, enough)
    links = {n: [g.json["message"].split("/")[-1] for g in receiver.taken(n)]
             for n in ("duty", "district", "telecom")}  # fmt: skip
    assert links["duty"] == links["district"] == ["#t-1"]
    assert [link.split("~")[0] for link in links["telecom"]] == ["t-3"]


def test_window_and_pictures_go_to_restricted_webhooks_only(scene: Scene) -> None:
    receiver = Receiver()
    deliver(
        scene, receiver,
        lambda: (hook(receiver, "open"), hook(receiver, "police", restricted=True), push(receiver)),
        lambda: scene.happen("high_altitude_throw"),
        lambda: all(receiver.taken(n) for n in ("open", "police", "push")),
    )  # fmt: skip
    assert b"F17-3" in receiver.taken("police")[0].body
    for public in ("open", "push"):
        assert b"F17-3" not in receiver.taken(public)[0].body


def test_people_get_a_message_that_reads_well(scene: Scene) -> None:
    receiver = Receiver()
    deliver(
        scene, receiver, lambda: (push(receiver, to=("utility:pw",)),),
        lambda: scene.happen("flooding", address="文晖街道桃园社区", worker="w-07"),
        lambda: len(receiver.taken("push")) == 1,
    )  # fmt: skip
    said = receiver.taken("push")[0].json
    assert said["title"] == "【紧急】道路积水 · 文晖街道桃园社区"
    lines = said["message"].split("\n")
    assert "漫溢" in lines[0]
    assert "责任单位：市政排水公司。" in lines[0]
    assert lines[1].startswith("https://grid.example.cn/u/t-1~pw~")


def test_quiet_hours_hold_back_what_can_wait_and_tell_what_is_left(scene: Scene) -> None:
    clock = scene.desk.clock
    assert isinstance(clock, ManualClock)
    start = clock.now()  # 20:00 in Shanghai
    clock.advance_to(start + timedelta(hours=3))
    receiver = Receiver()

    def story() -> None:
        scene.happen("street_light_out", severity=2)
        scene.happen("sensor_silent", severity=2)
        scene.happen("pole_tilt", severity=2)
        scene.desk.step("t-3", "closed", "w-05")  # settled before anybody had to know
        scene.happen("severed_cable", severity=5)

    def quiet() -> tuple[Target, ...]:
        return (push(receiver, quiet="22:00-07:00", changes=("opened",)),)

    def told() -> bool:
        return scene.desk.targets.get("push") == len(scene.desk.rows) == 13

    deliver(scene, receiver, quiet, story, told)
    assert "线缆" in receiver.taken("push")[0].json["title"]
    clock.advance_to(start + timedelta(hours=11, minutes=1))
    scene.desk.leases.clear()
    deliver(scene, receiver, quiet, lambda: None, lambda: len(receiver.taken("push")) == 4)
    titles = [g.json["title"] for g in receiver.taken("push")][1:]
    assert titles[0] == "静默时段内有2件工单仍未办结"
    assert sorted(t.split(" · ")[0] for t in titles[1:]) == ["设备失联", "路灯不亮"]


@pytest.mark.parametrize("lang", ["zh", "en", "both"])
def test_people_are_not_told_late_of_what_has_gone_on_since(scene: Scene, lang: str) -> None:
    clock = scene.desk.clock
    assert isinstance(clock, ManualClock)
    receiver = Receiver()
    deliver(
        scene, receiver, lambda: (push(receiver, lang=lang),),
        lambda: scene.happen("fibre_break"),
        lambda: scene.desk.targets.get("push") == len(scene.desk.rows) == 3,
    )  # fmt: skip
    scene.happen("flooding", opened_s_ago=1200)
    scene.desk.step("t-2", "reworked", "sensor")
    scene.desk.leases.clear()
    deliver(
        scene, receiver, lambda: (push(receiver, lang=lang),), lambda: None,
        lambda: len(receiver.taken("push")) == 2,
    )  # fmt: skip
    words = {"zh": "返工", "en": "done again", "both": "返工"}[lang]
    assert words in receiver.taken("push")[1].json["title"]


def test_a_webhook_may_want_its_own_json(scene: Scene) -> None:
    receiver = Receiver()
    deliver(
        scene, receiver, lambda: (hook(receiver, mapping="wecom"),),
        lambda: scene.happen("flooding"), lambda: len(receiver.taken("hook")) == 1,
    )  # fmt: skip
    (got,) = receiver.taken("hook")
    assert got.json["order_id"] == "t-1"
    assert got.headers["webhook-id"] == "ticket:t-1:1:opened"
