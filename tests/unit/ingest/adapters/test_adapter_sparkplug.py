"""Sparkplug B: what births tell holds for data, gaps ask for births, deaths are of their birth."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest

from contracts.aliases import Alias
from contracts.clock import epoch_ms
from contracts.errors import Permanent
from contracts.nouns import Reading, Status
from ingest.adapting.kit import Adapter, Outgoing, Said
from ingest.codec import sparkplug
from tests.unit.ingest.adapters.rig import NOW, SHARED, adapter, arrived, codes, values

T = epoch_ms(NOW)
GOOD, BAD = 192, 0
INT16, UINT32, FLOAT, BOOLEAN, STRING = 2, 7, 9, 11, 12


def payload(seq: int | None, *metrics: dict[str, Any], at: int = T) -> bytes:
    """As a node would send it; `unit` and `quality` become properties."""
    told = sparkplug._Payload(timestamp=at)
    if seq is not None:
        told.seq = seq
    for one in metrics:
        members = dict(one)
        unit, quality = members.pop("unit", None), members.pop("quality", None)
        template = members.pop("members", None)
        metric = told.metrics.add(**members)
        if unit is not None:
            metric.properties.keys.append("engUnit")
            metric.properties.values.add(string_value=unit)
        if quality is not None:
            metric.properties.keys.append("Quality")
            metric.properties.values.add(int_value=quality)
        for member in template or ():
            metric.template_value.metrics.add(**member)
    data: bytes = told.SerializeToString()
    return data


class Plant:
    """One edge node that is listened to."""

    def __init__(self, some: Adapter) -> None:
        self.some = some
        self.at = NOW

    def says(self, kind: str, data: bytes, device: str | None = None) -> list[Said]:
        tail = "" if device is None else f"/{device}"
        return list(self.some.decode(arrived(f"spBv1.0/g/{kind}/n{tail}", data, self.at)))

    def born(self) -> list[Said]:
        self.says(
            "NBIRTH",
            payload(0, {"name": "bdSeq", "datatype": 4, "long_value": 7}),
        )
        return self.says(
            "DBIRTH",
            payload(
                1,
                {"name": "Level", "alias": 1, "datatype": FLOAT, "float_value": 12.3, "unit": "cm"},
                {"name": "Tilt", "alias": 2, "datatype": INT16, "int_value": 0xFFFE},
                {"name": "Open", "alias": 3, "datatype": BOOLEAN, "boolean_value": True},
                {"name": "Make", "alias": 4, "datatype": STRING, "string_value": "acme"},
            ),
            "d-1",
        )


@pytest.fixture
def plant() -> Plant:
    return Plant(adapter("sparkplug", "d-1"))


def asked(said: list[Said]) -> list[Outgoing]:
    return [one for one in said if isinstance(one, Outgoing)]


def test_a_birth_tells_values_units_and_that_the_device_lives(plant: Plant) -> None:
    said = plant.born()
    assert values(said) == {
        ("d-1", "level"): pytest.approx(0.123),
        ("d-1", "tilt"): -2.0,
        ("d-1", "Open"): 1.0,
    }
    assert [s.online for s in said if isinstance(s, Status)] == [True]
    assert {r.sent_at for r in said if isinstance(r, Reading)} == {NOW}
    assert not asked(said)


def test_data_say_an_alias_only(plant: Plant) -> None:
    plant.born()
    said = plant.says(
        "DDATA",
        payload(2, {"alias": 1, "float_value": 45.0}, {"alias": 2, "int_value": 5}),
        "d-1",
    )
    assert values(said) == {("d-1", "level"): pytest.approx(0.45), ("d-1", "tilt"): 5.0}
    assert not asked(said)


def test_a_missing_message_asks_for_the_births_once_in_a_while(plant: Plant) -> None:
    plant.born()
    said = plant.says("DDATA", payload(4, {"alias": 1, "float_value": 45.0}), "d-1")
    assert values(said) == {("d-1", "level"): pytest.approx(0.45)}, "only a birth changes aliases"
    (ask,) = asked(said)
    assert (ask.topic, ask.qos, ask.retain) == ("spBv1.0/g/NCMD/n", 0, False)
    (metric,) = sparkplug.decode(ask.payload).metrics
    assert (metric.name, metric.raw) == ("Node Control/Rebirth", True)
    assert not asked(plant.says("DDATA", payload(9, {"alias": 1, "float_value": 4.0}), "d-1"))
    plant.at += timedelta(seconds=11)
    assert asked(plant.says("DDATA", payload(20, {"alias": 1, "float_value": 4.0}), "d-1"))


def test_seq_begins_again_after_255(plant: Plant) -> None:
    plant.born()
    for seq in [*range(2, 256), 0, 1]:
        said = plant.says("DDATA", payload(seq, {"alias": 1, "float_value": 1.0}), "d-1")
        assert not asked(said), seq


def test_an_alias_without_a_birth_is_told_and_asked_for(plant: Plant) -> None:
    said = plant.says("DDATA", payload(5, {"alias": 9, "float_value": 1.0}), "d-1")
    assert codes(said) == ["unknown_alias"]
    assert asked(said)
    named = plant.says("DDATA", payload(6, {"name": "Level", "float_value": 2.0}), "d-1")
    assert values(named) == {("d-1", "level"): 2.0}


def test_a_death_ends_its_own_connection_only(plant: Plant) -> None:
    plant.born()
    late = payload(None, {"name": "bdSeq", "datatype": 4, "long_value": 6})
    assert plant.says("NDEATH", late) == []
    said = plant.says("NDEATH", payload(None, {"name": "bdSeq", "datatype": 4, "long_value": 7}))
    assert [(s.device, s.online) for s in said if isinstance(s, Status)] == [("d-1", False)]


def test_a_device_may_die_alone(plant: Plant) -> None:
    plant.born()
    said = plant.says("DDEATH", payload(2), "d-1")
    assert [(s.device, s.online) for s in said if isinstance(s, Status)] == [("d-1", False)]


def test_after_a_restart_aliases_are_known_and_births_are_asked_for(plant: Plant) -> None:
    plant.born()
    state = plant.some.snapshot()
    assert state is not None
    assert plant.some.snapshot() is None, "told once"
    again = Plant(adapter("sparkplug", "d-1", state=state))
    said = again.says("DDATA", payload(77, {"alias": 1, "float_value": 45.0}), "d-1")
    assert values(said) == {("d-1", "level"): pytest.approx(0.45)}
    assert asked(said), "a birth may have been missed meanwhile"


def test_values_that_are_null_or_not_to_be_believed_are_no_readings(plant: Plant) -> None:
    plant.born()
    said = plant.says(
        "DDATA",
        payload(
            2,
            {"alias": 1, "is_null": True},
            {"alias": 2, "int_value": 5, "quality": BAD},
            {"alias": 3, "boolean_value": False, "quality": GOOD},
            {"name": "x", "datatype": FLOAT, "float_value": float("nan")},
        ),
        "d-1",
    )
    assert values(said) == {("d-1", "Open"): 0.0}


def test_members_of_a_template_and_compressed_payloads_are_read(plant: Plant) -> None:
    member = {"name": "flow", "datatype": FLOAT, "float_value": 2.5}
    inner = payload(2, {"name": "pump", "datatype": 19, "members": [member]})
    plant.born()
    told = sparkplug._Payload(uuid=sparkplug.COMPRESSED, body=gzip.compress(inner), seq=2)
    said = plant.says("DDATA", told.SerializeToString(), "d-1")
    assert values(said) == {("d-1", "pump/flow"): 2.5}


def test_a_bomb_of_a_payload_is_refused(plant: Plant) -> None:
    body = gzip.compress(bytes(sparkplug.LARGEST + 1))
    told = sparkplug._Payload(uuid=sparkplug.COMPRESSED, body=body)
    with pytest.raises(Permanent, match="larger than"):
        plant.says("DDATA", told.SerializeToString(), "d-1")


def test_a_device_goes_by_any_length_of_its_path_and_the_city_names_its_channels() -> None:
    alias = Alias(alias="g/n/meter", device="m", metrics={"Ia": "current_a", "Noise": ""})
    plant = Plant(adapter("sparkplug", "m", aliases={"g/n/meter": alias}))
    said = plant.says(
        "DDATA",
        payload(
            0,
            {"name": "Ia", "datatype": UINT32, "int_value": 1500, "unit": "mA"},
            {"name": "Noise", "datatype": UINT32, "int_value": 1},
        ),
        "meter",
    )
    assert values(said) == {("m", "current_a"): 1.5}


def test_a_primary_host_tells_that_it_listens_and_leaves_a_will() -> None:
    some = adapter("sparkplug", "d-1", host_id="city")
    presence = some.presence(NOW)
    assert presence is not None
    assert presence.greeting.topic == presence.will.topic == "spBv1.0/STATE/city"
    assert json.loads(presence.greeting.payload) == {"online": True, "timestamp": T}
    assert json.loads(presence.will.payload) == {"online": False, "timestamp": T}
    assert presence.greeting.retain and presence.will.retain
    assert adapter("sparkplug", "d-1").presence(NOW) is None


@pytest.mark.parametrize(
    ("topic", "data"),
    [
        ("spBv1.0/STATE/other", b'{"online":true}'),
        ("spBv1.0/g/NCMD/n", b"\x00"),
        ("spBv1.0/g/DCMD/n/d-1", b"\x00"),
    ],
)
def test_what_others_say_is_left_aside(topic: str, data: bytes) -> None:
    assert adapter("sparkplug", "d-1").decode(arrived(topic, data)) == ()


@pytest.mark.parametrize(
    ("topic", "data", "code"),
    [
        ("spBv1.0/g/NBIRTH", b"", "wrong_topic"),
        ("spBv1.0/g/NDATA/n/d-1", b"", "wrong_topic"),
        ("spBv1.0/g/DDATA/n", b"", "wrong_topic"),
        ("spBv1.0/g/DDATA/n/d-1", b"\xff\xff", "not_sparkplug"),
    ],
)
def test_what_is_no_message_is_refused_with_its_reason(topic: str, data: bytes, code: str) -> None:
    with pytest.raises(Permanent) as bad:
        adapter("sparkplug", "d-1").decode(arrived(topic, data))
    assert bad.value.code == code


def test_the_examples_of_the_specification_are_read() -> None:
    some = adapter("sparkplug", "Pibrella", "Raspberry Pi".replace(" ", ""), aliases={})
    base, folder = "spBv1.0/Sparkplug B Devices", SHARED / "sparkplug_b"
    for name, topic, wanted in (
        ("spec_02_DBIRTH", "DBIRTH/Raspberry Pi/Pibrella", ("Inputs/A", 0.0)),
        ("spec_04_DDATA", "DDATA/Raspberry Pi/Pibrella", ("Inputs/A", 1.0)),
    ):
        data = (folder / f"{name}.bin").read_bytes()
        sent = json.loads((folder / f"{name}.json").read_text())
        said = list(some.decode(arrived(f"{base}/{topic}", data)))
        told = values(said)
        assert told["Pibrella", wanted[0]] == wanted[1]
        numbers = [m for m in sent["metrics"] if m["dataType"] in ("Boolean", "Int64", "Float")]
        kept = [m for m in numbers if not m["name"].startswith(("Device Control", "Properties"))]
        assert len(told) == len(kept)
