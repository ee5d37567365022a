"""A patrol round (an incident without events) and who helps come back as they were stored."""

from __future__ import annotations

from contracts.case import Hand, Offer
from tests.unit.store.makes import at, batch, change, incident, ticket
from tests.unit.store.twins import Twin


def test_a_round_comes_back_with_its_hands_and_resources(twin: Twin) -> None:
    writer = twin.writer()
    writer.acquire("w", "me", at(0), 10)
    made = incident("i-9", kind="patrol", events=())
    hand = Hand(worker="w-2", state="accepted", at=at(1), by="router", why="rule / 规则")
    offer = Offer(resource="pump-1", what="pump", name="一号泵", distance_m=52.5, owner="water")
    round_ = ticket(
        "t-9",
        kind="patrol",
        incident="i-9",
        helpers=("w-2",),
        hands=(hand,),
        resources=(offer,),
        reason={"patrol": {"id": "p-1"}, "resources": {"taken": [{"resource": "pump-1"}]}},
    )
    writer.commit(batch(1, changes=[change(made), change(round_)]))
    state = writer.router_state()
    assert state.incidents == [made]
    assert state.tickets == [round_]
