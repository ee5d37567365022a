"""What residents report where the work is said to be done is looked at again."""

from __future__ import annotations

from router.settings import RouterSettings
from tests.scenarios.script import Script, event
from tests.scenarios.town import place, town


def report(at: float) -> object:
    return event("citizen_report", "app", place(402, 202), at, report=f"r-{at}", text="还在积水")


def test_a_report_after_the_work_is_said_to_be_done_sends_somebody() -> None:
    story = Script(town(), RouterSettings(policy="each"))
    story.at(0).event(event("flooding", "road-1", place(400, 200)))
    first = story.ticket()
    story.at(60).do(first.id, "accept", "arrive", by=str(first.worker))
    story.at(90).event(report(90))  # type: ignore[arg-type]
    assert len(story.tickets()) == 1, "somebody is there: it joins"
    story.at(600).do(first.id, "dispose", by=str(first.worker))
    story.at(700).event(event("flooding", "road-1", place(400, 200), rev=2, phase="closed"))
    assert story.ticket_by_id(first.id).stage == "verified"
    story.at(800).event(report(800))  # type: ignore[arg-type]
    again = [t for t in story.tickets() if t.id != first.id]
    assert [t.kind for t in again] == ["citizen_report"]
    assert again[0].worker is not None
