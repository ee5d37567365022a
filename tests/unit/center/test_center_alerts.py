"""Alerts by MQTT: at least once, in order, behind the acknowledgement, personal data kept back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry

from center.alerts import TARGET, MqttAlerts
from center.links import Signer
from center.metrics import Metrics
from center.notify.passes import Passes
from center.privacy import Veil
from contracts.clock import monotonic
from contracts.errors import Temporary
from tests.unit.center.scene import Scene

URL = "https://grid.example.cn"


class Broker:
    """A publisher that can refuse."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.refuse = 0
        self.after: Callable[[], None] = lambda: None

    def start(self) -> None: ...
    def stop(self) -> None: ...

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False,
        wait_s: float | None = None,
    ) -> None:  # fmt: skip
        assert qos == 1
        assert wait_s, "the cursor may only move behind an acknowledgement"
        if self.refuse:
            self.refuse -= 1
            raise Temporary("the broker is away")
        self.sent.append((topic, json.loads(payload)))
        self.after()


def run(scene: Scene, broker: Broker, until: Callable[[], bool]) -> MqttAlerts:
    async def main() -> MqttAlerts:
        signer = Signer("a secret of ours, long", 600, scene.desk.clock, URL)
        alerts = MqttAlerts(
            scene.desk, broker, scene.city, signer=signer, veil=Veil(scene.city),
            metrics=Metrics(CollectorRegistry()), backoff_s=(0.01,),
            passes=Passes("a secret of ours, long", 600, scene.desk.clock, URL),
        )  # fmt: skip
        task = asyncio.create_task(alerts.run())
        end = monotonic() + 5
        while not until() and monotonic() < end:
            await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert until()
        return alerts

    return asyncio.run(main())


def test_a_ticket_goes_to_all_who_must_know(scene: Scene) -> None:
    broker = Broker()
    scene.happen("flooding", worker="w-07")
    run(scene, broker, lambda: scene.desk.targets.get(TARGET) == 3)
    assert [topic for topic, _ in broker.sent] == [
        "gridsentry/v1/alert/wenhui/flooding/opened",
        "gridsentry/v1/worker/w-07/ticket",
        "gridsentry/v1/utility/pw/ticket",
    ]
    event = broker.sent[0][1]
    assert event["specversion"] == "1.0"
    assert (event["id"], event["subject"]) == ("ticket:t-1:1:opened", "t-1")
    data = event["data"]
    assert data["incident_detail"]["id"] == "i-1"
    assert data["deadlines"]["accept"]
    assert data["events"][0]["value"] > 0


def test_helpers_hear_of_it_too(scene: Scene) -> None:
    broker = Broker()
    scene.happen("severed_cable", worker="w-07")
    scene.desk.amend("t-1", helpers=("w-08", "w-09"))
    run(scene, broker, lambda: scene.desk.targets.get(TARGET) == 4)
    heard = [topic.split("/")[3] for topic, _ in broker.sent[3:] if "/worker/" in topic]
    assert heard == ["w-07", "w-08", "w-09"]


def test_the_utilitys_own_topic_carries_a_link_to_act_by(scene: Scene) -> None:
    broker = Broker()
    scene.happen("severed_cable")
    run(scene, broker, lambda: scene.desk.targets.get(TARGET) == 3)
    links = {topic.split("/")[2]: event["data"].get("act") for topic, event in broker.sent}
    assert links["alert"] is None
    assert links["worker"] is None
    assert links["utility"].startswith("https://grid.example.cn/u/t-1~gd~")


def test_window_and_pictures_go_to_restricted_receivers_only(scene: Scene) -> None:
    broker = Broker()
    scene.happen("high_altitude_throw", reason={"incident": {"text": "from F17-3"}})
    run(scene, broker, lambda: scene.desk.targets.get(TARGET) == 3)
    by_topic = {topic.split("/")[2]: json.dumps(event) for topic, event in broker.sent}
    for public in ("alert", "worker"):
        assert "F17-3" not in by_topic[public]
        assert "throw.jpg" not in by_topic[public]
    assert "F17-3" in by_topic["utility"]  # `cg` is marked restricted
    assert "https://grid.example.cn/evidence/cam-1/throw.jpg?exp=" in by_topic["utility"]


def test_another_utility_is_not_told_the_window(scene: Scene) -> None:
    broker = Broker()
    scene.happen("high_altitude_throw", utility="gd")
    run(scene, broker, lambda: scene.desk.targets.get(TARGET) == 3)
    assert "F17-3" not in json.dumps(broker.sent)


def test_a_broker_that_is_away_gets_everything_later_in_order(scene: Scene) -> None:
    broker = Broker()
    broker.refuse = 7
    ticket = scene.happen("flooding")
    for stage in ("accepted", "arrived", "disposed"):
        scene.desk.step(ticket, stage, "a")
    run(scene, broker, lambda: scene.desk.targets.get(TARGET) == 6)
    alerts = [event for topic, event in broker.sent if "/alert/" in topic]
    assert [event["data"]["rev"] for event in alerts] == [1, 2, 3, 4]
    assert [event["type"].rsplit(".", 1)[1] for event in alerts] == [
        "opened", "accepted", "arrived", "disposed",
    ]  # fmt: skip


def test_the_cursor_never_passes_what_was_not_acknowledged(scene: Scene) -> None:
    broker = Broker()
    first = scene.happen("flooding")
    scene.desk.step(first, "accepted", "a")
    broker.after = lambda: setattr(broker, "refuse", 10**9) if len(broker.sent) == 4 else None
    alerts = run(scene, broker, lambda: len(broker.sent) == 4 and broker.refuse < 10**9)
    assert scene.desk.targets[TARGET] == 3  # the second revision was only sent in part
    assert alerts.fault == "the broker is away"
    # A new process sends that revision whole again.
    again = Broker()
    run(scene, again, lambda: scene.desk.targets.get(TARGET) == 4)
    assert [event["data"]["rev"] for _, event in again.sent] == [2, 2, 2]


def test_a_row_that_cannot_be_read_holds_nothing_up(scene: Scene) -> None:
    import msgspec

    broker = Broker()
    scene.happen("flooding")
    scene.desk.rows[2] = msgspec.structs.replace(scene.desk.rows[2], data=b"{")
    scene.happen("severed_cable")
    run(scene, broker, lambda: scene.desk.targets.get(TARGET) == 6)
    assert {event["subject"] for _, event in broker.sent} == {"t-2"}
