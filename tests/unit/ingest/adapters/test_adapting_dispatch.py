"""From topic to adapter: who takes what, whose district, whose shard, what is said back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from contracts.aliases import Alias
from contracts.city import Device
from contracts.errors import Permanent
from contracts.nouns import Arrival, Poison, Reading
from ingest.adapting.dispatch import Adapted
from ingest.adapting.kit import Adapter, Build, Outgoing, Said, Setting, blaming, readings
from ingest.adapting.plan import Plan
from ingest.codec.times import ClockRule
from ingest.decoder import NativeDecoder
from tests.unit.ingest.adapters.gateways import NOW, adapted, arrival, device, poisons, said

DEVICES = {d.id: d for d in (device("a"), device("b", district="d2"))}
SENT = datetime(2026, 7, 1, 7, 59, tzinfo=UTC)


class Lines(Adapter):
    """`device=value` a line; remembers how many it saw; `?` asks back, `!` breaks."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._seen = int(setting.state or b"0")
        self._changed = False

    def decode(self, arrival: Arrival, /) -> Sequence[Said]:
        if arrival.payload == b"!":
            raise ZeroDivisionError("of ours")
        self._seen += 1
        self._changed = True
        if arrival.payload == b"?":
            return [Outgoing("back", b"%d" % self._seen)]
        out: list[Said] = []
        for line in arrival.payload.decode().splitlines():
            name, _, value = line.partition("=")
            found = self._setting.register.device(name)
            with blaming(found):
                if not value:
                    raise Permanent("no_value", "there is none")
                out += readings(found, {"level": float(value)}, arrival, self._setting.rule, SENT)
        return out

    def snapshot(self) -> bytes | None:
        changed, self._changed = self._changed, False
        return b"%d" % self._seen if changed else None


def gate(
    *topics: str,
    name: str = "lines",
    aliases: dict[str, Alias] | None = None,
    district: str | None = None,
    states: dict[str, bytes] | None = None,
    owned: tuple[str, ...] | None = None,
    first: bool = True,
    devices: dict[str, Device] | None = None,
) -> Adapted:
    build: Build = Lines
    plan = Plan(name=name, use=name, topics=topics or ("t/#",), build=build, limit=50,
                district=district)  # fmt: skip
    known = DEVICES if devices is None else devices
    return Adapted([plan], known, aliases or {}, ClockRule(), states, owned, first)


def test_the_decoder_gives_foreign_topics_to_the_adapter_and_keeps_its_own() -> None:
    decoder = NativeDecoder(DEVICES, (), adapted=gate())
    (reading,) = decoder.decode(arrival("t/x", b"a=0.5"))
    assert isinstance(reading, Reading)
    assert (reading.device, reading.value, reading.sent_at) == ("a", 0.5, SENT)
    native = {"ts": "2026-07-01T07:59:00Z", "m": {"level": 1}}
    for _ in range(2):
        (own,) = decoder.decode(arrival("gridsentry/v1/feed/d1/a/telemetry", native))
        assert isinstance(own, Reading)
    (bad,) = decoder.decode(arrival("elsewhere/x", b"a=1"))
    assert isinstance(bad, Poison)
    assert (bad.code, bad.adapter) == ("wrong_topic", "native")


def test_faults_are_blamed_on_device_and_adapter() -> None:
    (bad,) = poisons(said(gate(), arrival("t/x", b"a")))
    assert (bad.code, bad.device, bad.adapter) == ("no_value", "a", "lines")
    (fault,) = poisons(said(gate(), arrival("t/x", b"!")))
    assert (fault.code, fault.device) == ("decoder_fault", None)
    (big,) = poisons(said(gate(), arrival("t/x", b"a=1\n" * 20)))
    assert (big.code, big.adapter) == ("too_large", "lines")


def test_a_gateway_speaks_for_its_district_only() -> None:
    speaking = gate(district="d2")
    assert not poisons(said(speaking, arrival("t/x", b"b=1")))
    (bad,) = poisons(said(speaking, arrival("t/x", b"a=1")))
    assert bad.code == "wrong_district"


def test_a_shard_takes_what_is_its_own_and_the_first_what_is_nobodys() -> None:
    first, second = gate(owned=("d1",)), gate(owned=("d2",), first=False)
    both = arrival("t/x", b"a=1\nb=2")
    assert [n.device for n in said(first, both)] == ["a"]
    assert [n.device for n in said(second, both)] == ["b"]
    assert (first.elsewhere, second.elsewhere) == (False, False)
    assert said(second, arrival("t/x", b"a=1")) == []
    assert second.elsewhere
    kept = arrival("t/x", b"a=1")
    assert second.not_ours("t/x", said(second, kept))
    assert not first.not_ours("t/x", said(first, kept))
    assert first.not_ours("t/x", said(first, arrival("t/x", b"c=1"))), "somebody knows it already"
    assert not gate().not_ours("t/x", said(gate(), arrival("t/x", b"c=1")))
    assert not second.not_ours("gridsentry/v1/feed/d1/a/telemetry", [])
    stranger = arrival("t/x", b"c=1")
    assert [n.code for n in said(first, stranger)] == ["unknown_device"]
    assert said(second, stranger) == []


def test_what_is_said_back_is_no_noun_and_state_is_told_once_and_taken_up() -> None:
    one = gate()
    assert said(one, arrival("t/x", b"?")) == []
    assert one.outgoing == [("lines", Outgoing("back", b"1"))]
    assert one.snapshots() == {"lines": b"1"}
    assert one.snapshots() == {}
    again = gate(states={"lines": b"1"})
    said(again, arrival("t/x", b"?"))
    assert again.outgoing == [("lines", Outgoing("back", b"2"))]
    assert again.counts == {("lines", "aside"): 1}


def test_the_first_adapter_whose_filter_matches_takes_the_topic() -> None:
    plans = [
        Plan(name="narrow", use="x", topics=("t/+/up",), build=Lines, limit=9),
        Plan(name="wide", use="x", topics=("$share/group/t/#",), build=Lines, limit=9),
    ]
    both = Adapted(plans, DEVICES, {}, ClockRule())
    assert both.of("t/1/up") == "narrow"
    assert both.of("t/1/down") == "wide"
    assert both.of("t/1/down") == "wide"
    assert both.of("u/1") is None
    assert both.of("gridsentry/v1/feed/d/e/telemetry") is None


def test_old_retained_messages_are_no_news() -> None:
    keen = adapted("loriot", [device("1000000000000001")])
    old = {"cmd": "rx", "EUI": "1000000000000001", "ts": 1_600_000_000_000, "rssi": -3, "port": 1}
    (bad,) = poisons(said(keen, arrival("loriot/x", old, retained=True)))
    assert bad.code == "retained"
    new = {**old, "ts": int(NOW.timestamp() * 1000) - 5000}
    assert not poisons(said(keen, arrival("loriot/x", new, retained=True)))


@pytest.mark.parametrize("value", [1e13, -2e12])
def test_no_reading_is_larger_than_any_quantity_of_the_field(value: float) -> None:
    (bad,) = poisons(said(gate(), arrival("t/x", f"a={value}".encode())))
    assert (bad.code, bad.device) == ("out_of_range", "a")
