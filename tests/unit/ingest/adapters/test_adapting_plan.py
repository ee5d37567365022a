"""`[[adapters]]` as people write it: what is right is made, what is wrong is told at the start."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from contracts.aliases import Alias
from contracts.errors import Wrong
from ingest.adapting import plan, profile
from ingest.settings import MqttSettings

NOWHERE = Path("/nowhere")


def test_every_file_of_the_folder_is_an_adapter_with_topics_and_options() -> None:
    assert {"chirpstack", "tts", "loriot", "thingpark"} <= set(plan.names())
    for name, spec in plan.known().items():
        assert spec.options.__struct_config__.forbid_unknown_fields, name
        assert spec.limit > 0


def test_topics_name_and_broker_come_from_the_table_or_from_the_adapter() -> None:
    tables: list[dict[str, Any]] = [
        {"use": "tts"},
        {"use": "tts", "name": "cloud", "topics": ["v3/x@tenant/#", "v3/x@tenant/devices/+/up"],
         "broker": {"host": "eu1.cloud.thethings.network", "port": 8883, "tls": True}},
    ]  # fmt: skip
    first, second = plan.read(tables, "g.toml", NOWHERE)
    assert (first.name, first.topics) == ("tts", ("v3/+/devices/+/up", "v3/+/devices/+/join"))
    assert (second.name, second.topics) == ("cloud", ("v3/x@tenant/#",)), "the narrow one is in it"
    base = MqttSettings(client_id="us", keepalive_s=17)
    assert first.mqtt(base) == base
    elsewhere = second.mqtt(base)
    assert (elsewhere.host, elsewhere.tls, elsewhere.client_id) == (
        "eu1.cloud.thethings.network", True, "us",
    )  # fmt: skip
    assert elsewhere.keepalive_s == 17


@pytest.mark.parametrize(
    ("table", "where", "words"),
    [
        ({"use": "chirpstak"}, "use", ["chirpstak", "did you mean chirpstack?"]),
        ({}, "adapters 1", ["use"]),
        ({"use": "tts", "topics": ["v3/#/up"]}, "topics", ["v3/#/up", "last level"]),
        ({"use": "tts", "topics": ["a/b+"]}, "topics", ["whole level"]),
        ({"use": "tts", "topics": []}, "topics", ["an empty list"]),
        ({"use": "tts", "topics": "v3/#"}, "topics", ["'v3/#'"]),
        ({"use": "tts", "topics": ["#"]}, "topics", ["our own topics"]),
        ({"use": "tts", "topics": ["$share/g/gridsentry/#"]}, "topics", ["our own topics"]),
        ({"use": "tts", "radiant": True}, "radiant", ["not a known field", "did you mean radio?"]),
        ({"use": "tts", "radio": "perhaps"}, "radio", ["'perhaps'"]),
        ({"use": "tts", "name": "a b"}, "name", ["'a b'"]),
        ({"use": "tts", "broker": {"port": 99999}}, "broker, port", ["99999"]),
        ({"use": "tts", "broker": {"hots": "x"}}, "broker.hots", ["did you mean host?"]),
        ({"use": "tts", "broker": {"client_id": "x"}}, "broker.client_id", ["not a known field"]),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_what_is_allowed(
    table: dict[str, Any], where: str, words: list[str]
) -> None:
    with pytest.raises(Wrong) as caught:
        plan.read([table], "g.toml", NOWHERE)
    assert where in caught.value.where
    assert caught.value.where.startswith("g.toml, adapters 1")
    for word in words:
        assert word in str(caught.value)
    assert caught.value.allowed


def test_two_of_one_name_or_one_behind_the_other_are_refused() -> None:
    with pytest.raises(Wrong, match=r"adapters 2, name: 'tts' again"):
        plan.read([{"use": "tts"}, {"use": "tts"}], "g.toml", NOWHERE)
    hidden: list[dict[str, Any]] = [{"use": "tts", "topics": ["v3/#"]}, {"use": "tts", "name": "b"}]
    with pytest.raises(Wrong, match="all of it goes to 'tts' already"):
        plan.read(hidden, "g.toml", NOWHERE)
    plan.read([hidden[1], {**hidden[0], "name": "rest"}], "g.toml", NOWHERE)


def test_a_recording_is_read_with_every_adapter_that_needs_no_options() -> None:
    made = {p.use: p for p in plan.usual(NOWHERE)}
    assert {"chirpstack", "tts", "loriot", "thingpark"} <= set(made)
    assert all(p.topics for p in made.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("devices = 3", ["devices", "object"]),
        ("[devices.X]\nlayuot = 'fixed'", ["layuot"]),
        ("[devices.X]\nlike = 'Y'", ["no device 'Y'"]),
        ("[devices.X]\nlayout='channels'\n[devices.X.blocks]\n01='a u9'", ["devices.X", "u9"]),
        ("[devices.X]\nlayout='channels'\n[devices.X.blocks]\n01='a u8 ~3'", ["~3"]),
        ("[devices.X]\nlayout='fixed'\n[devices.X.blocks]\nzz='a u8'", ["zz"]),
        ("[devices.X.metrics]\na={metric='level', unit='furlong'}", ["furlong", "mm"]),
        (
            "[devices.X]\nlayout='words'\n[[devices.X.sensors]]\nwords=1\n"
            "[devices.X.sensors.values]\na='open(1)'",
            ["open(1)"],
        ),
        ("[devices.X", ["not TOML"]),
    ],
)
def test_a_wrong_device_profile_is_told_with_file_and_place(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    folder = tmp_path / "device_profiles"
    folder.mkdir()
    (folder / "own.toml").write_text(text)
    with pytest.raises(Wrong) as caught:
        plan.read([{"use": "tts"}], "g.toml", tmp_path)
    for word in ("device_profiles/own.toml", *words):
        assert word in str(caught.value)


PAGE = (Path(__file__).resolve().parents[4] / "docs" / "adapters.md").read_text(encoding="utf-8")


def test_what_the_page_shows_works(tmp_path: Path) -> None:
    shown = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    config = next(text for text in shown if 'use = "chirpstack"' in text)
    profile_file = next(text for text in shown if "[devices." in text)
    first, second = plan.read(tomllib.loads(config)["adapters"], "g.toml", NOWHERE)
    assert (first.use, second.name, second.broker["port"]) == ("chirpstack", "cloud", 8883)
    folder = tmp_path / "device_profiles"
    folder.mkdir()
    (folder / "example.toml").write_text(profile_file, encoding="utf-8")
    own = profile.read(tmp_path).named("Dipper 2 LoRa")
    assert own is not None
    told = own.told(bytes.fromhex("01755c0382d0073f"), 1)
    assert own.values(told.now, Alias(alias="x", device="d", height_m=2.5)) == pytest.approx(
        {"battery_percent": 92, "distance": 2.0, "level": 0.5}
    )


def test_every_adapter_stands_on_the_page() -> None:
    for name in plan.names():
        assert f"`{name}`" in PAGE, f"docs/adapters.md does not tell of {name}"
