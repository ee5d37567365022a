"""SenML packs become readings; the worked examples of RFC 8428 resolve as it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cbor2
import pytest

from contracts.aliases import Alias
from contracts.errors import Permanent
from contracts.nouns import Quality, Reading
from ingest.codec import senml
from tests.unit.ingest.adapters.rig import NOW, SHARED, adapter, arrived, codes, values

EXAMPLES = SHARED / "senml_rfc8428"
PACKS = sorted(
    (path, path.with_name(f"{path.name.split('.')[0]}.gen.resolved.json"))
    for path in EXAMPLES.glob("ex*.*")
    if path.suffix in (".json", ".cbor") and "resolved" not in path.name
)


@pytest.mark.parametrize(
    ("pack", "resolved"),
    [pair for pair in PACKS if pair[1].exists()],
    ids=lambda path: path.name,
)
def test_the_examples_of_the_standard_resolve_as_it_says(pack: Path, resolved: Path) -> None:
    wanted = json.loads(resolved.read_text())
    # What resolved them leaves data values (`vd`) out.
    told = {one["n"] for one in wanted}
    found = senml.resolve(senml.packed(pack.read_bytes()))
    found = [r for r in found if isinstance(r, senml.Bad) or r.name in told]
    assert len(found) == len(wanted)
    for record, one in zip(found, wanted, strict=True):
        assert isinstance(record, senml.Record)
        assert record.name == one["n"]
        assert record.unit == one.get("u")
        if record.relative:  # the text resolved "now" with a clock of its own
            assert record.time_s <= 0
        else:
            assert record.time_s == pytest.approx(one["t"])
        if "v" in one or "vb" in one:
            assert record.value == pytest.approx(float(one.get("v", one.get("vb"))))
        if "s" in one:
            assert record.sum == pytest.approx(one["s"])


def test_there_are_examples() -> None:
    assert len([pair for pair in PACKS if pair[1].exists()]) >= 15


def pack(*records: dict[str, object]) -> bytes:
    return json.dumps(records).encode()


def test_the_name_says_which_device_and_which_quantity() -> None:
    some = adapter(
        "senml", "d-1", "d-2", aliases={"2001:db8::2": "d-1", "0024befffe804ff1": "d-2"},
        topics=["senml/#"],
    )  # fmt: skip
    said = some.decode(
        arrived(
            "senml/x",
            pack(
                {"bn": "2001:db8::2/", "bt": 1.7953e9, "n": "temperature", "u": "Cel", "v": 25.2},
                {"bn": "urn:dev:mac:0024befffe804ff1/", "n": "water-level", "u": "cm", "v": 43},
            ),
        )
    )
    assert values(said) == {
        ("d-1", "temperature"): 25.2,
        ("d-2", "level"): pytest.approx(0.43),
    }
    assert {r.sent_at for r in said if isinstance(r, Reading)} == {
        datetime.fromtimestamp(1.7953e9, UTC)
    }


def test_a_name_without_a_device_belongs_to_the_one_of_the_topic() -> None:
    some = adapter("senml", "d-1", topics=["up/#"])
    said = some.decode(arrived("up/d-1/senml", pack({"n": "depth", "u": "mm", "v": 120, "t": -5})))
    assert values(said) == {("d-1", "depth"): pytest.approx(0.12)}
    (reading,) = said
    assert isinstance(reading, Reading)
    assert reading.at == NOW - timedelta(seconds=5), "relative to its arrival"
    assert reading.sent_at is None and reading.quality == Quality.UNKEYED


def test_cbor_says_the_same_as_json() -> None:
    labels = {name: number for number, name in senml.LABELS.items()}
    records = [
        {"bn": "d-1:", "bt": 1795300000, "n": "level", "u": "m", "v": 1.5},
        {"n": "last_gasp", "vb": True, "t": 3},
    ]
    as_cbor = cbor2.dumps([{labels[k]: v for k, v in one.items()} for one in records])
    some = adapter("senml", "d-1", topics=["x"])
    one = some.decode(arrived("x", pack(*records)))
    assert values(one) == {("d-1", "level"): 1.5, ("d-1", "last_gasp"): 1.0}
    assert some.decode(arrived("x", as_cbor)) == one


def test_sums_and_base_values_count() -> None:
    some = adapter("senml", "m", topics=["x"])
    said = some.decode(
        arrived("x", pack({"bn": "m/", "bv": 20, "bs": 100, "n": "flow", "v": 2, "s": 5}))
    )
    assert values(said) == {("m", "flow"): 22.0, ("m", "flow_sum"): 105.0}


def test_the_city_may_call_a_quantity_otherwise_or_leave_it_out() -> None:
    alias = Alias(alias="m", device="m", metrics={"current": "current_b", "rssi": ""})
    some = adapter("senml", "m", aliases={"m": alias}, topics=["x"])
    said = some.decode(
        arrived("x", pack({"bn": "m/", "n": "current", "v": 2}, {"n": "rssi", "v": -90}))
    )
    assert values(said) == {("m", "current_b"): 2.0}


def test_one_bad_record_does_not_spoil_the_others() -> None:
    some = adapter("senml", "m", topics=["x"])
    said = some.decode(
        arrived(
            "x",
            pack({"bn": "m/", "n": "a", "v": "3"}, {"n": "level", "v": 1}, {"n": "", "u": "m"}),
        )
    )
    assert values(said) == {("m", "level"): 1.0}
    assert codes(said) == ["not_a_number", "no_value"]
    assert "record 0" in next(p.reason for p in said if hasattr(p, "reason"))


def test_a_device_that_nobody_registered_is_told_once_and_by_its_name() -> None:
    some = adapter("senml", "m", topics=["x"])
    said = some.decode(
        arrived("x", pack({"bn": "urn:dev:ow:1/", "n": "a", "v": 3}, {"n": "b", "v": 4}))
    )
    assert codes(said) == ["unknown_device"]
    assert next(iter(said)).device == "urn:dev:ow:1"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "not_senml"),
        (b"[", "not_json"),
        (b"[]", "not_senml"),
        (b"\x81", "not_cbor"),
        (b"\x81\xa1\x02\x01\x00", "not_cbor"),
        (b'[{"n":"m/a","v":1,"new_":2}]', "not_understood"),
        (b'[{"bver":11,"n":"m/a","v":1}]', "bad_version"),
        (b'[{"bt":"x","n":"m/a","v":1}]', "not_a_number"),
        (b"42", "not_senml"),
    ],
)
def test_what_is_no_pack_is_refused_with_its_reason(payload: bytes, code: str) -> None:
    some = adapter("senml", "m", topics=["x"])
    with pytest.raises(Permanent) as bad:
        some.decode(arrived("x", payload))
    assert bad.value.code == code
